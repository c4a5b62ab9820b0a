"""Attacks on what lies around: files, environment, network, the runner's and others' memory."""

from __future__ import annotations

import os
import socket
import threading
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.attacks.arena import Batch, attack
from tests.sandbox.attacks.conftest import attacks_of

if TYPE_CHECKING:
    from tests.sandbox.attacks.arena import Attack
    from tests.sandbox.conftest import Sandbox

ABSTRACT = f"\0case2code-{uuid.uuid4().hex}"


class Listener:
    """Sockets of the host that must never be called, and a secret that must not be read."""

    def __init__(self, folder: Path) -> None:
        self.called: list[str] = []
        self.path = str(folder / "socket")
        self.secret = folder / "secret"
        self.secret.write_text("secret")
        self.secret.chmod(0o600)
        self._sockets = {
            "tcp": socket.create_server(("127.0.0.1", 0)),
            "path": socket.socket(socket.AF_UNIX),
            "abstract": socket.socket(socket.AF_UNIX),
        }
        self.port = self._sockets["tcp"].getsockname()[1]
        self._sockets["path"].bind(self.path)
        os.chmod(self.path, 0o777)
        self._sockets["abstract"].bind(ABSTRACT)
        for name, listening in self._sockets.items():
            listening.listen()
            threading.Thread(target=self._accept, args=(name, listening), daemon=True).start()

    def _accept(self, name: str, listening: socket.socket) -> None:
        try:
            while True:
                listening.accept()[0].close()
                self.called.append(name)
        except OSError:
            pass

    def close(self) -> None:
        for listening in self._sockets.values():
            listening.close()


@pytest.fixture(scope="module")
def listener(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listener]:
    folder = tmp_path_factory.mktemp("host")
    for path in (folder, *folder.parents[:2]):  # anyone may come by
        path.chmod(0o755)
    found = Listener(folder)
    yield found
    found.close()


@pytest.fixture(scope="module")
def batch(request: pytest.FixtureRequest, arena: Sandbox, listener: Listener) -> Iterator[Batch]:
    places = {
        "calls_a_port": listener.port,
        "calls_a_path": listener.path,
        "calls_an_abstract_name": ABSTRACT,
        "reads_a_secret": str(listener.secret),
    }
    attacks = [
        replace(hostile, arguments=(repr({"x": places[hostile.name]}),))
        if hostile.name in places
        else hostile
        for hostile in attacks_of(request.module)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        listener.called.clear()
        yield Batch(arena, attacks)


def test_attack(attack: Attack, batch: Batch) -> None:
    batch.check(attack)


def test_nothing_is_left(batch: Batch, listener: Listener) -> None:
    batch.check_the_rest()
    assert listener.called == []


# Environment and files


@attack("returned False")
def reads_the_environment(x: int) -> bool:
    import os

    return "AWS_SECRET_ACCESS_KEY" in os.environ


@attack("raised PermissionError")
def reads_the_environment_of_its_parent(x: int) -> bytes:
    return open("/proc/1/environ", "rb").read()


# Of the same user and without privileges, a file of the user's own is read: processes share a
# machine's files, and the log says so. Root's own are read where the runner is root.
@attack("raised FileNotFoundError", process="raised PermissionError", same_user="returned 'secret'")
def reads_a_secret(x: str) -> str:
    return open(x).read()


@attack("raised ModuleNotFoundError")
def imports_a_package_of_the_host(x: int) -> None:
    import pyarrow  # noqa: F401


@attack("raised ModuleNotFoundError")
def imports_the_host_s_side(x: int) -> None:
    import c2c_tasks.config  # noqa: F401


@attack("returned []")
def writes_where_programs_lie(x: int) -> list[str]:
    import os

    written = []
    for folder in ("/", "/usr/lib", "/etc", "/root", "/var/tmp", "/dev", "/dev/shm", "/opt"):
        try:
            os.mkdir(f"{folder}/case2code-attack")
        except OSError:
            continue
        written.append(folder)
    return written


@attack("returned []")
def keeps_a_privilege(x: int) -> list[str]:
    text = open("/proc/self/status").read()
    wanted = {"CapEff": 0, "CapPrm": 0, "CapInh": 0, "CapAmb": 0, "NoNewPrivs": 1}
    found = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
    return [name for name, value in wanted.items() if int(found[name], 16) != value]


@attack("raised PermissionError")
def follows_a_link_to_the_memory_of_its_parent(x: int) -> bytes:
    import os

    return open(os.readlink("/proc/self/root") + f"/proc/{os.getppid()}/root/etc/shadow").read()


@attack("returned []")
def opens_links_to_descriptors(x: int) -> list[str]:
    import os

    opened = []
    for process in ("1", str(os.getppid())):
        for number in range(64):
            try:
                os.open(f"/proc/{process}/fd/{number}", os.O_RDWR)
            except OSError:
                continue
            opened.append(f"{process} {number}")
    return opened


@attack("returned 0")
def watches_the_runner(x: int) -> int:
    """Inotify tells of no change in /proc; that an engine opens a file there may be seen."""
    import ctypes
    import os
    import select

    changes = 0xFFF & ~0x39  # all but accessed, opened and closed
    libc = ctypes.CDLL(None)
    descriptor = libc.inotify_init1(os.O_NONBLOCK)
    for path in (b"/proc", b"/proc/1", b"/proc/1/fd", b"/proc/1/stat"):
        libc.inotify_add_watch(descriptor, path, changes)
    return len(select.select([descriptor], [], [], 0.05)[0])


# Network


@attack("raised gaierror")
def asks_for_a_name(x: int) -> Any:
    import socket

    return socket.getaddrinfo("example.org", 80)


@attack("raised PermissionError")
def calls_an_address(x: int) -> Any:
    import socket

    return socket.create_connection(("192.0.2.1", 80), 0.5)


@attack("raised PermissionError")
def sends_a_datagram(x: int) -> Any:
    import socket

    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 53))


@attack("raised PermissionError")
def calls_a_port(x: int) -> Any:
    import socket

    return socket.create_connection(("127.0.0.1", x), 0.5)


@attack("returned 'refused'")
def calls_a_path(x: str) -> str:
    import socket

    try:
        socket.socket(socket.AF_UNIX).connect(x)
    except OSError:
        return "refused"
    return "reached"


@attack("raised PermissionError")
def calls_an_abstract_name(x: str) -> Any:
    import socket

    return socket.socket(socket.AF_UNIX).connect(x)


@attack("returned 'refused'")
def calls_the_hypervisor(x: int) -> str:
    """No network namespace holds these sockets: they lead out of the machine, if it is a guest."""
    import socket

    try:
        socket.socket(40, socket.SOCK_STREAM)  # AF_VSOCK
    except OSError:
        return "refused"
    return "granted"


@attack("raised PermissionError")
def listens_to_the_wire(x: int) -> Any:
    import socket

    return socket.socket(socket.AF_PACKET, socket.SOCK_RAW)


@attack("returned 'refused'")
def calls_the_engine(x: int) -> str:
    """Who reaches the Docker engine owns the machine."""
    import socket

    try:
        socket.socket(socket.AF_UNIX).connect("/var/run/docker.sock")
    except OSError:
        return "refused"
    return "reached"
