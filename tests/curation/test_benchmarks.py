from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from c2c_tasks.curation.benchmarks import (
    HUMANEVAL,
    BenchmarkError,
    Problem,
    benchmark_objects,
    benchmarks_digest,
    protected_programs,
    read_benchmarks,
)
from c2c_tasks.curation.tokens import canonical_digest
from c2c_tasks.shards import StepReport

SOLUTION = """def half(value):
    return value / 2


def common(first, second):
    return sorted(half(x) for x in first if x in second)
"""


def test_problems_are_read_as_they_are_published(tmp_path: Path, shared_data: Path) -> None:
    mbpp = list(read_benchmarks(str(shared_data / "mbpp_sanitized.jsonl")))
    assert len(mbpp) == 427
    assert mbpp[0].name == "mbpp_sanitized.jsonl/2"
    assert len(list(read_benchmarks(shared_data.as_uri()))) == 427 + 250
    test_set = list(read_benchmarks(str(shared_data / "case2code_test_half.jsonl")))
    assert (test_set[0].name, test_set[0].entry_point) == (
        "case2code_test_half.jsonl:1",
        "command_R",
    )
    row = {
        "task_id": "HumanEval/0",
        "prompt": "def f(x):\n",
        "canonical_solution": "    return x\n",
        "entry_point": "f",
    }
    (tmp_path / "HumanEval.jsonl.gz").write_bytes(gzip.compress(json.dumps(row).encode()))
    assert list(read_benchmarks(str(tmp_path))) == [
        Problem("HumanEval/0", "def f(x):\n    return x\n", "f")
    ]


def test_humaneval_is_that_of_its_package() -> None:
    problems = list(read_benchmarks(HUMANEVAL))
    assert [problem.name for problem in problems] == [f"HumanEval/{n}" for n in range(164)]
    assert all(f"def {problem.entry_point}(" in problem.program for problem in problems)
    report = StepReport("merge", "-")
    names = [program.name for program in protected_programs(problems, report)]
    assert set(names) == {problem.name for problem in problems}
    assert not report.problems
    assert benchmark_objects(HUMANEVAL) == []


def hub_folder(folder: Path) -> str:
    """A dataset with two splits, in the layout of one that `datasets` loads by name."""
    folder.mkdir()
    for split, number in (("train", 1), ("test", 2)):
        row = {"task_id": number, "code": f"def f(x):\n    return x + {number}\n"}
        (folder / f"{split}.jsonl").write_text(json.dumps(row) + "\n")
    return str(folder)


def test_a_dataset_is_loaded_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    name = hub_folder(tmp_path / "mbpp")
    uri = f"hf:{name}"
    assert [problem.name for problem in read_benchmarks(uri)] == [f"{name}/1", f"{name}/2"]
    (problem,) = read_benchmarks(f"{uri}:test")
    assert problem == Problem(f"{name}/2", "def f(x):\n    return x + 2\n", None)
    assert benchmark_objects(uri) == []
    with pytest.raises(BenchmarkError, match=f"{uri}:dev: cannot be loaded"):
        list(read_benchmarks(f"{uri}:dev"))


def test_a_dataset_that_cannot_be_loaded_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: Any, **__: Any) -> None:
        raise ConnectionError("couldn't reach the Hub")

    monkeypatch.setattr("datasets.load_dataset", offline)
    with pytest.raises(BenchmarkError, match=r"hf:owner/name: cannot be loaded: couldn't reach"):
        list(read_benchmarks("hf:owner/name"))


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


def test_the_digest_is_that_of_the_problems(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text(json.dumps({"code": SOLUTION}) + "\n")
    before = benchmarks_digest([str(file)])
    assert benchmarks_digest([str(file), HUMANEVAL]) != before == benchmarks_digest([str(tmp_path)])
    file.write_text(json.dumps({"code": SOLUTION.replace("2", "3")}) + "\n")
    assert benchmarks_digest([str(file)]) != before


def test_each_function_of_a_solution_is_protected_and_the_whole() -> None:
    report = StepReport("merge", "-")
    found = list(protected_programs([Problem("a/1", SOLUTION, None)], report))
    half, _, common = SOLUTION.partition("\n\n\n")
    digests = {program.digest for program in found}
    assert {
        canonical_digest(half, "half"),
        canonical_digest(common, "common"),
        canonical_digest(SOLUTION, "common"),
    } <= digests
    assert canonical_digest(SOLUTION, "half") not in digests
    assert {program.name for program in found} == {"a/1"}
    half_first = protected_programs([Problem("a/1", SOLUTION, "half")], report)
    assert canonical_digest(SOLUTION, "half") in {program.digest for program in half_first}


def test_solutions_that_cannot_be_used_are_counted_and_named() -> None:
    report = StepReport("merge", "-")
    problems = [Problem("a/1", "    return x\n", None), Problem("a/2", "print(1)", None)]
    assert list(protected_programs(problems, report)) == []
    assert report.counters == {"unread benchmark programs": 2}
    assert [problem.split()[2] for problem in report.problems] == ["a/1", "a/2"]
