"""Two real stores that do not keep conditional writes.

They run in an environment of their own: ``C2C_STORES``, or ``.stores`` (`make stores`).
"""

from __future__ import annotations

import os
import re
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest

from c2c_tasks import store
from tests.conftest import ROOT, unavailable


@dataclass(frozen=True)
class Server:
    """An S3 server, and who may use it."""

    url: str
    access_key: str
    secret: str
    rounds: int
    """Of publishers at once: as many as it does in some ten seconds."""
    replaces_whole: bool
    """Whether readers see the old object or the new one while it is overwritten."""


@contextmanager
def started(*command: str | Path) -> Iterator[str]:
    """Run a server; give the URL that it prints."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    try:
        said = []
        for line in process.stdout:
            said.append(line)
            if url := re.search(r"http://[\d.]+:\d+", line):
                yield url.group()
                return
        pytest.fail(f"{command[0]} ended: {''.join(said)}")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture(scope="session")
def environment() -> Path:
    """The environment that the stores are in."""
    folder = Path(os.environ.get("C2C_STORES", ROOT / ".stores"))
    if not (folder / "bin" / "rclone").is_file():
        unavailable("stores", f"{folder} is not there (make stores)")
    return folder


@pytest.fixture(scope="session")
def rclone(environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Takes no notice of conditions: it overwrites."""
    command = [environment / "bin" / "rclone", "serve", "s3", "--config", "/dev/null"]
    folder = tmp_path_factory.mktemp("rclone")
    key = ["--addr", "127.0.0.1:0", "--auth-key", "test,testing"]
    with started(*command, *key, folder) as url:
        yield Server(url, "test", "testing", rounds=6, replaces_whole=False)


@pytest.fixture(scope="session")
def swift(environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Knows no `If-Match` (501), and lets several writers win a race of `If-None-Match`."""
    script = Path(__file__).with_name("swift_server.py")
    folder = tmp_path_factory.mktemp("swift")
    with started(environment / "bin" / "python", "-W", "ignore", script, folder) as url:
        yield Server(url, "test:tester", "testing", rounds=2, replaces_whole=True)


@pytest.fixture(params=["rclone", "swift"])
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """One of the stores, which the environment names."""
    server: Server = request.getfixturevalue(request.param)
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", server.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", server.secret)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it keeps the first credentials
    store._s3.cache_clear()
    yield server
    store._s3.cache_clear()


@pytest.fixture
def bucket(server: Server) -> str:
    """The URI of a new, empty bucket."""
    name = f"case2code-{uuid.uuid4().hex[:12]}"
    boto3.client("s3").create_bucket(Bucket=name)
    return f"s3://{name}"
