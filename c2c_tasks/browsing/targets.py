"""Which targets may be looked into: the default one, and those that builds published to."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from c2c_tasks.browsing.refusals import NothingThere
from c2c_tasks.catalogue import Catalogue, CatalogueError
from c2c_tasks.config import catalogue_url, default_target
from c2c_tasks.consuming.parallel import NoMeter, Tick, in_parallel
from c2c_tasks.publishing.pointer import read_pointer
from c2c_tasks.store import StoreError


@lru_cache(maxsize=4)
def _opened(url: str) -> Catalogue:
    return Catalogue(url)


def catalogue() -> Catalogue:
    """Return the catalogue of this deployment, opened once. Raises CatalogueError."""
    return _opened(catalogue_url())


def known_target(uri: str | None) -> str:
    """Return a target that may be looked into; the default one where none is named.

    Raises NothingThere for any other: nobody reads through this page what they name themselves.
    """
    default = default_target()
    if not uri or uri == default:
        return default
    if catalogue().target(uri) is None:
        raise NothingThere("no such target: only those that this deployment publishes to")
    return uri


def list_targets() -> dict[str, Any]:
    """Return the targets, each with the version of its latest release, the default one first."""
    default = default_target()
    note = None
    uris = [default]
    try:
        uris += [target.uri for target in catalogue().targets() if target.uri != default]
    except CatalogueError:
        note = "the catalogue does not answer, so other targets are not known"
    latest = dict(in_parallel(_latest, uris, NoMeter()))
    items = [{"uri": uri, "default": uri == default, "latest": latest[uri]} for uri in uris]
    return {"items": items, "note": note}


def _latest(uri: str, _: Tick) -> tuple[str, str | None]:
    try:
        pointer = read_pointer(uri)
    except StoreError:  # one that cannot be read does not hide the others
        return uri, None
    return uri, pointer.version if pointer else None
