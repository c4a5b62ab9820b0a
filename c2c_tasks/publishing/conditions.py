"""Conditional writes, which keep publishers from overwriting each other: whose, and how made."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from c2c_tasks.store import (
    ObjectInfo,
    ObjectNotFound,
    StoreError,
    StoreUnavailable,
    read,
    store_for,
)

PAUSES = (0.1, 0.4, 1.6)
"""Seconds before a write is tried again that the store did not do: another one was under way
(409), or it was too busy."""

StillHeld = Callable[[], object]
"""Raises StoreUnavailable where a lock was lost."""
Lock = Callable[[], AbstractContextManager[StillHeld]]
"""Takes a lock for the time of a ``with``. Raises StoreUnavailable where it cannot be had, and at
the end where it was lost meanwhile."""


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


class Locked:
    """Conditions for a store that has none: who holds a lock looks at the object, then writes it.

    Weaker than the store's own conditions:

    - They keep apart those who take the same lock, and nobody else.
    - Between the last look at the lock and the write lies a moment. A process that is held up
      in it, and loses the lock, writes all the same, over what another one wrote meanwhile.
    - A write whose answer was lost may be done by the store later, when the lock is another's.
    """

    def __init__(self, lock: Lock) -> None:
        self._lock = lock

    def create(self, uri: str, data: bytes) -> ObjectInfo | None:
        """Write the object where there is none; return None where there is one."""
        with self._lock() as still_held:
            if store_for(uri).head(uri) is not None:
                return None
            still_held()
            return store_for(uri).write(uri, data)

    def replace(self, uri: str, data: bytes, etag: str) -> ObjectInfo | None:
        """Write the object over the version `etag`; return None where that is gone."""
        with self._lock() as still_held:
            current = store_for(uri).head(uri)
            if current is None or current.etag != etag:
                return None
            still_held()
            return store_for(uri).write(uri, data)


STORE = OfStore()


def write_or_read(
    conditions: Conditions, uri: str, data: bytes, *, over: str | None = None
) -> bytes:
    """Write the object over the version `over`, None: where there is none; return what is there.

    That is `data`, or what another publisher wrote. Where the outcome of the write is unknown
    (a timeout, a lost response), what is there decides. Raises StoreError where the write was
    refused, or was not done in several attempts.
    """
    pauses = iter(PAUSES)
    while True:
        try:
            if over is None:
                written = conditions.create(uri, data)
            else:
                written = conditions.replace(uri, data, over)
            return data if written else read(uri)
        except StoreError as error:
            there = _read_if_there(uri)
            if there == data or (there is not None and over is None):
                return there
            pause = next(pauses, None)
            if pause is None or not isinstance(error, StoreUnavailable):
                raise
        time.sleep(pause)


def _read_if_there(uri: str) -> bytes | None:
    try:
        return read(uri)
    except ObjectNotFound:
        return None
