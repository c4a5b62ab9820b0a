"""What docs/consuming.md says is so."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
from typer.main import get_command

from c2c_tasks.cli import app
from c2c_tasks.consuming.views import REASONS
from c2c_tasks.records import Program, Standing

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "consuming.md").read_text()


@pytest.mark.parametrize("block", re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
def test_the_python_runs(
    block: str,
    tmp_path: Path,
    publish: Any,
    make_program: Callable[[int], Program],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("C2C_TARGET", str(tmp_path / "target"))
    publish((tmp_path / "target").as_uri(), [make_program(n) for n in range(6)])
    exec(block, {})
    assert capsys.readouterr().out.strip()


def test_commands_and_options_exist() -> None:
    release: Any = get_command(app).commands["release"]  # type: ignore[attr-defined]
    assert set(re.findall(r"c2c release (\w+)", PAGE)) <= set(release.commands)
    options = {
        o
        for command in release.commands.values()
        for p in command.params
        for o in [*p.opts, *p.secondary_opts]
    }
    assert set(re.findall(r"--[a-z-]+", PAGE.replace("---", ""))) <= options


def test_reasons_are_those_that_there_are() -> None:
    reasons = PAGE.split("| reason |")[1].split("With `was_`")[0]
    named = {
        name
        for row in reasons.splitlines()
        for name in re.findall(r"`(\w+)`", row.split("|")[1] if row.startswith("|") else "")
    }
    known = set(REASONS) | set(get_args(Standing)) - {"kept", "exact_duplicate"}
    assert named == {name for name in known if not name.startswith("was_")}
