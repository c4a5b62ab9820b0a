"""`c2c export`: a release as TRL, LLaMA-Factory and Axolotl read it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from c2c_tasks.cli.release import AsJson, Release, Target
from c2c_tasks.cli.running import one_line_errors, print_json


class TrainerName(StrEnum):
    """Whose layout the files have."""

    trl = "trl"
    llama_factory = "llama-factory"
    axolotl = "axolotl"


class FormatName(StrEnum):
    """What a row is."""

    messages = "messages"
    prompt_completion = "prompt-completion"
    instruction = "instruction"
    text = "text"


class FileName(StrEnum):
    """What a file is."""

    jsonl = "jsonl"
    parquet = "parquet"


class SplitName(StrEnum):
    """Splits of a release."""

    train = "train"
    validation = "validation"
    test = "test"


def export(
    release: Release,
    folder: Annotated[str, typer.Argument(help="Folder of the export: new or empty.")],
    target: Target = "",
    trainer: Annotated[TrainerName, typer.Option(help="Who reads it.")] = TrainerName.trl,
    mixture: Annotated[
        str,
        typer.Option(
            help="direct_fine_tuning (the release alone), continued_pretraining, "
            "instruction_mixing, or the path of a mixture in YAML."
        ),
    ] = "direct_fine_tuning",
    source: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=PATH",
            help="Files of another source of the mixture: JSON Lines or Parquet, a path or URI.",
        ),
    ] = None,
    row_format: Annotated[
        FormatName | None, typer.Option("--format", help="What a row is; else as the mixture says.")
    ] = None,
    files: Annotated[FileName, typer.Option(help="What files are.")] = FileName.jsonl,
    split: Annotated[
        list[SplitName] | None,
        typer.Option(
            help="May be given several times; train and validation if it is not. The test split "
            "is for evaluation, and exported only where it is named."
        ),
    ] = None,
    tokenizer: Annotated[
        str,
        typer.Option(
            help="Folder or tokenizer.json, or a name on the Hub, to count tokens by; else "
            "o200k_base."
        ),
    ] = "",
    packing_tokens: Annotated[
        int, typer.Option(min=0, help="Tell what packing into sequences of this length comes to.")
    ] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Seed of which rows are drawn.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Export a release, or a mixture with it, to the layout that a trainer reads."""
    from c2c_tasks.config import ConfigError, TrainingConfig
    from c2c_tasks.consuming.finding import find_release
    from c2c_tasks.training.errors import TrainingError
    from c2c_tasks.training.exporting import ExportRequest
    from c2c_tasks.training.exporting import export as write_export

    if "://" in folder:
        raise typer.BadParameter(f"{folder}: a path is wanted, not a URI", param_hint="FOLDER")
    given = {
        "release": release,
        "mixture": mixture,
        "mixture_sources": dict(_named(item) for item in source or ()),
        "mixture_seed": seed,
        "tokenizer": tokenizer,
        "packing_tokens": packing_tokens,
    }
    names: Any = [name.value for name in split or (SplitName.train, SplitName.validation)]
    options: dict[str, Any] = {
        "trainer": trainer.value.replace("-", "_"),
        "format": row_format and row_format.value.replace("-", "_"),
        "file_format": files.value,
    }
    with one_line_errors(ConfigError, OSError, TrainingError):
        data = TrainingConfig.from_flat(given).data
        request = ExportRequest(data=data, splits=tuple(names), **options)
        told = write_export(find_release(release, target), Path(folder), request)
    if as_json:
        print_json(told)
    else:
        _print(told, folder)


def _named(item: str) -> tuple[str, str]:
    name, separator, path = item.partition("=")
    if not (name and separator and path):
        raise typer.BadParameter(f"{item!r}: NAME=PATH is wanted", param_hint="--source")
    return name, path


def _print(told: dict[str, Any], folder: str) -> None:
    from c2c_tasks.consuming.printing import printable

    print(f"Release {told['release']['version']} for {told['trainer']}, in {printable(folder)}")
    print(f"Tokens by {printable(told['tokenizer'])}: {told['counted']}.")
    for split, part in told["splits"].items():
        held_out = ": held out for evaluation, not to be trained on" if split == "test" else ""
        print(f"{part['file']}  {part['rows']:,} rows, {part['tokens']:,} tokens{held_out}")
        for name, source in part["sources"].items():
            print(
                f"  {name}: {source['rows']:,} of {source['rows_there']:,} rows, "
                f"{source['tokens']:,} tokens, {source['share']:.1%} by "
                f"{told['mixture']['weigh_by']}"
            )
        if packing := part["packing"]:
            print(
                f"  packed into {packing['sequences']:,} sequences of "
                f"{packing['sequence_tokens']:,}: {packing['packed_share']:.1%} full "
                f"({packing['padded_share']:.1%} where each row is padded), "
                f"{packing['truncated_rows']:,} rows cut off"
            )
