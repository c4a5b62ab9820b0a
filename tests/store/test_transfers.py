"""Uploads and downloads of S3, in parts: verified, resumed, and nothing sent twice."""

from __future__ import annotations

import io
import os
import random
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from c2c_tasks.store import StoreError, StoreUnavailable, sha256_of, store_for
from tests.store.conftest import PART_SIZE, Wire, bytes_of


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A file of three parts, the last a small one."""
    path = tmp_path / "large.bin"
    path.write_bytes(random.Random(0).randbytes(2 * PART_SIZE + 1_000))
    return path


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.bin"
    path.write_bytes(b"small")
    return path


def stop_at(wire: Wire, name: str, number: int) -> Callable[[], None]:
    """Have the number-th request of a kind fail from now on; return what ends that."""
    seen = 0

    def fail(**_: object) -> None:
        nonlocal seen
        seen += 1
        if seen >= number:
            raise StoreUnavailable("cut")

    wire.client.meta.events.register(f"before-call.s3.{name}", fail)
    return lambda: wire.client.meta.events.unregister(f"before-call.s3.{name}", fail)


def flip(wire: Wire, name: str) -> Callable[[], None]:
    """Have a byte of each body changed on its way."""

    def handler(params: dict[str, Any], **_: object) -> None:
        if ".c2c-probe" not in params["url_path"]:
            body = bytes_of(params["body"])
            params["body"] = io.BytesIO(bytes([body[0] ^ 1]) + body[1:])

    wire.client.meta.events.register(f"before-call.s3.{name}", handler)
    return lambda: wire.client.meta.events.unregister(f"before-call.s3.{name}", handler)


def test_a_file_is_sent_once(wire: Wire, large: Path, small: Path) -> None:
    for path in (large, small):
        wire.forget()
        uri = f"{wire.place}/d/{path.name}"
        info = wire.store.upload(uri, path)
        assert (info, wire.sent) == (wire.store.head(uri), path.stat().st_size)
        assert wire.store.upload(uri, path) == info
        assert wire.store.holds(uri, path)
        assert wire.sent == path.stat().st_size
        assert wire.store.sha256(uri) == sha256_of(path)
    assert [info.uri.rpartition("/")[2] for info in wire.store.list(wire.place)] == [
        "large.bin",
        "small.bin",
    ]


def test_a_file_that_is_not_what_it_was_is_not_published(wire: Wire, small: Path) -> None:
    was = sha256_of(small)
    small.write_bytes(b"other")
    with pytest.raises(StoreUnavailable, match=r"/a: (damaged on the way|the store holds other)"):
        wire.store.upload(f"{wire.place}/a", small, sha256=was)


def test_nothing_is_read_back_of_a_server_that_verifies(
    verifying: Wire, large: Path, small: Path
) -> None:
    for path in (large, small):
        uri = f"{verifying.place}/{path.name}"
        assert not verifying.store.holds(uri, path)  # asks why, with a GET
        verifying.store.upload(uri, path)
        asked = verifying.count("GetObject")
        assert verifying.store.holds(uri, path)
        verifying.store.upload(uri, path)
        assert verifying.count("GetObject") == asked <= 4  # of what was not there yet
    assert verifying.requests.count("DeleteObject") == 0  # the probe was refused


def test_who_only_reads_sends_nothing(wire: Wire, small: Path) -> None:
    """No probe either: it would be seen among the files of a published release."""
    uri = f"{wire.place}/a"
    wire.client.put_object(
        Bucket=wire.place.split("/")[2],
        Key=uri.split("/", 3)[3],
        Body=small.read_bytes(),
        ChecksumAlgorithm="SHA256",
    )
    wire.forget()
    assert wire.store.holds(uri, small)
    assert wire.store.sha256(uri) == sha256_of(small)
    assert wire.count("PutObject") == 0


def test_other_bytes_of_the_same_size_are_sent_over(wire: Wire, large: Path) -> None:
    uri = f"{wire.place}/a"
    wire.store.upload(uri, large)
    data = bytearray(large.read_bytes())
    data[PART_SIZE] ^= 1
    large.write_bytes(data)
    assert not wire.store.holds(uri, large)
    wire.store.upload(uri, large)
    with wire.store.open(uri) as stream:
        assert stream.read() == data


@pytest.mark.parametrize("name", ["small", "large"])
def test_what_is_damaged_on_its_way_is_seen(
    wire: Wire, name: str, request: pytest.FixtureRequest
) -> None:
    path = request.getfixturevalue(name)
    mend = flip(wire, "PutObject" if name == "small" else "UploadPart")
    with pytest.raises(StoreUnavailable, match=r"/a: (damaged on the way|the store holds other)"):
        wire.store.upload(f"{wire.place}/a", path)
    mend()
    wire.store.upload(f"{wire.place}/a", path)
    assert wire.store.holds(f"{wire.place}/a", path)


def test_the_server_may_refuse_before_all_is_sent(
    verifying: Wire, large: Path, small: Path
) -> None:
    asked = []
    verifying.store.connection.verifies(f"{verifying.place}/a")
    verifying.client.meta.events.register(
        "before-send.s3", lambda request, **_: asked.append(request.headers.get("Expect"))
    )
    for path in (large, small):
        verifying.store.upload(f"{verifying.place}/{path.name}", path)
    assert asked.count(b"100-continue") == 3 + 1  # the parts of one, and the other


def test_an_upload_goes_on_where_it_was_cut(wire: Wire, large: Path) -> None:
    uri = f"{wire.place}/a"
    resume = stop_at(wire, "CompleteMultipartUpload", 1)
    with pytest.raises(StoreUnavailable, match="cut"):
        wire.store.upload(uri, large)
    resume()
    (left,) = wire.store.unfinished(wire.place)
    # One part of it is another file's.
    wire.client.upload_part(
        Bucket=wire.bucket, Key="a", UploadId=left.token, PartNumber=2, Body=b"x" * PART_SIZE
    )
    wire.forget()
    wire.store.upload(uri, large)
    assert wire.sent == PART_SIZE
    assert wire.count("CreateMultipartUpload") == 0
    assert list(wire.store.unfinished(wire.place)) == []
    assert wire.store.sha256(uri) == sha256_of(large)


def test_no_part_waits_for_what_a_later_one_holds(verifying: Wire) -> None:
    """A server that answers to a part when it has those before it, and eight files at a time."""

    def send_file(_: int) -> list[int]:
        came = [threading.Event() for _ in range(8)]

        def send(number: int) -> int:
            time.sleep(0.001 * (8 - number))
            came[number].set()
            assert all(event.wait(5) for event in came[:number])
            return number

        return verifying.store.connection.in_parallel(send, range(8))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(send_file, range(8))) == [list(range(8))] * 8


def test_an_upload_that_a_zombie_finished_is_done(wire: Wire, large: Path) -> None:
    uri, done = f"{wire.place}/a", []

    def zombie(params: dict[str, Any], **_: object) -> None:
        if not done:  # the answer to the first request is lost, and it is made again
            done.append(True)
            wire.store.upload(uri, large)

    wire.client.meta.events.register("before-call.s3.CompleteMultipartUpload", zombie)
    assert wire.store.upload(uri, large) == wire.store.head(uri)
    assert wire.store.sha256(uri) == sha256_of(large)


def test_attempts_at_one_file_at_a_time(wire: Wire, large: Path) -> None:
    uri = f"{wire.place}/a"

    def attempt(_: int) -> None:
        # moto answers 500 to who reads an object that is written over, and this client asks once.
        for last in (False, False, False, False, True):
            try:
                wire.store.upload(uri, large)
                return
            except StoreUnavailable:
                if last:
                    raise

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(attempt, range(3)))
    assert wire.store.sha256(uri) == sha256_of(large)


def test_a_copy_of_what_was_sent_in_parts_has_a_checksum_of_its_own(
    verifying: Wire, large: Path
) -> None:
    verifying.store.upload(f"{verifying.place}/a", large)
    verifying.store.copy(f"{verifying.place}/a", f"{verifying.place}/b")
    verifying.forget()
    assert verifying.store.sha256(f"{verifying.place}/b") == sha256_of(large)
    assert verifying.store.holds(f"{verifying.place}/b", large)
    assert verifying.count("GetObject") == 0


def test_a_download_goes_on_where_it_was_cut(wire: Wire, large: Path, tmp_path: Path) -> None:
    uri, path = f"{wire.place}/a", tmp_path / "d" / "copy"
    wire.store.upload(uri, large)
    resume = stop_at(wire, "GetObject", 3)
    with pytest.raises(StoreUnavailable, match="cut"):
        wire.store.download(uri, path)
    resume()
    assert [left.name for left in path.parent.iterdir()] == ["copy.part"]
    wire.forget()
    came: list[int] = []
    wire.store.download(uri, path, sha256=sha256_of(large), progress=came.append)
    assert wire.count("GetObject") == 1
    assert sum(came) == large.stat().st_size
    assert path.read_bytes() == large.read_bytes()
    assert [left.name for left in path.parent.iterdir()] == ["copy"]


def test_what_came_of_another_version_is_fetched_anew(
    wire: Wire, large: Path, tmp_path: Path
) -> None:
    uri, path = f"{wire.place}/a", tmp_path / "copy"
    wire.store.upload(uri, large)
    resume = stop_at(wire, "GetObject", 2)
    with pytest.raises(StoreUnavailable, match="cut"):
        wire.store.download(uri, path)
    resume()
    large.write_bytes(large.read_bytes()[::-1])
    wire.store.upload(uri, large)
    wire.store.download(uri, path)
    assert path.read_bytes() == large.read_bytes()


def test_a_file_that_is_not_the_one_meant_is_not_left(
    wire: Wire, small: Path, tmp_path: Path
) -> None:
    wire.store.upload(f"{wire.place}/a", small)
    with pytest.raises(StoreUnavailable, match=r"/a: came with SHA-256 .*, not 00"):
        wire.store.download(f"{wire.place}/a", tmp_path / "d" / "copy", sha256="00")
    assert list((tmp_path / "d").iterdir()) == []


def test_a_connection_that_breaks_is_followed_by_another(
    wire: Wire, large: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from botocore.exceptions import ResponseStreamingError
    from botocore.response import StreamingBody

    monkeypatch.setattr("time.sleep", lambda _: None)
    uri = f"{wire.place}/a"
    wire.store.upload(uri, large)
    read, reads = StreamingBody.read, [0]

    def breaking(self: Any, amount: int | None = None) -> bytes:
        reads[0] += 1
        if reads[0] % 4 == 0:
            raise ResponseStreamingError(error="broken")
        return bytes(read(self, amount))

    monkeypatch.setattr(StreamingBody, "read", breaking)
    with wire.store.open(uri) as stream:
        assert stream.read() == large.read_bytes()
    wire.store.download(uri, tmp_path / "copy", sha256=sha256_of(large))
    monkeypatch.setattr(StreamingBody, "read", lambda *_: breaking(*_) and b"")
    with pytest.raises(StoreUnavailable, match=r"/a: "), wire.store.open(uri) as stream:
        stream.read()


@given(
    size=st.one_of(
        st.integers(0, 2_000),
        st.integers(-2, 2).map(lambda n: PART_SIZE + n),
        st.integers(-2, 2).map(lambda n: 2 * PART_SIZE + n),
    )
)
@settings(max_examples=12)
def test_download_undoes_upload(property_wire: Wire, size: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, copy = Path(folder, "a"), Path(folder, "b")
        path.write_bytes(os.urandom(size))
        uri = f"{property_wire.place}/{size}"
        assert property_wire.store.upload(uri, path).size == size
        property_wire.store.download(uri, copy, sha256=sha256_of(path))
        assert copy.read_bytes() == path.read_bytes()
        with property_wire.store.open(uri) as stream:
            assert stream.read() == path.read_bytes()


@pytest.fixture(scope="module")
def property_wire(s3_endpoint: str) -> Wire:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        wire = Wire(s3_endpoint, "case2code-transfers")
        wire.client.create_bucket(Bucket=wire.bucket)
    return wire


def test_a_full_disk_is_named(
    wire: Wire, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire.store.upload(f"{wire.place}/a", small)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(StoreError, match=r"copy: the disk is full; free space"):
        wire.store.download(f"{wire.place}/a", tmp_path / "copy")


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no disk can be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_file_that_does_not_fit_leaves_what_is_there(tiny_disk: Path, tmp_path: Path) -> None:
    source, uri = tmp_path / "source", (tiny_disk / "a").as_uri()
    source.write_bytes(b"x" * 1000)
    store_for(uri).upload(uri, source)
    source.write_bytes(b"y" * (2 << 20))
    for write in (
        lambda: store_for(uri).upload(uri, source),
        lambda: store_for(uri).write(uri, source.read_bytes()),
        lambda: store_for(uri).download(source.as_uri(), tiny_disk / "a"),
    ):
        with pytest.raises(StoreError, match=r"/a: the disk is full; free space on it"):
            write()
        assert [path.name for path in tiny_disk.iterdir()] == ["a"]
        assert (tiny_disk / "a").read_bytes() == b"x" * 1000


def test_a_bucket_that_nothing_may_be_written_to_is_read(verifying: Wire, small: Path) -> None:
    uri = f"{verifying.place}/a"
    verifying.client.put_object(
        Bucket=verifying.bucket, Key="a", Body=b"small", ChecksumAlgorithm="SHA256"
    )

    refused = []

    def refuse(**_: object) -> None:
        refused.append(True)
        answer = {
            "Error": {"Code": "AccessDenied", "Message": "m"},
            "ResponseMetadata": {"HTTPStatusCode": 403},
        }
        raise ClientError(answer, "PutObject")  # type: ignore[arg-type]

    verifying.client.meta.events.register("before-call.s3.PutObject", refuse)
    for _ in range(2):
        assert verifying.store.sha256(uri) == sha256_of(small)
        assert verifying.store.holds(uri, small)
    assert not refused  # who only reads sends no probe
    small.write_bytes(b"other")
    with pytest.raises(StoreError, match=r"/a: access denied; .*s3:PutObject"):
        verifying.store.upload(uri, small)
