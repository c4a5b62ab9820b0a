"""The embedded Airflow: prepared once, in its own home, whatever the environment says."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from c2c_airflow.embedded import EmbeddedAirflow
from c2c_airflow.setting_up import POOLS


def test_it_is_prepared_once(airflow_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with sqlite3.connect(airflow_home / "airflow.db") as database:
        pools = {name for (name,) in database.execute("SELECT pool FROM slot_pool")}
    assert POOLS.keys() <= pools

    def run(*command: Any) -> None:
        raise AssertionError(f"airflow {command} was run again")

    monkeypatch.setattr(EmbeddedAirflow, "run", run)
    EmbeddedAirflow(airflow_home).prepare()


def test_a_command_that_fails_names_the_log(tmp_path: Path) -> None:
    airflow = EmbeddedAirflow(tmp_path)
    with pytest.raises(SystemExit, match=f"no-such-command failed; see {airflow.log}"):
        airflow.run("no-such-command")
    assert b"no-such-command" in airflow.log.read_bytes()


def test_the_environment_does_not_lead_it_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_HOME", "/elsewhere")
    monkeypatch.setenv("AIRFLOW__CORE__DAGS_FOLDER", "/elsewhere/dags")
    environment = EmbeddedAirflow(tmp_path).environment
    assert environment["AIRFLOW_HOME"] == str(tmp_path)
    assert Path(environment["AIRFLOW__CORE__DAGS_FOLDER"], "case2code_build.py").is_file()


def test_output_comes_line_by_line(tmp_path: Path) -> None:
    with EmbeddedAirflow(tmp_path).start("version") as process:
        assert process.stdout is not None
        assert [line.strip() for line in process.stdout][-1] == "3.3.2"
    assert process.returncode == 0
