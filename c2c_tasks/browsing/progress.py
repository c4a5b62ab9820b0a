"""How far a build has come, how fast it goes, and when its function shards will be done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from c2c_tasks.browsing.reports import STEPS, BuildReports, ReadReport
from c2c_tasks.publishing.reasons import reason_in_words
from c2c_tasks.shards import CARRIED_OVER, Stage

RUNNING = ("planned", "running")
"""States of builds that have not ended."""
_MAPPED = ("write_inputs", "execute", "curate")
"""The steps of a function shard."""
_TOKENS = ("prompt_tokens", "completion_tokens")


def progress_of(found: BuildReports, state: str, seconds: float | None) -> dict[str, Any] | None:
    """Return what the reports of a build tell; None where there is nothing yet.

    `state` is the build's, `seconds` how long it has taken.
    """
    if not found.reports and found.planned_shards is None:
        return None
    totals = _totals(found)
    steps = [_step(step, found.of(step), totals.get(step)) for step in STEPS]
    if found.planned_shards is not None:
        steps[0] |= {"done": 1, "rows_out": found.planned_shards}
    if state == "published":
        for step in steps:
            step["total"] = step["done"] = max(step["done"], step["total"] or 0)
    tokens = _tokens(found.reports)
    changed = [report.changed for report in found.reports if report.changed]
    runs = state in RUNNING
    return {
        "steps": steps,
        "rejects": _rejects(found.reports),
        "functions_per_second": _rate(found, seconds),
        "eta_seconds": _remaining_seconds(found, datetime.now(UTC)) if runs else None,
        "tokens": sum(tokens.values()),
        **tokens,
        "updated": max(changed).isoformat(timespec="seconds") if changed else None,
    }


def _totals(found: BuildReports) -> dict[str, int | None]:
    """Return the shards of each step, None where a step before it has to tell."""
    functions = [report for report in found.of("merge_functions") if report.shard_rows]
    programs = [report for report in found.of("merge_programs") if report.shard_rows]
    shards = len(functions[-1].shard_rows) if functions else None
    return {
        **dict.fromkeys(("plan", "merge_functions", "merge_programs", "audit"), 1),
        "extract": found.planned_shards,
        **dict.fromkeys(_MAPPED, shards),
        "compose": len(programs[-1].shard_rows) if programs else None,
    }


def _step(step: str, reports: Sequence[ReadReport], total: int | None) -> dict[str, Any]:
    rows_in, rows_out = _rows([stage for report in reports for stage in report.stages])
    return {
        "step": step,
        "done": len(reports),
        "total": total,
        "rows_in": rows_in,
        "rows_out": rows_out,
        "seconds": round(sum(report.seconds for report in reports), 1),
        "tokens": sum(_tokens(reports).values()),
    }


def _rows(stages: Sequence[Stage]) -> tuple[int, int]:
    """Return rows in and out of a step, in the unit of what it makes."""
    own = [stage for stage in stages if stage.name != CARRIED_OVER]
    if not own:
        return 0, 0
    names = list(dict.fromkeys(stage.name for stage in own if stage.unit == own[-1].unit))
    rows_in = sum(stage.rows_in for stage in own if stage.name == names[0])
    rows_out = sum(stage.rows_out for stage in own if stage.name == names[-1])
    return rows_in, rows_out


def _tokens(reports: Sequence[ReadReport]) -> dict[str, int]:
    return {name: sum(report.counters.get(name, 0) for report in reports) for name in _TOKENS}


def _rejects(reports: Sequence[ReadReport]) -> list[dict[str, Any]]:
    """Return what was dropped, by stage and reason, most rows first."""
    counts: Counter[tuple[str, str]] = Counter()
    for report in reports:
        for stage in report.stages:
            for reason, rows in stage.dropped.items():
                counts[stage.name, reason] += rows
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [
        {"stage": stage, "reason": reason, "rows": rows, "meaning": reason_in_words(reason)}
        for (stage, reason), rows in ranked
    ]


def _rate(found: BuildReports, seconds: float | None) -> float | None:
    """Return the functions a second that the sandbox ran, from the merge to the last shard.

    Of a build that has ended and left no work area, over the whole build.
    """
    executed = found.of("execute")
    functions, _ = _rows([stage for report in executed for stage in report.stages])
    elapsed = seconds
    begun, times = _begun(found), [report.changed for report in executed if report.changed]
    if begun and times:
        elapsed = (max(times) - begun).total_seconds()
    if not functions or not elapsed or elapsed <= 0:
        return None
    return round(functions / elapsed, 2)


def _remaining_seconds(found: BuildReports, now: datetime) -> float | None:
    """Return the seconds until every function shard is curated, None where that cannot be told.

    What is left of each step takes as long for each shard as what is done of it, and as many tasks
    go on beside each other as did until now. The steps after the shards are not in it. (Shards
    have as many functions each, but for the last; how many of them get inputs is not known before.)
    """
    merged = [report for report in found.of("merge_functions") if report.shard_rows]
    begun = _begun(found)
    if not merged or begun is None:
        return None
    shards = len(merged[-1].shard_rows)
    work_done = work_left = 0.0
    for step in _MAPPED:
        reports = found.of(step)
        if not reports:
            return None
        spent = sum(report.seconds for report in reports)
        work_done += spent
        work_left += spent / len(reports) * max(0, shards - len(reports))
    if not work_left:
        return None
    last = max((report.changed for report in found.reports if report.changed), default=begun)
    elapsed = (last - begun).total_seconds()
    if elapsed <= 0 or not work_done:
        return None
    beside_each_other = work_done / elapsed
    return round(max(0.0, work_left / beside_each_other - (now - last).total_seconds()), 1)


def _begun(found: BuildReports) -> datetime | None:
    """Return when the first function shard could begin."""
    return next((report.changed for report in found.of("merge_functions")), None)
