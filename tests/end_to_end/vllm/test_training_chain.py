"""From a release to a graded checkpoint: export, TRL, vLLM and the sandbox, each for real.

The model has random weights and a hundredth of a real one's width: after some hundred steps on a
CPU it writes noise that looks like Python, and solves nothing.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from c2c_tasks import pipeline
from c2c_tasks.config import (
    BuildConfig,
    DataOptions,
    EvaluationConfig,
    RecipeOptions,
    TrainingConfig,
)
from c2c_tasks.config.training import RowFormat
from c2c_tasks.consuming.finding import find_release
from c2c_tasks.evaluation.results import read_result
from c2c_tasks.pipeline.build import Build
from c2c_tasks.pipeline.evaluation import Evaluation
from c2c_tasks.store import store_for
from c2c_tasks.training import recipe, run
from c2c_tasks.training.errors import TrainerDown, TrainingError
from c2c_tasks.training.exporting import ExportRequest, export

pytestmark = [pytest.mark.vllm, pytest.mark.slow, pytest.mark.timeout(900)]

MAKE_MODEL = Path(__file__).with_name("make_model.py")
DATE = "2026-11-24"
STEPS = 200


@pytest.fixture(scope="module")
def place(
    tmp_path_factory: pytest.TempPathFactory, vllm_python: Path, small_dump: Path
) -> Iterator[Path]:
    """A folder with a small release in `target` and a model in `model`; the environment fits."""
    folder = tmp_path_factory.mktemp("chain")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("C2C_WORK", str(folder / "work"))
        patch.setenv("C2C_CATALOGUE", f"sqlite:///{folder / 'catalogue.sqlite'}")
        patch.setenv("C2C_TARGET", str(folder / "target"))
        patch.setenv("C2C_VLLM_PYTHON", str(vllm_python))
        patch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
        patch.setenv("HF_HUB_OFFLINE", "1")
        # So small a model gains nothing from threads, which wait for each other where others work.
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.setattr(run.Training, "scratch", folder / "scratch")
        made = subprocess.run(
            [vllm_python, MAKE_MODEL, folder / "model", "least"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert made.returncode == 0, made.stderr
        options = {
            "dump": str(small_dump),
            "launcher": "process",
            "licences": "any",
            "samples_per_program": 4,
            "max_shown_cases": 3,
            "test_share": 0.15,
            "audit_programs": 3,
        }
        pipeline.run_build(Build("build-1", DATE, BuildConfig.from_flat(options)))
        yield folder


@pytest.fixture(scope="module")
def training(place: Path) -> run.Training:
    """A training on the release."""
    settings = {
        "max_steps": STEPS,
        "learning_rate": 5e-3,
        "batch_rows": 4,
        "accumulated_batches": 1,
        "sequence_tokens": 768,
        "packing": False,
        "checkpoint_steps": 100,
    }
    return run.Training(
        TrainingConfig.from_flat({"base_model": str(place / "model"), "recipe_settings": settings})
    )


@pytest.fixture(scope="module")
def checkpoint(training: run.Training) -> dict[str, Any]:
    """What came of the training."""
    return run.train(training, run.export(training))


def test_the_loss_falls_and_is_recorded(checkpoint: dict[str, Any]) -> None:
    told = json.loads(Path(checkpoint["model"], "training.json").read_text())
    curve = dict(told["loss"])
    assert told["steps"] == STEPS == max(curve)
    assert curve[1] > 6.5, "of 1,024 tokens, any is as likely: ln 1024 is 6.9"
    assert curve[STEPS] < curve[1] - 2
    assert told["validation_loss"] < curve[1] - 1
    assert told["data"]["release"]["manifest_sha256"] == checkpoint["release_manifest_sha256"]
    assert told["versions"]["trl"] and told["precision"] == "float32"


def test_a_training_that_is_complete_is_not_run_again(
    training: run.Training, checkpoint: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "run_recipe", None)
    assert run.train(training, run.export(training)) == checkpoint
    other = training.config.model_copy(
        update={
            "checkpoint": training.config.checkpoint.model_copy(
                update={"checkpoint_name": checkpoint["model_name"]}
            ),
            "training": training.config.training.model_copy(
                update={"recipe_settings": {"max_steps": 3}}
            ),
        }
    )
    with pytest.raises(TrainingError, match=r"holds a checkpoint of another training"):
        run.train(run.Training(other), run.export(training))


def evaluate(name: str, **options: Any) -> Any:
    flat = {"launcher": "process", "split": "test", "differential_inputs": 10} | options
    evaluation = Evaluation(name, DATE, EvaluationConfig.from_flat(flat))
    return read_result(pipeline.run_evaluation(evaluation)["uri"])


def test_the_checkpoint_answers_in_vllm_from_a_store_and_is_graded(
    checkpoint: dict[str, Any], place: Path, s3_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("C2C_CACHE", str(place / "cache"))
    uri = f"{s3_bucket}/models/{checkpoint['model_name']}"
    for path in Path(checkpoint["model"]).iterdir():
        store_for(uri).upload(f"{uri}/{path.name}", path)
    result = evaluate(
        "trained",
        engine="in_process",
        model=uri,
        model_name=checkpoint["model_name"],
        engine_arguments={"enforce_eager": True},
        samples_per_problem=2,
        max_tokens=64,
    )
    (task,) = result.tasks
    assert task.answers == 2 * task.problems > 0
    assert sum(task.categories.values()) == task.answers
    assert task.rate("all", 1).value < 0.5
    assert result.solver.model == uri, "not the folder of one worker"


def test_the_recorded_programs_come_through_the_same_chain_whole(place: Path) -> None:
    result = evaluate("reference", solver="reference")
    (task,) = result.tasks
    assert task.categories["passed_all"] == task.answers == sum(task.categories.values())
    assert task.rate("all", 1).value == 1.0


SHORT = RecipeOptions(
    recipe_settings={
        "max_steps": 6,
        "learning_rate": 1e-3,
        "batch_rows": 2,
        "accumulated_batches": 1,
        "sequence_tokens": 512,
        "checkpoint_steps": 2,
        "logged_steps": 1,
    }
)


@pytest.mark.nightly
@pytest.mark.parametrize("format_", ["prompt_completion", "text"])
def test_other_layouts_packed(place: Path, tmp_path: Path, format_: RowFormat) -> None:
    mixture = tmp_path / "mixture.yaml"
    mixture.write_text(
        f"format: {format_}\nweigh_by: rows\n"
        "sources: [{name: case2code, uri: 'release:', weight: 1}]"
    )
    data = DataOptions(mixture=str(mixture), tokenizer=str(place / "model"))
    export(find_release("latest"), tmp_path / "data", ExportRequest(data=data))
    options = SHORT.model_copy(update={"base_model": str(place / "model")})
    told = recipe.train(tmp_path / "data", tmp_path / "output", options)
    assert told["steps"] == 6 and told["settings"]["packing"] is True
    assert told["loss"][-1][1] < told["loss"][0][1]


@pytest.mark.nightly
def test_a_killed_training_goes_on(place: Path, tmp_path: Path) -> None:
    data = DataOptions(tokenizer=str(place / "model"))
    export(find_release("latest"), tmp_path / "data", ExportRequest(data=data))
    settings = SHORT.recipe_settings | {"max_steps": 40, "logged_steps": 2}
    options = SHORT.model_copy(
        update={"base_model": str(place / "model"), "recipe_settings": settings}
    )
    output = tmp_path / "output"
    ended = threading.Event()

    def kill() -> None:
        """Kill the trainer once there are checkpoints."""
        while not list(output.glob("checkpoints/checkpoint-*")):
            if ended.wait(0.1):
                return
        listed = subprocess.run(["ps", "-eww", "-o", "pid=,args="], capture_output=True, text=True)
        for line in listed.stdout.splitlines():
            if str(output) in line and "sft_trl" in line:
                os.kill(int(line.split()[0]), signal.SIGKILL)

    killing = threading.Thread(target=kill)
    killing.start()
    try:
        with pytest.raises(TrainerDown, match="signal 9"):
            recipe.train(tmp_path / "data", output, options)
    finally:
        ended.set()
        killing.join()
    told = recipe.train(tmp_path / "data", output, options)
    assert told["resumed"] is True and told["steps"] == 40
    assert [step for step, _ in told["loss"]] == [1, *range(2, 41, 2)]


@pytest.mark.nightly
def test_tokens_are_counted_as_transformers_does(
    place: Path, tmp_path: Path, vllm_python: Path
) -> None:
    data = DataOptions(tokenizer=str(place / "model"))
    export(find_release("latest"), tmp_path / "data", ExportRequest(data=data))
    # AutoTokenizer takes the class of Qwen2, by the model's kind, for a file that is not Qwen2's.
    script = (
        "import json, sys, transformers\n"
        "tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(sys.argv[1])\n"
        "for line in open(sys.argv[2]):\n"
        "    row = json.loads(line)\n"
        "    ids = tokenizer.apply_chat_template(row['messages'], return_dict=True)['input_ids']\n"
        "    assert len(ids) == row['length'], (row['id'], len(ids), row['length'])\n"
    )
    checked = subprocess.run(
        [vllm_python, "-c", script, place / "model", tmp_path / "data" / "train.jsonl"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr
