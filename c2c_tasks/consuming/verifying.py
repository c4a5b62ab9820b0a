"""Checking a release against its manifest: in its target, or a copy of it anywhere.

All files are read. What cannot be checked, as the ledger of a copy, is said to be not checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from c2c_tasks.consuming.contents import Content, read_content
from c2c_tasks.consuming.copies import PARTIAL, files_of, parts_in
from c2c_tasks.consuming.finding import FoundRelease
from c2c_tasks.consuming.parallel import Meter, NoMeter, Tick, in_parallel
from c2c_tasks.publishing.manifest import (
    DUMP_OBJECTS,
    MANIFEST,
    FileEntry,
    Manifest,
    read_manifest,
    splits_of,
)
from c2c_tasks.publishing.pointer import POINTER, read_pointer
from c2c_tasks.publishing.release import CLAIM, claimed_by, release_uri
from c2c_tasks.publishing.retired import read_tombstone
from c2c_tasks.store import ObjectNotFound, StoreError, StoreUnavailable, store_for

Outcome = Literal["ok", "fault", "not checked"]
_COPY = "it is a copy, which lies in no target"


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is not as it should be."""

    path: str
    """Of the file: inside the release, or below the target where it is the ledger's or pointer."""
    message: str


@dataclass(slots=True)
class Check:
    """One property of a release."""

    name: str
    examined: int = 0
    """Files, or numbers of the manifest."""
    faults: list[Fault] = field(default_factory=list)
    not_checked: str | None = None
    """Why it was not checked, or a part of it was not."""

    @property
    def outcome(self) -> Outcome:
        """What came of it; ``not checked`` also where that holds for a part."""
        if self.faults:
            return "fault"
        return "not checked" if self.not_checked else "ok"


@dataclass(frozen=True, slots=True)
class Verification:
    """What was checked of a release, and what was found."""

    uri: str
    version: str | None
    """None where the manifest is none."""
    bytes: int
    """Bytes that were read."""
    checks: list[Check]

    @property
    def faults(self) -> list[Fault]:
        """Every fault of every check."""
        return [fault for check in self.checks for fault in check.faults]


def verify(release: FoundRelease, meter: Meter | None = None) -> Verification:
    """Check a release: every byte of it, and what it says of the target around it.

    Raises StoreError where the store cannot be asked.
    """
    meter = meter or NoMeter()
    check = _manifest(release)
    if check.faults:
        return Verification(release.uri, None, 0, [check])
    manifest = release.manifest
    listed, present = _listing(release.uri, manifest)
    checks = [check, listed, *_files(release.uri, present, meter), _counts(manifest)]
    if release.target is None:
        around = ("claim", "pointer", "parent", "ledger")
        checks += [Check(name, not_checked=_COPY) for name in around]
    else:
        checks += [
            _claim(release.uri, manifest),
            _pointer(release.target, manifest),
            _parent(release.target, manifest),
            _ledger(release.target, manifest, meter),
        ]
    for check in checks:
        check.faults.sort(key=lambda fault: fault.path)
    ledger = manifest.ledger if release.target else []
    total = sum(entry.bytes for entry in [*present, *ledger])
    return Verification(release.uri, manifest.version, total, checks)


def _manifest(release: FoundRelease) -> Check:
    check = Check("manifest", examined=1)
    try:
        manifest = release.manifest
    except (ObjectNotFound, StoreUnavailable):
        raise
    except StoreError as error:
        check.faults.append(Fault(MANIFEST, str(error).removeprefix(f"{release.uri}/{MANIFEST}: ")))
        return check
    folder = release.uri.rpartition("/")[2]
    if release.target and folder != manifest.version:
        check.faults.append(Fault(MANIFEST, f"is that of {manifest.version}, not of {folder}"))
    return check


def _listing(release: str, manifest: Manifest) -> tuple[Check, list[FileEntry]]:
    """Compare the files' names with the manifest's; return the entries of those that are there."""
    names = {info.uri.removeprefix(f"{release}/") for info in store_for(release).list(release)}
    held = files_of(manifest, parts_in(release, manifest))
    check = Check("files present", examined=len(held))
    for entry in held:
        if entry.path not in names:
            check.faults.append(Fault(entry.path, "missing"))
    for stray in names - {entry.path for entry in manifest.files} - {MANIFEST, CLAIM, PARTIAL}:
        if any(part.startswith(".") for part in stray.split("/")):
            continue  # the Hub's, Git's: readers pass over hidden files
        check.faults.append(Fault(stray, "not in the manifest, but readers of the folder take it"))
    if left_out := len(manifest.files) - len(held):
        check.not_checked = f"{left_out} files that are not in this copy, which is a partial one"
    return check, [entry for entry in manifest.files if entry.path in names]


def _files(folder: str, entries: Iterable[FileEntry], meter: Meter) -> tuple[Check, Check]:
    """Read the files of a folder and compare them with their entries."""
    content, rows = Check("bytes and SHA-256"), Check("rows of Parquet files")
    for entry, found in _contents(folder, entries, meter):
        content.examined += 1
        if found is None:
            content.faults.append(Fault(entry.path, "missing"))
            continue
        if found.bytes != entry.bytes:
            said = f"has {found.bytes:,} bytes, the manifest says {entry.bytes:,}"
            content.faults.append(Fault(entry.path, said))
        elif found.sha256 != entry.sha256:
            said = f"has SHA-256 {found.sha256}, the manifest says {entry.sha256}"
            content.faults.append(Fault(entry.path, said))
        if entry.rows is not None:
            rows.examined += 1
            if found.rows != entry.rows:
                has = "is not whole" if found.rows is None else f"has {found.rows:,} rows"
                rows.faults.append(Fault(entry.path, f"{has}, the manifest says {entry.rows:,}"))
    return content, rows


def _contents(
    folder: str, entries: Iterable[FileEntry], meter: Meter
) -> Iterator[tuple[FileEntry, Content | None]]:
    def work(entry: FileEntry, tick: Tick) -> tuple[FileEntry, Content | None]:
        try:
            return entry, read_content(f"{folder}/{entry.path}", tick)
        except ObjectNotFound:
            return entry, None

    entries = list(entries)
    meter.expect(sum(entry.bytes for entry in entries))
    return in_parallel(work, entries, meter)


def _counts(manifest: Manifest) -> Check:
    """Compare the numbers in the manifest with each other."""
    check = Check("counts add up", examined=len(manifest.funnel) + 2)
    if (counted := splits_of(manifest.files)) != manifest.splits:
        said = f"splits are {manifest.splits}, the files add up to {counted}"
        check.faults.append(Fault(MANIFEST, said))
    objects = next((e.rows for e in manifest.files if e.path == DUMP_OBJECTS), None)
    if objects != manifest.dump.objects:
        said = f"{manifest.dump.objects} dump objects, {DUMP_OBJECTS} lists {objects}"
        check.faults.append(Fault(MANIFEST, said))
    for stage in manifest.funnel:
        if stage.rows_in != stage.rows_out + sum(stage.dropped.values()):
            said = f"stage {stage.name!r} of the funnel: rows do not add up"
            check.faults.append(Fault(MANIFEST, said))
    return check


def _claim(release: str, manifest: Manifest) -> Check:
    check = Check("claim", examined=1)
    with _unreadable_is_a_fault(check, CLAIM, f"{release}/{CLAIM}: "):
        owner = claimed_by(release)
        if owner is None:
            check.faults.append(Fault(CLAIM, "missing"))
        elif owner != manifest.build_id:
            said = f"is build {owner}'s, the manifest is {manifest.build_id}'s"
            check.faults.append(Fault(CLAIM, said))
    return check


def _pointer(target: str, manifest: Manifest) -> Check:
    check = Check("pointer", examined=1)
    with _unreadable_is_a_fault(check, POINTER, f"{target}/"):
        pointer = read_pointer(target)
        if pointer is None:
            check.examined, check.not_checked = 0, "no release of the target is the latest"
        elif pointer.version == manifest.version and pointer.build_id != manifest.build_id:
            said = f"was moved here by build {pointer.build_id}, not by {manifest.build_id}"
            check.faults.append(Fault(POINTER, said))
        elif pointer.version != manifest.version:
            latest = release_uri(target, pointer.version)
            read_manifest(latest)
            if read_tombstone(latest):
                check.faults.append(Fault(POINTER, f"is on {pointer.version}, which was retired"))
    return check


def _parent(target: str, manifest: Manifest) -> Check:
    if manifest.parent is None:
        return Check("parent")
    check = Check("parent", examined=1)
    path = f"releases/{manifest.parent}/{MANIFEST}"
    with _unreadable_is_a_fault(check, path, f"{target}/{path}: "):
        read_manifest(release_uri(target, manifest.parent))
    return check


@contextmanager
def _unreadable_is_a_fault(check: Check, path: str, prefix: str) -> Iterator[None]:
    """Add what is wrong with the file at `path` to a check, without the prefix of the error."""
    try:
        yield
    except StoreUnavailable:
        raise
    except StoreError as error:
        check.faults.append(Fault(path, str(error).removeprefix(prefix)))


def _ledger(target: str, manifest: Manifest, meter: Meter) -> Check:
    if not manifest.ledger:
        return Check("ledger", not_checked="the release has none")
    content, rows = _files(target, manifest.ledger, meter)
    return Check("ledger", content.examined, [*content.faults, *rows.faults])
