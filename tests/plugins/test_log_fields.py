"""Log lines of a step say which build, step, shard and function they are about."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def lines_of(how: str) -> tuple[list[str], list[str]]:
    """Run the step in a process of its own; return what it logs, and the function ids."""
    process = subprocess.run(
        [sys.executable, "-m", "tests.plugins.log_lines", how],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    *lines, last = process.stdout.splitlines()
    return lines, ast.literal_eval(last)


def test_lines_of_a_task_s_log_have_fields_whatever_thread_they_come_from(
    airflow_home: Path, workspace: Path
) -> None:
    lines, (poison, sound) = lines_of("airflow")
    logged = [json.loads(line) for line in lines if line.startswith("{")]
    ours = [line for line in logged if line.get("logger", "").startswith("c2c_tasks")]
    *during, after = ours
    for line in during:
        place = {key: line.get(key) for key in ("build", "step", "shard")}
        assert place == {"build": "run-1", "step": "execute", "shard": "3 of 5"}, line
    assert after["event"] == "after" and "build" not in after
    (killed,) = [line for line in during if ": killed: " in line["event"]]
    assert killed["function_id"] == poison and killed["level"] == "warning"
    refused = [line for line in during if line["event"].endswith("not refined")]
    assert [line["function_id"] for line in refused] == [sound]
    assert "a fault of the writer" in json.dumps(refused)
    assert {line.get("function_id") for line in during} == {poison, sound, None}


def test_without_airflow_the_lines_are_as_readable_as_before(workspace: Path) -> None:
    lines, _ = lines_of("plain")
    assert any(
        line.startswith("WARNING:c2c_tasks.shards:") and ": f: killed: " in line for line in lines
    )
    assert "INFO:c2c_tasks:after" in lines
