"""Trains a language model with TRL on what `c2c export` has written.

    python recipes/sft_trl.py --recipe recipes/direct_fine_tuning.yaml --data FOLDER \\
        --model MODEL --output FOLDER [--set learning_rate=2e-5 ...]

Runs alone, under an interpreter that has TRL (docker/gpu/requirements.txt, or the environment of
`make vllm-engine` without a GPU), in bfloat16 where the GPU has it and else in float32. Of a chat,
the answer alone is learnt: the loss leaves the prompt out. Interrupted and started again, it goes
on from the last checkpoint. The output folder holds the model and its tokenizer, for vLLM and
`transformers`, and `training.json`, written last, which says how it was made and how the loss went.

More GPUs: `accelerate launch recipes/sft_trl.py ...`.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import math
import os
import shutil
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

EXPORT = "export.json"
TRAINING = "training.json"
BEGUN = "begun.json"
"""In the output folder, while it is not complete: the digest of what is trained."""
CHECKPOINTS = "checkpoints"


class RecipeError(Exception):
    """The data, the model or a setting is not what it must be; the message names it."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """What a recipe may set."""

    learning_rate: float = 1e-5
    schedule: str = "cosine"
    """Course of the learning rate after warming up, as `transformers` names it."""
    warmup_share: float = 0.03
    """Share of the steps in which the learning rate rises."""
    weight_decay: float = 0.0
    epochs: float = 1.0
    max_steps: int = 0
    """Steps of the optimiser; 0: as many as the epochs have."""
    max_seconds: float = 0.0
    """Training ends at the first step after so long, and the model is kept; 0: no limit."""
    batch_rows: int = 8
    """Rows, or packed sequences, of one forward pass on one GPU."""
    accumulated_batches: int = 1
    """Batches that make a step."""
    sequence_tokens: int = 2048
    """Chats that are longer are left out, for an answer cut off teaches to stop in the middle;
    texts are cut into pieces."""
    packing: bool = True
    """Several rows in a sequence, none of which sees another."""
    gradient_checkpointing: bool = False
    """Less memory for more time."""
    attention: str = ""
    """Implementation of attention, as `transformers` names it; empty: the model's default. Without
    `flash_attention_2`, packed sequences go through the model one at a time, for the mask that
    keeps rows apart grows with the square of what goes through; a step is the same."""
    saved_weights: str = "bfloat16"
    """Type of the numbers that are saved."""
    saved_file_size: str = "5GB"
    """Size of one file of weights, at most."""
    checkpoint_steps: int = 500
    """Steps between two checkpoints, from which an interrupted training goes on."""
    logged_steps: int = 10
    """Steps between two points of the loss curve."""
    seed: int = 0


def main() -> None:
    """Train; or end with one line that says what is wrong, and exit code 1."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipe", type=Path, help="settings in YAML")
    parser.add_argument("--data", type=Path, required=True, help="folder of `c2c export`")
    parser.add_argument("--model", required=True, help="folder, or a name on the Hub")
    parser.add_argument("--output", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--with-parent", action="store_true", help="end when standard input does")
    arguments = parser.parse_args()
    if arguments.with_parent:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        settings = read_settings(arguments.recipe, arguments.set)
        train(arguments.data, arguments.model, arguments.output, settings)
    except RecipeError as error:
        sys.exit(f"sft_trl: error: {error}")


def _end_with_parent() -> None:
    # Not through sys.stdin: a thread that holds its lock at the end makes the interpreter abort.
    while os.read(0, 1 << 10):
        pass
    os.killpg(0, signal.SIGKILL)


def say(text: str) -> None:
    """Print a line of progress."""
    print(text, flush=True)


def read_settings(recipe: Path | None, changes: list[str]) -> Settings:
    """Return the settings of a recipe with changes of it. Raises RecipeError."""
    import yaml

    given: dict[str, Any] = {}
    if recipe is not None:
        try:
            given = yaml.safe_load(recipe.read_text()) or {}
        except (OSError, yaml.YAMLError) as error:
            raise RecipeError(f"{recipe}: {' '.join(str(error).split())}") from None
    for change in changes:
        name, _, value = change.partition("=")
        given[name] = yaml.safe_load(value)
    known = {field.name: field for field in dataclasses.fields(Settings)}
    for name, value in given.items():
        if name not in known:
            raise RecipeError(f"setting {name!r} is unknown; there are {', '.join(known)}")
        wanted = type(known[name].default)
        try:
            fits = isinstance(value, bool) == (wanted is bool)
            given[name] = wanted(value)
        except (TypeError, ValueError):
            fits = False
        if not fits or (wanted is int and given[name] != float(value)):
            raise RecipeError(f"setting {name!r}: {value!r} is no {wanted.__name__}")
    settings = Settings(**given)
    for name in (
        *("learning_rate", "epochs", "batch_rows", "accumulated_batches", "sequence_tokens"),
        *("checkpoint_steps", "logged_steps"),
    ):
        if not getattr(settings, name) > 0:
            raise RecipeError(f"setting {name!r}: must be more than 0")
    return settings


def read_export(folder: Path) -> dict[str, Any]:
    """Return what ``export.json`` says; its files are compared with their SHA-256."""
    try:
        export: dict[str, Any] = json.loads((folder / EXPORT).read_text())
    except (OSError, ValueError):
        raise RecipeError(
            f"{folder}: has no {EXPORT} that can be read; make the folder by `c2c export`"
        ) from None
    if export.get("trainer") != "trl":
        raise RecipeError(
            f"{folder}: is laid out for {export.get('trainer')}, not for trl; export it anew"
        )
    for split, part in export["splits"].items():
        path = folder / part["file"]
        if not path.is_file():
            raise RecipeError(f"{path}: missing")
        with path.open("rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() != part["sha256"]:
                raise RecipeError(f"{path}: is not what {EXPORT} says of the split {split}")
    if "train" not in export["splits"]:
        raise RecipeError(f"{folder}: has no split to train on")
    return export


def digest_of(export: dict[str, Any], model: str, settings: Settings) -> str:
    """Return what tells one training from another: data, model and settings."""
    files = {split: part["sha256"] for split, part in export["splits"].items()}
    said = json.dumps([files, model, dataclasses.asdict(settings)], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def begin(output: Path, digest: str) -> bool:
    """Prepare the output folder; return whether this very training is complete in it already."""
    output.mkdir(parents=True, exist_ok=True)
    for name in (TRAINING, BEGUN):
        path = output / name
        if path.is_file():
            if json.loads(path.read_text())["digest"] != digest:
                raise RecipeError(
                    f"{output}: holds another training, of other data, model or settings"
                )
            if name == TRAINING:
                clean(output)
            return name == TRAINING
    if not all(path.name.endswith(".part") for path in output.iterdir()):
        raise RecipeError(f"{output}: is not empty; name a new folder")
    put(output / BEGUN, {"digest": digest})
    return False


def finish(output: Path, told: dict[str, Any]) -> None:
    """Make the output folder complete. Killed at any point, a training goes on or is complete."""
    put(output / TRAINING, told)
    clean(output)


def clean(output: Path) -> None:
    """Remove from a complete output folder what an attempt needs that goes on."""
    shutil.rmtree(output / CHECKPOINTS, ignore_errors=True)
    (output / BEGUN).unlink(missing_ok=True)


def put(path: Path, value: dict[str, Any]) -> None:
    """Write a file of JSON, which is there when it is whole."""
    partial = path.with_name(f".{path.name}.part")
    partial.write_text(f"{json.dumps(value, indent=1)}\n")
    partial.rename(path)


def train(data: Path, model_name: str, output: Path, settings: Settings) -> None:
    """Train a model, and write it. Raises RecipeError."""
    export = read_export(data)
    digest = digest_of(export, model_name, settings)
    if begin(output, digest):
        say(f"{output} is complete already")
        return
    scratch = output / CHECKPOINTS
    # Read when the library is imported.
    os.environ["HF_DATASETS_CACHE"] = str(scratch / "rows")
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.set_seed(settings.seed)
    weights = weights_type(settings)
    model, tokenizer = load(model_name, settings)
    rows = {
        split: load_rows(data, export, split, tokenizer, settings)
        for split in ("train", "validation")
        if split in export["splits"]
    }
    precision = "bfloat16" if torch.cuda.is_available() and bf16_works() else "float32"
    count = sum(parameter.numel() for parameter in model.parameters())
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    say(f"training {count:,} parameters on {len(rows['train']):,} rows, in {precision} on {device}")
    watch = watcher(settings)
    trainer = make_trainer(model, tokenizer, rows, scratch, settings, precision, watch)
    last = last_checkpoint(scratch)
    if last:
        say(f"going on from {last.name}")
    started = time.monotonic()
    trainer.train(resume_from_checkpoint=last and str(last))
    seconds = time.monotonic() - started
    curve = [entry for entry in trainer.state.log_history if "loss" in entry]
    if not curve or not all(math.isfinite(entry["loss"]) for entry in curve):
        raise RecipeError("the loss is no number: the learning rate may be too high")
    evaluated = trainer.evaluate() if "validation" in rows else {}
    if not trainer.is_world_process_zero():
        return
    model.to(weights).save_pretrained(output, max_shard_size=settings.saved_file_size)
    tokenizer.save_pretrained(output)
    tokens = int(trainer.state.num_input_tokens_seen)
    told = {
        "digest": digest,
        "model": model_name,
        "parameters": count,
        "data": {
            "release": export["release"],
            "mixture": export["mixture"],
            "export_digest": export["digest"],
            "files": {split: part["sha256"] for split, part in export["splits"].items()},
            "rows": {split: len(part) for split, part in rows.items()},
        },
        "settings": dataclasses.asdict(settings),
        "steps": trainer.state.global_step,
        "seconds": round(seconds, 1),
        "resumed": bool(last),
        "tokens": tokens,
        "tokens_per_second": watch.rate(),
        "loss": [[entry["step"], round(entry["loss"], 4)] for entry in curve],
        "validation_loss": evaluated.get("eval_loss"),
        "precision": precision,
        "device": device,
        "versions": versions(),
    }
    finish(output, told)
    say(f"{output}: loss {curve[0]['loss']:.3f} to {curve[-1]['loss']:.3f} in {seconds:.0f} s")


def last_checkpoint(scratch: Path) -> Path | None:
    """Return the last checkpoint that is whole: `trainer_state.json` is written last into one.

    What a killed attempt has begun is removed: nothing can go on from it, at this or any retry.
    """
    whole: dict[int, Path] = {}
    for folder in scratch.glob("checkpoint-*"):
        if (folder / "trainer_state.json").is_file():
            whole[int(folder.name.rpartition("-")[2])] = folder
        else:
            shutil.rmtree(folder)
    return whole[max(whole)] if whole else None


def bf16_works() -> bool:
    """Tell whether the GPU computes in bfloat16."""
    import torch

    return torch.cuda.is_bf16_supported(including_emulation=False)


def load(name: str, settings: Settings) -> tuple[Any, Any]:
    """Return the model, in float32, and its tokenizer. Raises RecipeError."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    attention = {"attn_implementation": settings.attention} if settings.attention else {}
    try:
        tokenizer = AutoTokenizer.from_pretrained(name)
        model = AutoModelForCausalLM.from_pretrained(name, dtype=torch.float32, **attention)
    except (OSError, ValueError, ImportError) as error:
        said = " ".join(str(error).split())[:300]
        raise RecipeError(f"the model {name} cannot be loaded: {said}") from None
    if tokenizer.eos_token is None:
        raise RecipeError(f"the tokenizer of {name} has no token that ends a text")
    context = getattr(model.config, "max_position_embeddings", None)
    if context and settings.sequence_tokens > context:
        raise RecipeError(f"setting 'sequence_tokens': {name} has a context of {context} tokens")
    return model, tokenizer


def load_rows(
    folder: Path, export: dict[str, Any], split: str, tokenizer: Any, settings: Settings
) -> Any:
    """Return the rows of a split: texts, or prompts with their completions as messages."""
    import datasets

    datasets.disable_progress_bars()
    file = export["splits"][split]["file"]
    kind = "parquet" if file.endswith(".parquet") else "json"
    rows = datasets.load_dataset(kind, data_files=str(folder / file), split="train")
    if export["format"] == "text":
        return rows.select_columns(["text"])
    if tokenizer.chat_template is None:
        raise RecipeError("the model has no chat template: it is to be trained on texts (--format)")
    if export["format"] == "messages":
        rows = rows.map(
            lambda row: {"prompt": row["messages"][:-1], "completion": row["messages"][-1:]}
        )
    rows = rows.select_columns(["prompt", "completion"])

    def fits(row: dict[str, Any]) -> bool:
        chat = row["prompt"] + row["completion"]
        ids = tokenizer.apply_chat_template(chat, return_dict=True)["input_ids"]
        return len(ids) <= settings.sequence_tokens

    kept = rows.filter(fits)
    if len(kept) < len(rows):
        say(f"{split}: left out {len(rows) - len(kept):,} rows longer than a sequence")
    if not len(kept):
        raise RecipeError(f"{folder / file}: every row is longer than sequence_tokens")
    return kept


def make_trainer(
    model: Any,
    tokenizer: Any,
    rows: dict[str, Any],
    scratch: Path,
    settings: Settings,
    precision: str,
    watch: Any,
) -> Any:
    """Return TRL's trainer."""
    import torch
    from trl import SFTConfig, SFTTrainer

    is_text = rows["train"].column_names == ["text"]
    one_by_one = settings.packing and not settings.attention.startswith("flash")
    arguments = SFTConfig(
        output_dir=str(scratch),
        learning_rate=settings.learning_rate,
        lr_scheduler_type=settings.schedule,
        warmup_steps=settings.warmup_share,
        weight_decay=settings.weight_decay,
        num_train_epochs=settings.epochs,
        max_steps=settings.max_steps or -1,
        per_device_train_batch_size=1 if one_by_one else settings.batch_rows,
        per_device_eval_batch_size=1 if one_by_one else settings.batch_rows,
        gradient_accumulation_steps=settings.accumulated_batches
        * (settings.batch_rows if one_by_one else 1),
        gradient_checkpointing=settings.gradient_checkpointing,
        max_length=settings.sequence_tokens,
        packing=settings.packing,
        packing_strategy="bfd_split" if is_text else "bfd",
        completion_only_loss=None if is_text else True,
        bf16=precision == "bfloat16",
        use_cpu=not torch.cuda.is_available(),
        dataloader_pin_memory=torch.cuda.is_available(),
        seed=settings.seed,
        data_seed=settings.seed,
        logging_steps=settings.logged_steps,
        logging_first_step=True,
        save_steps=settings.checkpoint_steps,
        save_total_limit=2,
        include_num_input_tokens_seen="non_padding",
        report_to="none",
        disable_tqdm=True,
    )
    trainer = SFTTrainer(
        model=model,
        args=arguments,
        train_dataset=rows["train"],
        eval_dataset=rows.get("validation"),
        processing_class=tokenizer,
        callbacks=[watch],
    )
    from transformers import PrinterCallback

    trainer.remove_callback(PrinterCallback)
    return trainer


def watcher(settings: Settings) -> Any:
    """Return what tells the progress, and ends the training when its time is up."""
    from transformers import TrainerCallback

    class Watcher(TrainerCallback):
        def __init__(self) -> None:
            self.began = self.counted = 0.0
            self.before = self.seen = 0

        def rate(self) -> int:
            """Tokens a second, since the first step, which loads and compiles."""
            seconds = self.counted - self.began
            return round((self.seen - self.before) / seconds) if seconds > 0 else 0

        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            self.started = time.monotonic()

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            self.counted, self.seen = time.monotonic(), int(state.num_input_tokens_seen)
            if not self.began:
                self.began, self.before = self.counted, self.seen
            if settings.max_seconds and self.counted - self.started > settings.max_seconds:
                control.should_training_stop = True
                control.should_log = True

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            if logs and "loss" in logs:
                say(
                    f"step {state.global_step:,} of {state.max_steps:,}, loss {logs['loss']:.4f}, "
                    f"{self.seen:,} tokens, {self.rate():,} a second"
                )

    return Watcher()


def weights_type(settings: Settings) -> Any:
    """Return torch's type of the numbers that are saved. Raises RecipeError where it has none."""
    import torch

    kind = getattr(torch, settings.saved_weights, None)
    if not isinstance(kind, torch.dtype):
        raise RecipeError(f"setting 'saved_weights': {settings.saved_weights} is no type of torch")
    return kind


def versions() -> dict[str, str]:
    """Return the versions of what has trained."""
    from importlib.metadata import version

    names = ("trl", "transformers", "torch", "accelerate", "datasets", "tokenizers")
    return {"python": sys.version.split()[0], **{name: version(name) for name in names}}


if __name__ == "__main__":
    main()
