"""Who keeps publishers from overwriting each other: the store, or a lock in the catalogue."""

from __future__ import annotations

from typing import Protocol

from c2c_tasks.store import ObjectInfo, store_for


class Conditions(Protocol):
    """The two conditional writes that the publish protocol rests on; see `Store`."""

    def create(self, uri: str, data: bytes) -> ObjectInfo | None:
        """Write the object where there is none; return None where there is one."""

    def replace(self, uri: str, data: bytes, etag: str) -> ObjectInfo | None:
        """Write the object over the version `etag`; return None where that is gone."""


class OfStore:
    """The store's own conditional writes: ``If-None-Match`` and ``If-Match``."""

    def create(self, uri: str, data: bytes) -> ObjectInfo | None:
        """Write the object where there is none; return None where there is one."""
        return store_for(uri).create(uri, data)

    def replace(self, uri: str, data: bytes, etag: str) -> ObjectInfo | None:
        """Write the object over the version `etag`; return None where that is gone."""
        return store_for(uri).replace(uri, data, etag)
