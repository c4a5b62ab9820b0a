"""`c2c release pin`, `unpin`, `rollback` and `retire`, as a person types them."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from c2c_tasks.cli import app
from c2c_tasks.publishing.pointer import read_pointer
from tests.publishing.conftest import make_program, publish

__all__ = ["make_program", "publish"]
ONE, TWO = "2026.11.24-1", "2026.11.24-2"


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Airflow, where another test has loaded it, writes logs to standard output."""
    caplog.set_level(logging.CRITICAL, "c2c_tasks")


@pytest.fixture
def target(tmp_path: Path, publish: Any, make_program: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """Path of a target of two releases, which is the one of the environment."""
    folder = tmp_path / "target"
    for number in (1, 2):
        publish(folder.as_uri(), [make_program(number)], build_id=f"build-{number}")
    monkeypatch.setenv("C2C_TARGET", str(folder))
    return str(folder)


def run(*arguments: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(app, ["release", *arguments], input=answer)


def done(*arguments: str, answer: str | None = None) -> str:
    result = run(*arguments, answer=answer)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(*arguments: str) -> str:
    result = run(*arguments)
    assert result.exit_code == 1
    (line,) = str(result.exception).splitlines()
    return line


def test_a_bad_release_is_taken_back_and_withdrawn_for_good(target: str) -> None:
    assert done("rollback", ONE) == (
        f"file://{target}: the latest release is {ONE}\nwithdrawn: {TWO}\n"
    )
    again = json.loads(done("rollback", "latest", "--json"))
    pointer = read_pointer(f"file://{target}")
    assert pointer is not None and again == pointer.model_dump(mode="json")
    told = done("retire", TWO, "--reason", "holds a secret", answer="y\n")
    assert f"{TWO} is retired: holds a secret" in told and "files deleted" in told
    listed = [json.loads(line) for line in done("list", "--json").splitlines()]
    assert [(row["version"], row["states"]) for row in listed] == [
        (TWO, ["withdrawn", "retired"]),
        (ONE, ["latest"]),
    ]
    assert "retired on" in refused("rollback", TWO)


def test_nothing_is_deleted_without_a_yes(target: str) -> None:
    files = sorted(Path(target, "releases", ONE).rglob("*"))
    for answer in ("n\n", ""):
        assert run("retire", ONE, "--reason", "old", answer=answer).exit_code == 1
    assert run("retire", ONE).exit_code == 2  # without a reason
    assert run("retire", ONE, "--reason", " ", "--yes").exit_code == 2
    assert sorted(Path(target, "releases", ONE).rglob("*")) == files
    retired = json.loads(done("retire", ONE, "--reason", "old", "--yes", "--json"))
    assert (retired["version"], retired["reason"]) == (ONE, "old") and retired["files"] > 5


def test_a_pinned_release_is_kept(target: str) -> None:
    assert done("pin", ONE, "--reason", "cited") == f"{ONE} is pinned\npinned: {ONE} (cited)\n"
    assert json.loads(done("pin", "latest", "--json")) == {"pinned": {ONE: "cited", TWO: ""}}
    line = refused("retire", f"{target}/releases/{ONE}", "--reason", "old", "--yes")
    assert line == f"c2c: {ONE}: is pinned (cited); unpin it before it is retired"
    done("unpin", TWO)
    assert done("unpin", ONE) == f"{ONE} is not pinned\npinned: none\n"


def test_errors_are_one_line(target: str, tmp_path: Path) -> None:
    assert "has no release 2026.11.20-1" in refused("rollback", "2026.11.20-1")
    assert "is the latest release; roll back" in refused(
        "retire", "latest", "--reason", "bad", "--yes"
    )
    assert "nothing is published here" in refused("pin", "latest", "--target", str(tmp_path))
