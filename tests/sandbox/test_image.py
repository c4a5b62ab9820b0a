"""What the image holds: all of the standard library, and nothing to work with."""

from __future__ import annotations

import json
import re
import tarfile
import tempfile
from typing import Any

import pytest

from tests.conftest import SANDBOX_IMAGE

pytestmark = pytest.mark.docker

MAX_MEGABYTES = 55
"""Of the image that docker/sandbox/make-base-image leads to; 50 today."""
ABSENT = {
    # Modules of other systems.
    *("_ios_support", "_overlapped", "_scproxy", "_winapi", "_wmi", "msvcrt", "nt", "winreg"),
    "winsound",
    # Windows on a screen, and programs made of them.
    *("_tkinter", "idlelib", "tkinter", "turtle", "turtledemo"),
    # What Debian has in packages of their own: the GNU database manager, and an installer.
    *("_gdbm", "ensurepip"),
}
TOOLS = re.compile(
    r"(^|/)s?bin/(.*sh|busybox|perl.*|gcc.*|cc|c\+\+|ld|as|make|apt.*|dpkg.*|pip.*|curl|wget"
    r"|mount|su|sudo|login|tar|nc)$"
)

IMPORT_ALL = """
import contextlib, importlib, io, json, sys, webbrowser
webbrowser.open = print
missing = []
for name in sorted(sys.stdlib_module_names):
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            importlib.import_module(name)
    except ImportError:
        missing.append(name)
print(json.dumps(missing))
"""
USE = """
import ctypes, decimal, hashlib, locale, mimetypes, pwd, sqlite3, ssl, threading, zlib, zoneinfo
from datetime import datetime
kolkata = zoneinfo.ZoneInfo("Asia/Kolkata")
assert datetime(2024, 1, 1, tzinfo=kolkata).utcoffset().seconds == 19_800
assert "Europe/Berlin" in zoneinfo.available_timezones()
assert hashlib.new("ripemd160", b"").hexdigest().startswith("9c1185a5")
assert hashlib.scrypt(b"", salt=b"", n=2, r=1, p=1, dklen=1)
assert decimal.Decimal(2).sqrt() and decimal.HAVE_THREADS
assert sqlite3.connect(":memory:").execute("select 6 * 7").fetchone() == (42,)
assert ctypes.CDLL(None).getpid and pwd.getpwuid(0).pw_name == "root"
assert locale.setlocale(locale.LC_ALL, "C.UTF-8")
assert mimetypes.guess_type("a.tex")[0] and "é".encode("cp1252").decode("latin-1") == "é"
assert "あ".encode("shift_jis") and ssl.create_default_context()
thread = threading.Thread(target=print)
thread.start(), thread.join()
print("used")
"""


@pytest.fixture(scope="module")
def entries(docker_client: Any) -> list[tarfile.TarInfo]:
    """All files of the image."""
    container = docker_client.create_container(SANDBOX_IMAGE)["Id"]
    try:
        with tempfile.TemporaryFile() as copy:
            for piece in docker_client.export(container):
                copy.write(piece)
            copy.seek(0)
            with tarfile.open(fileobj=copy) as archive:
                return list(archive)
    finally:
        docker_client.remove_container(container)


@pytest.fixture
def small_image(docker_client: Any) -> None:
    """Skip the test where the base image is not the project's own."""
    labels = docker_client.inspect_image(SANDBOX_IMAGE)["Config"]["Labels"] or {}
    if "case2code.recipe" not in labels:
        pytest.skip("docker: the image is not based on that of docker/sandbox/make-base-image")


def run_python(client: Any, program: str) -> str:
    """Run a program in a container as hardened as a runner's; return what it prints."""
    container = client.create_container(
        SANDBOX_IMAGE,
        entrypoint=["python3", "-I", "-c", program],
        host_config=client.create_host_config(read_only=True, network_mode="none"),
    )["Id"]
    try:
        client.start(container)
        status = client.wait(container, timeout=60)["StatusCode"]
        output: str = client.logs(container).decode()
    finally:
        client.remove_container(container, force=True)
    assert status == 0, output
    return output


def test_every_module_of_the_standard_library_can_be_imported(docker_client: Any) -> None:
    missing = json.loads(run_python(docker_client, IMPORT_ALL).splitlines()[-1])
    assert set(missing) <= ABSENT


def test_libraries_and_files_of_the_standard_library_are_there(docker_client: Any) -> None:
    assert run_python(docker_client, USE).endswith("used\n")


def test_bytecode_of_the_runner_and_of_the_standard_library_is_there(
    entries: list[tarfile.TarInfo],
) -> None:
    names = {entry.name for entry in entries}
    for module in (r"c2c_tasks/sandbox", r"python3\.\d+"):
        (found,) = {
            name
            for name in names
            if re.search(module + r"/__pycache__/(runner|typing)\.cpython-\d+\.pyc$", name)
        }
        assert found


@pytest.mark.usefixtures("small_image")
def test_the_image_holds_no_tool(entries: list[tarfile.TarInfo]) -> None:
    assert [entry.name for entry in entries if TOOLS.search(entry.name)] == []
    programs = {entry.name for entry in entries if re.match(r"usr/s?bin/", entry.name)}
    assert all(re.fullmatch(r"usr/bin/python3[.\d]*", name) for name in programs)


@pytest.mark.usefixtures("small_image")
def test_no_file_lends_rights_and_none_is_for_all_to_write(entries: list[tarfile.TarInfo]) -> None:
    lent = [entry.name for entry in entries if entry.isfile() and entry.mode & 0o6000]
    capable = [entry.name for entry in entries if "capability" in " ".join(entry.pax_headers)]
    assert lent == capable == []
    assert [entry.name for entry in entries if entry.mode & 0o002 and not entry.issym()] == []


@pytest.mark.usefixtures("small_image")
def test_the_image_is_small(docker_client: Any) -> None:
    assert docker_client.inspect_image(SANDBOX_IMAGE)["Size"] < MAX_MEGABYTES * 10**6
