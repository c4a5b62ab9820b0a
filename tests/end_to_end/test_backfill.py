"""A backfill on a real scheduler, against the same days built in turn."""

from __future__ import annotations

import hashlib
import json
import signal
import socket
import sqlite3
import sysconfig
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from c2c_airflow import standalone
from c2c_airflow.embedded import EmbeddedAirflow
from c2c_tasks.config import BuildConfig
from c2c_tasks.pipeline import Build, NothingNew, run_build
from c2c_tasks.publishing.data_files import read_programs
from c2c_tasks.publishing.manifest import read_manifest
from c2c_tasks.publishing.pointer import read_pointer
from c2c_tasks.store import normalise, read

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(900)]

# What a day brings: some functions are near duplicates of those of another day, so it matters
# which was first; the second day brings nothing new.
DAYS = {
    "2024-05-01": ["ntpath", "colorsys", "textwrap", "heapq"],
    "2024-05-02": ["ntpath", "colorsys"],
    "2024-05-03": ["posixpath", "genericpath", "bisect", "fnmatch"],
}
OPTIONS: dict[str, Any] = {
    "launcher": "process",
    "inputs_per_function": 8,
    "refine_rounds": 0,
    "audit_programs": 2,
    "benchmarks": [],
    "licences": "any",
}
RUN_SECONDS = 600


@pytest.fixture
def airflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedAirflow]:
    """An Airflow of its own that runs: scheduler, API server, DAG processor, LocalExecutor."""
    api, logs, trigger_logs = free_ports(3)
    monkeypatch.setattr(standalone, "URL", f"http://127.0.0.1:{api}")
    airflow = EmbeddedAirflow(tmp_path / "airflow")
    airflow.environment |= {
        "AIRFLOW__API__PORT": str(api),
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{api}",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{api}/execution/",
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(logs),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(trigger_logs),
        "C2C_WORK": str(tmp_path / "airflow-work"),
        "C2C_CATALOGUE": f"sqlite:///{tmp_path / 'airflow-catalogue.sqlite'}",
    }
    standalone.up(airflow)
    yield airflow
    # `make ui` has ended when `make ui-down` comes; here, its child would stay as a zombie.
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    standalone.down(airflow)
    signal.signal(signal.SIGCHLD, before)


def free_ports(number: int) -> list[int]:
    sockets = [socket.socket() for _ in range(number)]
    for found in sockets:
        found.bind(("127.0.0.1", 0))
    ports = [int(found.getsockname()[1]) for found in sockets]
    for found in sockets:
        found.close()
    return ports


@pytest.fixture
def dated_dump(tmp_path: Path) -> str:
    """Folders by date, as option `dump` names them."""
    for date, modules in DAYS.items():
        folder = tmp_path / "dumps" / date
        folder.mkdir(parents=True)
        for name in modules:
            source = Path(sysconfig.get_path("stdlib"), f"{name}.py")
            (folder / source.name).write_bytes(source.read_bytes())
    return f"{tmp_path}/dumps/{{date}}"


def run_states(airflow: EmbeddedAirflow) -> dict[str, str]:
    """Return the state of each run, by date."""
    database = sqlite3.connect(f"file:{airflow.home}/airflow.db?mode=ro", uri=True, timeout=30)
    try:
        query = "SELECT partition_key, state FROM dag_run WHERE run_type = 'backfill'"
        return dict(database.execute(query).fetchall())
    finally:
        database.close()


def releases(target: str) -> dict[str, Any]:
    """Return what each release of a target is, latest first: its parent and its programs."""
    pointer = read_pointer(target)
    assert pointer is not None
    found = {}
    version: str | None = pointer.version
    while version:
        uri = f"{target}/releases/{version}"
        manifest = read_manifest(uri)
        programs = {program.function_id: program for program in read_programs(uri)}
        found[version] = (manifest.parent, manifest.created_for, programs)
        version = manifest.parent
    return found


def test_a_backfill_gives_what_the_days_give_in_turn(
    airflow: EmbeddedAirflow, dated_dump: str, workspace: Path
) -> None:
    target = normalise(str(workspace / "backfilled"))
    conf = OPTIONS | {"dump": dated_dump, "target": target}
    airflow.run("dags", "reserialize")
    airflow.run("dags", "unpause", "case2code_build")
    first, *_, last = DAYS
    airflow.run(
        *("backfill", "create", "--dag-id", "case2code_build"),
        *("--from-date", first, "--to-date", f"{last}T23:59:59"),
        *("--dag-run-conf", json.dumps(conf)),
    )

    # Meanwhile, the same here.
    in_turn = normalise(str(workspace / "in-turn"))
    for date in DAYS:
        options = BuildConfig.from_flat(conf | {"target": in_turn})
        try:
            run_build(Build(f"build-{date}", date, options))
        except NothingNew:
            assert date == "2024-05-02"
    expected = releases(in_turn)
    assert list(expected) == ["2024.05.03-1", "2024.05.01-1"]

    deadline = time.monotonic() + RUN_SECONDS
    while True:
        states = run_states(airflow)
        if set(states) == set(DAYS) and set(states.values()) <= {"success", "failed"}:
            break
        assert time.monotonic() < deadline, states
        time.sleep(1)
    assert states == dict.fromkeys(DAYS, "success")
    assert releases(target) == expected
    check_what_people_see(target)


def check_what_people_see(target: str) -> None:
    """See that Airflow tells of each day: a note, metadata on the Asset's page, links of tasks."""
    runs = {run["partition_key"]: run for run in get("dags/case2code_build/dagRuns")["dag_runs"]}
    for date, version in (("2024-05-01", "2024.05.01-1"), ("2024-05-03", "2024.05.03-1")):
        note = runs[date]["note"]
        assert f"**[{version}](/plugin/case2code/case2code/#/releases/{version}?target=" in note
        assert "- functions: " in note and "\n\nPreset demo, " in note and len(note) <= 1_000
    skipped = "**No release**: merge_functions skipped the run: no function in the new dump objects"
    assert runs["2024-05-02"]["note"].startswith(skipped)

    *_, event = get("assets/events?order_by=timestamp")["asset_events"]
    uri = f"{target}/releases/2024.05.03-1"
    manifest = read_manifest(uri)
    expected = {
        "version": "2024.05.03-1",
        "uri": uri,
        "rows": manifest.splits,
        "parent": "2024.05.01-1",
        "build": runs["2024-05-03"]["dag_run_id"],
        "date": "2024-05-03",
        "latest": True,
        "manifest_sha256": hashlib.sha256(read(f"{uri}/manifest.json")).hexdigest(),
    }
    assert {key: event["extra"][key] for key in expected} == expected
    assert event["extra"]["bytes"] > 100_000
    assert (event["name"], event["group"]) == ("case2code_dataset", "case2code")

    run = quote(expected["build"])
    links = {
        task: get(f"dags/case2code_build/dagRuns/{run}/taskInstances/{task}/links")["extra_links"]
        for task in ("plan", "audit", "publish")
    }
    page = event["extra"]["page"]
    assert links["publish"] == {"Release": page, "Dataset card": event["extra"]["card"]}
    assert links["audit"] == {"Release": page}
    assert "/case2code/#/builds/backfill__" in links["plan"]["Progress of the build"]


def get(path: str) -> Any:
    """Return the answer of Airflow's REST API."""
    with urllib.request.urlopen(f"{standalone.URL}/api/v2/{path}", timeout=30) as answer:
        return json.load(answer)
