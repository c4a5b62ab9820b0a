from __future__ import annotations

import ast
import dataclasses
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c2c_tasks.config import FunctionOptions
from c2c_tasks.curation.benchmarks import Problem
from c2c_tasks.curation.functions import unique_functions
from c2c_tasks.curation.near_duplicates import jaccard
from c2c_tasks.curation.signatures import read_shingles, sign
from c2c_tasks.records import Function, extend
from c2c_tasks.shards import Stage, StepReport

pytestmark = pytest.mark.filterwarnings("ignore:invalid escape")

OPTIONS = FunctionOptions(near_duplicate_threshold=0.7)


def candidate(program: str, function_id: str = "", path: str = "a.py", line: int = 1) -> Function:
    """A function found in a dump; its name is that of the last ``def``."""
    return Function(
        function_id=function_id or hashlib.sha256(program.encode()).hexdigest(),
        program=program,
        entry_point=program.rpartition("def ")[2].partition("(")[0],
        parameters=[],
        repository="owner/name",
        path=path,
        first_line=line,
        last_line=line + program.count("\n"),
        licence="MIT",
        dump="file:///dump",
        source_sha256="",
    )


def chain(length: int) -> list[Function]:
    """Functions of which each is near to its neighbours, and not to those further off."""
    return [
        candidate(
            "def f(x):\n" + "".join(f"    x += {n}\n" for n in range(i, i + 12)) + "    return x\n",
            f"{i:02}",
        )
        for i in range(length)
    ]


def unique(functions: Sequence[Function], **given_: object) -> tuple[list[Function], list[Stage]]:
    """What is kept, and the stages of the report, which add up."""
    report = StepReport("merge", "-")
    found = unique_functions(functions, OPTIONS, report, **given_)  # type: ignore[arg-type]
    kept = [extend(Function, function) for function in found]
    for stage in report.stages:
        stage.check()
    return kept, report.stages


def reasons(stages: list[Stage]) -> dict[str, int]:
    return {reason: rows for stage in stages for reason, rows in stage.dropped.items()}


def test_of_several_copies_the_first_by_origin_is_kept() -> None:
    program = "def f(x):\n    return x\n"
    copies = [
        candidate(program, "aa", "b.py"),
        candidate(program, "aa", "a.py", line=9),
        candidate(program, "aa", "a.py", line=3),
    ]
    kept, stages = unique(copies)
    assert kept == [copies[2]]
    assert reasons(stages) == {"exact_duplicate": 2}


def test_near_to_a_dropped_function_is_no_reason_to_drop() -> None:
    functions = chain(5)
    near = [
        jaccard(read_shingles(sign(a).shingles), read_shingles(sign(b).shingles)) >= 0.7
        for a, b in [(functions[0], functions[1]), (functions[0], functions[2])]
    ]
    assert near == [True, False]
    kept, stages = unique(functions)
    assert [function.function_id for function in kept] == ["00", "02", "04"]
    assert reasons(stages) == {"near_duplicate": 2}


def test_earlier_functions_are_not_yielded_and_drop_their_copies() -> None:
    first, near, apart, further, last = chain(5)
    kept, stages = unique([first, near, apart, further, last], earlier=[further, apart])
    assert kept == [first]
    assert reasons(stages) == {
        "exact_duplicate_of_earlier_release": 2,
        "near_duplicate_of_earlier_release": 2,
    }


def test_an_increment_keeps_what_the_release_before_it_kept() -> None:
    functions = chain(12)
    first, _ = unique(functions[::2])
    second, _ = unique(functions, earlier=first)
    assert not {f.function_id for f in first} & {f.function_id for f in second}
    all_, _ = unique([*first, *second])
    assert len(all_) == len(first) + len(second)


def test_threshold_one_drops_exact_duplicates_only() -> None:
    same = dataclasses.replace(chain(1)[0], function_id="99")
    options = FunctionOptions(near_duplicate_threshold=1.0)
    kept = list(unique_functions([*chain(1), same], options, StepReport("merge", "-")))
    assert [function.function_id for function in kept] == ["00", "99"]


def test_benchmark_problems_are_dropped_before_they_can_lead() -> None:
    functions = chain(2)
    problems = [Problem("a:1", functions[0].program, None)]
    kept, stages = unique(functions, benchmarks=problems)
    assert kept == []
    assert reasons(stages) == {"benchmark_overlap": 2}
    apart = candidate("def g(text):\n    return text.split(',')[::-1]\n")
    assert unique([apart], benchmarks=problems)[0] == [apart]


def test_an_earlier_function_in_a_syntax_of_the_future_is_reported_not_fatal() -> None:
    report = StepReport("merge", "-")
    earlier = candidate("def f(x): return x ?? 1", "ff")
    functions = [*chain(1), earlier]
    kept = list(unique_functions(functions, OPTIONS, report, earlier=[earlier]))
    assert [function.function_id for function in kept] == ["00"]
    assert report.problems and "ff" in report.problems[0]


@settings(max_examples=15)
@given(st.permutations(chain(9) + [candidate(f.program, f.function_id, "z.py") for f in chain(4)]))
def test_the_order_of_the_input_is_no_matter(functions: list[Function]) -> None:
    in_order, stages = unique(sorted(functions, key=lambda f: (f.function_id, f.path)))
    assert unique(functions) == (in_order, stages)


@settings(max_examples=15)
@given(data=st.data())
def test_the_order_of_earlier_functions_is_no_matter(data: st.DataObject) -> None:
    earlier = data.draw(st.permutations(chain(9)[1::4]))
    assert unique(chain(9), earlier=earlier) == unique(chain(9), earlier=chain(9)[1::4])


def test_real_functions_are_kept_but_for_those_that_are_alike(shared_data: Path) -> None:
    functions = []
    for line in (shared_data / "mbpp_sanitized.jsonl").read_text().splitlines():
        code = json.loads(line)["code"]
        names = [n.name for n in ast.parse(code).body if isinstance(n, ast.FunctionDef)]
        functions.append(dataclasses.replace(candidate(code), entry_point=names[-1]))
    kept, stages = unique(functions)
    assert [f.function_id for f in kept] == sorted(f.function_id for f in kept)
    assert 0.85 * len(functions) < len(kept) < len(functions)
    assert sum(stage.rows_in - stage.rows_out for stage in stages) == len(functions) - len(kept)
