"""How TRL, LLaMA-Factory and Axolotl want their rows, and what they want to be told of them.

Sources of the layouts, as documented: TRL, "Dataset formats and types"; LLaMA-Factory,
`data/README.md`; Axolotl, "Dataset Formats". Each row also tells its `id`, `source` and `length`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import yaml

from c2c_tasks.config.training import RowFormat, Trainer
from c2c_tasks.training.documents import Document
from c2c_tasks.training.errors import TrainingError

FORMATS: dict[Trainer, tuple[RowFormat, ...]] = {
    "trl": ("messages", "prompt_completion", "text"),
    "llama_factory": ("messages", "instruction", "text"),
    "axolotl": ("messages", "instruction", "text"),
}
"""Formats that a trainer reads."""
_MESSAGE = pa.struct([("role", pa.string()), ("content", pa.string())])
_COLUMNS: dict[RowFormat, list[tuple[str, Any]]] = {
    "messages": [("messages", pa.list_(_MESSAGE))],
    "prompt_completion": [("prompt", pa.list_(_MESSAGE)), ("completion", pa.list_(_MESSAGE))],
    "instruction": [(name, pa.string()) for name in ("instruction", "input", "output")],
    "text": [("text", pa.string())],
}
_ABOUT: list[tuple[str, Any]] = [
    ("id", pa.string()),
    ("source", pa.string()),
    ("length", pa.int64()),
]


def check_format(trainer: Trainer, format_: RowFormat) -> None:
    """Raise TrainingError where a trainer reads no rows of a format."""
    if format_ not in FORMATS[trainer]:
        raise TrainingError(
            f"{trainer} reads no {format_}; it reads {', '.join(FORMATS[trainer])} (--format)"
        )


def schema_of(format_: RowFormat) -> pa.Schema:
    """Return the Arrow schema of rows of a format."""
    return pa.schema([*_COLUMNS[format_], *_ABOUT])


def columns_of(document: Document, format_: RowFormat) -> dict[str, Any]:
    """Return a document as the columns that are trained on.

    Raises TrainingError where it cannot be one of the format: a text is no chat, and a chat no
    text, for the template that would make it one is the model's.
    """
    if (format_ == "text") != bool(document.text or not document.turns):
        is_, wanted = ("text", "chat") if document.text else ("chat", "text")
        raise TrainingError(
            f"{document.identity}: a {is_}, where the mixture's format {format_} wants a {wanted}"
        )
    match format_:
        case "messages":
            return {"messages": _messages(document.turns)}
        case "prompt_completion":
            *prompt, answer = document.turns
            return {"prompt": _messages(prompt), "completion": _messages([answer])}
        case "instruction":
            return _instruction(document)
        case "text":
            return {"text": document.text}


def _messages(turns: Any) -> list[dict[str, str]]:
    return [{"role": role, "content": content} for role, content in turns]


def _instruction(document: Document) -> dict[str, str]:
    *asked, (_, output) = document.turns
    instruction, given = document.instruction
    if not instruction:
        if len(asked) != 1:
            raise TrainingError(
                f"{document.identity}: {len(document.turns)} messages, where an instruction has "
                "one question and one answer; export messages instead"
            )
        instruction = asked[0][1]
    return {"instruction": instruction, "input": given, "output": output}


def descriptions(
    trainer: Trainer, format_: RowFormat, files: Mapping[str, str], packing_tokens: int
) -> dict[str, bytes]:
    """Return what a trainer is told of the files, by name of the file that says it.

    `files` names the file of each split.
    """
    match trainer:
        case "trl":
            return {}
        case "llama_factory":
            told = {
                f"case2code_{split}": {"file_name": name, **_LLAMA_FACTORY[format_]}
                for split, name in files.items()
            }
            return {"dataset_info.json": f"{json.dumps(told, indent=2)}\n".encode()}
        case "axolotl":
            return {"axolotl.yaml": _axolotl(format_, files, packing_tokens)}


_LLAMA_FACTORY: dict[RowFormat, dict[str, Any]] = {
    "messages": {
        "formatting": "sharegpt",
        "columns": {"messages": "messages"},
        "tags": {
            "role_tag": "role",
            "content_tag": "content",
            "user_tag": "user",
            "assistant_tag": "assistant",
            "system_tag": "system",
        },
    },
    "instruction": {
        "formatting": "alpaca",
        "columns": {"prompt": "instruction", "query": "input", "response": "output"},
    },
    "text": {"formatting": "alpaca", "columns": {"prompt": "text"}},
}
_AXOLOTL: dict[RowFormat, dict[str, Any]] = {
    "messages": {
        "type": "chat_template",
        "field_messages": "messages",
        "message_property_mappings": {"role": "role", "content": "content"},
        "roles_to_train": ["assistant"],
    },
    "instruction": {"type": "alpaca"},
    "text": {"type": "completion", "field": "text"},
}


def _axolotl(format_: RowFormat, files: Mapping[str, str], packing_tokens: int) -> bytes:
    def dataset(split: str) -> dict[str, Any]:
        name = files[split]
        kind = "parquet" if name.endswith(".parquet") else "json"
        return {"path": name, "ds_type": kind, "split": "train", **_AXOLOTL[format_]}

    told: dict[str, Any] = {"datasets": [dataset("train")] if "train" in files else []}
    if "validation" in files:
        told["test_datasets"] = [dataset("validation")]
    if format_ == "messages":
        told["train_on_inputs"] = False
    if packing_tokens:
        told |= {"sequence_len": packing_tokens, "sample_packing": True}
    text = yaml.safe_dump(told, sort_keys=False)
    return (
        "# A part of a config of Axolotl. Paths are seen from this folder; in a file of Axolotl,\n"
        f"# `split: train` is all of it, whatever the split of the release.\n{text}"
    ).encode()
