"""`make ui` and `make ui-down`, with a stand-in for `airflow standalone`."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from c2c_airflow import standalone
from c2c_airflow.embedded import EmbeddedAirflow

# Answers as the API server does, from a process of its own, as `airflow standalone` has it.
SERVER = """
import http.server, subprocess, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/api/v2/monitor/health" else 404)
        self.end_headers()
if sys.argv[2:] == ["child"]:
    http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
subprocess.run([sys.executable, __file__, sys.argv[1], "child"])
"""


class StandIn(EmbeddedAirflow):
    """An embedded Airflow whose command is `program`."""

    def __init__(self, home: Path, port: int, program: str) -> None:
        super().__init__(home)
        self.script = home / "airflow-stand-in.py"
        self.script.write_text(program)
        self.port = port
        self.starts = 0

    def prepare(self) -> None:
        self.starts += 1

    def command(self, *command: str) -> list[str]:  # type: ignore[override]
        return [sys.executable, str(self.script), str(self.port)]


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        number = int(found.getsockname()[1])
    monkeypatch.setattr(standalone, "URL", f"http://127.0.0.1:{number}")
    return number


@pytest.fixture
def airflow(tmp_path: Path, port: int) -> Iterator[StandIn]:
    # `make ui` has ended when `make ui-down` comes; here, its child would stay as a zombie.
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    stand_in = StandIn(tmp_path, port, SERVER)
    yield stand_in
    standalone.down(stand_in)
    signal.signal(signal.SIGCHLD, before)


def processes(airflow: StandIn) -> list[str]:
    """The process ids of the stand-in and of what it started."""
    mark = os.fsencode(airflow.script)
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and mark in (folder / "cmdline").read_bytes().split(b"\0"):
                found.append(folder.name)
        except OSError:  # it ended
            continue
    return found


def test_it_is_started_once_and_stopped_whole(
    airflow: StandIn, port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    standalone.up(airflow)
    assert f"Airflow is up: http://127.0.0.1:{port}" in capsys.readouterr().out
    assert len(processes(airflow)) == 2
    standalone.up(airflow)
    assert f"Airflow is running: http://127.0.0.1:{port}" in capsys.readouterr().out
    assert airflow.starts == 1
    standalone.down(airflow)
    assert processes(airflow) == []
    standalone.down(airflow)
    assert "Airflow is down" in capsys.readouterr().out


def test_what_does_not_hear_is_killed(airflow: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    deaf = "    import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n    http.server"
    airflow.script.write_text(SERVER.replace("    http.server", deaf))
    monkeypatch.setattr(standalone, "STOP_SECONDS", 0.5)
    standalone.up(airflow)
    standalone.down(airflow)
    assert processes(airflow) == []


def test_one_that_ends_at_once_is_a_failure_that_names_the_log(tmp_path: Path, port: int) -> None:
    airflow = StandIn(tmp_path, port, "raise SystemExit('the database is locked')")
    with pytest.raises(SystemExit, match=f"did not come up; see {airflow.log}"):
        standalone.up(airflow)
    assert "the database is locked" in airflow.log.read_text()


def test_a_port_that_another_server_has_is_named(airflow: StandIn, port: int) -> None:
    with socket.create_server(("127.0.0.1", port)), pytest.raises(SystemExit, match=str(port)):
        standalone.up(airflow)
    assert airflow.starts == 0


def test_a_process_that_was_given_the_number_since_is_left_alone(airflow: StandIn) -> None:
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as other:
        (airflow.home / "standalone.pid").write_text(str(other.pid))
        standalone.down(airflow)
        time.sleep(0.1)
        assert other.poll() is None
        other.kill()
