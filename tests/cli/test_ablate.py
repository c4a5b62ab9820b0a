"""What `c2c ablate` says before it builds anything; tests/pipeline/ablations build."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from c2c_tasks.cli import app

READY = Path(__file__).resolve().parents[2] / "ablations"
PROMPTS = str(READY / "prompt-diversity.yaml")


def test_a_variant_is_printed_as_a_dag_takes_it() -> None:
    arguments = ["--conf", "one_template", "--into", "s3://bucket/runs", "--set", "max_cases=7"]
    result = CliRunner().invoke(app, ["ablate", PROMPTS, *arguments])
    conf = json.loads(result.stdout)
    assert conf["target"] == "s3://bucket/runs/one_template"
    assert (conf["prompt_templates"], conf["max_cases"]) == ("one", 7)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([PROMPTS], 2, "needed: where the datasets go"),
        ([PROMPTS, "--into", "x", "--date", "24.11.2026"], 2, "must be YYYY-MM-DD"),
        ([PROMPTS, "--into", "ftp://host/x"], 1, "the scheme must be file:// or s3://"),
        ([PROMPTS, "--conf", "three"], 1, "no variant 'three'; there are one_template, all"),
        (["absent.yaml", "--into", "x"], 1, "absent.yaml: cannot be read: No such file"),
        ([PROMPTS, "--into", "x", "--set", "formats=[a"], 1, "no YAML: while parsing"),
    ],
)
def test_wrong_use_is_said_in_a_line(
    arguments: list[str], code: int, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["ablate", *arguments])
    said = result.stderr or str(result.exception)
    assert message in said
    assert result.exit_code == code
    assert list(tmp_path.iterdir()) == []
