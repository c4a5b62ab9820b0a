from __future__ import annotations

import itertools
import random

import pytest

from c2c_tasks.evaluation.records import Answer, Problem
from c2c_tasks.shards import StepReport
from tests.evaluation.grader import graded, grades, problem, raised, returned

TWICE = problem([returned("{'x': 1}", "2"), returned("{'x': 2}", "4")])
DOUBLE = problem(
    [returned("{'x': 1}", "2"), returned("{'x': 2}", "4"), raised("{'x': None}", "TypeError")],
    shown=2,
)
RIGHT = "def f(x):\n    return 2 * x\n"


def test_categories() -> None:
    texts = {
        "passed_all": RIGHT,
        "passed_seen_only": "def f(x):\n    return 2 * (x or 0)\n",
        "wrong_output": "def f(x):\n    return x\n",
        "raised": "def f(x):\n    raise ValueError(x)\n",
        "timed_out": "def f(x):\n    while True:\n        pass\n",
        "killed": "import os\n\ndef f(x):\n    os._exit(0)\n",
        "wrong_name_or_arguments": "def g(x):\n    return 2 * x\n",
        "no_code": "It doubles x.",
    }
    found = graded(DOUBLE, *texts.values())
    assert [grade.category for grade in found] == list(texts)
    by_category = {grade.category: grade for grade in found}
    best = by_category["passed_all"]
    assert best.passed_seen and best.passed_held and best.passed_all and best.detail == ""
    assert (best.cases_passed, best.cases_run, best.called_by) == (3, 3, "name")
    seen = by_category["passed_seen_only"]
    assert (seen.passed_seen, seen.passed_held, seen.passed_all) == (True, False, False)
    assert seen.detail == "{'x': None}: expected TypeError: It failed., got 0"
    wrong = by_category["wrong_output"]
    assert wrong.detail == "{'x': 1}: expected 2, got 1"
    assert not (wrong.passed_seen or wrong.passed_held or wrong.passed_all)
    assert by_category["raised"].detail == "{'x': 1}: expected 2, got ValueError: 1"
    assert "timed out" in by_category["timed_out"].detail
    assert by_category["no_code"].code == "" and by_category["no_code"].called_by is None
    assert "no f" in by_category["wrong_name_or_arguments"].detail
    assert by_category["wrong_name_or_arguments"].code.startswith("def g")


FAILING = [
    ("1 / 0\ndef f(x):\n    return 2 * x\n", "raised"),
    ("import no_such_module\ndef f(x):\n    return 2 * x\n", "raised"),
    ("while True:\n    pass\ndef f(x):\n    return 2 * x\n", "timed_out"),
    ("import sys\nsys.exit()\ndef f(x):\n    return 2 * x\n", "raised"),
    ("import os\nos._exit(0)\ndef f(x):\n    return 2 * x\n", "killed"),
    ("return 1\ndef f(x):\n    return 2 * x\n", "raised"),
    ("def f(x):\n    return object()\n", "wrong_output"),
    ("async def f(x):\n    return 2 * x\n", "wrong_output"),
    ("def f(x):\n    yield 2 * x\n", "wrong_output"),
    ("def f(x):\n    return f(x)\n", "raised"),
    ("class f:\n    def __init__(self, x):\n        pass\n", "wrong_output"),
    ("class Solution:\n    def f(self, x):\n        return 2 * x\n", "wrong_name_or_arguments"),
    ("globals()['f'] = lambda x: 2 * x\n", "wrong_name_or_arguments"),
    ("def f():\n    return 2\n", "wrong_name_or_arguments"),
    ("def f(x, y):\n    return 2 * x\n", "wrong_name_or_arguments"),
    ("def f(x, *, y):\n    return 2 * x\n", "wrong_name_or_arguments"),
    ("f = 3\n", "no_code"),
]


def test_answers_that_fail() -> None:
    found = graded(TWICE, *[f"```python\n{text}```" for text, _ in FAILING])
    assert [
        (text, grade.category) for (text, _), grade in zip(FAILING, found, strict=True)
    ] == FAILING
    assert not any(grade.cases_passed or grade.passed_held for grade in found)


CALLED = [
    ("f = lambda x: 2 * x", "name"),
    ("f = lambda value: 2 * value", "position"),
    ("def g(x):\n    return 2 * x\nf = g", "name"),
    ("def g(y):\n    return 2 * y\nh = g\nf = h", "position"),
    ("from functools import partial\nimport operator as o\nf = partial(o.mul, 2)", "position"),
    ("import functools\n@functools.cache\ndef f(x):\n    return 2 * x", "name"),
    ("import functools\n@functools.lru_cache(9)\ndef f(y):\n    return 2 * y", "position"),
    ("def twice(g):\n    class C:\n        def __call__(self, v):\n            return g(v)\n"
     "    return C()\n@twice\ndef f(y):\n    return 2 * y", "position"),
    ("class f:\n    def __new__(cls, y):\n        return 2 * y", "position"),
    ("from operator import mul\ndef f(*args):\n    return mul(2, *args)", "position"),
    ("def f(**kwargs):\n    return 2 * kwargs['x']", "name"),
    ("def f(y, /):\n    return 2 * y", "position"),
    ("def f(x, /, *rest, k=1):\n    return 2 * x", "name"),
    ("def f(x=0, more=3):\n    return 2 * x", "name"),
    ("try:\n    f\nexcept NameError:\n    def f(v):\n        return 2 * v", "position"),
    ("f, g = (lambda x: 2 * x), None", "name"),
    ("f: object = lambda x: 2 * x", "name"),
]  # fmt: skip


def test_entry_points_that_are_called() -> None:
    found = graded(DOUBLE, *[f"```python\n{text}\n```" for text, _ in CALLED])
    assert [
        (text, grade.called_by) for (text, _), grade in zip(CALLED, found, strict=True)
    ] == CALLED
    assert [grade.detail for grade in found if not grade.passed_all] == []


ARGUMENTS = [
    (("a", "b"), "{'a': 1, 'b': 2}", "(1, 2)"),
    (("a/", "b"), "{'a': 1, 'b': 2}", "(1, 2)"),
    (("a", "b="), "{'a': 1, 'b': 2}", "(1, 2)"),
    (("*items",), "{'items': (1, 2)}", "(1, 2)"),
    (("a", "*items"), "{'a': 1, 'items': (2,)}", "(1, 2)"),
]
HEADERS = [
    "a, b",
    "x, y",
    "b, a",
    "x, y, /",
    "*z",
    "x, *z",
    "x, y=3",
    "x, y, z=None",
    "x, y, *z, **k",
]


@pytest.mark.parametrize(("names", "arguments", "output"), ARGUMENTS)
def test_arguments_by_position(names: tuple[str, ...], arguments: str, output: str) -> None:
    """What Python makes of the call, from what the prompt shows, is what the answer is given."""
    answers = [f"def f({header}):\n    return ({_first_two(header)})\n" for header in HEADERS]
    task = problem([returned(arguments, output)], *names)
    for header, found in zip(HEADERS, graded(task, *answers), strict=True):
        if header == "b, a" and len(names) == 2 and names[1] != "*items":
            assert (found.category, found.called_by) == ("wrong_output", "name")
        else:
            assert found.category == "passed_all", (header, found.detail)


def _first_two(header: str) -> str:
    if header == "*z":
        return "z"
    if header == "x, *z":
        return "x, *z"
    first, second = header.replace("=3", "").split(", ")[:2]
    return f"{first}, {second}"


def test_defaults_that_cases_leave_out() -> None:
    cases = [returned("{'a': 1}", "[1, 7, 8]"), returned("{'a': 1, 'c': 3}", "[1, 7, 3]")]
    task = problem(cases, "a", "b?", "c?")
    texts = [
        "def f(a, b=7, c=8):\n    return [a, b, c]",
        "def f(x, y=7, z=8):\n    return [x, y, z]",
        "def f(x, y, z=8):\n    return [x, y, z]",
        "def f(x, y=7):\n    return [x, y, 8]",
        "def g(x, y=7, z=8):\n    return [x, y, z]\nfrom functools import partial\nf = partial(g)",
    ]
    found = graded(task, *texts)
    assert [grade.category for grade in found] == [
        *("passed_all", "passed_all", "wrong_name_or_arguments"),
        *("passed_seen_only", "passed_seen_only"),
    ]
    assert "does not take these arguments" in found[3].detail


def test_further_keywords_keep_their_names() -> None:
    task = problem([returned("{'a': 1, 'k': {'b': 2}}", "3")], "a", "**k")
    texts = ["def f(a, **k):\n    return a + k['b']", "def f(x, b):\n    return x + b",
             "def f(x, **z):\n    return x + z['b']", "def f(x, y):\n    return x + y"]  # fmt: skip
    categories = [grade.category for grade in graded(task, *texts)]
    assert categories == ["passed_all"] * 3 + ["wrong_name_or_arguments"]


def test_a_tolerance() -> None:
    task = problem([returned("{'x': 0.1}", "[0.3, 'a']"), returned("{'x': 0.2}", "[0.6, 'a']")])
    text = "def f(x):\n    return [x + x + x, 'a']"
    assert graded(task, text)[0].category == "wrong_output"
    assert graded(task, text, tolerance=1e-9)[0].category == "passed_all"


def test_order_and_equal_code() -> None:
    tasks = [
        problem(
            [returned("{'x': 1}", str(number)), returned("{'x': 2}", str(number))],
            problem_id=f"p{number}",
        )
        for number in range(6)
    ]
    answers = [
        Answer(problem_id=f"p{number}", sample=sample, text=f"def f(x):\n    return {value}\n")
        for number in (5, 0, 3, 1, 7)
        for sample, value in enumerate([number, 9, number, number + 0.5])
    ]
    random.Random(1).shuffle(answers)
    report = StepReport("grade", "memory:")
    found = grades(tasks, answers, report)
    assert [(g.problem_id, g.sample) for g in found] == [
        (f"p{number}", sample) for number in (0, 1, 3, 5) for sample in range(4)
    ]
    for grade in found:
        assert grade.passed_all == (grade.sample in (0, 2))
    assert report.counters["answers_of_same_code"] == 4
    assert report.counters["cases_run"] == 4 * 3 * 2
    (stage,) = report.stages
    stage.check()
    assert stage.dropped == {"unknown_problem": 4}
    assert report.facts["sandbox"]["launcher"] == "process"


def test_no_answer_affects_another() -> None:
    """Hostile answers between right ones, whose grades stay what they are."""
    hostile = [
        "import os\ndef f(x):\n    os.kill(os.getppid(), 9)\n    return x\n",
        "import os\ndef f(x):\n    os.write(3, b'nonsense\\n' * 1000)\n    return 2 * x\n",
        "import builtins\ndef f(x):\n    builtins.len = None\n    raise TypeError\n",
        "import sys\ndef f(x):\n    sys.modules.clear()\n    while True: pass\n",
    ]
    right = [f"def f(x):\n    return 2 * x + {zero}" for zero in ("0", "0 * 1", "0 * 2", "0 * 3")]
    texts = list(itertools.chain.from_iterable(zip(hostile, right, strict=True)))
    found = graded(DOUBLE, *texts)
    assert [grade.passed_all for grade in found[1::2]] == [True] * 4
    assert not any(grade.passed_all for grade in found[::2])


PROMPT = """from typing import List


def f(x: List[int]) -> int:
    '''Add.'''
"""
TESTS = """def check(candidate):
    assert candidate([1, 2]) == 3
    assert candidate([]) == 0


check(f)
"""
TESTED = Problem(
    problem_id="HumanEval/x",
    task="humaneval",
    prompt=PROMPT,
    program="",
    entry_point="f",
    parameters=[],
    cases=[],
    shown_cases=[],
    held_cases=[],
    tests=TESTS,
)


def test_problems_with_tests() -> None:
    texts = {
        "    return sum(x)\n\n\nprint(f([1]))\ndef g(": "passed_all",
        "```python\ndef f(x: List[int]) -> int:\n    return sum(x)\n```": "passed_all",
        "def f(y):\n    return sum(y)\n": "passed_all",
        "    return 3\n": "raised",
        "    return sum(x": "no_code",
        "def g(x):\n    return sum(x)\n": "wrong_name_or_arguments",
        "    while True:\n        pass\n": "timed_out",
        "    exit()\n": "raised",
        "    import os\n    os._exit(0)\n": "killed",
    }
    found = graded(TESTED, *texts, function_seconds=2)
    assert {text: grade.category for text, grade in zip(texts, found, strict=True)} == texts
    assert found[0].passed_held and found[0].passed_all and found[0].passed_seen
    assert "AssertionError" in found[3].detail


def test_tests_have_the_time_of_all_cases() -> None:
    text = "    import time\n    end = time.process_time() + 0.4\n"
    text += "    while time.process_time() < end:\n        pass\n    return sum(x)\n"
    (found,) = graded(TESTED, text)
    assert found.category == "passed_all"


def test_right_answers_wait_for_a_machine_that_is_busy() -> None:
    """What was recorded took less than `function_seconds`, on a machine that may have been idle."""
    task = problem([returned(f"{{'x': {n}}}", str(n)) for n in range(8)], shown=3)
    text = "import time\ndef f(x):\n    time.sleep(0.1)\n    return x\n"
    (found,) = graded(task, text, function_seconds=0.5)
    assert found.category == "passed_all", found


def test_tests_wait_for_a_machine_that_is_busy() -> None:
    """They have `function_seconds` of CPU time; while others have the cores, no time is theirs."""
    text = "    import time\n    time.sleep(0.7)\n    return sum(x)\n"
    (found,) = graded(TESTED, text, function_seconds=0.5)
    assert found.category == "passed_all"


@pytest.mark.parametrize("name", ["look", "names", "watched", "answer", "value", "check", "sys"])
def test_names_of_our_own_hide_no_entry_point(name: str) -> None:
    task = problem([], tests=f"assert {name}(1) == 2\n", task="mbpp", entry_point=name)
    texts = [f"def {name}(x):\n    return {output}\n" for output in ("2 * x", "x")]
    assert [grade.category for grade in graded(task, *texts)] == ["passed_all", "raised"]
