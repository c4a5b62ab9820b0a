"""`c2c export`, as a person and as a program calls it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from c2c_tasks.cli import app
from tests.cli.conftest import Command


def test_an_export_is_told_in_a_few_lines(c2c: Command, target: Path, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    done = c2c("export", "latest", str(folder), "--packing-tokens", "512")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Release 2026.11.24-1 for trl, in ")
    assert "Tokens by o200k_base" in done.stdout and "packed into " in done.stdout
    told = json.loads((folder / "export.json").read_text())
    assert f"train.jsonl  {told['splits']['train']['rows']:,} rows" in done.stdout
    again = c2c("export", "latest", str(folder), "--packing-tokens", "512", "--json")
    assert json.loads(again.stdout) == told


@pytest.fixture
def called(target: Path) -> Callable[..., Result]:
    """Calls the command in this process."""
    return lambda *arguments: CliRunner().invoke(app, arguments)


def test_the_test_split_is_named_as_what_it_is(
    called: Callable[..., Result], tmp_path: Path
) -> None:
    done = called("export", "latest", str(tmp_path / "export"), "--split", "test")
    assert "held out for evaluation, not to be trained on" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "the mixture needs its source 'corpus'"),
        (("--source", "corpus"), "NAME=PATH is wanted"),
        (("--source", "corpus=/nowhere"), "no file of JSON Lines or Parquet"),
        (("--seed", "99999999999"), "option 'mixture_seed': input should be less than or equal"),
        (("--source", "corpus=s3://key:secret@bucket/corpus"), "holds a user name or password"),
        (("--format", "messages", "--trainer", "axolotl"), "the mixture needs its source"),
    ],
)
def test_one_line_says_what_is_wrong(
    called: Callable[..., Result], tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    mixed = ("export", "latest", str(tmp_path / "export"), "--mixture", "continued_pretraining")
    done = called(*mixed, *arguments)
    assert done.exit_code and not (tmp_path / "export").exists()
    assert said in " ".join(f"{done.output} {done.exception}".split())


def test_a_release_that_is_not_there(called: Callable[..., Result], tmp_path: Path) -> None:
    done = called("export", "2020.01.01-1", str(tmp_path / "export"))
    assert "has no release 2020.01.01-1" in str(done.exception)
