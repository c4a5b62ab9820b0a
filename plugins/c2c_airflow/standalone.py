"""`make ui` and `make ui-down`: the embedded Airflow with its UI, on this machine alone.

`airflow standalone` runs in a process group of its own, whose number is kept in a file: it
does not end on the interrupt of a terminal that it no longer has.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from c2c_airflow.embedded import EmbeddedAirflow

URL = "http://127.0.0.1:8080"
START_SECONDS = 180
STOP_SECONDS = 20


def up(airflow: EmbeddedAirflow) -> None:
    """Start Airflow where it is not running, and wait until its UI answers."""
    if _group(airflow):
        print(f"Airflow is running: {URL}")
        return
    if _port_is_taken():
        raise SystemExit(f"{URL}: another server has this port; stop it first")
    print("starting Airflow (SQLite, LocalExecutor) …", flush=True)
    airflow.prepare()
    with airflow.log.open("ab") as log:
        process = subprocess.Popen(
            airflow.command("standalone"),
            env=airflow.environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    _pid_file(airflow).write_text(str(process.pid))
    deadline = time.monotonic() + START_SECONDS
    while not _healthy():
        if process.poll() is not None or time.monotonic() > deadline:
            down(airflow)
            raise SystemExit(f"Airflow did not come up; see {airflow.log}")
        time.sleep(1)
    print(f"Airflow is up: {URL}  (no login: everyone on this machine is admin)")
    print("Unpause and trigger the DAG case2code_build; the form's defaults are the demo's.")


def down(airflow: EmbeddedAirflow) -> None:
    """Stop Airflow, and all that it started."""
    if group := _group(airflow):
        _signal(group, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while _signal(group, 0):
            if time.monotonic() > deadline:
                _signal(group, signal.SIGKILL)
            time.sleep(0.2)
    _pid_file(airflow).unlink(missing_ok=True)
    print("Airflow is down")


def _pid_file(airflow: EmbeddedAirflow) -> Path:
    return airflow.home / "standalone.pid"


def _group(airflow: EmbeddedAirflow) -> int:
    """Return the process group of the running Airflow, or 0."""
    try:
        group = int(_pid_file(airflow).read_text())
        command = Path(f"/proc/{group}/cmdline")
        if Path("/proc/self").exists() and b"airflow" not in command.read_bytes():
            return 0  # the number was given to another process since
    except (OSError, ValueError):
        return 0
    return group if _signal(group, 0) else 0


def _signal(group: int, number: int) -> bool:
    """Send a signal (0: none) to a process group; return whether any process is in it."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    return True


def _port_is_taken() -> bool:
    address = urlsplit(URL)
    with socket.socket() as probe:
        return probe.connect_ex((address.hostname, address.port)) == 0


def _healthy() -> bool:
    try:
        with urllib.request.urlopen(f"{URL}/api/v2/monitor/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


if __name__ == "__main__":
    {"up": up, "down": down}[sys.argv[1]](EmbeddedAirflow())
