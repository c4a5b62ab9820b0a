"""What becomes of ordinary functions, and of ordinary trouble."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from c2c_tasks.config import SandboxOptions
from c2c_tasks.records import Case, Function, Inputs
from c2c_tasks.sandbox.execution import execute
from c2c_tasks.sandbox.process import ProcessLauncher
from c2c_tasks.shards import StepReport


def outcomes(row: Any) -> list[str]:
    return [case.outcome for case in row.cases]


def test_outcomes(sandbox: Any) -> None:
    program = """\
def f(x):
    if x == 1:
        raise ValueError(f"no {x}")
    if x == 2:
        return object()
    return {x, "b", "a"}
"""
    row = sandbox.run_program(program, "{'x': 0}", "{'x': 1}", "{'x': 2}", coverage=True)
    assert row.body_lines == [2, 3, 4, 5, 6]
    assert row.cases == [
        Case(
            arguments="{'x': 0}",
            outcome="returned",
            output="{'a', 'b', 0}",
            covered_lines=[2, 4, 6],
        ),
        Case(
            arguments="{'x': 1}",
            outcome="raised",
            exception_type="ValueError",
            exception_message="no 1",
            covered_lines=[2, 3],
        ),
        Case(arguments="{'x': 2}", outcome="unrepresentable", covered_lines=[2, 4, 5]),
    ]
    assert sandbox.report.counters["cases_run"] == 3
    assert sandbox.report.facts["sandbox"]["runner"]["python"]


def test_rows_come_in_the_order_of_the_inputs(sandbox: Any) -> None:
    functions = [
        sandbox.function(
            f"def f(x):\n    return sum(range(x % 7 * 1000)) * 0 + {i}\n", f"{{'x': {i}}}"
        )
        for i in range(60)
    ]
    rows = sandbox.run(*functions, workers=3)
    assert [row.cases[0].output for row in rows] == [str(i) for i in range(60)]


def test_a_python_loop_times_out_and_other_cases_go_on(sandbox: Any) -> None:
    program = "def f(x):\n    while x:\n        pass\n    return x\n"
    row = sandbox.run_program(program, "{'x': 0}", "{'x': 1}", "{'x': 0.0}", case_seconds=0.2)
    assert outcomes(row) == ["returned", "timed_out", "returned"]


@pytest.mark.parametrize(
    "program",
    [
        "import itertools\ndef f(x):\n    return sum(itertools.repeat(0)) if x else x\n",
        "import re\ndef f(x):\n    return x and re.match('(a+)+$', 'a' * 60 + 'b')\n",
        "def f(x):\n    while x:\n        try:\n            while True: pass\n"
        "        except BaseException: pass\n    return x\n",
    ],
    ids=["no signal is seen in C", "regular expression", "the alarm is swallowed"],
)
def test_loops_that_do_not_listen_time_out(sandbox: Any, program: str) -> None:
    row = sandbox.run_program(program, "{'x': 0}", "{'x': 1}", "{'x': 0.0}", case_seconds=0.2)
    assert outcomes(row) == ["returned", "timed_out", "returned"]


def test_waiting_is_ended_by_the_wall_clock(sandbox: Any) -> None:
    program = "import time\ndef f(x):\n    time.sleep(x)\n    return x\n"
    row = sandbox.run_program(program, "{'x': 0}", "{'x': 60}", "{'x': 0.0}", function_seconds=1)
    assert outcomes(row) == ["returned", "timed_out", "returned"]


def test_after_three_timeouts_the_rest_is_not_run(sandbox: Any) -> None:
    program = "def f(x):\n    while True:\n        pass\n"
    arguments = [f"{{'x': {i}}}" for i in range(10)]
    row = sandbox.run_program(program, *arguments, case_seconds=0.1)
    assert outcomes(row) == ["timed_out"] * 3
    assert sandbox.report.counters["cases_not_run"] == 7


def test_a_program_that_does_not_load_is_dropped(sandbox: Any) -> None:
    programs = [
        "def f(x) return x",
        "def f(x):\n    return x\n1 / 0\n",
        "def g(x):\n    return x\n",
        "f = 3",
    ]
    assert sandbox.run(*(sandbox.function(program, "{'x': 1}") for program in programs)) == []
    assert sandbox.dropped == {"failed_to_load": 4}


def test_arguments_that_are_no_dict_are_invalid(sandbox: Any) -> None:
    row = sandbox.run_program("def f(x):\n    return x\n", "[1]", "f(", "{'x': 1}", "{1: 2}")
    assert outcomes(row) == ["returned"]
    assert sandbox.report.counters["cases_invalid"] == 3


def test_arguments_are_recorded_as_they_were_before_the_call(sandbox: Any) -> None:
    row = sandbox.run_program("def f(x):\n    x.append(1)\n    return x\n", "{'x': [0]}")
    assert (row.cases[0].arguments, row.cases[0].output) == ("{'x': [0]}", "[0, 1]")


def test_no_state_leaks_from_case_to_case(sandbox: Any) -> None:
    program = """\
seen = []
def f(x, kept=[]):
    seen.append(x)
    kept.append(x)
    return seen + kept
"""
    row = sandbox.run_program(program, "{'x': 1}", "{'x': 2}")
    assert [case.output for case in row.cases] == ["[1, 1]", "[2, 2]"]


@pytest.mark.parametrize(
    "body",
    [
        "list({'ab', 'cd', 'ef', 'gh', 'ij', 'kl'})",
        "hash('text')",
        "id([x])",
        "__import__('time').strftime('%Z')",
        "__import__('os').getcwd()",
        "sorted(__import__('os').environ)",
        "__import__('random').random()",
        "__import__('time').time_ns()",
        "repr(object())",
        "{}[object()]",
        "len([vars(__import__('string')).setdefault(f's{x}')] * len(vars(__import__('string'))))",
    ],
)
def test_what_depends_on_the_surroundings_is_nondeterministic(sandbox: Any, body: str) -> None:
    row = sandbox.run_program(f"def f(x):\n    return {body}\n", "{'x': 1}", "{'x': 2}", "{'x': 3}")
    assert not all(case.deterministic for case in row.cases)
    assert sandbox.report.counters["cases_nondeterministic"] > 0


def test_the_second_run_is_left_out_when_not_asked_for(sandbox: Any) -> None:
    row = sandbox.run_program("def f(x):\n    return id(x)\n", "{'x': 1}", determinism_runs=False)
    assert row.cases[0].deterministic
    assert sandbox.report.counters["runners_started"] == 1


def test_refinement_goes_in_rounds(sandbox: Any) -> None:
    asked: list[tuple[str, list[str]]] = []

    def refine(function: Function, cases: list[Case]) -> list[str]:
        asked.append((function.entry_point, [case.outcome for case in cases]))
        return ["{'x': 0}", f"{{'x': {len(cases)}}}", f"{{'x': {len(cases)}}}"]

    function = sandbox.function("def f(x):\n    return 1 / x\n", "{'x': 0}")
    (row,) = sandbox.run(function, refine=refine, refine_rounds=2)
    assert asked == [("f", ["raised"]), ("f", ["raised", "returned"])]
    assert [case.arguments for case in row.cases] == ["{'x': 0}", "{'x': 1}", "{'x': 2}"]
    assert all(case.deterministic for case in row.cases)


def test_refinement_ends_when_nothing_new_is_proposed(sandbox: Any) -> None:
    asked: list[int] = []

    def refine(function: Function, cases: list[Case]) -> list[str]:
        asked.append(len(cases))
        return ["{'x': 1}"]

    sandbox.run(sandbox.function("def f(x):\n    return x\n", "{'x': 1}"), refine=refine)
    assert asked == [1]


def test_coverage_only_when_asked_for(sandbox: Any) -> None:
    program = "def f(x):\n    return x\n"
    assert sandbox.run_program(program, "{'x': 1}", coverage=False).cases[0].covered_lines == []
    assert sandbox.run_program(program, "{'x': 1}").cases[0].covered_lines == [2]


def test_prints_and_input_reach_nobody(sandbox: Any) -> None:
    program = """\
import sys
def f(x):
    print('x' * x)
    sys.stderr.write('x' * x)
    return input()
"""
    row = sandbox.run_program(program, "{'x': 100000}")
    assert row.cases[0].exception_type == "EOFError"


def test_postponed_annotations_of_ours_do_not_leak_into_programs(sandbox: Any) -> None:
    row = sandbox.run_program(
        "def f(x: int):\n    return f.__annotations__['x'] is int\n", "{'x': 1}"
    )
    assert row.cases[0].output == "True"


def test_a_dataclass_with_text_annotations_loads(sandbox: Any) -> None:
    program = """\
from __future__ import annotations
from dataclasses import dataclass
@dataclass
class Point:
    x: int
def f(x):
    return Point(x).x
"""
    assert sandbox.run_program(program, "{'x': 1}").cases[0].output == "1"


def test_an_error_of_the_caller_ends_the_runners(process_sandbox: Any) -> None:
    def broken() -> Iterator[Inputs]:
        yield process_sandbox.function("def f(x):\n    return x\n", "{'x': 1}")
        raise RuntimeError("the shard is broken")

    options = SandboxOptions(workers=1)
    report = StepReport("execute", "memory:")
    with pytest.raises(RuntimeError, match="the shard is broken"):
        list(execute(broken(), options, report, launcher=ProcessLauncher(options)))


def test_a_writer_that_fails_costs_its_proposals_alone(sandbox: Any) -> None:
    def refine(function: Function, cases: list[Case]) -> list[str]:
        raise ZeroDivisionError

    (row,) = sandbox.run(sandbox.function("def f(x):\n    return x\n", "{'x': 1}"), refine=refine)
    assert [case.output for case in row.cases] == ["1"]
    assert sandbox.report.counters["refinements_failed"] == 1


@pytest.mark.filterwarnings("error")
def test_nothing_is_left_open(sandbox: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()  # what other tests left
    sandbox.run(sandbox.function("def f(x):\n    return x\n", "{'x': 1}"))
    gc.collect()


def test_the_order_of_small_sets_is_tried_under_a_third_hash_seed(process_sandbox: Any) -> None:
    pairs = [("ab", "cd"), ("x", "y"), ("one", "two"), ("p9", "q8"), ("left", "right"), ("m", "n")]
    arguments = [f"{{'x': {list(pair)}}}" for pair in pairs]
    row = process_sandbox.run_program("def f(x):\n    return list(set(x))\n", *arguments)
    assert process_sandbox.report.counters["runners_started"] == 3
    assert not all(case.deterministic for case in row.cases)
