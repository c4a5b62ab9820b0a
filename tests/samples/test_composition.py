from __future__ import annotations

import dataclasses
import json
import re
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2c_tasks.config import SampleOptions
from c2c_tasks.literals import dumps
from c2c_tasks.records import Case, Parameter, Program, Sample
from c2c_tasks.samples.composition import compose
from c2c_tasks.shards import Stage, StepReport

SOURCE = "def double(x):\n    if x < 0:\n        return None\n    return 2 * x\n"


def program(count: int = 20, **fields: Any) -> Program:
    """A program of `count` cases: ``double(-1)``, then ``double(1001)``, ``double(1002)``, …"""
    values = [-1, *range(1_001, 1_000 + count)][:count]
    return Program(
        **{
            "function_id": "ab" * 32,
            "program": SOURCE,
            "entry_point": "double",
            "parameters": [Parameter("x", "positional_or_keyword")],
            "repository": "owner/name",
            "path": "a.py",
            "first_line": 1,
            "last_line": 4,
            "licence": "MIT",
            "dump": "file:///dump",
            "source_sha256": "ab" * 32,
            "difficulty": 0.25,
            "writer": "synthesis",
            "cases": [
                Case(
                    arguments=dumps({"x": x}),
                    outcome="returned",
                    output=dumps(None if x < 0 else 2 * x),
                    covered_lines=[2, 3] if x < 0 else [2, 4],
                )
                for x in values
            ],
            "coverage": 1.0,
            "cluster": "ab" * 32,
            "split": "train",
            **fields,
        }
    )


def composed(of: Program, **options: Any) -> tuple[list[Sample], Stage]:
    report = StepReport("compose", "-")
    samples = list(compose(of, SampleOptions(**options), report))
    (stage,) = report.stages
    stage.check()
    assert stage.rows_out == len(samples)
    return samples, stage


def test_each_format_gets_its_samples_with_the_programs_provenance() -> None:
    samples, _ = composed(program(), samples_per_program=3)
    assert Counter(sample.format for sample in samples) == {"sft": 3, "instruct": 3, "pretrain": 3}
    assert len({sample.sample_id for sample in samples}) == 9
    for sample in samples:
        assert SOURCE.strip() in sample.completion
        assert (sample.split, sample.path, sample.licence) == ("train", "a.py", "MIT")
        assert bool(sample.instruction) == (sample.format != "pretrain")


def test_shown_and_held_cases_part_the_program_and_only_the_shown_are_told() -> None:
    samples, _ = composed(program(30), samples_per_program=20, formats=["sft"])
    for sample in samples:
        assert sorted(sample.shown_cases + sample.held_cases) == list(range(30))
        assert 6 <= len(sample.shown_cases) <= 10
        told = {int(number) for number in re.findall(r"\d{4}", sample.input)}
        shown = {1_000 + position for position in sample.shown_cases if position}
        assert told == shown | {2 * value for value in shown}


def test_every_branch_that_a_case_takes_is_shown() -> None:
    samples, _ = composed(program(30), samples_per_program=20)
    assert all(0 in sample.shown_cases for sample in samples)


def test_long_and_raised_cases_wait_until_last() -> None:
    cases = [dataclasses.replace(case, covered_lines=[]) for case in program(12).cases]
    long = Case(arguments=dumps({"x": "a" * 900}), outcome="returned", output="1")
    error = Case(arguments="{'x': 99}", outcome="raised", exception_type="TypeError")
    samples, _ = composed(
        program(cases=[long, error, *cases]), samples_per_program=20, max_shown_cases=8
    )
    assert all(not {0, 1} & set(sample.shown_cases) for sample in samples)


@pytest.mark.parametrize(
    ("cases", "min_held", "max_shown", "shown"),
    [(5, 2, 10, 3), (4, 2, 10, 0), (4, 1, 10, 3), (3, 2, 1, 1), (3, 0, 3, 3), (0, 0, 10, 0)],
)
def test_cases_are_held_back_even_of_few(
    cases: int, min_held: int, max_shown: int, shown: int
) -> None:
    samples, stage = composed(program(cases), min_held_cases=min_held, max_shown_cases=max_shown)
    if shown:
        assert {len(sample.shown_cases) for sample in samples} == {shown}
    else:
        assert (samples, stage.dropped) == ([], {"too_few_cases": 3})


@given(st.integers(0, 2**31), st.integers(500, 3_000))
def test_no_sample_is_longer_than_allowed(seed: int, limit: int) -> None:
    wide = [
        Case(arguments=dumps({"x": f"{n}" * 60}), outcome="returned", output=dumps("y" * 40))
        for n in range(20)
    ]
    samples, stage = composed(program(cases=wide), seed=seed, max_sample_characters=limit)
    for sample in samples:
        length = len(sample.instruction) + len(sample.input) + len(sample.completion)
        assert length <= limit
        assert len(sample.shown_cases) >= 3
    assert set(stage.dropped) <= {"too_long"}
    if limit >= 2_000:
        assert len(samples) == 3


def test_a_program_longer_than_allowed_is_dropped() -> None:
    samples, stage = composed(program(program=SOURCE + "#" * 600), max_sample_characters=600)
    assert (samples, stage.dropped) == ([], {"too_long": 3})


def test_cases_that_no_call_can_make_are_neither_shown_nor_held() -> None:
    cases = [*program(8).cases, Case(arguments="{'y': 1}", outcome="returned", output="1")]
    samples, _ = composed(program(cases=cases))
    assert samples
    assert all(8 not in sample.shown_cases + sample.held_cases for sample in samples)


def test_samples_depend_on_the_seed_and_the_function_alone() -> None:
    first, _ = composed(program())
    Random(1).random()
    assert composed(program())[0] == first
    assert composed(program(), seed=1)[0] != first
    assert composed(program(function_id="cd" * 32))[0] != first
    (alone,) = composed(program(), formats=["instruct"])[0]
    assert alone == first[1]


def test_fences_in_the_program_do_not_end_the_answer() -> None:
    source = (
        'def double(x):\n    """Double.\n\n    ```\n    code\n    ```\n    """\n    return 2 * x\n'
    )
    samples, _ = composed(program(program=source), formats=["sft"], samples_per_program=5)
    for sample in samples:
        assert f"````python\n{source}````" in sample.completion


def test_most_prompts_name_the_function_and_prompts_vary() -> None:
    samples = [
        sample
        for number in range(300)
        for sample in composed(program(function_id=f"{number:064x}"), formats=["sft"])[0]
    ]
    named = sum("double" in sample.prompt for sample in samples)
    assert 0.7 < named / len(samples) < 0.9
    assert len({sample.template for sample in samples}) > 250


def test_real_programs_compose_to_prompts_that_hold_their_values(shared_data: Path) -> None:
    composed_of = 0
    for line in (shared_data / "case2code_test_half.jsonl").read_text().splitlines():
        row = json.loads(line)
        if row["program"].count("\ndef ") or "\t" in row["program"]:
            continue
        outputs = [o["return"] for o in row["outputs"] if "return" in o][:8]
        cases = [
            Case(arguments=dumps({"x": number}), outcome="returned", output=dumps(output))
            for number, output in enumerate(outputs)
        ]
        real = program(cases=cases, program=row["program"], entry_point=row["entry_point"])
        samples, _ = composed(real, max_sample_characters=100_000)
        for sample in samples:
            assert sample.completion.count(row["program"].rstrip()) == 1
        composed_of += bool(samples)
    assert composed_of > 100


def test_one_template_changes_what_is_said_of_the_same_cases() -> None:
    programs = [program(function_id=f"{number:064x}") for number in range(40)]
    drawn = [s for p in programs for s in composed(p)[0]]
    fixed = [s for p in programs for s in composed(p, prompt_templates="one")[0]]
    assert [(s.function_id, s.format, s.shown_cases, s.held_cases) for s in drawn] == [
        (s.function_id, s.format, s.shown_cases, s.held_cases) for s in fixed
    ]
    assert Counter((s.format, s.template) for s in fixed) == {
        ("sft", "write/plain/signature/arrows/header_first/bare"): 40,
        ("instruct", "write/plain/signature/arrows/header_first/bare"): 40,
        ("pretrain", "page/reference/arrows"): 40,
    }
    assert len({s.template for s in drawn}) > 60
