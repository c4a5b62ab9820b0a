from __future__ import annotations

import pyarrow as pa
import pytest

from c2c_tasks.records import FORMATS, Sample, SampleFormat
from c2c_tasks.samples.formats import layout, schema_of


def sample(format_: SampleFormat) -> Sample:
    return Sample(
        sample_id="0f" * 16,
        function_id="ab" * 32,
        format=format_,
        split="test",
        template="write/plain",
        instruction="" if format_ == "pretrain" else "Write a function.",
        input="f(1) -> 2",
        completion="def f(x): return 2 * x",
        shown_cases=[0],
        held_cases=[1, 2],
        repository="owner/name",
        path="a.py",
        licence=None,
    )


@pytest.mark.parametrize("format_", FORMATS)
def test_rows_survive_their_schema(format_: SampleFormat) -> None:
    row = layout(sample(format_))
    schema = schema_of(format_)
    assert list(row) == schema.names
    assert pa.Table.from_pylist([row], schema).to_pylist() == [row]


def test_the_texts_of_each_format() -> None:
    assert layout(sample("sft"))["messages"] == [
        {"role": "user", "content": "Write a function.\n\nf(1) -> 2"},
        {"role": "assistant", "content": "def f(x): return 2 * x"},
    ]
    instruct = layout(sample("instruct"))
    assert [instruct[name] for name in ("instruction", "input", "output")] == [
        "Write a function.",
        "f(1) -> 2",
        "def f(x): return 2 * x",
    ]
    assert layout(sample("pretrain"))["text"] == "f(1) -> 2\n\ndef f(x): return 2 * x\n"
