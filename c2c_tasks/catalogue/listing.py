"""Builds and releases as tables for people and as JSON Lines for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from c2c_tasks.catalogue.catalogue import Catalogue

_STYLES = {"published": "green", "failed": "red", "nothing_new": "dim"}
_NUMBERS = frozenset({"number", "programs", "samples", "seconds"})


def print_builds(
    catalogue: Catalogue, target: str | None, *, limit: int, as_json: bool = False
) -> None:
    """Print the builds of a target, or of all, those that started last first."""
    targets = {item.target_id: item.uri for item in catalogue.targets()}
    programs = {release.uri: release.programs for release in catalogue.releases(target)}
    rows = [
        {
            "build": build.build_id,
            "date": build.date,
            "mode": build.mode,
            "state": build.state,
            "started": _time(build.started_at),
            "seconds": _seconds(build.started_at, build.ended_at),
            "programs": programs.get(build.release_uri or ""),
            "release": (build.release_uri or "").rpartition("/")[2] or None,
            "message": build.message,
            "target": targets[build.target_id],
        }
        for build in catalogue.builds(target, limit)
    ]
    _print(rows, f"no build is known to {catalogue.name}", as_json, omit=_known_target(target))


def print_releases(catalogue: Catalogue, target: str | None, *, as_json: bool = False) -> None:
    """Print the releases of a target, or of all, those that were indexed last first."""
    latest = {item.release_uri for item in catalogue.targets()}
    rows = [
        {
            "release": release.version,
            "latest": release.uri in latest,
            "adds to": release.parent,
            "number": release.number,
            "date": release.date,
            "programs": release.programs,
            "samples": release.samples,
            "build": release.build_id,
            "retired": release.retired,
            "target": release.target,
        }
        for release in reversed(catalogue.releases(target))
    ]
    _print(rows, f"no release is known to {catalogue.name}", as_json, omit=_known_target(target))


def _known_target(target: str | None) -> frozenset[str]:
    return frozenset({"target"} if target else ())


def _print(
    rows: Sequence[dict[str, Any]], nothing: str, as_json: bool, *, omit: frozenset[str]
) -> None:
    if as_json:
        for row in rows:
            print(json.dumps(row))
        return
    if not rows:
        print(nothing)
        return
    table = Table(box=None, pad_edge=False)
    columns = [name for name in rows[0] if name not in omit]
    for name in columns:
        table.add_column(name, justify="right" if name in _NUMBERS else "left", overflow="fold")
    for row in rows:
        table.add_row(*_cells(row[name] for name in columns))
    # A file has no width that a table would have to be squeezed into.
    Console(width=None if sys.stdout.isatty() else 200).print(table)


def _cells(values: Iterable[Any]) -> list[Text]:
    cells = []
    for value in values:
        if isinstance(value, bool) or value is None:
            cells.append(Text("yes" if value else ""))
        elif isinstance(value, int):
            cells.append(Text(f"{value:,}"))
        else:
            cells.append(Text(str(value), style=_STYLES.get(value, "")))
    return cells


def _seconds(started: datetime | None, ended: datetime | None) -> int | None:
    return round((ended - started) / timedelta(seconds=1)) if started and ended else None


def _time(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    # SQLite keeps no time zone: what was written is UTC.
    known = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return known.astimezone(UTC).isoformat(sep=" ", timespec="seconds")
