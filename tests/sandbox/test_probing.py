"""Probes are run beside the cases, and change nothing of them."""

from __future__ import annotations

from typing import Any

import pytest

from c2c_tasks.records import Case, Function

NEGATION = "def f(x):\n    return -x\n"


class Probes:
    """Asks for the same inputs always, and tells what they came to."""

    def __init__(self, *arguments: str) -> None:
        self._arguments = list(arguments)
        self.seen: list[str] = []
        self.came: list[Case] = []

    def arguments(self, function: Function, cases: list[Case]) -> list[str]:
        self.seen = [case.arguments for case in cases]
        return self._arguments

    def behaviour(self, function: Function, cases: list[Case], probes: list[Case]) -> str | None:
        self.came = probes
        return ",".join(case.output or case.outcome for case in probes)


def test_probes_tell_the_behaviour_and_are_no_cases(sandbox: Any) -> None:
    probes = Probes("{'x': 5}", "{'x': 1}", "{'x': 'a'}")
    function = sandbox.function(NEGATION, "{'x': 1}", "{'x': 2}")
    (row,) = sandbox.run(function, probing=probes)
    assert [case.output for case in row.cases] == ["-1", "-2"]
    assert row.behaviour == "-5,-1,raised"
    assert probes.seen == ["{'x': 1}", "{'x': 2}"]
    assert len(row.case_seconds) == 2
    counters = sandbox.report.counters
    assert (counters["cases_run"], counters["probes_run"]) == (2, 2)


def test_they_are_asked_for_when_refinement_is_done(process_sandbox: Any) -> None:
    probes = Probes("{'x': 5}")
    function = process_sandbox.function(NEGATION, "{'x': 1}")
    process_sandbox.run(function, probing=probes, refine=lambda *_: ["{'x': 7}"])
    assert probes.seen == ["{'x': 1}", "{'x': 7}"]


def test_there_is_no_behaviour_unless_asked_for(process_sandbox: Any) -> None:
    (row,) = process_sandbox.run(process_sandbox.function(NEGATION, "{'x': 1}"))
    assert row.behaviour is None
    assert "probes_run" not in process_sandbox.report.counters


def test_a_probe_that_comes_out_otherwise_the_second_time_tells_nothing(
    process_sandbox: Any,
) -> None:
    program = "def f(x):\n    return x if x < 9 else hash('text')\n"
    function = process_sandbox.function(program, "{'x': 1}")
    (row,) = process_sandbox.run(function, probing=Probes("{'x': 2}", "{'x': 9}"))
    assert row.behaviour is None
    assert row.cases[0].deterministic
    assert process_sandbox.report.counters["cases_nondeterministic"] == 0
    (once,) = process_sandbox.run(
        function, probing=Probes("{'x': 2}", "{'x': 9}"), determinism_runs=False
    )
    assert once.behaviour is not None


@pytest.mark.parametrize(
    ("body", "options"),
    [
        ("    if x > 8:\n        __import__('os')._exit(0)\n    return x\n", {}),
        ("    while x > 8:\n        pass\n    return x\n", {"case_seconds": 0.2}),
    ],
    ids=["it ends its child", "it does not end"],
)
def test_what_a_probe_does_costs_the_function_nothing(
    process_sandbox: Any, body: str, options: dict[str, Any]
) -> None:
    function = process_sandbox.function(f"def f(x):\n{body}", "{'x': 1}", "{'x': 2}")
    probes = Probes(*(f"{{'x': {n}}}" for n in range(7, 15)))
    rows = process_sandbox.run(function, function, probing=probes, **options)
    assert [[case.output for case in row.cases] for row in rows] == [["1", "2"]] * 2
    assert process_sandbox.dropped == {}


@pytest.mark.parametrize("method", ["arguments", "behaviour"])
def test_a_fault_of_probing_costs_the_behaviour_alone(
    process_sandbox: Any, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Any:
        raise ZeroDivisionError

    probes = Probes("{'x': 5}")
    monkeypatch.setattr(probes, method, fail)
    (row,) = process_sandbox.run(process_sandbox.function(NEGATION, "{'x': 1}"), probing=probes)
    assert row.behaviour is None and row.cases[0].output == "-1"
    assert process_sandbox.report.counters["probings_failed"] == 1
