"""What a run of steps is, and what its tasks hand to each other: references, never data."""

from __future__ import annotations

import hashlib
import logging
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypedDict, TypeVar

from c2c_tasks.shards import StepReport, run_step, shard_uri

EVALUATIONS = ".evaluations"
"""Folder of the work area that holds those of evaluations: no build has one of its name."""
PROGRESS_SECONDS = 10.0
"""Between two lines of the log that say how far a long step has come."""

log = logging.getLogger(__name__)
R = TypeVar("R")


class ShardReference(TypedDict):
    """A shard as it travels between tasks."""

    shard: str
    """Label for people: ``2 of 3``."""
    index: int
    uri: str
    rows: int


class Run:
    """A run of steps over shards, a build or an evaluation, in a work area of its own."""

    __slots__ = ()

    @property
    def work(self) -> str:
        """URI of the folder of the run's shards."""
        raise NotImplementedError

    def shard(self, step: str, index: int) -> str:
        """URI of a step's shard."""
        return shard_uri(self.work, step, index)

    def folder(self, step: str) -> str:
        """URI of the folder of a step's shards."""
        return f"{self.work}/{step}"

    def references(self, step: str, rows: list[int]) -> list[ShardReference]:
        """Return the references of all shards that a step has cut, given the rows of each."""
        return [
            {
                "shard": f"{index + 1} of {len(rows)}",
                "index": index,
                "uri": self.shard(step, index),
                "rows": count,
            }
            for index, count in enumerate(rows)
        ]


def work_name(run_id: str) -> str:
    """Return the name of a run's folder in the work area: no two runs have the same."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", run_id)
    if name == run_id:
        return name
    return f"{name}-{hashlib.sha256(run_id.encode()).hexdigest()[:8]}"


def mapped_step(
    run: Run,
    step: str,
    source: ShardReference,
    work: Callable[[StepReport], None],
    *,
    config: object,
    inputs: Sequence[str] = (),
) -> ShardReference:
    """Make one shard of another by `work`, as `run_step` does; return its reference.

    `inputs` are what the shard is made of besides `source`.
    """
    report = run_step(
        step,
        inputs=[source["uri"], *inputs],
        output=run.shard(step, source["index"]),
        config=config,
        work=work,
    )
    return reference(source, report)


def reference(source: ShardReference, report: StepReport) -> ShardReference:
    """Return the reference of the shard that a step made of `source`, and tell the log."""
    stage = report.stages[-1]
    tell(report, _subject(report, source))
    return {
        "shard": source["shard"],
        "index": source["index"],
        "uri": report.shard,
        "rows": stage.rows_out,
    }


def follow(records: Iterable[R], report: StepReport, source: ShardReference) -> Iterator[R]:
    """Yield what a step makes of a shard; tell the log every few seconds how far it has come."""
    due = time.monotonic() + PROGRESS_SECONDS
    for number, record in enumerate(records, start=1):
        if time.monotonic() > due:
            subject = _subject(report, source)
            log.info("%s: at %s of %s", subject, f"{number:,}", f"{source['rows']:,}")
            due = time.monotonic() + PROGRESS_SECONDS
        yield record


def _subject(report: StepReport, source: ShardReference) -> str:
    return f"{report.step} {source['shard']}"


def tell(report: StepReport, subject: str) -> None:
    """Write what a step did to the log, in one line for each stage."""
    for stage in report.stages:
        reasons = sorted(stage.dropped.items(), key=lambda item: -item[1])
        dropped = ", ".join(f"{reason} {rows:,}" for reason, rows in reasons[:4])
        more = ", …" if len(reasons) > 4 else ""
        log.info(
            "%s: %s: %s of %s %s go on%s (%.1f s)",
            subject,
            stage.name,
            f"{stage.rows_out:,}",
            f"{stage.rows_in:,}",
            stage.unit,
            f"; dropped: {dropped}{more}" if dropped else "",
            report.seconds,
        )
