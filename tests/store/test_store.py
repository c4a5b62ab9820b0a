"""The two stores keep the same promises; S3 is a real server over the wire."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from c2c_tasks import store
from c2c_tasks.store import (
    ObjectNotFound,
    StoreError,
    StoreUnavailable,
    file_path,
    local_copy,
    normalise,
    read,
    store_for,
)


@pytest.fixture(params=["file", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URI of an empty folder in each store."""
    if request.param == "file":
        return tmp_path.as_uri()
    return str(request.getfixturevalue("s3_bucket"))


def test_write_then_read(place: str) -> None:
    store = store_for(place)
    uri = f"{place}/a folder/naïve.txt"
    info = store.write(uri, b"one")
    assert read(uri) == b"one"
    found = store.head(info.uri)
    assert found is not None and (found.size, found.etag) == (3, info.etag)
    assert store.write(uri, b"other").etag != info.etag


def test_missing_object(place: str) -> None:
    uri = f"{place}/missing"
    assert store_for(uri).head(uri) is None
    with pytest.raises(ObjectNotFound, match="missing"):
        read(uri)
    with pytest.raises(ObjectNotFound, match="missing"), local_copy(uri):
        pass
    store_for(uri).delete(uri)


def test_create_has_one_winner(place: str) -> None:
    uri = f"{place}/claim"
    with ThreadPoolExecutor(8) as pool:
        written = list(pool.map(lambda n: store_for(uri).create(uri, b"%d" % n), range(8)))
    winners = [n for n, info in enumerate(written) if info]
    assert len(winners) == 1
    assert read(uri) == b"%d" % winners[0]


def test_replace_only_the_version_that_was_read(place: str) -> None:
    store, uri = store_for(place), f"{place}/pointer"
    assert store.replace(uri, b"new", "no-such-etag") is None
    first = store.write(uri, b"1")
    second = store.replace(uri, b"22", first.etag)
    assert second is not None
    assert store.replace(uri, b"333", first.etag) is None
    assert read(uri) == b"22"


def test_list_is_sorted_and_stays_in_its_folder(place: str) -> None:
    store = store_for(place)
    for name in ("d/b", "d/a", "d/c/e", "dd/x"):
        store.write(f"{place}/{name}", b"x")
    names = [info.uri.removeprefix(f"{place}/") for info in store.list(f"{place}/d")]
    assert names == ["d/a", "d/b", "d/c/e"]


def test_names_of_a_folder(place: str) -> None:
    for name in ("b/c.txt", "b/d/e.txt", "a.txt"):
        store_for(place).write(f"{place}/{name}", b"x")
    assert list(store_for(place).names(place)) == ["a.txt", "b/"]
    assert list(store_for(place).names(f"{place}/b")) == ["c.txt", "d/"]
    assert list(store_for(place).names(f"{place}/gone")) == []


def test_upload_and_local_copy(place: str, tmp_path: Path) -> None:
    source = tmp_path / "source.bin"
    source.write_bytes(bytes(range(256)) * 4_000)
    uri = f"{place}/copy.bin"
    assert store_for(uri).upload(uri, source).size == source.stat().st_size
    with local_copy(uri) as path:
        assert path.read_bytes() == source.read_bytes()


def test_the_store_copies(place: str) -> None:
    source, uri = f"{place}/a?b.bin", f"{place}/deep/er/copy.bin"
    store_for(uri).write(source, b"content")
    assert store_for(uri).copy(source, uri).size == 7
    assert read(uri) == b"content"
    with pytest.raises(StoreError, match="missing"):
        store_for(uri).copy(f"{place}/missing", uri)


def test_what_changed_when(place: str) -> None:
    for name in ("d/a", "d/b", "dd/x"):
        store_for(place).write(f"{place}/{name}", b"x")
    changed = dict(store_for(place).changed(f"{place}/d"))
    assert list(changed) == [f"{place}/d/a", f"{place}/d/b"]
    for time in changed.values():
        assert abs(datetime.now(UTC) - time) < timedelta(minutes=1)


def test_what_is_unfinished_is_told_and_discarded(place: str) -> None:
    store = store_for(place)
    store.write(f"{place}/d/finished", b"x")
    first = store.write(f"{place}/d/pointer", b"x")  # leaves a lock file beside it
    store.replace(f"{place}/d/pointer", b"y", first.etag)
    if place.startswith("file"):
        (file_path(place) / "d" / ".c2c-abc").write_bytes(b"x" * 100)
    else:
        bucket = place.removeprefix("s3://")
        client = boto3.client("s3")
        client.create_multipart_upload(Bucket=bucket, Key="d/e")
        client.create_multipart_upload(Bucket=bucket, Key="dd/e")
    (found,) = store.unfinished(f"{place}/d")
    assert found.uri.startswith(f"{place}/d/")
    if place.startswith("file"):  # moto says of all of them that they were begun in 2010
        assert abs(datetime.now(UTC) - found.started) < timedelta(minutes=1)
    assert found.started.tzinfo is UTC
    store.discard(found)
    store.discard(found)  # it is gone, by whomever
    assert list(store.unfinished(f"{place}/d")) == []
    assert [info.uri for info in store.list(place)] == [f"{place}/d/finished", f"{place}/d/pointer"]


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    uri = (tmp_path / "file" / "below").as_uri()
    with pytest.raises(StoreError, match="cannot be written"):
        store_for(uri).write(uri, b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_folder_that_cannot_be_listed_does_not_pass_for_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "folder").mkdir()
    scan = os.scandir

    def refuse(path: Any) -> Any:  # root may read everything
        if Path(path).name == "folder":
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(StoreError, match="folder: cannot be listed: Permission denied"):
        list(store_for("file:").list(tmp_path.as_uri()))


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("AWS_ENDPOINT_URL", "localhost:9000", "Invalid endpoint"),
        ("AWS_PROFILE", "nobody", "profile .nobody. could not be found"),
        ("AWS_MAX_ATTEMPTS", "many", "many"),
    ],
)
def test_an_environment_that_does_not_lead_to_s3_is_an_error_of_ours(
    variable: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    store._s3.cache_clear()
    with pytest.raises(StoreError, match=f"s3://bucket/key: .*{said}"):
        store_for("s3://bucket/key")


def test_missing_bucket_and_unknown_scheme_are_named(s3_bucket: str) -> None:
    with pytest.raises(StoreError, match="no such bucket"):
        store_for("s3://x").write(f"{s3_bucket}-missing/a", b"x")
    with pytest.raises(StoreError, match="ftp://host/a: the scheme must be"):
        store_for("ftp://host/a")
    with pytest.raises(StoreError, match="names no bucket"):
        store_for("s3:///a").head("s3:///a")


def test_normalise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert normalise("out/") == f"{tmp_path.as_uri()}/out"
    assert normalise("s3://bucket/prefix/") == "s3://bucket/prefix"


@pytest.mark.parametrize("spelling", ["file:///x//y/", "file://localhost/x/y", "file:///x/%79"])
def test_a_file_uri_has_one_spelling(spelling: str) -> None:
    assert normalise(spelling) == "file:///x/y"


def test_a_file_uri_of_another_host_is_refused() -> None:
    with pytest.raises(StoreError, match="file://x/y: write file:///, with three slashes"):
        normalise("file://x/y")


def test_a_file_whose_name_is_not_utf8_is_listed_and_read(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9 #1?.py"))
    path.write_bytes(b"x")
    (info,) = store_for(tmp_path.as_uri()).list(tmp_path.as_uri())
    assert read(info.uri) == b"x"
    assert file_path(info.uri) == path


def test_a_server_that_does_not_answer_is_told_from_a_refusal(
    s3_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not isinstance(_error(f"{s3_bucket}-missing/x"), StoreUnavailable)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    store._s3.cache_clear()
    assert isinstance(_error(f"{s3_bucket}/x"), StoreUnavailable)


def _error(uri: str) -> StoreError:
    with pytest.raises(StoreError, match=uri) as error:
        store_for(uri).write(uri, b"1")
    return error.value
