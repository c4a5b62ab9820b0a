"""The published columns of each training format."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from c2c_tasks.records import Sample, SampleFormat

_MESSAGE = pa.struct(
    [
        pa.field("role", pa.string(), nullable=False),
        pa.field("content", pa.string(), nullable=False),
    ]
)
_TEXTS: dict[SampleFormat, list[pa.Field[Any]]] = {
    "sft": [
        pa.field("messages", pa.list_(pa.field("item", _MESSAGE, nullable=False)), nullable=False)
    ],
    "instruct": [
        pa.field(name, pa.string(), nullable=False) for name in ("instruction", "input", "output")
    ],
    "pretrain": [pa.field("text", pa.string(), nullable=False)],
}
_POSITIONS = pa.list_(pa.field("item", pa.int64(), nullable=False))
_ORIGIN = [
    pa.field("template", pa.string(), nullable=False),
    pa.field("shown_cases", _POSITIONS, nullable=False),
    pa.field("held_cases", _POSITIONS, nullable=False),
    pa.field("repository", pa.string(), nullable=False),
    pa.field("path", pa.string(), nullable=False),
    pa.field("licence", pa.string()),
]


def schema_of(format_: SampleFormat) -> pa.Schema:
    """Return the Arrow schema that samples of a format are published under."""
    ids = [pa.field(name, pa.string(), nullable=False) for name in ("sample_id", "function_id")]
    return pa.schema([*ids, *_TEXTS[format_], *_ORIGIN])


def layout(sample: Sample) -> dict[str, Any]:
    """Return a sample as a row of its format's schema."""
    return {
        "sample_id": sample.sample_id,
        "function_id": sample.function_id,
        **_texts(sample),
        "template": sample.template,
        "shown_cases": sample.shown_cases,
        "held_cases": sample.held_cases,
        "repository": sample.repository,
        "path": sample.path,
        "licence": sample.licence,
    }


def _texts(sample: Sample) -> dict[str, Any]:
    match sample.format:
        case "sft":
            return {
                "messages": [
                    {"role": "user", "content": sample.prompt},
                    {"role": "assistant", "content": sample.completion},
                ]
            }
        case "instruct":
            return {
                "instruction": sample.instruction,
                "input": sample.input,
                "output": sample.completion,
            }
        case "pretrain":
            return {"text": f"{sample.prompt}\n\n{sample.completion}\n"}
