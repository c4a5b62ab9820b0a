"""Rows of other sources: the layouts that are known, and what is said of others."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from c2c_tasks.training.documents import as_document, file_documents, files_at
from c2c_tasks.training.errors import TrainingError

CHAT = (("user", "2 + 2?"), ("assistant", "4"))


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [{"role": role, "content": text} for role, text in CHAT]},
        {"conversations": [{"from": "human", "value": "2 + 2?"}, {"from": "gpt", "value": "4"}]},
        {"prompt": "2 + 2?", "completion": "4"},
        {"instruction": "2 + 2?", "input": "", "output": "4"},
        {"instruction": "2 + 2?", "output": "4", "input": None},
    ],
)
def test_layouts_of_chats(row: dict[str, Any]) -> None:
    assert as_document(row, "id", "place").turns == CHAT


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"question": "?"}, "file, row 1: no row to train on; .* and has question"),
        ({}, "and has none"),
        ({"messages": [{"role": "user", "content": "?"}]}, "the last message is not the assist"),
        ({"messages": [{"role": "tool", "content": "?"}]}, "of the unknown role 'tool'"),
        ({"messages": ["?"]}, "a message has no role and content"),
    ],
)
def test_other_rows_are_refused_by_name(row: dict[str, Any], said: str) -> None:
    with pytest.raises(TrainingError, match=said):
        as_document(row, "id", "file, row 1")


def test_files_are_read_in_order_whatever_they_are(tmp_path: Path) -> None:
    texts = [f"text {n}" for n in range(9)]
    lines = [json.dumps({"text": text}) for text in texts]
    (tmp_path / "1.jsonl").write_text("\n\n".join(lines[:3]))
    (tmp_path / "2.jsonl.gz").write_bytes(gzip.compress("\n".join(lines[3:6]).encode()))
    pq.write_table(pa.table({"text": texts[6:]}), tmp_path / "3.parquet")
    (tmp_path / "notes.md").write_text("no data")
    documents = list(file_documents(*files_at(str(tmp_path))))
    assert [document.text for document in documents] == texts
    assert documents[-1].identity == "3.parquet:3"
    (one,) = {document.identity for document in documents if document.text == "text 1"}
    assert one == "1.jsonl:3"


@pytest.mark.parametrize("content", [b'{"text": "a"}\n{"text": ', b"[1]", b'{"text": "\xff"}'])
def test_a_damaged_line_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)
    with pytest.raises(TrainingError, match=r"rows\.jsonl, row \d: no JSON"):
        list(file_documents(*files_at(str(path))))


def test_a_folder_without_data_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no file of JSON Lines or Parquet is there"):
        files_at(str(tmp_path))
