"""The recipe as a child process, and what the script refuses before it loads a model."""

from __future__ import annotations

import importlib.util
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from c2c_tasks.config import RecipeOptions
from c2c_tasks.config.training import DataOptions
from c2c_tasks.consuming.finding import FoundRelease
from c2c_tasks.training import recipe
from c2c_tasks.training.errors import TrainerDown, TrainingError
from c2c_tasks.training.exporting import ExportRequest, export
from c2c_tasks.training.mixtures import read_mixture

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = RecipeOptions(base_model="model")


@pytest.fixture(scope="module")
def script() -> Any:
    """The script as a module. It needs TRL when it trains alone."""
    spec = importlib.util.spec_from_file_location("sft_trl", ROOT / recipe.SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["sft_trl"] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def trainer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Lets the GPU environment's interpreter be a shell script."""

    def make(body: str) -> None:
        path = tmp_path / "python"
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        monkeypatch.setenv("C2C_TRAINING_PYTHON", str(path))

    return make


@pytest.mark.parametrize("path", sorted((ROOT / "recipes").glob("*.yaml")), ids=lambda p: p.stem)
def test_recipes_are_what_the_script_takes(script: Any, path: Path) -> None:
    script.read_settings(path, [])
    assert read_mixture(path.stem).format in ("messages", "text")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("learning_rate=fast", "setting 'learning_rate': 'fast' is no float"),
        ("max_steps=1.5", "setting 'max_steps': 1.5 is no int"),
        ("packing=3", "setting 'packing': 3 is no bool"),
        ("batch_rows=0", "setting 'batch_rows': must be more than 0"),
        ("checkpoint_steps=0", "setting 'checkpoint_steps': must be more than 0"),
        ("rows=1", "setting 'rows' is unknown; there are learning_rate, "),
    ],
)
def test_settings_out_of_bounds_are_named(script: Any, change: str, said: str) -> None:
    with pytest.raises(script.RecipeError, match=said):
        script.read_settings(None, [change])


def test_data_is_compared_with_its_digest(script: Any, found: FoundRelease, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    with pytest.raises(script.RecipeError, match="make the folder by `c2c export`"):
        script.read_export(folder)
    export(found, folder, ExportRequest(data=DataOptions()))
    assert script.read_export(folder)["format"] == "messages"
    with (folder / "train.jsonl").open("a") as stream:
        stream.write("\n")
    with pytest.raises(script.RecipeError, match=r"train\.jsonl: is not what export\.json says"):
        script.read_export(folder)


def test_an_output_folder_is_of_one_training(script: Any, tmp_path: Path) -> None:
    output = tmp_path / "output"
    assert script.begin(output, "one") is False
    (output / "checkpoints").mkdir()
    assert script.begin(output, "one") is False, "it goes on"
    with pytest.raises(script.RecipeError, match="holds another training"):
        script.begin(output, "two")
    (output / script.BEGUN).rename(output / script.TRAINING)
    assert script.begin(output, "one") is True


def test_a_training_that_is_killed_at_its_beginning_or_end_is_no_folder_to_be_mended(
    script: Any, tmp_path: Path
) -> None:
    output = tmp_path / "output"
    output.mkdir()
    (output / f".{script.BEGUN}.part").write_text("{")
    assert script.begin(output, "one") is False
    (output / "model.safetensors").touch()
    (output / script.CHECKPOINTS / "checkpoint-1").mkdir(parents=True)

    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(script.shutil, "rmtree", killed)
        script.finish(output, {"digest": "one"})
    assert script.begin(output, "one") is True
    assert {path.name for path in output.iterdir()} == {"model.safetensors", script.TRAINING}


def test_training_goes_on_from_the_last_checkpoint_that_is_whole(
    script: Any, tmp_path: Path
) -> None:
    assert script.last_checkpoint(tmp_path / "none") is None
    for step in (900, 1_000):
        (tmp_path / f"checkpoint-{step}").mkdir()
        (tmp_path / f"checkpoint-{step}" / "trainer_state.json").write_text("{}")
    killed_within = tmp_path / "checkpoint-1100"
    killed_within.mkdir()
    (killed_within / "model.safetensors").write_bytes(b"half")
    assert script.last_checkpoint(tmp_path).name == "checkpoint-1000"
    assert not killed_within.exists()


def test_lines_of_progress_are_logged(
    trainer: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    trainer(
        'echo "step 1 of 2"; for last; do :; done; echo \'{"steps": 2}\' > output/training.json'
    )
    output = tmp_path / "output"
    output.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        assert recipe.train(tmp_path, output, OPTIONS) == {"steps": 2}
    assert "step 1 of 2" in caplog.messages


@pytest.mark.parametrize(
    ("body", "error", "said"),
    [
        ('echo "sft_trl: error: no rows" >&2; exit 1', TrainingError, "^no rows$"),
        (
            "echo \"Error: No module named 'trl'\" >&2; exit 1",
            TrainingError,
            "no TRL",
        ),
        (
            'echo "torch.OutOfMemoryError: CUDA" >&2; exit 1',
            TrainingError,
            "OutOfMemoryError: CUDA",
        ),
        ("kill -9 $$", TrainerDown, "ended by signal 9"),
    ],
)
def test_failures_say_what_was_wrong(
    trainer: Any, tmp_path: Path, body: str, error: type[Exception], said: str
) -> None:
    trainer(body)
    with pytest.raises(error, match=said):
        recipe.train(tmp_path, tmp_path / "output", OPTIONS)


def test_without_an_interpreter_or_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TrainingError, match=r"option base_model"):
        recipe.train(tmp_path, tmp_path, RecipeOptions())
    monkeypatch.setenv("C2C_TRAINING_PYTHON", str(tmp_path / "python"))
    with pytest.raises(TrainingError, match=r"cannot be run .*C2C_TRAINING_PYTHON"):
        recipe.train(tmp_path, tmp_path, OPTIONS)
    with pytest.raises(TrainingError, match=r"recipe 'best': there is none; there are continued"):
        recipe.train(tmp_path, tmp_path, OPTIONS.model_copy(update={"recipe": "best"}))


def test_the_child_ends_with_its_parent(tmp_path: Path) -> None:
    """The real script waits for the end of its input in a thread, whatever else it does."""
    fifo = tmp_path / "export.json"
    os.mkfifo(fifo)  # reading it blocks, as a long training would
    process = subprocess.Popen(
        [
            *(sys.executable, ROOT / recipe.SCRIPT, "--with-parent", "--data", tmp_path),
            *("--model", "model", "--output", tmp_path / "output"),
        ],
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    time.sleep(0.3)
    assert process.poll() is None
    assert process.stdin is not None
    process.stdin.close()
    ending = threading.Timer(20, process.kill)
    ending.start()
    assert process.wait() == -signal.SIGKILL
    ending.cancel()


def test_the_script_ends_by_itself_while_its_parent_lives(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [
            *(sys.executable, ROOT / recipe.SCRIPT, "--with-parent", "--data", tmp_path),
            *("--model", "model", "--output", tmp_path / "output"),
        ],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdin is not None and process.stderr is not None
    said = process.stderr.read().decode()
    assert process.wait(20) == 1 and said.startswith(recipe.REFUSED)
    process.stdin.close()
