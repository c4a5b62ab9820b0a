"""What happens in the child that runs one function: confine itself, load, call, describe.

All of this runs in the process that the function can take over, so nothing here is trusted:
the child's lines are claims about its own function, which the host checks. This module is
the sandbox's: it imports the standard library, and of ours what the image holds.
"""

import signal
import sys
from json import JSONDecoder
from json.encoder import encode_basestring_ascii as quoted
from time import perf_counter
from types import CodeType, FunctionType, ModuleType
from typing import Any

from c2c_tasks.literal_writer import CALLED_NAMES, Unrepresentable, dumps, in_order
from c2c_tasks.sandbox.confinement import Confinement, Limits, confine
from c2c_tasks.sandbox.coverage import LineRecorder, executable_lines, line_recorder
from c2c_tasks.sandbox.frames import write_all

FILENAME = "<program>"
MODULE = "program"
MAX_TYPE_CHARACTERS = 100
MAX_MESSAGE_CHARACTERS = 500
MAX_TIMED_OUT = 3
"""Cases of a function that may time out; those after them are not run."""
LOADS_TOO_LONG = "the program does not load in the time of a case"
FLUSH_SECONDS = 0.005
FLUSH_LINES = 64
CO_VARARGS = 0x04
CO_VARKEYWORDS = 0x08
TICKS = 10
"""Ticks of the CPU clock in the time of a case."""

_DECODER: Any = JSONDecoder()
_NAMES_OF_LITERALS = {"__builtins__": {}, **CALLED_NAMES}
_TIMED_OUT = '"timed_out",null,null,null,[]'
_INVALID = '"invalid",null,null,null,[]'
_KILLED = '"killed",null,null,null,[]'


class _CaseTimedOut(BaseException):
    """Raised in the function when its case has used its CPU time."""


class Unbindable(ValueError):
    """The arguments are not a dict that fits the function's parameters."""


def run(
    request: bytes, limits: Limits, confinement: Confinement, descriptor: int, progress: Any
) -> None:
    """Run a request's cases and write what came of them to the descriptor, as lines of JSON.

    The request is a line with the name of the entry point, one with `BYTES COVERAGE` (bytes of
    the program; 1 or 0), then the program, then a case a line. The first line that is written
    is `{"body_lines": [...]}` or `{"failed_to_load": reason}`, each further one
    `[case, outcome, output, exception type, exception message, covered lines, microseconds]`.
    `progress` is memory shared with the supervisor: 0 while loading, then the case's
    position, counted from 1.
    """
    descriptor = confine(confinement, descriptor)
    Clock.tick(limits.case_seconds / TICKS)
    serve(request, limits, descriptor, progress)


def serve(request: bytes, limits: Limits, descriptor: int, progress: Any) -> None:
    """Do what `run` does, in a process that is confined and has a clock."""
    entry_point, head, rest = request.split(b"\n", 2)
    size, coverage = map(int, head.split())
    program, cases = rest[:size].decode(), rest[size:].decode()
    lines = _Lines(descriptor)
    try:
        Clock.start()
        calls = _Calls(program, entry_point.decode(), limits.output_characters, bool(coverage))
        Clock.stop()
    except BaseException as error:
        Clock.stop()
        reason = LOADS_TOO_LONG if Clock.rang else ": ".join(_describe(error))
        lines.add(f'{{"failed_to_load": {quoted(reason)}}}')
        lines.flush()
        return
    lines.add(f'{{"body_lines": {calls.body_lines}}}')
    timed_out = 0
    for case, arguments in enumerate(cases.split("\n") if cases else ()):
        progress[:4] = (case + 1).to_bytes(4, "big")
        values = value_of(arguments)
        started = perf_counter()
        result = calls.run(values)
        ended = perf_counter()
        lines.add(f"[{case},{result},{round((ended - started) * 1e6)}]")
        lines.flush_if_due(ended)
        if result is _TIMED_OUT:
            timed_out += 1
            if timed_out == MAX_TIMED_OUT:
                break
    lines.flush()


class _Calls:
    """A program that is called case by case, each in a fresh module: no state leaks."""

    def __init__(self, program: str, entry_point: str, max_characters: int, coverage: bool) -> None:
        self._code = compile(program, FILENAME, "exec", dont_inherit=True)
        self._entry_point = entry_point
        self._max_characters = max_characters
        self._loaded: Any = _load(self._code, entry_point)
        self._recorder = line_recorder(self._code) if coverage else LineRecorder()
        body = _unwrap(self._loaded).__code__
        self.body_lines = sorted(executable_lines(body)) if coverage else []

    def run(self, arguments: object) -> str:
        """Return outcome, output, exception type, message and lines, as the text of JSON items."""
        try:
            Clock.start()
            result = self._call(arguments)
            Clock.stop()
        except _CaseTimedOut:
            Clock.stop()
            return _TIMED_OUT
        return _TIMED_OUT if Clock.rang else result  # a function may swallow it, and return late

    def _call(self, arguments: object) -> str:
        recorder = self._recorder
        recorder.clear()
        try:
            function = self._loaded or _load(self._code, self._entry_point)
            self._loaded = None
            positional, named = bind(_unwrap(function).__code__, arguments)
            recorder.start()
            try:
                value = function(*positional, **named)
            finally:
                recorder.stop()
            output = quoted(dumps(value, self._max_characters))
            return f'"returned",{output},null,null,{recorder.lines()}'
        except _CaseTimedOut:
            raise
        except Unbindable:
            return _INVALID
        except Unrepresentable:
            return f'"unrepresentable",null,null,null,{recorder.lines()}'
        except MemoryError:
            return _KILLED
        except BaseException as error:  # its __str__ is the function's code too, and on the clock
            kind, message = _describe(error)
            return f'"raised",null,{quoted(kind)},{quoted(message)},{recorder.lines()}'


class Clock:
    """Counts a case's CPU time in ticks, and raises in its function when it is used up.

    No system call is needed for a case. What never comes back to the interpreter (a regular
    expression, a sort) does not hear it: the supervisor ends such a child.
    """

    ticks = 0
    running = False
    rang = False

    @staticmethod
    def install() -> None:
        """Listen for ticks; children inherit it."""
        signal.signal(signal.SIGPROF, Clock._on_tick)

    @staticmethod
    def tick(seconds: float) -> None:
        """Tick at intervals of CPU time."""
        signal.setitimer(signal.ITIMER_PROF, seconds, seconds)

    @staticmethod
    def start() -> None:
        """Begin a case."""
        Clock.ticks = 0
        Clock.rang = False
        Clock.running = True

    @staticmethod
    def stop() -> None:
        """End a case."""
        Clock.running = False

    @staticmethod
    def _on_tick(signum: int, frame: object) -> None:
        Clock.ticks += 1
        if Clock.running and Clock.ticks > TICKS:
            Clock.rang = True
            raise _CaseTimedOut


def _load(code: CodeType, entry_point: str) -> Any:
    """Run the program in a fresh module and return its entry point."""
    module = ModuleType(MODULE)
    sys.modules[MODULE] = module
    exec(code, module.__dict__)
    try:
        function = module.__dict__[entry_point]
    except KeyError:
        raise LookupError(f"the program does not define {entry_point}") from None
    if type(function) is not FunctionType and not isinstance(_unwrap(function), FunctionType):
        raise TypeError(f"{entry_point} is not a function")
    return function


def _unwrap(function: Any) -> Any:
    """Return what decorators wrapped."""
    for _ in range(10):
        if isinstance(function, FunctionType) and "__wrapped__" not in function.__dict__:
            break
        function = getattr(function, "__wrapped__", function)
    return function


def value_of(literal: str) -> Any:
    """Return the value of a canonical literal, or None for a text that is no literal.

    Most of what such texts hold, JSON spells alike but for the quotes, and reads faster than
    Python does; what it refuses is compiled.
    """
    value = _from_json(literal)
    if value is None:
        try:
            value = in_order(eval(literal, _NAMES_OF_LITERALS))
        except Exception:
            return None
    return value


def _from_json(literal: str) -> Any:
    """Return the value of a literal that JSON reads as Python does, else None."""
    if '"' in literal or "\\" in literal:
        return None
    try:
        value, end = _DECODER.scan_once(literal.replace("'", '"'), 0)
    except (StopIteration, ValueError, RecursionError):
        return None
    return value if end == len(literal) else None


def bind(code: CodeType, values: Any) -> tuple[list[Any], dict[str, Any]]:
    """Split a dict of parameter values into positional and named arguments.

    The value of ``*args`` is a tuple, that of ``**kwargs`` a dict. Raises Unbindable where
    they are something else, or where no call can pass them.
    """
    if type(values) is not dict or {*map(type, values)} - {str}:
        raise Unbindable("not a dict of names")
    if not code.co_flags & (CO_VARARGS | CO_VARKEYWORDS) and not code.co_posonlyargcount:
        return [], values
    names = code.co_varnames
    position = code.co_argcount + code.co_kwonlyargcount
    more: Any = ()
    further: Any = {}
    if code.co_flags & CO_VARARGS:
        more = values.pop(names[position], ())
        position += 1
    if code.co_flags & CO_VARKEYWORDS:
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
        self._flushed = perf_counter()

    def add(self, line: str) -> None:
        self._lines.append(line)

    def flush_if_due(self, now: float) -> None:
        if now - self._flushed > FLUSH_SECONDS or len(self._lines) >= FLUSH_LINES:
            self.flush()
            self._flushed = now

    def flush(self) -> None:
        self._lines.append("")
        write_all(self._descriptor, "\n".join(self._lines).encode())
        self._lines.clear()
