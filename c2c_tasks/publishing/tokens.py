"""Tokens of texts, by a tokenizer that is installed and asks no network.

Every model has a tokenizer of its own; one that is widely known tells what to plan with.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bpe_openai import Encoding

TOKENIZER = "o200k_base"
"""The tokenizer's name: that of GPT-4o, with 200,000 tokens."""


def count_tokens(texts: Iterable[str]) -> list[int]:
    """Return the number of tokens of each text. Names of special tokens are text like any."""
    encoding = _encoding()
    return [len(encoding.encode_ordinary(text)) for text in texts]


@cache
def _encoding() -> Encoding:
    from bpe_openai import get_encoding  # takes a tenth of a second, and 100 MB

    return get_encoding(TOKENIZER)
