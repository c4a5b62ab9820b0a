"""What a copy of a release in a local folder holds: all of it, or some configs and splits."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from pathlib import PurePosixPath

from pydantic import BaseModel, ConfigDict, ValidationError

from c2c_tasks.publishing.manifest import MANIFEST, FileEntry, Manifest
from c2c_tasks.publishing.release import PublishError
from c2c_tasks.store import ObjectNotFound, StoreError, read

PARTIAL = "partial.json"
"""Beside the manifest of a copy that does not hold all: what it holds."""


class Partial(BaseModel):
    """What ``partial.json`` says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    parts: tuple[str, ...]
    """The data files that the copy holds, as ``sft/train``. What is no data file it holds, too."""

    def to_json(self) -> bytes:
        """Return it as JSON text."""
        return f"{self.model_dump_json(indent=1)}\n".encode()


def part_of(entry: FileEntry) -> str | None:
    """Return config and split of a data file, as ``sft/train``; None where it is none."""
    return f"{entry.config}/{entry.split}" if entry.split else None


def parts_of(
    manifest: Manifest, configs: Sequence[str] = (), splits: Sequence[str] = ()
) -> frozenset[str]:
    """Return the parts that these configs and splits have; where none is named, those of all.

    Raises PublishError where the release has no such config or split.
    """
    splits_there = dict.fromkeys(split for rows in manifest.splits.values() for split in rows)
    _check_names(manifest.version, "config", configs, list(manifest.splits))
    _check_names(manifest.version, "split", splits, list(splits_there))
    return frozenset(
        f"{config}/{split}"
        for config, rows in manifest.splits.items()
        for split in rows
        if config in (configs or manifest.splits) and split in (splits or rows)
    )


def _check_names(version: str, kind: str, wanted: Sequence[str], there: Sequence[str]) -> None:
    for name in wanted:
        if name not in there:
            raise PublishError(
                f"release {version} has no {kind} {name!r}; it has {', '.join(there)}"
            )


def parts_in(copy: str, manifest: Manifest) -> frozenset[str]:
    """Return the parts that the release, or the copy of it, at a URI holds."""
    uri = f"{copy}/{PARTIAL}"
    try:
        return frozenset(Partial.model_validate_json(read(uri)).parts)
    except ObjectNotFound:
        return parts_of(manifest)
    except ValidationError as error:
        raise StoreError(
            f"{uri}: does not tell what the copy holds: {error.errors()[0]['msg'].lower()}"
        ) from None


def check_held(copy: str, manifest: Manifest, parts: Set[str]) -> None:
    """Raise PublishError where the copy at a URI lacks some of these parts."""
    if lacking := sorted(parts - parts_in(copy, manifest)):
        raise PublishError(
            f"{copy}: a partial copy, which lacks {', '.join(lacking)}; pull them into it"
        )


def files_of(manifest: Manifest, parts: Set[str]) -> list[FileEntry]:
    """Return the entries of the data files of these parts, and of all that is no data file."""
    return [entry for entry in manifest.files if entry.split is None or part_of(entry) in parts]


def check_sound(release: str, manifest: Manifest) -> None:
    """Raise StoreError where the manifest of the release at a URI names what is no file of it.

    Manifests are read from anywhere: no path of one may lead out of its folder.
    """
    for entry in (*manifest.files, *manifest.ledger):
        if not _is_sound(entry):
            raise StoreError(f"{release}/{MANIFEST}: {entry.path!r} is no file of the release")


def _is_sound(entry: FileEntry) -> bool:
    """Tell whether an entry names a file inside the release, and its digest could be one."""
    path = PurePosixPath(entry.path)
    return (
        entry.path.isprintable()
        and not path.is_absolute()
        and bool(path.parts)
        and ".." not in path.parts
        and str(path) == entry.path
        and re.fullmatch(r"[0-9a-f]{64}", entry.sha256) is not None
    )
