"""Programs that are called many at a time: replies in order, whatever becomes of each."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from c2c_tasks.config import SandboxOptions
from c2c_tasks.sandbox.calling import (
    FLOWS_PER_WORKER,
    MAX_DEATHS,
    Called,
    Steps,
    call,
    in_order,
    sandbox_facts,
)
from c2c_tasks.sandbox.child import LOADS_TOO_LONG, MAX_TIMED_OUT
from c2c_tasks.sandbox.launchers import FIRST, RunnerError
from c2c_tasks.sandbox.process import ProcessLauncher
from c2c_tasks.sandbox.session import Crew

OPTIONS = SandboxOptions(
    launcher="process", case_seconds=0.2, function_seconds=4, memory_megabytes=128, workers=1
)


@pytest.fixture(scope="module")
def launcher() -> ProcessLauncher:
    return ProcessLauncher(OPTIONS)


@pytest.fixture(scope="module")
def crew(launcher: ProcessLauncher) -> Iterator[Crew]:
    with Crew(launcher, FIRST, OPTIONS, 1) as crew:
        yield crew


def called(crew: Crew, program: str, *values: Any) -> Called:
    arguments = [repr({"x": value}) for value in values]
    ((_, found),) = in_order(lambda one: call(crew, one, "f", arguments, OPTIONS), [program], 1)
    return found


def outcomes(found: Called) -> dict[int, str | None]:
    return {at: case.output or case.outcome for at, case in sorted(found.cases.items())}


def test_each_call_has_its_outcome_and_its_time(crew: Crew) -> None:
    found = called(crew, "def f(x):\n    return 6 // x\n", 1, 0, 3)
    assert outcomes(found) == {0: "6", 1: "raised", 2: "2"}
    assert found.seconds.keys() == {0, 1, 2} and max(found.seconds.values()) < 0.2
    assert (found.given_up, found.not_run, found.invalid) == (None, [], set())


def test_who_ends_its_child_is_called_again_with_what_is_left(crew: Crew) -> None:
    program = "import os\ndef f(x):\n    return os._exit(1) if x < 0 else x\n"
    found = called(crew, program, 1, -1, 2, -1, 3)
    assert outcomes(found) == {0: "1", 1: "killed", 2: "2", 3: "killed", 4: "3"}
    assert found.given_up is None
    found = called(crew, program, *[-1] * MAX_DEATHS, 5, 6)
    assert outcomes(found) == dict.fromkeys(range(MAX_DEATHS), "killed")
    assert (found.given_up, found.not_run) == ("killed", [MAX_DEATHS, MAX_DEATHS + 1])


def test_who_takes_too_long_is_not_called_for_ever(crew: Crew) -> None:
    program = "def f(x):\n    while x:\n        pass\n    return x\n"
    found = called(crew, program, 0, *[1] * MAX_TIMED_OUT, 0)
    assert outcomes(found) == {0: "0"} | dict.fromkeys(range(1, MAX_TIMED_OUT + 1), "timed_out")
    assert (found.given_up, found.not_run) == (None, [MAX_TIMED_OUT + 1])


@pytest.mark.parametrize(
    ("program", "given_up", "timed_out", "detail"),
    [
        ("f = 1 / 0\n", "failed_to_load", False, "ZeroDivisionError: division by zero"),
        ("while True:\n    pass\n", "failed_to_load", True, LOADS_TOO_LONG),
        ("import os\nos._exit(3)\n", "killed", False, "it ended its child while loading (died)"),
    ],
)
def test_what_does_not_load_is_told_apart(
    crew: Crew, program: str, given_up: str, timed_out: bool, detail: str
) -> None:
    found = called(crew, program, 1, 2)
    assert (found.cases, found.given_up, found.load_timed_out) == ({}, given_up, timed_out)
    assert found.detail == detail


def test_arguments_that_no_call_can_pass_are_named(crew: Crew) -> None:
    arguments = ["{'x': 1}", "{'x': 2, 'rest': 3}", "[1]"]
    program = "def f(x, *rest):\n    return x\n"
    ((_, found),) = in_order(lambda one: call(crew, one, "f", arguments, OPTIONS), [program], 1)
    assert (outcomes(found), found.invalid) == ({0: "1"}, {1, 2})


def test_many_are_under_way_and_come_in_order(crew: Crew) -> None:
    taken: list[int] = []

    def take(number: int) -> int:
        taken.append(number)
        return number

    def steps(number: int) -> Steps[str | None]:
        found = yield from call(
            crew, f"def f(x):\n    return {number}\n", "f", ["{'x': 0}"], OPTIONS
        )
        return found.cases[0].output

    results = in_order(steps, map(take, count(1)), 1)
    for number in range(1, 101):
        assert next(results) == (number, str(number))
        assert len(taken) < number + FLOWS_PER_WORKER


def test_what_steps_raise_is_raised_in_their_place(crew: Crew) -> None:
    def steps(number: int) -> Steps[int]:
        yield from call(crew, "def f(x):\n    return x\n", "f", ["{'x': 0}"], OPTIONS)
        return 6 // number

    results = in_order(steps, [2, 0, 3], 1)
    assert next(results) == (2, 3)
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_a_sandbox_that_is_closed_is_an_error_and_no_wait(launcher: ProcessLauncher) -> None:
    with Crew(launcher, FIRST, OPTIONS, 1) as closed:
        pass
    with pytest.raises(RunnerError, match="closed"):
        called(closed, "def f(x):\n    return x\n", 1)


def test_what_is_known_of_the_sandbox(crew: Crew, launcher: ProcessLauncher) -> None:
    called(crew, "def f(x):\n    return x\n", 1)
    facts = sandbox_facts(launcher, crew)
    assert facts["runner"]["python"] and "missing" not in facts["runner"]
    assert set(launcher.facts["missing"]) <= set(facts["missing"])
