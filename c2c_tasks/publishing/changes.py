"""What a release has that its parent had not, and what it has no more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from c2c_tasks.publishing.manifest import Manifest
from c2c_tasks.shards import CARRIED_OVER

_ELSEWHERE = {"publishing"}
"""Sections of options that say where a release goes, not what is in it."""


@dataclass(frozen=True, slots=True)
class Changes:
    """The difference between a release and its parent."""

    parent: str
    """Version of the parent."""
    rows: dict[str, tuple[int, int]]
    """Rows of the parent and of the release, of each config."""
    added: int
    """Programs that the parent has not."""
    removed: dict[str, int]
    """Programs of the parent that are gone, by reason."""
    options: dict[str, tuple[str, str]]
    """Options that differ: the parent's value and the release's."""


def changes_since(parent: Manifest, manifest: Manifest) -> Changes:
    """Return what a release changed of its parent."""
    stage = next((stage for stage in manifest.funnel if stage.name == CARRIED_OVER), None)
    before, now = _rows(parent), _rows(manifest)
    kept = stage.rows_out if stage else before.get("programs", 0)
    old, new = _options(parent), _options(manifest)
    return Changes(
        parent=parent.version,
        rows={config: (before.get(config, 0), now.get(config, 0)) for config in before | now},
        added=now.get("programs", 0) - kept,
        removed=dict(stage.dropped) if stage else {},
        options={
            name: (repr(old.get(name)), repr(new.get(name)))
            for name in old | new
            if old.get(name) != new.get(name)
        },
    )


def _rows(manifest: Manifest) -> dict[str, int]:
    return {config: sum(splits.values()) for config, splits in manifest.splits.items()}


def _options(manifest: Manifest) -> dict[str, Any]:
    return {
        f"{section}.{name}": value
        for section, options in manifest.config.items()
        if section not in _ELSEWHERE
        for name, value in options.items()
    }
