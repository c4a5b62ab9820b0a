from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2c_tasks.config import CaseOptions
from c2c_tasks.curation.cases import curate
from c2c_tasks.literals import dumps
from c2c_tasks.records import Case, Execution, Program
from c2c_tasks.shards import StepReport


def returned(x: object, output: object, lines: tuple[int, ...] = (), **fields: Any) -> Case:
    return Case(
        arguments=dumps({"x": x}),
        outcome="returned",
        output=dumps(output),
        covered_lines=list(lines),
        **fields,
    )


def raised(
    x: object, type_: str = "ValueError", message: str = "no", deterministic: bool = True
) -> Case:
    return Case(
        arguments=dumps({"x": x}),
        outcome="raised",
        exception_type=type_,
        exception_message=message,
        deterministic=deterministic,
    )


def executed(cases: list[Case], body_lines: tuple[int, ...] = ()) -> Execution:
    return Execution(
        function_id="ab" * 32,
        program="def f(x):\n    return -x\n",
        entry_point="f",
        parameters=[],
        repository="owner/name",
        path="a.py",
        first_line=1,
        last_line=2,
        licence="MIT",
        dump="file:///dump",
        source_sha256="",
        writer="synthesis",
        cases=cases,
        body_lines=list(body_lines),
    )


GOOD = [returned(n, -n) for n in range(1, 7)]


def curated(
    cases: list[Case], body_lines: tuple[int, ...] = (), **options: Any
) -> tuple[Program | None, dict[str, int], dict[str, int]]:
    """The program, and the reasons why cases and programs were dropped; the stages add up."""
    report = StepReport("curate", "-")
    program = curate(executed(cases, body_lines), CaseOptions(**options), report)
    for stage in report.stages:
        stage.check()
    dropped = {stage.name: stage.dropped for stage in report.stages}
    return program, dropped["cases"], dropped["programs"]


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        (Case(arguments="{'x': 9}", outcome="timed_out"), "timed_out"),
        (Case(arguments="{'x': 9}", outcome="killed"), "killed"),
        (Case(arguments="{'x': 9}", outcome="unrepresentable"), "unrepresentable"),
        (returned(9, "<object at 0x7f3a>"), "memory_address"),
        (returned(9, "<object at 0x7f3a>", deterministic=False), "memory_address"),
        (raised(9, message="bad <object object at 0x7F3A10>"), "memory_address"),
        (returned("a" * 3_000, 1), "arguments_too_long"),
        (returned(1, -1), "duplicate_arguments"),
        (raised(9, "RecursionError"), "resource_exhausted"),
        (raised(9, "MemoryError", ""), "resource_exhausted"),
        (raised(9, "NameError"), "unresolved_name"),
    ],
)
def test_unsound_cases_are_dropped_by_reason(case: Case, reason: str) -> None:
    program, cases, programs = curated([*GOOD, case])
    assert program is not None and program.cases == GOOD
    assert (cases, programs) == ({reason: 1}, {})


def test_a_program_that_was_given_up_for_time_is_dropped() -> None:
    slow = [Case(arguments=f"{{'x': {n}}}", outcome="timed_out") for n in (901, 902, 903)]
    assert curated([*GOOD, *slow[:2]])[0] is not None
    program, _, programs = curated([*GOOD, *slow])
    assert program is None and programs == {"too_slow": 1}


def test_a_program_with_a_nondeterministic_case_is_dropped() -> None:
    program, cases, programs = curated([returned(3, -3, deterministic=False), *GOOD])
    assert program is None
    assert cases == {"nondeterministic": 1}
    assert programs == {"nondeterministic": 1}


def test_a_recursion_that_ends_elsewhere_the_second_time_costs_the_case_alone() -> None:
    """Where the limit is met, and in which words, depends on the interpreter's stack."""
    program, cases, _ = curated([*GOOD, raised(9, "RecursionError", deterministic=False)])
    assert program is not None and program.cases == GOOD
    assert cases == {"resource_exhausted": 1}


@pytest.mark.parametrize(
    ("cases", "reason"),
    [
        ([], "too_few_cases"),
        (GOOD[:4], "too_few_cases"),
        ([returned(n, 0) for n in range(6)], "constant_output"),
        ([returned(n, n % 2) for n in range(6)], "too_few_distinct_outputs"),
        ([returned(n, n) for n in range(6)], "identity"),
    ],
)
def test_weak_programs_are_dropped_by_reason(cases: list[Case], reason: str) -> None:
    program, _, programs = curated(cases)
    assert program is None
    assert programs == {reason: 1}


def test_a_function_that_refuses_some_arguments_is_no_identity() -> None:
    program, _, _ = curated([*(returned(n, n) for n in range(6)), raised(-1)])
    assert program is not None


def test_cases_are_chosen_by_coverage_then_results_then_length() -> None:
    cases = [
        returned(100, 1, (2, 3)),
        returned(1, 1, (2, 3)),
        returned(200, 2, (2, 3)),
        returned(3_000, 3, (2, 5)),
        returned(4, 1, (2, 3)),
    ]
    options: dict[str, Any] = {"min_cases": 3, "max_cases": 3}
    program, dropped, _ = curated(cases, (2, 3, 5), **options)
    assert program is not None
    assert program.cases == [cases[1], cases[2], cases[3]]
    assert program.coverage == 1.0
    assert dropped == {"not_chosen": 2}


def test_coverage_counts_the_lines_of_the_body_alone() -> None:
    cases = [returned(n, -n, (1, 2, 40)) for n in range(6)]
    program, _, _ = curated(cases, (2, 3, 4, 5))
    assert program is not None and program.coverage == 0.25
    unmeasured, _, _ = curated(GOOD)
    assert unmeasured is not None and unmeasured.coverage == 0.0


def test_a_program_keeps_its_provenance_and_leads_its_own_cluster() -> None:
    program, _, _ = curated(GOOD)
    assert program is not None
    assert (program.repository, program.licence, program.writer) == (
        "owner/name",
        "MIT",
        "synthesis",
    )
    assert program.cluster == program.function_id
    assert program.split in ("train", "validation", "test")


@given(
    returns=st.integers(0, 30),
    raises=st.integers(0, 30),
    max_cases=st.integers(1, 25),
    share=st.sampled_from([0.0, 0.1, 0.2, 0.5, 0.9, 1.0]),
    covered=st.booleans(),
)
def test_the_share_of_raised_cases_is_kept_and_used(
    returns: int, raises: int, max_cases: int, share: float, covered: bool
) -> None:
    cases = [returned(n, [n], (2,) if covered else ()) for n in range(returns)]
    cases += [raised(-n - 1, message=str(n)) for n in range(raises)]
    program, _, _ = curated(
        cases,
        (2, 3),
        min_cases=1,
        min_distinct_outputs=1,
        max_cases=max_cases,
        max_raised_share=share,
    )
    if program is None:
        return
    kept = [case.outcome for case in program.cases]
    assert kept.count("raised") <= share * len(kept) + 1e-9
    assert len(kept) >= min(max_cases, returns)


MIXED = [*GOOD, raised(9), raised(10, "TypeError")]


@given(st.permutations(MIXED))
def test_the_same_cases_are_chosen_in_whatever_order_they_ran(cases: list[Case]) -> None:
    program, _, _ = curated(cases, max_cases=5)
    in_order, _, _ = curated(MIXED, max_cases=5)
    assert program is not None and in_order is not None
    assert program.cases == [case for case in cases if case in in_order.cases]
