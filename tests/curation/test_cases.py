from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2c_tasks.config import CaseOptions
from c2c_tasks.curation.cases import CaseReason, ProgramReason, Scanner, curate
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
    cases: list[Case],
    body_lines: tuple[int, ...] = (),
    *,
    scanner: Scanner | None = None,
    **options: Any,
) -> tuple[Program | None, dict[str, int], dict[str, int]]:
    """The program, and the reasons why cases and programs were dropped; the stages add up."""
    report = StepReport("curate", "-")
    execution = executed(cases, body_lines)
    program = curate(execution, CaseOptions(**options), report, scanner=scanner)
    for stage in report.stages:
        stage.check()
    dropped = {stage.name: stage.dropped for stage in report.stages}
    return program, dropped["cases"], dropped["programs"]


UNSOUND = [
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
]


@pytest.mark.parametrize(("case", "reason"), UNSOUND)
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


WEAK: list[tuple[list[Case], str]] = [
    ([], "too_few_cases"),
    (GOOD[:4], "too_few_cases"),
    ([returned(n, 0) for n in range(6)], "constant_output"),
    ([returned(n, n % 2) for n in range(6)], "too_few_distinct_outputs"),
    ([returned(n, n) for n in range(6)], "identity"),
]


@pytest.mark.parametrize(("cases", "reason"), WEAK)
def test_weak_programs_are_dropped_by_reason(cases: list[Case], reason: str) -> None:
    program, _, programs = curated(cases)
    assert program is None
    assert programs == {reason: 1}


def test_each_reason_has_its_example() -> None:
    cases = {reason for _, reason in UNSOUND}
    assert set(get_args(CaseReason)) == {
        *cases,
        "nondeterministic",  # test_a_program_with_a_nondeterministic_case_is_dropped
        "too_many_raised",  # test_what_raised_is_dropped_past_its_share
        "not_chosen",  # test_a_sensitive_case_makes_room_for_another
    }
    programs = {reason for _, reason in WEAK}
    assert set(get_args(ProgramReason)) == {
        *programs,
        "nondeterministic",
        "too_slow",  # test_a_program_that_was_given_up_for_time_is_dropped
    }


def test_what_raised_is_dropped_past_its_share() -> None:
    program, cases, _ = curated([*GOOD, *(raised(n) for n in range(10, 14))])
    assert program is not None and len(program.cases) == 7
    assert cases == {"too_many_raised": 3}


def test_constant_and_identity_functions_are_kept_on_demand() -> None:
    constant = [returned(n, 0) for n in range(6)]
    few: dict[str, Any] = {"min_distinct_outputs": 1}
    assert curated(constant, **few)[2] == {"constant_output": 1}
    assert curated(constant, drop_constant=False, **few)[0] is not None
    assert curated(constant, drop_constant=False)[2] == {"too_few_distinct_outputs": 1}
    assert curated([returned(n, n) for n in range(6)], drop_identity=False)[0] is not None


def test_a_function_that_refuses_some_arguments_is_not_constant() -> None:
    cases = [*(returned(n, None) for n in range(6)), raised(-1)]
    assert curated(cases, min_distinct_outputs=1)[0] is not None


def test_a_copy_is_an_identity_and_another_type_is_none() -> None:
    lists = [[n, str(n)] for n in range(6)]
    assert curated([returned(value, list(value)) for value in lists])[2] == {"identity": 1}
    assert curated([returned(value, tuple(value)) for value in lists])[0] is not None
    second = [
        Case(arguments=dumps({"x": n, "y": [n]}), outcome="returned", output=dumps([n]))
        for n in range(6)
    ]
    assert curated(second)[2] == {"identity": 1}
    either = [returned(n, n if n % 2 else -n) for n in range(1, 7)]
    assert curated(either)[0] is not None


def test_a_function_that_refuses_some_arguments_is_no_identity() -> None:
    program, _, _ = curated([*(returned(n, n) for n in range(6)), raised(-1)])
    assert program is not None


class Scan:
    """Finds one word in texts, and remembers what it was asked."""

    def __init__(self, word: str) -> None:
        self.word = word
        self.asked: list[str] = []

    def __call__(self, texts: Sequence[str]) -> list[str | None]:
        self.asked += texts
        return ["secret" if self.word in text else None for text in texts]


@pytest.mark.parametrize(
    "case",
    [
        returned("hidden", -1),
        returned(-9, "so hidden"),
        raised(-9, message="hidden"),
    ],
)
def test_a_sensitive_case_makes_room_for_another(case: Case) -> None:
    scan = Scan("hidden")
    numbers = [returned(n, 10**n) for n in range(6, 16)]
    program, cases, programs = curated([case, *numbers], scanner=Scanner(scan, scan), max_cases=5)
    assert program is not None and len(program.cases) == 5 and case not in program.cases
    assert (cases, programs) == ({"secret": 1, "not_chosen": 5}, {})
    assert len(scan.asked) == len(set(scan.asked)) == 1 + 2 * 6  # no text twice


def test_a_sensitive_program_is_dropped_before_its_cases_are_read() -> None:
    scan = Scan("return -x")
    program, cases, programs = curated(GOOD, scanner=Scanner(scan, scan))
    assert program is None
    assert (cases, programs) == ({}, {"secret": 1})
    assert len(scan.asked) == 1


def test_a_program_that_sensitive_cases_leave_too_few_is_dropped() -> None:
    cases = [*GOOD[:4], returned("hidden 1", 8), returned("hidden 2", 9)]
    program, dropped, programs = curated(cases, scanner=Scanner(Scan("hidden"), Scan("hidden")))
    assert program is None
    assert (dropped, programs) == ({"secret": 2}, {"too_few_cases": 1})


def test_what_is_dropped_anyway_is_not_scanned() -> None:
    scan = Scan("hidden")
    for cases, _ in WEAK:
        curated(cases, scanner=Scanner(scan, scan))
    assert scan.asked == []


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
