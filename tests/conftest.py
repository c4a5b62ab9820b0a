"""Services and data that tests share.

A service that is not there skips its tests with the reason, unless `C2C_REQUIRE` (a comma
separated list of `docker`, `s3`, `data`, `postgres`, `redis`, `stores`, `vllm`, `browser`,
`compose`, `prometheus`) names it: then they fail.
"""

from __future__ import annotations

import atexit
import logging
import os
import shutil
import subprocess
import sysconfig
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import settings
from sqlalchemy import NullPool, create_engine, make_url, text

from c2c_airflow.embedded import EmbeddedAirflow
from c2c_tasks import store

ROOT = Path(__file__).resolve().parent.parent
# Airflow reads its environment when it is imported, so it is set before any test is.
AIRFLOW = EmbeddedAirflow(Path(tempfile.mkdtemp(prefix="c2c-airflow-")))
os.environ.update(AIRFLOW.environment)
# Other processes run tests on the same Docker engine: theirs are not ours to sweep.
os.environ["C2C_DEPLOYMENT"] = f"tests-{uuid.uuid4().hex}"
atexit.register(shutil.rmtree, AIRFLOW.home, ignore_errors=True)

# Examples share two cores with servers and containers: time tells nothing about them.
settings.register_profile("case2code", deadline=None)
settings.load_profile("case2code")

SANDBOX_IMAGE = "case2code-sandbox:latest"


def unavailable(service: str, reason: str) -> NoReturn:
    """Skip the test, or fail it where the run requires the service."""
    if service in os.environ.get("C2C_REQUIRE", "").split(","):
        pytest.fail(f"{service} is required but {reason}")
    pytest.skip(f"{service}: {reason}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what came of injected faults: a line for each test, with its counts."""
    for report in terminalreporter.getreports(""):  # of setups and teardowns
        for name, counts in report.user_properties:
            if name == "outcomes":
                words = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
                terminalreporter.write_line(f"{report.nodeid.rpartition('::')[2]}: {words}")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data for tests, which is not part of the project."""
    folder = Path(os.environ.get("C2C_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "case2code_test_half.jsonl").is_file():
        unavailable("data", f"{folder} does not hold case2code_test_half.jsonl (C2C_TEST_DATA)")
    return folder


@pytest.fixture(scope="session")
def airflow_home() -> Path:
    """The home of this test process's Airflow, its database migrated."""
    AIRFLOW.prepare()
    return AIRFLOW.home


@pytest.fixture(scope="session")
def docker_client() -> Iterator[Any]:
    """A client of a Docker engine that has the sandbox image."""
    from docker.errors import ImageNotFound

    from c2c_tasks.sandbox.docker import connect
    from c2c_tasks.sandbox.launchers import SandboxError

    try:
        client = connect()
        client.inspect_image(SANDBOX_IMAGE)
    except ImageNotFound:
        unavailable("docker", f"the engine has no image {SANDBOX_IMAGE} (make sandbox-image)")
    except SandboxError as error:
        unavailable("docker", str(error))
    yield client
    client.close()


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """The URL of an S3 server on the loopback interface."""
    try:
        from moto.server import ThreadedMotoServer
    except ImportError as error:
        unavailable("s3", f"moto is not installed: {error}")
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # a line for each request
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3_bucket(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URI of a new, empty bucket; the environment points to its server."""
    import boto3

    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    store._s3.cache_clear()
    name = f"case2code-{uuid.uuid4().hex[:12]}"
    client = boto3.client("s3")
    client.create_bucket(Bucket=name)
    yield f"s3://{name}"
    store._s3.cache_clear()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """SQLAlchemy's URL of a PostgreSQL server: ``C2C_TEST_POSTGRES``, or one that is started.

    The one that is started listens on a socket in a folder of its own, and keeps nothing.
    """
    if given := os.environ.get("C2C_TEST_POSTGRES"):
        yield given
        return
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not programs:
        unavailable("postgres", "it is not installed, and C2C_TEST_POSTGRES names no server")
    # PostgreSQL refuses to run as root.
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    # Not below pytest's folder, which other users cannot enter; and sockets have short paths.
    folder = Path(tempfile.mkdtemp(prefix="c2c-postgres-"))
    if as_user:
        shutil.chown(folder, "postgres")

    def run(program: str, *arguments: str) -> None:
        command = [*as_user, str(programs[-1] / program), "-D", str(folder / "data"), *arguments]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)

    try:
        run("initdb", "--username=tests", "--auth=trust", "--no-sync", "--encoding=UTF8")
        options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
        run("pg_ctl", "start", "--wait", "--log", str(folder / "log"), "-o", options)
        yield f"postgresql+psycopg://tests@/postgres?host={folder}"
        run("pg_ctl", "stop", "--mode=immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of a new, empty database."""
    name = f"c2c_{uuid.uuid4().hex[:12]}"
    server = create_engine(postgres_server, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield make_url(postgres_server).set(database=name).render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


STANDARD_MODULES = (
    *("base64", "bisect", "calendar", "colorsys", "fnmatch", "genericpath", "heapq"),
    *("keyword", "ntpath", "posixpath", "quopri", "shlex", "string", "textwrap"),
)


@pytest.fixture(scope="session")
def small_dump(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of real Python files, from which some fifty programs can be made."""
    folder = tmp_path_factory.mktemp("dump")
    for name in STANDARD_MODULES:
        source = Path(sysconfig.get_path("stdlib"), f"{name}.py")
        (folder / source.name).write_bytes(source.read_bytes())
    return folder


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that holds work area, catalogue and target of the builds of a test."""
    monkeypatch.setenv("C2C_WORK", str(tmp_path / "work"))
    monkeypatch.setenv("C2C_CATALOGUE", f"sqlite:///{tmp_path / 'catalogue.sqlite'}")
    monkeypatch.setenv("C2C_TARGET", str(tmp_path / "target"))
    return tmp_path


@pytest.fixture(scope="session")
def vllm_python() -> Path:
    """The interpreter of an environment that has vLLM: ``C2C_VLLM_PYTHON``, or in ``.vllm``."""
    python = Path(os.environ.get("C2C_VLLM_PYTHON", ROOT / ".vllm" / "bin" / "python"))
    if not python.is_file():
        unavailable("vllm", f"{python} is not there (make vllm-engine)")
    return python
