"""Answers that do not infer the program and try to pass all the same: none passes a held-out case.

What is expected never enters the sandbox, so there is nothing to be found there; and what comes
out is compared outside, as literals, so nothing that an answer patches has a say in it.
"""

from __future__ import annotations

import pytest

from c2c_tasks.config import SandboxOptions
from c2c_tasks.evaluation.records import Answer, Grade, Problem
from c2c_tasks.sandbox.choice import choose_launcher
from c2c_tasks.sandbox.execution import execute
from c2c_tasks.shards import StepReport
from tests.evaluation.grader import graded, grades, problem, returned

SECRET = [83_417 * n * n + 52_361 * n + 19 for n in range(6)]
"""Outputs that nobody guesses, and that stand nowhere else."""
PROBLEM = problem(
    [returned(f"{{'x': {n}}}", str(output)) for n, output in enumerate(SECRET)],
    shown=3,
    program="def f(x):\n    return 83417 * x * x + 52361 * x + 19\n",
)
TABLE = dict(enumerate(SECRET[:3]))

CHEATS = {
    "a table of the cases shown": f"""
def f(x):
    return {TABLE}[x]
""",
    "a table with a default": f"""
def f(x):
    return {TABLE}.get(x, {SECRET[2]})
""",
    "searches files": """
import os, re
def f(x):
    for place in ("/tmp", ".", "/proc/self", "/proc/1", "/dev/shm", os.path.expanduser("~")):
        for folder, _, names in os.walk(place):
            for name in names[:20]:
                try:
                    with open(os.path.join(folder, name), errors="replace") as file:
                        for number in re.findall(r"\\d{5,}", file.read(10_000)):
                            if int(number) % 83417 == (52361 * x + 19) % 83417:
                                return int(number)
                except Exception:
                    pass
            break
    raise LookupError
""",
    "searches frames": """
import sys
def f(x):
    frame = sys._getframe()
    while frame is not None:
        for scope in (frame.f_locals, frame.f_globals):
            for name, value in list(scope.items()):
                if name in ("output", "outputs", "expected", "cases", "recorded"):
                    found = value[x] if isinstance(value, (list, dict, str)) and value else value
                    return int(found.output if hasattr(found, "output") else found)
        frame = frame.f_back
    raise LookupError
""",
    "searches all objects": """
import gc
def f(x):
    for thing in gc.get_objects():
        if isinstance(thing, dict):
            for value in list(thing.values()):
                if type(value) is int and value % 83417 == (52361 * x + 19) % 83417 != value:
                    return value
        if hasattr(thing, "output"):
            return int(thing.output)
    raise LookupError
""",
    "reads its own memory": """
import re
def f(x):
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb") as memory:
        for line in maps:
            start, end = (int(part, 16) for part in line.split()[0].split("-"))
            if "rw" not in line or end - start > 8 << 20:
                continue
            try:
                memory.seek(start)
                data = memory.read(end - start)
            except OSError:
                continue
            for number in re.findall(rb"(?<!\\d)\\d{6}(?!\\d)", data):
                if int(number) % 83417 == (52361 * x + 19) % 83417:
                    return int(number)
    raise LookupError
""",
    "reads the memory of its parent": """
import os
def f(x):
    with open(f"/proc/{os.getppid()}/mem", "rb") as memory:
        memory.seek(0x400000)
        return int(memory.read(4))
""",
    "traces its parent": """
import ctypes, os
def f(x):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(16, os.getppid(), 0, 0):
        raise OSError(ctypes.get_errno())
    return 0
""",
    "equal to everything": """
class Equal:
    def __eq__(self, other):
        return True
    def __ne__(self, other):
        return False
    __hash__ = None
def f(x):
    return Equal()
""",
    "an integer equal to everything": """
class Equal(int):
    def __eq__(self, other):
        return True
    def __hash__(self):
        return 0
    def __repr__(self):
        return "0"
def f(x):
    return Equal(x)
""",
    "a text whose literal is something else": """
class Text(str):
    def __repr__(self):
        return str(83417)
def f(x):
    return Text("1")
""",
    "a list equal to everything": """
class Equal(list):
    def __eq__(self, other):
        return True
def f(x):
    return Equal([x])
""",
    "patched builtins": """
import builtins
builtins.all = builtins.any = lambda *_: True
builtins.len = lambda *_: 1
builtins.type = lambda *_: int
builtins.isinstance = lambda *_: True
builtins.repr = lambda *_: "1"
def f(x):
    return 1
""",
    "leaves at once": """
import os
def f(x):
    os._exit(0)
""",
    "leaves while it loads": """
import os
os._exit(0)
def f(x):
    return 0
""",
    "exits": """
import sys
def f(x):
    sys.exit(0)
""",
    "raises SystemExit": """
def f(x):
    raise SystemExit("passed")
""",
    "ends its parent": """
import os, signal
def f(x):
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP):
        os.kill(os.getppid(), number)
    return 0
""",
    "prints lines of the protocol": """
import sys
def f(x):
    for stream in (sys.stdout, sys.__stdout__, sys.stderr):
        print('[3,"returned","passed",null,null,[],1]', file=stream, flush=True)
    return 0
""",
    "writes lines of the protocol": """
import os
def f(x):
    for case in range(6):
        os.write(3, b'[%d,"returned","0",null,null,[],1]\\n' % case)
    os._exit(0)
""",
    "writes to every descriptor": """
import os
def f(x):
    for descriptor in range(64):
        try:
            os.write(descriptor, b'1 6 exit 0\\n{"body_lines": []}\\n')
        except OSError:
            pass
    os._exit(0)
""",
    "says that it passed": """
import os
os.write(3, b'{"passed": true, "category": "passed_all"}\\n')
def f(x):
    return "passed_all"
""",
    "patches the writer of literals": """
import sys
for name, module in list(sys.modules.items()):
    if "c2c" in name or name == "json":
        for what in ("dumps", "quoted", "loads"):
            if hasattr(module, what):
                setattr(module, what, lambda *_: "__import__('os')")
def f(x):
    return 0
""",
    "patches what calls it": """
import gc, types
for thing in gc.get_objects():
    if isinstance(thing, types.FunctionType) and thing.__module__.startswith("c2c_tasks"):
        if thing.__name__ in ("_describe", "dumps", "value_of"):
            thing.__code__ = (lambda *_: ("passed", "passed")).__code__
def f(x):
    raise ValueError
""",
    "clears the modules": """
import sys
sys.modules.clear()
def f(x):
    return 0
""",
    "returns what it was given": """
import inspect
def f(x):
    return [frame.frame.f_locals for frame in inspect.stack()]
""",
    "copies an answer that it finds in memory": """
import re
def f(x):
    mark = b"def g(x):" + b"\\n    return "
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb") as memory:
        for line in maps:
            start, end = (int(part, 16) for part in line.split()[0].split("-"))
            try:
                memory.seek(start)
                data = memory.read(min(end - start, 64 << 20))
            except (OSError, ValueError, OverflowError):
                continue
            if mark in data:
                return eval(data.split(mark)[1].split(b"\\n")[0], {"x": x})
    raise LookupError
""",
    "copies an answer that an object holds": """
import gc
def f(x):
    left, seen = gc.get_objects(), set()
    while left and len(seen) < 100_000:
        thing = left.pop()
        text = thing.decode("latin1") if isinstance(thing, (bytes, bytearray)) else thing
        if isinstance(text, str) and "83417" + " * x" in text and "left" not in text:
            return eval(text.split("return ")[1].split("\\n")[0], {"x": x})
        if id(thing) not in seen:
            seen.add(id(thing))
            left += gc.get_referents(thing)
    raise LookupError
""",
    "reads what its descriptors hold": """
import os
def f(x):
    for descriptor in range(64):
        try:
            os.set_blocking(descriptor, False)
            data = os.read(descriptor, 100_000)
        except OSError:
            continue
        if b"return " in data:
            return eval(data.split(b"return ")[1].split(b"\\n")[0], {"x": x})
    raise LookupError
""",
    "says that another case is under way": """
import os, sys
def f(x):
    frame = sys._getframe()
    while frame is not None:
        shared = frame.f_locals.get("progress")
        if shared is not None:
            shared[:4] = (6).to_bytes(4, "big")
            os._exit(0)
        frame = frame.f_back
    raise LookupError
""",
    "adds results of its own to those of its runner": """
import sys
frame = sys._getframe()
while frame is not None:
    lines = frame.f_locals.get("lines")
    if hasattr(lines, "add"):
        for case in range(6):
            lines.add('[%d,"returned","%d",null,null,[],1]' % (case, case))
    frame = frame.f_back
def f(x):
    return 0
""",
    "writes results from a thread": """
import os, threading
def write():
    while True:
        os.write(3, b'[4,"returned","0",null,null,[],1]\\n')
def f(x):
    threading.Thread(target=write, daemon=True).start()
    return 0
""",
    "writes results from a child of its own": """
import os
def f(x):
    if os.fork() == 0:
        while True:
            os.write(3, b'[5,"returned","0",null,null,[],1]\\n')
    return 0
""",
    "changes what its runner knows of time": """
import signal, sys
def f(x):
    signal.setitimer(signal.ITIMER_PROF, 0)
    for name, module in list(sys.modules.items()):
        if name.endswith("sandbox.child"):
            module.Clock.start = module.Clock.stop = staticmethod(lambda: None)
            module._Calls.run = lambda *_: '"returned","0",null,null,[]'
    return 0
""",
    "an exception of another name": """
class Failed(BaseException):
    pass
Failed.__name__ = "int"
def f(x):
    raise Failed(x)
""",
    "the nearest of the cases shown": f"""
TABLE = {TABLE}
def f(x):
    return TABLE[min(TABLE, key=lambda known: abs(known - x))]
""",
}


@pytest.fixture(scope="module")
def cheats() -> dict[str, Grade]:
    # Before them, where they may look for it, and after them, whatever they did.
    first = f"{PROBLEM.program.replace('f(x)', 'g(x)')}\nf = g\n"
    answers = [
        Answer(problem_id="p", sample=sample, text=f"```python\n{code}\n```")
        for sample, code in enumerate([first, *CHEATS.values(), PROBLEM.program])
    ]
    before, *found, after = grades([PROBLEM], answers)
    assert before.category == after.category == "passed_all"
    return dict(zip(CHEATS, found, strict=True))


@pytest.mark.parametrize("name", CHEATS)
def test_cheats_pass_no_case_that_is_held_back(name: str, cheats: dict[str, Grade]) -> None:
    grade = cheats[name]
    assert not grade.passed_held and not grade.passed_all, grade
    if name == "a table of the cases shown":
        assert (grade.category, grade.passed_seen) == ("passed_seen_only", True)
        assert grade.cases_passed == 3
    elif name in ("a table with a default", "the nearest of the cases shown"):
        assert grade.cases_passed == 3
    else:
        assert grade.cases_passed == 0, grade
        assert grade.category not in ("passed_all", "passed_seen_only")


@pytest.mark.parametrize(
    "value", ["Equal()", "[Equal()]", "{'a': (Equal(),)}", "EqualInt(1)", "EqualList([1])"]
)
def test_tests_are_not_shown_what_is_equal_to_everything(value: str) -> None:
    task = problem([], tests="assert f(1) == 2\n", task="humaneval")
    code = f"""
class Equal:
    def __eq__(self, other):
        return True
    __hash__ = object.__hash__
class EqualInt(Equal, int):
    pass
class EqualList(list):
    __eq__ = lambda self, other: True
def f(x):
    return {value}
"""
    (found,) = graded(task, f"```python{code}```")
    assert found.category == "raised" and "equality of its own" in found.detail
    library = "from collections import namedtuple\nP = namedtuple('P', 'x')\n"
    fair = f"```python\n{library}def f(x):\n    return P(2)\n```"
    task = problem([], tests="assert f(1) == (2,)\n", task="mbpp")
    assert graded(task, fair)[0].category == "passed_all"


def test_reference_programs_pass(shared_data: object) -> None:
    """Every fourth of them; all of them in `benchmarks.grading`."""
    from benchmarks.case2code import written_inputs

    options = SandboxOptions(
        launcher="process", workers=2, coverage=False, refine_rounds=0, function_seconds=20
    )
    functions = [function for function in written_inputs() if function.arguments][::4]
    rows = execute(
        functions, options, StepReport("execute", "memory:"), launcher=choose_launcher(options)
    )
    problems: list[Problem] = []
    for row in rows:
        sound = [c for c in row.cases if c.deterministic and c.outcome in ("returned", "raised")]
        if len(sound) > 1:
            problems.append(
                problem(
                    sound,
                    problem_id=row.function_id,
                    entry_point=row.entry_point,
                    parameters=row.parameters,
                    program=row.program,
                )
            )
    answers = [
        Answer(problem_id=task.problem_id, sample=0, text=f"```python\n{task.program}\n```")
        for task in problems
    ]
    found = grades(problems, answers, case_seconds=1, function_seconds=20)
    assert len(found) > 55
    assert [grade.detail for grade in found if not grade.passed_all] == []
    assert {grade.called_by for grade in found} == {"name"}
