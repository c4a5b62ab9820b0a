"""What a build is, and what its tasks hand to each other: references, never data."""

from __future__ import annotations

import hashlib
import logging
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypedDict, TypeVar

from c2c_tasks.config import BuildConfig, Section, SourceOptions, work_area
from c2c_tasks.shards import StepReport, shard_uri

PROGRESS_SECONDS = 10.0
"""Between two lines of the log that say how far a long step has come."""

log = logging.getLogger(__name__)
MappedStep = Literal["write_inputs", "execute", "curate", "compose"]

R = TypeVar("R")


class BuildError(Exception):
    """The build cannot go on; the message says why and what to do."""


class NotReached(BuildError):
    """A step before this one has failed, and is what has to be mended."""


class NothingNew(Exception):
    """There is nothing that the latest release does not hold already; not a failure."""


class SwitchedOff(Exception):
    """The options leave the step out; not a failure."""


class ShardReference(TypedDict):
    """A shard as it travels between tasks."""

    shard: str
    """Label for people: ``2 of 3``."""
    index: int
    uri: str
    rows: int


@dataclass(frozen=True, slots=True)
class Build:
    """One run towards a release."""

    build_id: str
    """Names the work area; the same for every retry of the same run."""
    date: str
    """Logical date of the run, ``YYYY-MM-DD``: it goes into the release's version."""
    config: BuildConfig

    @property
    def source(self) -> SourceOptions:
        """Source options of this run: ``{date}`` in the dump's URI is the run's date."""
        source = self.config.source
        return source.model_copy(update={"dump": source.dump.replace("{date}", self.date)})

    def options_of(self, step: MappedStep) -> dict[str, Any]:
        """Return the options that decide what a step makes of a function shard."""
        config = self.config
        sections: dict[MappedStep, Section] = {
            "write_inputs": config.inputs,
            "execute": config.sandbox,
            "curate": config.cases,
            "compose": config.samples,
        }
        options = sections[step].model_dump(mode="json")
        if step == "curate":
            options["scan_secrets"] = config.rights.scan_secrets
        return options

    @property
    def work(self) -> str:
        """URI of the folder of the build's shards."""
        return f"{work_area()}/{work_name(self.build_id)}"

    def shard(self, step: str, index: int) -> str:
        """URI of a step's shard."""
        return shard_uri(self.work, step, index)

    def folder(self, step: str) -> str:
        """URI of the folder of a step's shards."""
        return f"{self.work}/{step}"


def work_name(build_id: str) -> str:
    """Return the name of a build's folder in the work area: no two builds have the same."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", build_id)
    if name == build_id:
        return name
    return f"{name}-{hashlib.sha256(build_id.encode()).hexdigest()[:8]}"


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
