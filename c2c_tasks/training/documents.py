"""What is trained on, one by one: of a release, and of files of JSON Lines or Parquet."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from c2c_tasks.config.training import RowFormat
from c2c_tasks.consuming.caching import local_file
from c2c_tasks.consuming.copies import check_held, files_of, part_of, parts_of
from c2c_tasks.consuming.finding import FoundRelease
from c2c_tasks.sources.decompression import DAMAGED, open_plain
from c2c_tasks.store import ObjectInfo, local_copy, normalise, store_for
from c2c_tasks.training.errors import TrainingError

CONFIGS: dict[RowFormat, str] = {
    "messages": "sft",
    "prompt_completion": "sft",
    "instruction": "instruct",
    "text": "pretrain",
}
"""Config of a release that has the rows of a format."""
ROWS = 1_000
"""Rows that are read at a time."""
_JSON_LINES = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".ndjson", ".json")
_ROLES = {"human": "user", "gpt": "assistant", "user": "user", "assistant": "assistant"}
_ROLES["system"] = "system"

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Document:
    """A chat that ends with an answer, or a text."""

    identity: str
    """Sample id, or file and number of the row."""
    turns: tuple[tuple[str, str], ...] = ()
    """Role (`system`, `user`, `assistant`) and content; empty for a text."""
    instruction: tuple[str, str] = ("", "")
    """Instruction and input, where the row had them apart."""
    text: str = ""


def release_documents(found: FoundRelease, format_: RowFormat, split: str) -> Iterator[Document]:
    """Yield the samples of a split of a release, each file compared with its SHA-256.

    Raises PublishError where the release has no such config or split, StoreError where a file is
    missing or damaged.
    """
    config = CONFIGS[format_]
    parts = parts_of(found.manifest, [config], [split])
    check_held(found.uri, found.manifest, parts)
    for entry in files_of(found.manifest, parts):
        if part_of(entry) in parts:
            with pq.ParquetFile(local_file(found.uri, entry)) as file:
                for batch in file.iter_batches(ROWS):
                    for row in batch.to_pylist():
                        yield as_document(row, row["sample_id"], row["sample_id"])


def file_documents(uri: str, objects: Sequence[ObjectInfo]) -> Iterator[Document]:
    """Yield the documents of files. Raises TrainingError at the first row that is none."""
    for item in objects:
        name = item.uri.removeprefix(uri).lstrip("/") or item.uri.rpartition("/")[2]
        rows = _parquet(item.uri) if item.uri.endswith(".parquet") else _json_lines(item.uri)
        for number, row in rows:
            yield as_document(row, f"{name}:{number}", f"{item.uri}, row {number}")


def files_at(place: str) -> tuple[str, list[ObjectInfo]]:
    """Return the whole URI of a file or folder, and the files of data there, in order.

    Raises TrainingError where there are none.
    """
    uri = normalise(place)
    store = store_for(uri)
    if (one := store.head(uri)) is not None:
        found = [one]
    else:
        known = (*_JSON_LINES, ".parquet")
        found = [item for item in store.list(uri) if item.uri.lower().endswith(known)]
    if not found:
        raise TrainingError(f"{uri}: no file of JSON Lines or Parquet is there")
    return uri, found


def as_document(row: Row, identity: str, place: str) -> Document:
    """Return a row as a document, by the columns that it has.

    Known are `messages` (and `conversations` of `from` and `value`), `prompt` and `completion`,
    `instruction`, `input` and `output`, `text` and `content`. Raises TrainingError for any other.
    """
    match row:
        case {"messages": [_, *_] as messages} | {"conversations": [_, *_] as messages}:
            turns = tuple(_turn(message, place) for message in messages)
            if turns[-1][0] != "assistant":
                raise TrainingError(f"{place}: the last message is not the assistant's")
            return Document(identity, turns)
        case {"prompt": str(prompt), "completion": str(completion)}:
            return Document(identity, (("user", prompt), ("assistant", completion)))
        case {"instruction": str(instruction), "output": str(output)}:
            given = row.get("input") or ""
            asked = f"{instruction}\n\n{given}" if given else instruction
            turns = (("user", asked), ("assistant", output))
            return Document(identity, turns, (instruction, given))
        case {"text": str(text)} | {"content": str(text)}:
            return Document(identity, text=text)
    columns = ", ".join(row) or "none"
    raise TrainingError(
        f"{place}: no row to train on; it needs messages, prompt and completion, instruction and "
        f"output, or text, and has {columns}"
    )


def _turn(message: Any, place: str) -> tuple[str, str]:
    match message:
        case {"role": role, "content": str(content)} | {"from": role, "value": str(content)}:
            if role in _ROLES:
                return _ROLES[role], content
            raise TrainingError(f"{place}: a message is of the unknown role {role!r}")
    raise TrainingError(f"{place}: a message has no role and content")


def _json_lines(uri: str) -> Iterator[tuple[int, Row]]:
    with open_plain(uri) as stream:
        number = 0
        try:
            for number, line in enumerate(stream, 1):
                if not line.strip():
                    continue
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise TrainingError(f"{uri}, row {number}: no JSON object")
                yield number, row
        except (ValueError, RecursionError, *DAMAGED) as error:
            said = " ".join(str(error).split())
            raise TrainingError(f"{uri}, row {number}: no JSON Lines: {said}") from None


def _parquet(uri: str) -> Iterator[tuple[int, Row]]:
    number = 0
    with local_copy(uri) as path:
        try:
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(ROWS):
                    for row in batch.to_pylist():
                        number += 1
                        yield number, row
        except pa.ArrowException as error:
            raise TrainingError(f"{uri}: no Parquet: {' '.join(str(error).split())}") from None
