from __future__ import annotations

from typing import Any

import pytest

from c2c_tasks.browsing.redaction import redacted


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("plain text, a@b.example", "plain text, a@b.example"),
        ("s3://bucket/a b", "s3://bucket/a b"),
        ("https://user:pass@host/x", "https://***@host/x"),
        ("cannot read https://key@host: no", "cannot read https://***@host: no"),
        ("http://a/?X-Amz-Signature=abc&b=1", "http://a/?X-Amz-Signature=***&b=1"),
        ({"api_key": "k", "max_tokens": 512, "tokenizer": "t"}, None),
        ([{"url": "ftp://u:p@h"}, None, 1.5, True], [{"url": "ftp://***@h"}, None, 1.5, True]),
    ],
)
def test_secrets_of_uris_are_hidden(value: Any, shown: Any) -> None:
    if shown is None:
        shown = {"api_key": "***", "max_tokens": 512, "tokenizer": "t"}
    assert redacted(value) == shown
