"""What one release holds that another does not, and why.

Programs are told apart by function id. Files that both releases have are not read: what is in
them is the same. Rows are DuckDB's, which goes to disk where memory is short.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from c2c_tasks.consuming.finding import FoundRelease
from c2c_tasks.consuming.program_changes import CHANGES, Detail, ProgramChanges
from c2c_tasks.publishing.manifest import DATA_CONFIGS, Manifest
from c2c_tasks.records import SPLITS
from c2c_tasks.shards import CARRIED_OVER
from c2c_tasks.store import StoreError


@dataclass(frozen=True, slots=True)
class Difference:
    """How one release differs from another, its `before`."""

    before: str
    """Version."""
    after: str
    adds_to_it: bool
    """Whether `before` is the parent."""
    programs: dict[str, int]
    """Of ``before`` and ``after`` in all; ``added``, ``removed``, ``changed``, ``same``."""
    why: dict[str, dict[str, int]]
    """Of ``added`` and ``removed``: programs by reason; of ``changed``: by what has changed, which
    may be several things of one program."""
    carried_over: dict[str, int]
    """Of a release that adds to the other: programs that left it, by the reason of its build."""
    dump_objects: dict[str, int]
    """Objects of the dump that were ``added``, ``removed`` or ``changed``."""
    rows: dict[str, tuple[int, int]]
    """Rows of each split of each config (``sft/train``), before and after."""
    options: dict[str, tuple[Any, Any]]
    """Options (``cases.max_cases``) that differ, with both values."""
    circumstances: dict[str, tuple[Any, Any]]
    """What else differs of how they were made: code version, dump, lists of rules by their
    digest, writer, sandbox."""
    details: list[Detail]
    """The first programs of each kind of change."""


def compare(
    before: FoundRelease,
    after: FoundRelease,
    *,
    details: int = 0,
    why: bool = True,
    keep: bool = True,
) -> Difference:
    """Return how `after` differs from `before`.

    Of each kind of change so many programs are listed as `details`. Without `why`, ledgers are
    not read, which may be large. What is fetched stays in the cache, unless `keep` is false.
    Raises StoreError where a file that is needed is missing or
    no Parquet file.
    """
    import duckdb

    try:
        return _compare(before, after, details, why, keep)
    except duckdb.Error as error:
        reason = str(error).partition("\n")[0]
        raise StoreError(
            f"{before.place} and {after.place}: cannot be compared: {reason}"
        ) from None


def _compare(
    before: FoundRelease, after: FoundRelease, details: int, why: bool, keep: bool
) -> Difference:
    old, new = before.manifest, after.manifest
    with (
        tempfile.TemporaryDirectory(prefix="c2c-diff-") as folder,
        ProgramChanges(Path(folder), before, after, keep=keep) as changes,
    ):
        changes.find()
        changes.explain(ledgers=why)
        counts = changes.counts()
        total = {
            "before": sum(old.splits.get("programs", {}).values()),
            "after": sum(new.splits.get("programs", {}).values()),
        }
        same = total["after"] - counts["added"] - counts["changed"]
        return Difference(
            before=old.version,
            after=new.version,
            adds_to_it=new.parent == old.version,
            programs={**total, **counts, "same": same},
            why={change: changes.reasons(change) for change in CHANGES},
            carried_over=_left(new) if new.parent == old.version else {},
            dump_objects=changes.dump_objects(),
            rows=_differing(_rows(old), _rows(new)),
            options=_differing(flat(old.config), flat(new.config)),
            circumstances=_differing(_circumstances(old), _circumstances(new)),
            details=[item for change in CHANGES for item in changes.details(change, details)],
        )


def flat(nested: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested mappings as one, with dots in its names."""
    found: dict[str, Any] = {}
    for name, value in nested.items():
        if isinstance(value, Mapping) and value:
            found |= flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found


def _differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    names = dict.fromkeys([*before, *after])
    pairs = {name: (before.get(name), after.get(name)) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _rows(manifest: Manifest) -> dict[str, int]:
    return {
        f"{config}/{split}": manifest.splits.get(config, {}).get(split, 0)
        for config in DATA_CONFIGS
        for split in SPLITS
    }


def _circumstances(manifest: Manifest) -> dict[str, Any]:
    return {
        "code_version": manifest.code_version,
        "dump": manifest.dump.uri,
        **flat(manifest.rules, "rules."),
        **flat(manifest.writer.known(), "writer."),
        **flat(manifest.sandbox.known(), "sandbox."),
    }


def _left(manifest: Manifest) -> dict[str, int]:
    stage = next((stage for stage in manifest.funnel if stage.name == CARRIED_OVER), None)
    return stage.dropped if stage else {}
