"""Metrics of runs, through Airflow's own stats: StatsD or OpenTelemetry, as it is configured.

Counters count **work done**: a step that is run twice counts twice, one whose work was found done
does not count again. What is in a release, its report and manifest say. Tags are names out of the
code (step, stage, reason), so their number is bounded: no build, shard or function is one.
docs/observability.md lists all names.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec

from airflow.sdk.observability import stats

if TYPE_CHECKING:
    from c2c_tasks.config import BuildConfig
    from c2c_tasks.shards import StepReport

PREFIX = "case2code"
COUNTERS: dict[str, tuple[str, dict[str, str]]] = {
    "prompt_tokens": ("tokens", {"kind": "prompt"}),
    "completion_tokens": ("tokens", {"kind": "completion"}),
    "inputs_written": ("inputs_written", {}),
    "cases_run": ("sandbox.cases_run", {}),
    "cases_not_run": ("sandbox.cases_not_run", {}),
    "functions_killed": ("sandbox.functions_quarantined", {"reason": "killed"}),
    "functions_protocol_violation": (
        "sandbox.functions_quarantined",
        {"reason": "protocol_violation"},
    ),
    "runners_started": ("sandbox.runners_started", {}),
    "runner_restarts": ("sandbox.runner_restarts", {}),
    "bytes_staged": ("bytes_staged", {}),
}
"""Metric and tags of a report's counter."""
ALWAYS_COUNTED: dict[str, tuple[str, ...]] = {
    "execute": (
        "functions_killed",
        "functions_protocol_violation",
        "runner_restarts",
        "cases_not_run",
    )
}
"""Counters that are sent as 0, too, by step: what rises from nothing at all is no rise to those
who ask for the increase."""

log = logging.getLogger(__name__)
P = ParamSpec("P")


def _harmless(function: Callable[P, None]) -> Callable[P, None]:
    """Let no fault of the metrics fail a task."""

    @wraps(function)
    def harmless(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except Exception as error:
            log.warning("metrics are not sent: %s", error)

    return harmless


def _increment(name: str, amount: int, **tags: str) -> None:
    stats.incr(f"{PREFIX}.{name}", amount, tags=tags)


def _set(name: str, value: float, **tags: str) -> None:
    stats.gauge(f"{PREFIX}.{name}", value, tags=tags)


@_harmless
def count_step(report: StepReport) -> None:
    """Count what a finished step did."""
    step = report.step
    stats.timing(f"{PREFIX}.step_duration", report.seconds * 1000, tags={"step": step})
    for stage in report.stages:
        tags = {"step": step, "stage": stage.name.replace(" ", "_")}
        _increment("rows_in", stage.rows_in, **tags)
        _increment("rows_out", stage.rows_out, **tags)
        for reason, rows in stage.dropped.items():
            _increment("rows_dropped", rows, **tags, reason=reason)
    counters = dict.fromkeys(ALWAYS_COUNTED.get(step, ()), 0) | report.counters
    for counter, amount in counters.items():
        if counter in COUNTERS:
            name, more = COUNTERS[counter]
            _increment(name, amount, **more)


@_harmless
def count_build(
    config: BuildConfig, published: Mapping[str, Any], started: datetime | None
) -> None:
    """Tell of a build that has published: how long it took, and what the release holds.

    `started` is when the run was. Reads the release's manifest. Gauges are of the deployment's
    dataset: a build by hand towards another target would hide that the nightly one is old.
    """
    from c2c_tasks.config import BuildConfig, default_target
    from c2c_tasks.presets import fill
    from c2c_tasks.publishing.manifest import read_manifest

    scheduled = BuildConfig.from_flat(fill({})[1]).publishing.target
    if config.publishing.target not in (default_target(), scheduled):
        return
    now = datetime.now(UTC)
    manifest = read_manifest(published["uri"])
    if started is not None:
        _set("build_seconds", (now - started).total_seconds(), mode=config.source.mode)
    _set("release_bytes", sum(entry.bytes for entry in manifest.files))
    for rows_of, splits in manifest.splits.items():
        for split, rows in splits.items():
            _set("release_rows", rows, config=rows_of, split=split)
    _set("last_success_timestamp", int(now.timestamp()))


@_harmless
def count_waiting(runs: int) -> None:
    """Tell how many builds of earlier dates the next one waits for."""
    _set("turn_waiting", runs)


@_harmless
def count_swept(counts: Mapping[str, int]) -> None:
    """Count containers that a sweep removed, by why; ``kept`` ones are not counted."""
    for reason, containers in counts.items():
        if reason != "kept":
            _increment("sandbox.containers_swept", containers, reason=reason)


@_harmless
def measure_target(target: str) -> None:
    """Tell when a build towards a target last came to its end, as the catalogue knows it.

    Builds tell it themselves, but not while there are none, and a restarted server of metrics has
    forgotten it. That there was nothing new is a success, too.
    """
    from c2c_tasks.catalogue import Catalogue
    from c2c_tasks.config import catalogue_url

    ends = [
        build.ended_at
        for build in Catalogue(catalogue_url()).builds(target, limit=50)
        if build.state in ("published", "nothing_new") and build.ended_at is not None
    ]
    if ends:
        last = max(end if end.tzinfo else end.replace(tzinfo=UTC) for end in ends)
        _set("last_success_timestamp", int(last.timestamp()))
