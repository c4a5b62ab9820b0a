"""One release: what it holds, how it was made, its plots and its card."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from c2c_tasks.browsing.redaction import redacted
from c2c_tasks.browsing.refusals import NothingThere
from c2c_tasks.browsing.releases import open_kept_release, open_release, read_once
from c2c_tasks.consuming.citing import cite
from c2c_tasks.consuming.listing import listed
from c2c_tasks.publishing.card import CARD
from c2c_tasks.publishing.manifest import FileEntry, FunnelStage, Manifest
from c2c_tasks.publishing.plots import PLOTS
from c2c_tasks.publishing.reasons import reason_in_words
from c2c_tasks.shards import Stage
from c2c_tasks.store import ObjectNotFound, read

MAX_PROBLEMS = 100
"""Problems that are named; the manifest has all."""
MAX_FILE = 8 << 20
"""Bytes of a plot or a card that is handed out."""


@dataclass(frozen=True, slots=True)
class ReleaseFile:
    """A file of a release, with what tells it from any other."""

    data: bytes
    sha256: str


def describe_release(target: str | None, version: str) -> dict[str, Any]:
    """Return what there is to say of a release, retired or not."""
    found = open_release(target, version)
    manifest = found.manifest
    line = listed(str(found.target), manifest.version, manifest_of=read_once)
    notes = [line.note] if line.note else []
    if manifest.failed_shards:
        notes.append(f"lacks {len(manifest.failed_shards)} shards that failed")
    described = {
        "version": manifest.version,
        "uri": found.uri,
        "states": line.states,
        "note": "; ".join(notes),
        "date": manifest.created_for,
        "parent": manifest.parent,
        "build": manifest.build_id,
        "code_version": manifest.code_version,
        "dump": manifest.dump.model_dump(),
        "bytes": line.bytes,
        "files": len(manifest.files),
        "splits": manifest.splits,
        "funnel": funnel_in_words(manifest.funnel),
        "writer": manifest.writer.known(),
        "writing": manifest.writing.model_dump() if manifest.writing else None,
        "sandbox": manifest.sandbox.known(),
        "options": manifest.config,
        "problems": manifest.problems[:MAX_PROBLEMS],
        "problems_in_all": len(manifest.problems),
        "plots": [] if found.tombstone else [plot for plot, _ in _plots(manifest)],
        "citation": cite(found),
    }
    return dict(redacted(described))


def funnel_in_words(stages: Iterable[FunnelStage | Stage]) -> list[dict[str, Any]]:
    """Return the lines of a funnel, rows that were dropped with the meaning of their reason."""
    return [
        {
            "stage": stage.name,
            "unit": stage.unit,
            "rows_in": stage.rows_in,
            "rows_out": stage.rows_out,
            "dropped": [
                {"reason": reason, "rows": rows, "meaning": reason_in_words(reason)}
                for reason, rows in sorted(
                    stage.dropped.items(), key=lambda item: (-item[1], item[0])
                )
            ],
        }
        for stage in stages
    ]


def read_plot(target: str | None, version: str, name: str) -> ReleaseFile:
    """Return a plot of a release, as PNG. Raises NothingThere for what its manifest lacks."""
    found = open_kept_release(target, version)
    for plot, entry in _plots(found.manifest):
        if plot["name"] == name:
            return _read(found.uri, entry)
    raise NothingThere(f"release {version} has no such plot")


def read_card(target: str | None, version: str) -> ReleaseFile:
    """Return the dataset card of a release, as Markdown."""
    found = open_kept_release(target, version)
    for entry in found.manifest.files:
        if entry.path == CARD:
            return _read(found.uri, entry)
    raise NothingThere(f"release {version} has no card")


def _plots(manifest: Manifest) -> list[tuple[dict[str, str], FileEntry]]:
    """Return name and title of each plot that the manifest names, in the order of the card."""
    entries = {
        PurePosixPath(entry.path).stem: entry
        for entry in manifest.files
        if entry.path.startswith("report/") and entry.path.endswith(".png")
    }
    names = [name for name in PLOTS if name in entries]
    names += sorted(entries.keys() - PLOTS.keys())
    return [
        ({"name": name, "title": PLOTS.get(name, name.replace("_", " "))}, entries[name])
        for name in names
    ]


def _read(release: str, entry: FileEntry) -> ReleaseFile:
    if entry.bytes > MAX_FILE:
        raise NothingThere(f"{entry.path}: too large to show ({entry.bytes:,} bytes)")
    try:
        return ReleaseFile(read(f"{release}/{entry.path}"), entry.sha256)
    except ObjectNotFound:
        raise NothingThere(f"{entry.path}: is missing from the release") from None
