"""Which programs are asked for, which of their cases are shown, and which held back."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c2c_tasks.config.evaluation import ProblemOptions
from c2c_tasks.evaluation.errors import ProblemError
from c2c_tasks.evaluation.problems import (
    MAX_CASE_CHARACTERS,
    MAX_SHOWN_CHARACTERS,
    shot_split,
    shots_of_programs,
)
from c2c_tasks.evaluation.prompting import Style, prompt_for
from c2c_tasks.literals import dumps
from c2c_tasks.records import Case, Parameter
from c2c_tasks.samples.examples import example_of
from tests.evaluation.programs import X, problem, problems, program, raised, returned

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
CASES = st.builds(
    lambda a, b, outcome: Case(
        arguments=dumps({"a": a} | b), outcome="returned", output=dumps(outcome)
    ),
    VALUES,
    st.just({}) | st.builds(lambda b: {"b": b}, VALUES),
    VALUES,
)


@settings(max_examples=40)
@given(
    st.lists(CASES, min_size=3, max_size=20),
    st.integers(1, 12),
    st.integers(1, 4),
    st.sampled_from(["chat", "text"]),
)
def test_no_prompt_holds_the_program_or_a_case_held_back(
    cases: list[Case], shown: int, held: int, style: Style
) -> None:
    source = "def f(a, b=2):\n    secret_of_f = a\n    return secret_of_f\n"
    parameters = [
        Parameter("a", "positional_or_keyword"),
        Parameter("b", "positional_or_keyword", default="2"),
    ]
    options = {"problem_shown_cases": shown, "problem_held_cases": held}
    of = program(0, cases, program=source, entry_point="f", parameters=parameters)
    found, report = problems([of], **options)
    if not found:
        assert report.stages[0].dropped == {"too_few_cases": 1}
        return
    (one,) = found
    shots = shots_of_programs([program(1)], ProblemOptions(few_shot=1))
    prompt = prompt_for(one, shots, style)
    text = prompt if isinstance(prompt, str) else "\n".join(m["content"] for m in prompt)
    lines = text.split("\n")
    examples = {p: example_of(of, of.cases[p]) for p in (*one.shown_cases, *one.held_cases)}
    assert not set(one.shown_cases) & set(one.held_cases)
    assert 1 <= len(one.shown_cases) <= shown
    assert len(one.held_cases) >= held
    for position in one.shown_cases:
        assert f"{examples[position].call} -> {examples[position].outcome}" in lines
    for position in one.held_cases:
        assert not any(line.startswith(f"{examples[position].call} ->") for line in lines)
    assert "def f(a, b=2):" in lines
    assert "secret_of_f" not in text


def test_a_prompt_says_the_header_and_the_cases() -> None:
    cases = [returned(2 * x, x=x) for x in range(4)] + [raised("ValueError", "no", x=None)]
    (one,), _ = problems([program(0, cases)], problem_held_cases=1)
    assert one.prompt.count("```python\ndef add(x):\n```") == 1
    assert len(re.findall(r"^add\(\d\) -> \d$", one.prompt, re.MULTILINE)) == 4
    assert one.held_cases == [4], "that which raises tells least"
    (one,), _ = problems([program(0, [*cases, returned(9, x=9)])], problem_shown_cases=5)
    assert len(one.shown_cases) == 4, "two are held back"


def test_every_branch_is_shown() -> None:
    cases = [replace(returned(x, x=x), covered_lines=[2, 3]) for x in range(30)]
    cases[17] = replace(cases[17], covered_lines=[2, 4])
    for seed in range(5):
        (one,), _ = problems([program(0, cases)], problem_seed=seed, problem_shown_cases=3)
        assert 17 in one.shown_cases


def test_what_is_shown_hangs_on_the_seed_alone() -> None:
    programs = [program(number) for number in range(6)]
    first, _ = problems(programs)
    assert [p.shown_cases for p in first] == [p.shown_cases for p in problems(programs)[0]]
    alone = [problems([one])[0][0] for one in programs]
    assert alone == first
    other, _ = problems(programs, problem_seed=1)
    assert [p.shown_cases for p in first] != [p.shown_cases for p in other]


@pytest.mark.parametrize("count", [4, 5])
def test_too_few_cases(count: int) -> None:
    found, report = problems([program(0, [returned(x, x=x) for x in range(count)])])
    assert len(found) == count - 4, "three shown, two held"
    assert report.stages[0].dropped == ({} if found else {"too_few_cases": 1})


def test_calls_that_are_one_are_not_on_both_sides() -> None:
    parameters = [X, Parameter("n", "positional_or_keyword", default="LIMIT")]
    source = "LIMIT = 2 * 5\n\n\ndef add(x, n=LIMIT):\n    return x + n\n"
    cases = [returned(x + 10, x=x) for x in range(5)]
    cases += [returned(x + 10, x=x, n=10) for x in range(5)]
    (one,), _ = problems([program(0, cases, program=source, parameters=parameters)])
    assert sorted([*one.shown_cases, *one.held_cases]) == [0, 1, 2, 3, 4]
    assert "def add(x, n=10):" in one.prompt, "a name of the program would not load"


def test_a_default_that_is_no_constant_stays() -> None:
    parameters = [X, Parameter("n", "positional_or_keyword", default="make()")]
    source = "from os import getcwd as make\n\n\ndef add(x, n=make()):\n    return x\n"
    one = problem(0, None, program=source, parameters=parameters)
    assert "def add(x, n=make()):" in one.prompt


def test_what_cannot_be_written_as_a_call_is_neither_shown_nor_held() -> None:
    one = problem(0, [*program().cases, returned(1, x=1, unknown=2)])
    assert 13 not in [*one.shown_cases, *one.held_cases]
    assert len(one.cases) == 14


def test_long_cases_are_held_back() -> None:
    long = "x" * MAX_CASE_CHARACTERS
    cases = [returned(x, x=x) for x in range(4)] + [returned(long + str(x), x=x) for x in (5, 6)]
    one = problem(0, cases)
    assert (one.shown_cases, one.held_cases) == ([0, 1, 2, 3], [4, 5])
    found, report = problems([program(0, cases[3:] + [returned(long, x=n) for n in (7, 8, 9)])])
    assert not found
    assert report.stages[0].dropped == {"cases_too_long": 1}


def test_a_prompt_is_bounded() -> None:
    cases = [returned("y" * 900, x=x) for x in range(100)]
    (one,), _ = problems([program(0, cases)], problem_shown_cases=50)
    assert len(one.shown_cases) == MAX_SHOWN_CHARACTERS // 917
    assert len(one.held_cases) == 100 - len(one.shown_cases)
    assert len(one.prompt) < MAX_SHOWN_CHARACTERS + 500


def test_problems_are_drawn_by_the_seed_in_the_order_given() -> None:
    programs = [program(number) for number in range(40)]
    everything, _ = problems(programs)
    some, report = problems(programs, max_problems=10)
    assert (len(some), report.stages[0].dropped) == (10, {"not_drawn": 30})
    assert some == [one for one in everything if one in some]
    of_reversed, _ = problems(programs[::-1], max_problems=10)
    assert of_reversed == some[::-1]
    others, _ = problems(programs, max_problems=10, problem_seed=1)
    assert others != some
    more, _ = problems(programs, max_problems=11)
    assert {p.problem_id for p in some} < {p.problem_id for p in more}
    assert len(problems(programs, max_problems=100)[0]) == 40


def test_solved_examples_are_of_another_split() -> None:
    programs = [program(number, split="train") for number in range(30)]
    programs.append(program(30, [returned(1, x=1)], split="train"))  # is no problem
    options = ProblemOptions(few_shot=3)
    shots = shots_of_programs(programs, options)
    assert len({shot.program for shot in shots}) == 3
    assert {shot.prompt for shot in shots} <= {one.prompt for one in problems(programs)[0]}
    assert shots == shots_of_programs(programs[::-1], options)
    assert shots != shots_of_programs(programs, ProblemOptions(few_shot=3, problem_seed=1))
    assert shots_of_programs(programs, ProblemOptions()) == []
    assert (shot_split(options), shot_split(ProblemOptions(split="train"))) == (
        "train",
        "validation",
    )


def test_too_few_programs_for_solved_examples() -> None:
    with pytest.raises(ProblemError, match=r"few_shot is 4, but only 3 programs .* smaller few_sh"):
        shots_of_programs([program(number) for number in range(3)], ProblemOptions(few_shot=4))


def test_what_a_problem_knows() -> None:
    of = program(3)
    one = problem(3)
    known: dict[str, Any] = {
        "problem_id": of.function_id,
        "task": "induction",
        "program": of.program,
        "entry_point": "add",
        "cases": of.cases,
        "difficulty": 0.25,
        "tests": "",
    }
    assert {name: getattr(one, name) for name in known} == known
