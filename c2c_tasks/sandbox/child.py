"""What happens in the child that runs one function: confine itself, load, call, describe.

All of this runs in the process that the function can take over, so nothing here is trusted:
the child's lines are claims about its own function, which the host checks. This module is
the sandbox's: it imports the standard library, and of ours what the image holds.
"""

import os
import signal
import sys
import time
from json import dumps as to_json
from types import CodeType, FunctionType, ModuleType
from typing import Any

from c2c_tasks.literals import Unrepresentable, dumps, loads
from c2c_tasks.sandbox.confinement import Confinement, Limits, confine
from c2c_tasks.sandbox.coverage import LineRecorder, executable_lines, line_recorder

FILENAME = "<program>"
MODULE = "program"
MAX_TYPE_CHARACTERS = 100
MAX_MESSAGE_CHARACTERS = 500
MAX_TIMED_OUT = 3
"""Cases of a function that may time out; those after them are not run."""
FLUSH_SECONDS = 0.005
FLUSH_LINES = 64
ALARM_AGAIN_SECONDS = 0.05
"""CPU time after which a function that swallowed the alarm gets another one."""


class _CaseTimedOut(BaseException):
    """Raised in the function when its case has used its CPU time."""


class Unbindable(ValueError):
    """The arguments are not a dict that fits the function's parameters."""


def run(
    request: dict[str, Any],
    limits: Limits,
    confinement: Confinement,
    descriptor: int,
    progress: Any,
) -> None:
    """Run a request's cases and write what came of them to the descriptor, as lines of JSON.

    The first line is `{"body_lines": [...]}` or `{"failed_to_load": reason}`, each further
    one `[case, outcome, output, exception type, exception message, covered lines]`.
    `progress` is memory shared with the supervisor: 0 while loading, then the case's
    position, counted from 1.
    """
    descriptor = confine(limits, confinement, descriptor)
    signal.signal(signal.SIGPROF, _on_alarm)
    lines = _Lines(descriptor)
    _arm(limits)
    try:
        code = compile(request["program"], FILENAME, "exec", dont_inherit=True)
        function = _load(code, request["entry_point"])
        body = _unwrap(function).__code__
    except BaseException as error:
        _disarm()
        kind, message = _describe(error)
        lines.add({"failed_to_load": f"{kind}: {message}"})
        lines.flush()
        return
    _disarm()
    lines.add({"body_lines": sorted(executable_lines(body))})
    recorder = line_recorder(code) if request["coverage"] else LineRecorder()
    timed_out = 0
    for case, arguments in enumerate(request["cases"]):
        lines.flush_if_due()
        progress[:4] = (case + 1).to_bytes(4, "big")
        result = _run_case(function, code, request, arguments, limits, recorder)
        lines.add([case, *result])
        function = None  # state must not leak from case to case: each has a fresh module
        timed_out += result[0] == "timed_out"
        if timed_out == MAX_TIMED_OUT:
            break
    lines.flush()


def _run_case(
    function: Any,
    code: CodeType,
    request: dict[str, Any],
    arguments: str,
    limits: Limits,
    recorder: LineRecorder,
) -> tuple[Any, ...]:
    """Return outcome, output, exception type, exception message and covered lines."""
    recorder.clear()
    try:
        _arm(limits)
        try:
            result = _call(function, code, request, arguments, limits, recorder)
        finally:
            _disarm()
        if not _Alarm.rang:  # a function may swallow it, and return late
            return result
    except _CaseTimedOut:
        _disarm()
    return "timed_out", None, None, None, []


def _call(
    function: Any,
    code: CodeType,
    request: dict[str, Any],
    arguments: str,
    limits: Limits,
    recorder: LineRecorder,
) -> tuple[Any, ...]:
    try:
        if function is None:
            function = _load(code, request["entry_point"])
        positional, named = bind(_unwrap(function).__code__, _read(arguments))
        recorder.start()
        try:
            value = function(*positional, **named)
        finally:
            recorder.stop()
        return "returned", dumps(value, limits.output_characters), None, None, recorder.lines()
    except _CaseTimedOut:
        raise
    except Unbindable:
        return "invalid", None, None, None, []
    except Unrepresentable:
        return "unrepresentable", None, None, None, recorder.lines()
    except MemoryError:
        return "killed", None, None, None, []
    except BaseException as error:  # its __str__ is the function's code too, and on the clock
        return "raised", None, *_describe(error), recorder.lines()


class _Alarm:
    rang = False


def _on_alarm(signum: int, frame: object) -> None:
    _Alarm.rang = True
    raise _CaseTimedOut


def _arm(limits: Limits) -> None:
    """Start a case's CPU clock: an exception first, the kernel's kill where that is not heard."""
    _Alarm.rang = False
    signal.setitimer(signal.ITIMER_PROF, limits.case_seconds, ALARM_AGAIN_SECONDS)
    signal.setitimer(signal.ITIMER_VIRTUAL, 1.5 * limits.case_seconds + 0.25)


def _disarm() -> None:
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def _load(code: CodeType, entry_point: str) -> Any:
    """Run the program in a fresh module and return its entry point."""
    module = ModuleType(MODULE)
    sys.modules[MODULE] = module
    exec(code, module.__dict__)
    try:
        function = module.__dict__[entry_point]
    except KeyError:
        raise LookupError(f"the program does not define {entry_point}") from None
    if not isinstance(_unwrap(function), FunctionType):
        raise TypeError(f"{entry_point} is not a function")
    return function


def _unwrap(function: Any) -> Any:
    """Return what decorators wrapped."""
    for _ in range(10):
        if isinstance(function, FunctionType) and "__wrapped__" not in function.__dict__:
            break
        function = getattr(function, "__wrapped__", function)
    return function


def _read(arguments: str) -> dict[str, Any]:
    try:
        values = loads(arguments)
    except ValueError as error:
        raise Unbindable(str(error)) from None
    if type(values) is not dict or not all(type(name) is str for name in values):
        raise Unbindable("not a dict of names")
    return values


def bind(code: CodeType, values: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """Split a dict of parameter values into positional and named arguments.

    The value of ``*args`` is a tuple, that of ``**kwargs`` a dict. Raises ValueError where
    they are something else, or where no call can pass them.
    """
    names = code.co_varnames
    position = code.co_argcount + code.co_kwonlyargcount
    more: Any = ()
    further: Any = {}
    if code.co_flags & 0x04:
        more = values.pop(names[position], ())
        position += 1
    if code.co_flags & 0x08:
        further = values.pop(names[position], {})
    if type(more) is not tuple or type(further) is not dict:
        raise Unbindable("*args is no tuple, or **kwargs no dict")
    by_position = code.co_argcount if more else code.co_posonlyargcount
    positional = []
    for name in names[:by_position]:
        if name not in values:
            if more or any(later in values for later in names[:by_position]):
                raise Unbindable(f"no call passes what follows {name} without {name}")
            break
        positional.append(values.pop(name))
    if not values.keys().isdisjoint(further):
        raise Unbindable("**kwargs repeats a parameter")
    return [*positional, *more], {**values, **further}


def _describe(error: BaseException) -> tuple[str, str]:
    """Return an exception's type name and message, each bounded and free of surrogates."""
    try:
        kind = str(type.__dict__["__name__"].__get__(type(error)))[:MAX_TYPE_CHARACTERS]
        message = str(error)[:MAX_MESSAGE_CHARACTERS]
        return kind, message.encode("utf-8", "backslashreplace").decode()
    except _CaseTimedOut:
        raise
    except BaseException:
        return "Exception", ""


class _Lines:
    """Results on their way out: few system calls, yet little lost when the child dies."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lines: list[str] = []
        self._flushed = time.monotonic()

    def add(self, line: object) -> None:
        self._lines.append(to_json(line))

    def flush_if_due(self) -> None:
        late = time.monotonic() - self._flushed > FLUSH_SECONDS
        if late or len(self._lines) >= FLUSH_LINES:
            self.flush()

    def flush(self) -> None:
        if self._lines:
            data = memoryview(("\n".join(self._lines) + "\n").encode())
            while data:
                data = data[os.write(self._descriptor, data) :]
        self._lines.clear()
        self._flushed = time.monotonic()
