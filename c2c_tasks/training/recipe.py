"""The recipe, run under the interpreter of the GPU environment, as a child of this process.

As with the engine that answers (`c2c_tasks.inputs.in_process`), the pins of torch and those of
Airflow need not agree, a task that was forked cannot use CUDA, and when the task ends, however it
ends, the GPU's memory is given back.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from c2c_tasks.config import project_root
from c2c_tasks.config.training import RecipeOptions
from c2c_tasks.inputs.model_folder import TRAINING
from c2c_tasks.training.errors import TrainerDown, TrainingError
from c2c_tasks.training.mixtures import named_file

SCRIPT = "recipes/sft_trl.py"
REFUSED = "sft_trl: error: "
"""How the script begins the line that says what a user has to mend."""
KEPT_LINES = 30

log = logging.getLogger(__name__)


def trainer_python() -> str:
    """Return the interpreter that has TRL: ``C2C_TRAINING_PYTHON``, or ``C2C_VLLM_PYTHON``."""
    names = ("C2C_TRAINING_PYTHON", "C2C_VLLM_PYTHON")
    return next((os.environ[name] for name in names if os.environ.get(name)), sys.executable)


def recipe_file(options: RecipeOptions) -> Path:
    """Return the YAML of a recipe. Raises TrainingError where there is none."""
    return named_file(project_root() / "recipes", options.recipe, "recipe")


def train(data: Path, output: Path, options: RecipeOptions) -> dict[str, Any]:
    """Run the recipe on an export; return what ``training.json`` in the output folder says.

    A training that is complete in the folder is not run again; one that was interrupted goes on.
    Each line of progress is logged. Raises TrainingError where data, model or a setting is wrong,
    and TrainerDown where the process was ended.
    """
    if not options.base_model:
        raise TrainingError("no model is named that is trained on (option base_model)")
    settings = [
        f"--set={name}={json.dumps(value)}" for name, value in options.recipe_settings.items()
    ]
    command = [
        *(trainer_python(), "-u", str(project_root() / SCRIPT), "--with-parent"),
        *("--recipe", str(recipe_file(options)), "--data", str(data)),
        *("--model", options.base_model, "--output", str(output), *settings),
    ]
    _run(command)
    told: dict[str, Any] = json.loads((output / TRAINING).read_text())
    return told


def _run(command: list[str]) -> None:
    # Paths of this interpreter's packages are not for that one.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env=environment,
            start_new_session=True,
        )
    except OSError as error:
        raise TrainingError(
            f"{command[0]} cannot be run ({error.strerror}); C2C_TRAINING_PYTHON names the "
            "interpreter that has TRL"
        ) from None
    assert process.stdout is not None and process.stderr is not None
    said: deque[str] = deque(maxlen=KEPT_LINES)
    listening = threading.Thread(target=_listen, args=(process.stderr, said), daemon=True)
    listening.start()
    try:
        for line in process.stdout:
            log.info("%s", line.rstrip())
        code = process.wait()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        listening.join(timeout=5)
    if code:
        raise _failure(command[0], code, said)


def _listen(stream: IO[str], said: deque[str]) -> None:
    for line in stream:
        if line.strip():
            log.debug("trainer: %s", line.rstrip())
            said.append(line.strip()[-500:])


def _failure(python: str, code: int, said: deque[str]) -> Exception:
    last = said[-1] if said else "it said nothing"
    if last.startswith(REFUSED):
        return TrainingError(last.removeprefix(REFUSED))
    if "No module named 'trl'" in last or "No module named 'torch'" in last:
        return TrainingError(
            f"{python} has no TRL; install docker/gpu/requirements.txt into an environment, or "
            "`make vllm-engine` without a GPU, and name its interpreter in C2C_TRAINING_PYTHON"
        )
    if code < 0:
        return TrainerDown(f"the trainer was ended by signal {-code}: {last}")
    errors = [line for line in said if "Error" in line]
    return TrainingError(f"the trainer failed: {(errors or [last])[-1]}")


def summary(told: Mapping[str, Any]) -> str:
    """Return in a line what came of a training."""
    loss = told["loss"]
    return (
        f"{told['steps']:,} steps in {told['seconds']:,.0f} s, loss {loss[0][1]:.3f} to "
        f"{loss[-1][1]:.3f}, {told['tokens_per_second']:,} tokens a second"
    )
