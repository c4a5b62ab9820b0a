"""The probe of a target: whether publishers that write to it at a time are kept apart."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from c2c_tasks.publishing.conditions import STORE, Conditions, write_or_read
from c2c_tasks.publishing.release import PublishError
from c2c_tasks.store import ObjectInfo, StoreError, StoreUnavailable, read, store_for

RACERS = 8
"""Writes of one object at a time, of which one may get through."""
_REMEDY = (
    "set conditional_writes to catalogue, which locks the target in the catalogue's database, or "
    "use a store that has conditional writes"
)


def check_target(target: str, conditions: Conditions = STORE) -> None:
    """Raise PublishError unless the target can be written to and `conditions` hold on it.

    Writes probe objects and removes them. Raises StoreUnavailable where the store does not
    answer.
    """
    uri = f"{target}/.probe-{uuid.uuid4().hex}"
    try:
        store_for(uri).write(uri, b"0")
    except StoreUnavailable:
        raise
    except StoreError as error:
        raise PublishError(f"target {target}: not writable: {error}") from None
    try:
        fault = _fault(conditions, uri)
    except StoreUnavailable:
        raise
    except StoreError as error:
        fault = f"the store refuses conditional writes ({error})"
    finally:
        with suppress(StoreError):  # at worst a probe of one byte is left
            store_for(uri).delete(uri)
    if fault is not None:
        raise PublishError(f"target {target}: {fault}; publishers could overwrite; {_REMEDY}")


def _fault(conditions: Conditions, uri: str) -> str | None:
    """Return what is wrong with the conditions, tried on an object that is there; None: nothing."""
    store = store_for(uri)
    if conditions.create(uri, b"1") is not None or read(uri) != b"0":
        return "the store ignores `If-None-Match: *`: it let an object be created twice"
    first = _etag(uri)
    if write_or_read(conditions, uri, b"2", over=first) != b"2":
        return "the store refuses `If-Match` with the ETag that it gave"
    if conditions.replace(uri, b"3", first) is not None or read(uri) != b"2":
        return "the store ignores `If-Match`: the pointer to the latest release could go back"
    second = _etag(uri)
    if _winners(lambda data: conditions.replace(uri, data, second)) > 1:
        return "the store lets several writers replace one version of an object at a time"
    store.delete(uri)
    if _winners(lambda data: conditions.create(uri, data)) > 1:
        return "the store lets several writers create one object at a time"
    return None


def _etag(uri: str) -> str:
    info = store_for(uri).head(uri)
    if info is None:
        raise StoreError(f"{uri}: the store does not show what was written")
    return info.etag


def _winners(write: Callable[[bytes], ObjectInfo | None]) -> int:
    """Return how many of several writes at a time are done."""

    def attempt(number: int) -> bool:
        with suppress(StoreUnavailable):  # 409: another one was under way
            return write(b"racer %d" % number) is not None
        return False

    with ThreadPoolExecutor(RACERS, "probe") as pool:
        return sum(pool.map(attempt, range(RACERS)))
