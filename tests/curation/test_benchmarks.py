from __future__ import annotations

import gzip
import hashlib
import json
import re
from pathlib import Path

import pytest

from c2c_tasks.curation.benchmarks import BenchmarkError, BenchmarkPrograms, read_benchmarks
from c2c_tasks.records import Function
from c2c_tasks.shards import StepReport


def dumped(program: str, entry_point: str) -> Function:
    """A function as it would be found in a dump."""
    return Function(
        function_id=hashlib.sha256(program.encode()).hexdigest(),
        program=program,
        entry_point=entry_point,
        parameters=[],
        repository="owner/name",
        path="a.py",
        first_line=1,
        last_line=2,
        licence=None,
        dump="file:///dump",
        source_sha256="",
    )


SOLUTION = """
def common(first, second):
    seen = set(first)
    found = []
    for item in second:
        if item in seen and item not in found:
            found.append(item)
    return sorted(found)
"""
RENAMED = SOLUTION.replace("common", "both").replace("item", "x").replace("first", "a")
NEAR = SOLUTION.replace("seen = set(first)", "seen = frozenset(first)").replace("item", "x")
OTHER = "def common(first, second):\n    return [a * b for a, b in zip(first, second)]\n"


@pytest.mark.parametrize(
    ("program", "name"),
    [
        (SOLUTION, "common"),
        (RENAMED, "both"),
        (NEAR, "common"),
        (f"import re\n\nLIMIT = re.compile('x*')\n{SOLUTION}", "common"),
    ],
    ids=["copy", "renamed", "near", "with dependencies of its own"],
)
def test_planted_copies_are_found(program: str, name: str) -> None:
    benchmarks = BenchmarkPrograms([OTHER, SOLUTION], 0.7, StepReport("merge", "-"))
    assert benchmarks.overlaps(dumped(program, name))


def test_what_is_not_of_the_benchmark_passes() -> None:
    benchmarks = BenchmarkPrograms([SOLUTION], 0.7, StepReport("merge", "-"))
    assert not benchmarks.overlaps(dumped(OTHER, "common"))


def test_programs_that_cannot_be_used_are_counted_and_named() -> None:
    report = StepReport("merge", "-")
    benchmarks = BenchmarkPrograms(["    return x\n", "print(1)", SOLUTION], 0.85, report)
    assert report.counters == {"unread benchmark programs": 2}
    assert [problem.split()[2] for problem in report.problems] == ["1", "2"]
    assert benchmarks.overlaps(dumped(SOLUTION, "common"))


def test_every_solution_of_a_real_benchmark_is_found_under_other_names(shared_data: Path) -> None:
    solutions = [
        json.loads(line)["code"]
        for line in (shared_data / "mbpp_sanitized.jsonl").read_text().splitlines()
    ]
    benchmarks = BenchmarkPrograms(solutions, 0.85, StepReport("merge", "-"))
    for solution in solutions:
        name = re.findall(r"^def (\w+)", solution, re.MULTILINE)[-1]
        renamed = re.sub(rf"\b{name}\b", "renamed_by_the_test", solution)
        assert benchmarks.overlaps(dumped(renamed, "renamed_by_the_test")), name


def test_problems_are_read_as_they_are_published(tmp_path: Path, shared_data: Path) -> None:
    assert len(list(read_benchmarks(str(shared_data / "mbpp_sanitized.jsonl")))) == 427
    assert len(list(read_benchmarks(shared_data.as_uri()))) == 427 + 250
    row = {
        "task_id": "HumanEval/0",
        "prompt": "def f(x):\n",
        "canonical_solution": "    return x\n",
    }
    (tmp_path / "HumanEval.jsonl.gz").write_bytes(gzip.compress(json.dumps(row).encode()))
    assert list(read_benchmarks(str(tmp_path))) == ["def f(x):\n    return x\n"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"code": "x = 1"}\n\n{"code": 1}\n', "a.jsonl: line 3: has no `code`.* but code"),
        (b"[1]\n", "a.jsonl: line 1: has no `code`.* but list"),
        (b"not JSON\n", "a.jsonl: line 1: not JSON"),
        (b"\xff\n", "a.jsonl: cannot be read"),
    ],
)
def test_a_file_that_is_no_benchmark_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.jsonl").write_bytes(content)
    with pytest.raises(BenchmarkError, match=message):
        list(read_benchmarks(str(tmp_path)))


def test_benchmarks_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="nowhere: no such file"):
        list(read_benchmarks(str(tmp_path / "nowhere")))
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(b"{}")[:-9])
    with pytest.raises(BenchmarkError, match=r"b\.jsonl\.gz: cannot be read"):
        list(read_benchmarks(str(tmp_path)))
