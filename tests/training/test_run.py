"""A training's two steps in both stores, with a stand-in of the trainer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from c2c_tasks.config import ConfigError, TrainingConfig
from c2c_tasks.inputs.model_folder import local_model
from c2c_tasks.records import Program
from c2c_tasks.store import read, sha256_of, store_for
from c2c_tasks.training import run
from c2c_tasks.training.errors import TrainerDown, TrainingError
from tests.training.test_counting import folder as tokenizer

__all__ = ["tokenizer"]

TOLD = {
    "digest": "the script's",
    "steps": 3,
    "seconds": 1.0,
    "loss": [[1, 7.0], [3, 5.5]],
    "validation_loss": 6.0,
    "tokens_per_second": 10,
}


@pytest.fixture(params=["file", "s3"])
def training(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    tokenizer: Path,
    publish: Any,
    make_program: Callable[[int], Program],
    monkeypatch: pytest.MonkeyPatch,
) -> run.Training:
    """A training on a release in each store."""
    place = tmp_path / "store"
    target = request.getfixturevalue("s3_bucket") if request.param == "s3" else place.as_uri()
    monkeypatch.setenv("C2C_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(run.Training, "scratch", tmp_path / "scratch")
    publish(target, [make_program(n) for n in range(20)])
    options = {"base_model": str(tokenizer), "target": target}
    return run.Training(TrainingConfig.from_flat(options))


def stand_in(data: Path, output: Path, options: Any) -> dict[str, Any]:
    """Look at the data as the script does, and leave a checkpoint."""
    export = json.loads((data / "export.json").read_text())
    assert len((data / "train.jsonl").read_text().splitlines()) == export["splits"]["train"]["rows"]
    output.mkdir(parents=True)
    for name in ("config.json", "model.safetensors", "training.json"):
        (output / name).write_text(name)
    return dict(TOLD)


def test_a_checkpoint_is_in_the_target_and_made_once(
    training: run.Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "run_recipe", stand_in)
    exported = run.export(training)
    made = run.train(training, exported)
    uri = made["uri"]
    assert uri.startswith(f"{training.config.checkpoint.target}/models/")
    assert read(f"{uri}/model.safetensors") == b"model.safetensors"
    told = json.loads(read(f"{uri}/training.json"))
    assert told["digest"] == made["digest"] and told["export"] == exported["uri"]
    assert (made["loss"], made["steps"], made["prompt_style"]) == (5.5, 3, "chat")
    assert made["model"] == (uri.removeprefix("file://") if uri.startswith("file:") else uri)
    assert not list(training.scratch.rglob("*.jsonl")), "what is in the target is not kept twice"

    monkeypatch.setattr(run, "run_recipe", None)
    monkeypatch.setattr(run, "write_export", None)
    assert run.train(training, run.export(training)) == made


def test_a_base_model_in_a_store_is_fetched(
    training: run.Training, tokenizer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = f"{training.config.checkpoint.target}/models/base"
    for name, text in {"config.json": b"{}", "tokenizer.json": None}.items():
        data = text or (tokenizer / name).read_bytes()
        store_for(base).write(f"{base}/{name}", data)
    given = []

    def train(data: Path, output: Path, options: Any) -> dict[str, Any]:
        given.append(Path(options.base_model))
        assert (given[0] / "config.json").read_text() == "{}"
        return stand_in(data, output, options) | {"model": options.base_model}

    monkeypatch.setattr(run, "run_recipe", train)
    flat = {"base_model": base, "target": training.config.checkpoint.target}
    training = run.Training(TrainingConfig.from_flat(flat))
    made = run.train(training, run.export(training))
    assert made["base_model"] == base and made["model_name"].startswith("base-direct_fine_tuning-")
    told = json.loads(read(f"{made['uri']}/training.json"))
    assert told["model"] == base, "not the folder of one worker"
    assert set(told["files"]) == {"config.json", "model.safetensors"}
    assert json.loads(read(f"{told['export']}/export.json"))["tokenizer"] == base
    # What was trained is a base model in its turn.
    weights = Path(local_model(made["uri"]), "model.safetensors")
    assert sha256_of(weights) == told["files"]["model.safetensors"]


def test_an_interrupted_training_leaves_no_checkpoint_and_goes_on(
    training: run.Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = []

    def killed(data: Path, output: Path, options: Any) -> dict[str, Any]:
        outputs.append(output)
        raise TrainerDown("the trainer was ended by signal 9")

    exported = run.export(training)
    monkeypatch.setattr(run, "run_recipe", killed)
    for _ in range(2):
        with pytest.raises(TrainerDown):
            run.train(training, exported)
    assert outputs[0] == outputs[1], "where the script finds its checkpoints"
    monkeypatch.setattr(run, "run_recipe", stand_in)
    assert run.train(training, exported)["steps"] == 3


def test_other_settings_are_another_checkpoint(
    training: run.Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "run_recipe", stand_in)
    one = run.train(training, run.export(training))
    flat = {
        "base_model": training.config.training.base_model,
        "target": training.config.checkpoint.target,
        "recipe_settings": {"max_steps": 7},
    }
    other = run.Training(TrainingConfig.from_flat(flat))
    assert run.export(other)["uri"] == run.export(training)["uri"], "the data is the same"
    assert run.train(other, run.export(other))["uri"] != one["uri"]
    named = run.Training(TrainingConfig.from_flat(flat | {"checkpoint_name": one["model_name"]}))
    with pytest.raises(TrainingError, match="holds a checkpoint of another training"):
        run.train(named, run.export(named))


def test_sources_that_have_changed_are_exported_anew(training: run.Training, corpus: Path) -> None:
    flat = {
        "base_model": training.config.training.base_model,
        "target": training.config.checkpoint.target,
        "mixture": "continued_pretraining",
        "mixture_sources": {"corpus": str(corpus)},
    }
    mixed = run.Training(TrainingConfig.from_flat(flat))
    one = run.export(mixed)
    assert run.export(mixed) == one
    with (corpus / "a.jsonl").open("a") as stream:
        stream.write('{"text": "one text more"}\n')
    assert run.export(mixed)["uri"] != one["uri"]


@pytest.mark.parametrize("base", ["./my model (50% done)/", "..", "org/" + "x" * 300])
def test_a_checkpoint_is_named_as_the_option_may_name_it(base: str) -> None:
    config = TrainingConfig.from_flat({"base_model": base})
    name = run._name(config, "0" * 64)
    assert TrainingConfig.from_flat({"checkpoint_name": name}).checkpoint.checkpoint_name == name


def test_options_that_cannot_be() -> None:
    with pytest.raises(ConfigError, match="checkpoint_name"):
        TrainingConfig.from_flat({"checkpoint_name": "../models"})
    for secret in (
        {"target": "s3://key:secret@bucket"},
        {"base_model": "s3://key:secret@bucket/models/base"},
        {"mixture_sources": {"corpus": "s3://key:secret@bucket/corpus"}},
    ):
        with pytest.raises(ConfigError, match="AWS_ACCESS_KEY_ID"):
            TrainingConfig.from_flat(secret)
    with pytest.raises(TrainingError, match="option base_model"):
        run.export(run.Training(TrainingConfig()))
