"""`c2c evaluate` and `c2c evaluation`: the command as a process, on a small target."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Command

OPTIONS = (
    *("--launcher", "process", "--solver", "reference"),
    *("--option", "problem_held_cases=1", "--option", "problems_per_shard=1"),
    *("--option", "differential_inputs=0"),
)


@pytest.fixture
def work(tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the work areas of evaluations."""
    monkeypatch.setenv("C2C_WORK", str(tmp_path / "work"))
    return tmp_path / "work" / ".evaluations"


def test_an_evaluation_is_cut_off_goes_on_and_is_listed(
    work: Path, target: Path, c2c: Command
) -> None:
    arguments = ("evaluate", *OPTIONS, "--id", "cut-2026-11-24")
    process = subprocess.Popen(
        [sys.executable, "-m", "c2c_tasks.cli", *arguments],
        stderr=subprocess.DEVNULL,
        env=os.environ,
    )
    first = work / "cut-2026-11-24" / "grade" / "part-00000.report.json"
    deadline = time.monotonic() + 60
    while not first.exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL  # it had not come to its end
    graded, when = first.read_bytes(), first.stat().st_mtime_ns

    done = c2c(*arguments)
    assert done.returncode == 0, done.stderr
    assert "the solver reference answers: a bound, no model" in done.stderr
    assert "no container: functions run as child processes of this machine" in done.stderr
    assert "--id cut-2026-11-24 goes on" in done.stderr
    assert (first.read_bytes(), first.stat().st_mtime_ns) == (graded, when)
    lines = done.stdout.splitlines()
    assert lines[0] == "reference on 2026.11.24-1"
    assert "solver reference, launcher process, 2026-11-24" in lines
    held = next(line.split() for line in lines if "held-out cases" in line)
    assert held == ["induction", "4", "held-out", "cases", "1", "100.0%", "51.0%", "to", "100.0%"]
    assert next(line.split() for line in lines if "passed" in line) == ["passed", "all", "4"]
    uri = lines[-1].removeprefix("report: ")
    name = uri.rpartition("/")[2]
    assert Path(uri.removeprefix("file://"), "report.json").is_file()

    listed = c2c("evaluation", "list").stdout.splitlines()
    assert listed[0] == "induction on 2026.11.24-1, test split: 4 problems"
    assert listed[2].split()[:2] == ["reference", "100.0%"] and listed[2].endswith(name)
    (board,) = json.loads(c2c("evaluation", "list", str(target), "--json").stdout)
    assert [standing["name"] for standing in board["standings"]] == [name]
    assert c2c("evaluation", "show", "reference-").stdout == done.stdout
    shown = json.loads(c2c("evaluation", "show", name, "--json").stdout)
    assert (shown["uri"], shown["evaluation_id"]) == (uri, "cut-2026-11-24")
    missing = c2c("evaluation", "show", "qwen")
    assert missing.returncode == 1
    assert missing.stderr == (
        f"c2c: {target.as_uri()}: no evaluation of the name qwen; there are: {name}\n"
    )


def test_options_are_those_of_a_file_and_the_command_line_wins(
    work: Path, tmp_path: Path, c2c: Command
) -> None:
    file = tmp_path / "options.json"
    file.write_text(json.dumps({"solver": "reference", "launcher": "process", "pass_at": [1, 5]}))
    done = c2c(
        *("evaluate", "2026.11.23-1", "--config", str(file), "--solver", "lookup", "--json"),
        *("--option", "problem_held_cases=1", "--samples-per-problem", "2"),
        *("--option", "model_name=7", "--option", "pass_at=[1,2]"),
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["model"], result["solver"]["name"]) == ("7", "lookup")
    assert result["release"]["version"] == "2026.11.23-1"
    (task,) = result["tasks"]
    assert {rate["k"] for rate in task["pass_at"]} == {1, 2}
    assert {rate["value"] for rate in task["pass_at"]} == {0.0}


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--option", "shots=1"], 2, "unknown option: shots"),
        (["--option", "shots"], 2, "shots: must be NAME=VALUE"),
        (["--option", "max_problems=many"], 2, "option 'max_problems': input should be"),
        (["--solver", "oracle"], 2, "option 'solver'"),
        (["2026.11.20-1", "--solver", "lookup"], 1, "c2c: .*: has no release 2026.11.20-1"),
        (["--target", "/nowhere", "--solver", "lookup"], 1, "c2c: .*: nothing is published here"),
        (["--endpoint", "http://127.0.0.1:9/v1", *OPTIONS[4:]], 1, "c2c: vllm: .* does not answer"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    arguments: list[str], code: int, message: str, work: Path, c2c: Command
) -> None:
    done = c2c("evaluate", *arguments)
    assert done.returncode == code, done.stderr
    last = " ".join(done.stderr.splitlines()[-2:] if code == 2 else done.stderr.splitlines()[-1:])
    assert re.search(message, last), done.stderr
    assert done.stdout == "" and "Traceback" not in done.stderr
