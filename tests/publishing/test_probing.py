"""The probe of a target, on stores that honour conditions and on those that do not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from c2c_tasks import store
from c2c_tasks.publishing.conditions import Locked
from c2c_tasks.publishing.probing import check_target
from c2c_tasks.publishing.release import PublishError
from c2c_tasks.store import StoreError, StoreUnavailable, store_for
from c2c_tasks.store.files import FileStore


def test_a_good_target_passes_and_keeps_no_probe(target: str) -> None:
    check_target(target)
    assert list(store_for(target).list(target)) == []


def test_a_target_that_is_not_writable_is_named(tmp_path: Path, s3_bucket: str) -> None:
    (tmp_path / "file").write_text("in the way")
    below_a_file = (tmp_path / "file" / "out").as_uri()
    with pytest.raises(PublishError, match=f"target {below_a_file}: not writable"):
        check_target(below_a_file)
    with pytest.raises(PublishError, match=r"not writable.*no such bucket"):
        check_target(f"{s3_bucket}-missing/x")
    with pytest.raises(PublishError, match="scheme must be"):
        check_target("ftp://host/x")


@pytest.fixture
def lossy_s3(s3_bucket: str) -> Iterator[Callable[[str], None]]:
    """Has a request header taken away on its way to the server, as if it did not know it."""
    events = store._s3().connection.client.meta.events
    handlers = []

    def drop(header: str) -> None:
        def handler(params: dict[str, Any], **_: object) -> None:
            params["headers"].pop(header, None)

        events.register("before-call.s3.PutObject", handler)
        handlers.append(handler)

    yield drop
    for handler in handlers:
        events.unregister("before-call.s3.PutObject", handler)


@pytest.mark.parametrize("header", ["If-None-Match", "If-Match"])
def test_a_store_that_ignores_conditions_is_refused(
    s3_bucket: str, lossy_s3: Callable[[str], None], header: str
) -> None:
    lossy_s3(header)
    with pytest.raises(PublishError, match=rf"{header}.*set conditional_writes to catalogue"):
        check_target(s3_bucket)
    assert list(store_for(s3_bucket).list(s3_bucket)) == []
    lock = threading.Lock()
    check_target(s3_bucket, Locked(lambda: _held(lock)))
    assert list(store_for(s3_bucket).list(s3_bucket)) == []


class _held:
    """A lock that is not lost."""

    def __init__(self, lock: threading.Lock) -> None:
        self.lock = lock

    def __enter__(self) -> Callable[[], object]:
        self.lock.acquire()
        return lambda: None

    def __exit__(self, *_: object) -> None:
        self.lock.release()


def check_then_write() -> Callable[..., Any]:
    """A conditional write that looks first and writes then: right, but for two at a time."""

    def put(self: FileStore, uri: str, data: bytes, etag: str | None = None) -> object:
        info = self.head(uri)
        if (info.etag if info else None) != etag:
            return None
        time.sleep(0.05)
        return self.write(uri, data)

    return put


@pytest.mark.parametrize("name", ["create", "replace"])
def test_conditions_that_hold_for_one_writer_at_a_time_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(FileStore, name, check_then_write())
    with pytest.raises(PublishError, match=f"lets several writers {name}"):
        check_target(tmp_path.as_uri())


def test_a_store_that_refuses_conditions_is_told_from_one_that_refuses_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: object, uri: str, data: bytes) -> None:
        raise StoreError(f"{uri}: NotImplemented")

    monkeypatch.setattr(FileStore, "create", refuse)
    with pytest.raises(PublishError, match=r"refuses conditional.*NotImplemented.*catalogue"):
        check_target(tmp_path.as_uri())


def test_writes_that_collide_do_not_speak_against_a_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S3 answers 409 to all but one of those that write at a time, or to all of them."""
    replace, busy = FileStore.replace, threading.Lock()

    def collide(self: FileStore, uri: str, data: bytes, etag: str) -> object:
        if not busy.acquire(blocking=False):
            raise StoreUnavailable(f"{uri}: ConditionalRequestConflict")
        try:
            time.sleep(0.01)
            return replace(self, uri, data, etag)
        finally:
            busy.release()

    monkeypatch.setattr(FileStore, "replace", collide)
    check_target(tmp_path.as_uri())
