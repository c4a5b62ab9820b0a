"""A worker that is killed twenty times, at moments that nobody chose."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import pytest

from c2c_tasks.config import BuildConfig
from c2c_tasks.pipeline import Build
from c2c_tasks.records import Execution, Inputs
from c2c_tasks.shards import read_report, read_shard, report_uri, write_shard
from c2c_tasks.store import file_path
from tests.sandbox.conftest import Sandbox

pytestmark = pytest.mark.nightly

ATTEMPT = Path(__file__).with_name("attempt.py")
FUNCTIONS = 150
KILLS = 20
GONE_SECONDS = 20
"""In which what a killed process started has to be gone."""


class Worker:
    """Runs attempts of one task in processes of their own."""

    def __init__(self, folder: Path, launcher: str) -> None:
        self.deployment = f"test-{uuid.uuid4().hex}"
        self.options: dict[str, Any] = {"launcher": launcher, "workers": 2, "refine_rounds": 0}
        self.folder = folder
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        self._tries = 0

    def start(self, work: str) -> subprocess.Popen[bytes]:
        """Start an attempt on the shard of a work area, `work`."""
        self._tries += 1
        build = self.build(work)
        shard = {
            "shard": "1 of 1",
            "index": 0,
            "uri": build.shard("write_inputs", 0),
            "rows": FUNCTIONS,
        }
        given = {"options": self.options, "shard": shard, "try_number": self._tries}
        return subprocess.Popen(
            [sys.executable, str(ATTEMPT), json.dumps(given)],
            env=os.environ
            | {
                "C2C_WORK": str(self.folder / work),
                "C2C_DEPLOYMENT": self.deployment,
                "TMPDIR": str(self.temporary),
                "PYTHONPATH": os.pathsep.join(sys.path),
            },
            stderr=subprocess.DEVNULL,
        )

    def build(self, work: str) -> Build:
        os.environ["C2C_WORK"] = str(self.folder / work)
        return Build("killed", "2026-11-24", BuildConfig.from_flat(self.options))

    def prepare(self, work: str) -> str:
        """Write the shard of inputs; return the URI of what is made of it."""
        build = self.build(work)
        write_shard(build.shard("write_inputs", 0), Inputs, map(make_function, range(FUNCTIONS)))
        return build.shard("execute", 0)

    def processes(self) -> list[str]:
        """Return the runners that are child processes, by their working directories."""
        found = []
        for link in Path("/proc").glob("[0-9]*/cwd"):
            try:
                found.append(str(link.readlink()))
            except OSError:
                continue
        return [place for place in found if place.startswith(str(self.temporary))]


def make_function(number: int) -> Inputs:
    program = (
        "def f(x, y=3):\n"
        f"    if x > {number}:\n"
        f"        return {{x, y, {number}}}\n"
        "    return [x] * y\n"
    )
    return Sandbox.function(program, *(f"{{'x': {number + n}}}" for n in range(-3, 4)))


def rows_of(uri: str) -> list[Any]:
    return [
        (
            row.function_id,
            [
                (case.arguments, case.outcome, case.output, case.covered_lines, case.deterministic)
                for case in row.cases
            ],
        )
        for row in read_shard(uri, Execution)
    ]


@pytest.mark.parametrize("launcher", ["process", pytest.param("docker", marks=pytest.mark.docker)])
def test_a_worker_killed_twenty_times_loses_and_repeats_nothing(
    launcher: str, workspace: Path, request: pytest.FixtureRequest
) -> None:
    if launcher == "docker":
        client = request.getfixturevalue("docker_client")
    worker = Worker(workspace, launcher)

    undisturbed = worker.prepare("undisturbed")
    started = time.monotonic()
    assert worker.start("undisturbed").wait(60) == 0
    seconds = time.monotonic() - started
    expected = rows_of(undisturbed)
    assert len({identifier for identifier, _ in expected}) == len(expected) == FUNCTIONS
    cases = [case for _, cases in expected for case in cases]
    assert {(outcome, sound) for _, outcome, _, _, sound in cases} <= {
        ("returned", True),
        ("raised", True),
    }

    shard = worker.prepare("killed")
    moments = random.Random(3)
    finished = 0
    for _ in range(KILLS):
        process = worker.start("killed")
        try:
            # Beyond the end, too: there is a moment between the shard's last byte and the exit.
            process.wait(moments.uniform(0.25, 1.05) * seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        if read_report(shard) is not None:
            finished += 1
            assert rows_of(shard) == expected
            # Once more, from nothing.
            file_path(shard).unlink()
            file_path(report_uri(shard)).unlink()
    assert finished < KILLS

    worker.temporary = workspace / "last"
    worker.temporary.mkdir()
    assert worker.start("killed").wait(60) == 0
    assert rows_of(shard) == expected
    folder = file_path(shard).parent
    assert {path.name for path in folder.iterdir() if not path.name.startswith(".c2c-")} == {
        file_path(uri).name for uri in (shard, report_uri(shard))
    }
    assert list(worker.temporary.iterdir()) == []

    deadline = time.monotonic() + GONE_SECONDS
    worker.temporary = workspace / "temporary"
    while worker.processes() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert worker.processes() == []
    if launcher == "docker":
        from c2c_tasks.sandbox.docker import DEPLOYMENT, list_containers

        while time.monotonic() < deadline:
            left = list_containers(client, {DEPLOYMENT: worker.deployment})
            if not left:
                break
            time.sleep(0.1)
        assert left == []
