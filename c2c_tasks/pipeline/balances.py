"""What the reports of a build say that its release holds: the audit compares it with the files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import pyarrow.parquet as pq

from c2c_tasks.pipeline.build import Build
from c2c_tasks.pipeline.planning import Plan
from c2c_tasks.pipeline.programs import removed_programs
from c2c_tasks.pipeline.progress import Progress
from c2c_tasks.publishing.auditing import Balance
from c2c_tasks.publishing.manifest import FileEntry, read_manifest
from c2c_tasks.publishing.release import Copy
from c2c_tasks.shards import CARRIED_OVER, Stage, funnel, read_report
from c2c_tasks.store.ranged import open_ranged

_CHAINS = (
    ("source files", "permitted files", "parsed files"),
    ("functions", "permitted functions"),
    (
        *("exact duplicates", "benchmark overlap", "near duplicates", "test split overlap"),
        *("inputs", "executed functions", "programs"),
    ),
)
"""Stages of which each takes what the one before it lets go on."""


def balances(
    build: Build,
    plan: Plan,
    progress: Progress,
    files: Sequence[FileEntry],
    copies: Sequence[Copy],
) -> Iterator[Balance]:
    """Yield what has to be equal: stages of the funnel, and the rows of the release.

    `files` are those of the release, `copies` those of them that are its parent's.
    """
    stages = {stage.name: stage for stage in funnel(progress.reports())}
    for stage in stages.values():
        gone = stage.rows_out + sum(stage.dropped.values())
        yield Balance(f"{stage.name}: rows out and dropped", stage.rows_in, gone)
    for chain in _CHAINS:
        for earlier, later in pairwise(name for name in chain if name in stages):
            out, taken = stages[earlier].rows_out, stages[later].rows_in
            yield Balance(f"{later}: rows in, of {earlier}", out, taken)
    merged = read_report(build.folder("merge_programs"))
    made: dict[str, int] = merged.facts["shard_rows"] if merged else {}
    merging = stages["behavioural duplicates"]
    curated = sum(_curated(build, index) for index in progress.curated)
    yield Balance("behavioural duplicates: rows in, of programs", curated, merging.rows_in)
    shards = sum(made.values())
    yield Balance("behavioural duplicates: rows out, in shards", shards, merging.rows_out)
    new = sum(made[str(index)] for index in progress.completed)
    carried = stages.get(CARRIED_OVER, Stage("", "")).rows_out
    found = sum(entry.rows or 0 for entry in files if entry.config == "programs")
    yield Balance("programs of the release, new and carried over", new + carried, found)
    samples = stages["samples"].rows_out + _carried_samples(build, plan, copies)
    found = sum(entry.rows or 0 for entry in files if entry.config not in (None, "programs"))
    yield Balance("samples of the release, new and carried over", samples, found)


def _curated(build: Build, index: int) -> int:
    report = read_report(build.shard("curate", index))
    return report.stage("programs", "programs").rows_out if report else 0


def _carried_samples(build: Build, plan: Plan, copies: Sequence[Copy]) -> int:
    """Return how many samples of the parent are of programs that stay."""
    if plan.parent is None:
        return 0
    copied = {copy.source for copy in copies}
    removed = removed_programs(build)
    rows = 0
    for entry in read_manifest(plan.parent).files:
        if entry.config in (None, "programs"):
            continue
        uri = f"{plan.parent}/{entry.path}"
        rows += entry.rows or 0
        if uri not in copied:
            with open_ranged(uri) as source, pq.ParquetFile(source, pre_buffer=True) as file:
                for batch in file.iter_batches(columns=["function_id"]):
                    rows -= sum(identity in removed for identity in batch.column(0).to_pylist())
    return rows
