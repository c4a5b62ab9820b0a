"""The pointer: which release of a target is the latest."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from c2c_tasks.publishing.conditions import STORE, Conditions, write_or_read
from c2c_tasks.publishing.manifest import MANIFEST, read_manifest
from c2c_tasks.publishing.release import PublishError, release_uri, version_order
from c2c_tasks.store import ObjectNotFound, StoreError, StoreUnavailable, read, store_for

POINTER = "latest.json"
ATTEMPTS = 50
"""Times that a move is tried. Each failure means that another publisher got through."""

log = logging.getLogger(__name__)


class Pointer(BaseModel):
    """What ``latest.json`` says."""

    model_config = ConfigDict(frozen=True)

    version: str
    uri: str
    """URI of the release."""
    generation: int = Field(ge=1)
    """Counts the moves."""
    build_id: str
    """The build that moved the pointer here."""
    date: str
    """Logical date of that build, ``YYYY-MM-DD``."""
    withdrawn: list[str] = Field(default_factory=list)
    """Versions that a person took the pointer back from: no publisher moves it there again."""
    pinned: dict[str, str] = Field(default_factory=dict)
    """Versions that are not to be retired, each with the reason."""
    retiring: dict[str, str] = Field(default_factory=dict)
    """Versions that are to be retired, each with the reason, until their tombstones are there."""
    changes: int = Field(0, ge=0)
    """Counts the writes. With it no two contents of the pointer are equal, nor two ETags, which on
    S3 are digests: who read an old one cannot mistake a later one for it."""

    def to_json(self) -> bytes:
        """Return the pointer as JSON text."""
        return f"{self.model_dump_json(indent=1)}\n".encode()


def read_pointer(target: str) -> Pointer | None:
    """Return the pointer of a target, or None where nothing has been published."""
    uri = f"{target}/{POINTER}"
    try:
        return Pointer.model_validate_json(read(uri))
    except ObjectNotFound:
        return None
    except ValidationError as error:
        raise StoreError(
            f"{uri}: not a pointer to a release: {error.errors()[0]['msg'].lower()}"
        ) from None


def change_pointer(
    target: str, change: Callable[[Pointer], Pointer], conditions: Conditions = STORE
) -> Pointer:
    """Replace the pointer by what `change` makes of it; return what is then there.

    The pointer is all that says which release is the latest and which ones are pinned or to be
    retired, so what is decided by looking at one version of it and holds in the next is safe from
    whoever decides at the same time. `change` is called anew where another process got through
    first; where it returns an equal pointer, nothing is written. Raises PublishError where there
    is no pointer, and whatever `change` raises.
    """

    def changed(current: Pointer | None) -> Pointer:
        if current is None:
            raise PublishError(f"{target}: nothing is published here")
        return change(current)

    return _replace(target, changed, conditions)


def move_pointer(
    target: str,
    version: str,
    *,
    build_id: str,
    date: str,
    over: Sequence[str | None] | None = None,
    conditions: Conditions = STORE,
) -> Pointer:
    """Point to a published release, unless a newer one is pointed to; return what is then there.

    Newer is by version: logical date, then counter. `over` are the versions (None: nothing yet)
    that the release adds to; None where it need not. Raises PublishError where the release has no
    manifest, was rolled back or adds to one that was, would take the place of one that it does
    not add to, or is left behind by a newer one that does not add to it.
    """
    release = release_uri(target, version)
    try:
        read(f"{release}/{MANIFEST}")
    except ObjectNotFound:
        raise PublishError(f"{release}: has no manifest, so it is not published") from None
    uri = f"{target}/{POINTER}"

    def moved(current: Pointer | None) -> Pointer:
        withdrawn = current.withdrawn if current else []
        for name in (version, *(over or ())):
            if name in withdrawn:
                raise PublishError(f"{uri}: {name} was rolled back; start a new build")
        if current and version_order(current.version) >= version_order(version):
            if current.version != version:
                if over is not None and not _adds_to(target, current.version, version):
                    raise _overtaken(uri, current.version, version)
                log.info("%s stays at %s, which is newer than %s", uri, current.version, version)
            return current
        replaced = current.version if current else None
        if over is not None and replaced not in over:
            raise _overtaken(uri, replaced, version)
        place = {"version": version, "uri": release, "build_id": build_id, "date": date}
        if current is None:
            return Pointer.model_validate(place | {"generation": 1})
        return current.model_copy(update=place | {"generation": current.generation + 1})

    return _replace(target, moved, conditions)


def _replace(
    target: str, change: Callable[[Pointer | None], Pointer], conditions: Conditions
) -> Pointer:
    """Put what `change` makes of the pointer, None: there is none yet, in its place; return it."""
    uri = f"{target}/{POINTER}"
    for _ in range(ATTEMPTS):
        # The ETag is read first: if the content is newer than it, the condition fails.
        info = store_for(uri).head(uri)
        current = read_pointer(target)
        if info is None and current is not None:
            continue  # created in between
        changed = change(current)
        if changed == current:
            return changed
        changes = current.changes + 1 if current else 0
        changed = changed.model_copy(update={"changes": changes})
        text = changed.to_json()
        if write_or_read(conditions, uri, text, over=info.etag if info else None) == text:
            if current is None or changed.version != current.version:
                log.info("%s points to %s", uri, changed.version)
            return changed
    raise StoreUnavailable(f"{uri}: {ATTEMPTS} attempts to change it failed")


def _adds_to(target: str, version: str | None, earlier: str) -> bool:
    """Tell whether a release has another one among those that it adds to."""
    while version is not None and version != earlier:
        try:
            version = read_manifest(release_uri(target, version)).parent
        except ObjectNotFound:
            return False
    return version is not None


def _overtaken(uri: str, by: str | None, version: str) -> PublishError:
    if by is None:
        return PublishError(
            f"{uri}: is gone, though {version} adds to what it pointed to; put it back from a copy"
        )
    return PublishError(
        f"{uri}: {by} was published in the meantime, and one of it and {version} lacks the rows of "
        "the other; start a new build"
    )
