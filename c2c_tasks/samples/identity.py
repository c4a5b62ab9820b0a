"""The id of a sample: a digest of its function, its format and its prompt."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from c2c_tasks.records import SampleFormat


def sample_id(function_id: str, format_: SampleFormat, instruction: str, input_: str) -> str:
    """Return the id of the sample that a prompt makes of a function."""
    identity = (function_id, format_, instruction, input_)
    return hashlib.sha256("\n".join(identity).encode()).hexdigest()[:32]


def has_its_id(row: Mapping[str, Any], format_: SampleFormat) -> bool:
    """Tell whether the id of a published row, in the columns of its format, is its prompt's."""
    return any(
        row["sample_id"] == sample_id(row["function_id"], format_, instruction, input_)
        for instruction, input_ in _prompts(row, format_)
    )


def _prompts(row: Mapping[str, Any], format_: SampleFormat) -> Iterator[tuple[str, str]]:
    """Yield what instruction and input may be: rows join them, or the input and the completion."""
    match format_:
        case "instruct":
            yield row["instruction"], row["input"]
        case "sft":
            roles = [message["role"] for message in row["messages"]]
            if roles == ["user", "assistant"]:
                prompt = row["messages"][0]["content"]
                yield "", prompt
                yield from _cuts(prompt)
        case "pretrain":
            yield from (("", prompt) for prompt, _ in _cuts(row["text"]))


def _cuts(text: str) -> Iterator[tuple[str, str]]:
    """Yield the two sides of each blank line."""
    end = text.find("\n\n")
    while end >= 0:
        yield text[:end], text[end + 2 :]
        end = text.find("\n\n", end + 1)
