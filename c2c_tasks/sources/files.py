"""From what a dump holds to a `SourceFile`, or to the reason why there is none."""

from __future__ import annotations

import codecs
import hashlib
import io
import tokenize
from dataclasses import dataclass
from typing import Literal

from c2c_tasks.records import SourceFile
from c2c_tasks.shards import storable
from c2c_tasks.sources.licence_names import all_of
from c2c_tasks.sources.licence_texts import licence_of_tags

Reason = Literal[
    "corrupt_record",
    "decompression_bomb",
    "duplicate_member",
    "empty",
    "link",
    "not_python",
    "not_utf8",
    "too_large",
    "unreadable_object",
    "unsafe_path",
    "wrong_columns",
]

_HEAD_CHARACTERS = 4_000
"""Where a file's own SPDX tag is looked for."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was not read, or the rest of an object that cannot be."""

    reason: Reason
    detail: str = ""
    """What the report says of it: the place inside the object and what is wrong there."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A dump object, with what holds for its files where these do not say otherwise."""

    uri: str
    path: str
    """Path of the object below the dump's root."""
    repository: str
    licence: str | None = None


def source_file(
    content: bytes | str,
    origin: Origin,
    *,
    path: str,
    repository: str | None,
    licence: str | None,
    max_bytes: int,
) -> SourceFile | Skipped:
    """Return the file, or why it is skipped.

    Bytes are a file as it lay on a disk: they are decoded as Python would do it. Text was
    decoded by whoever made the dump. `licence` is what the dump says of the file, as an SPDX
    expression; a tag in the file's own head counts as well. Without either the origin's holds.
    """
    if len(content) > max_bytes:
        return Skipped("too_large")
    try:
        text = decode(content) if isinstance(content, bytes) else content.removeprefix("\ufeff")
        encoded = text.encode()
    except UnicodeError as error:
        return Skipped("not_utf8", f"{path}: {error}")
    if len(encoded) > max_bytes:
        return Skipped("too_large")
    if not text or text.isspace():
        return Skipped("empty")
    return SourceFile(
        content=text,
        path=storable(path),
        repository=storable(repository or origin.repository),
        licence=all_of((licence, licence_of_tags(text[:_HEAD_CHARACTERS]))) or origin.licence,
        dump=origin.uri,
        sha256=hashlib.sha256(encoded).hexdigest(),
    )


def decode(raw: bytes) -> str:
    """Return the text of a Python file: UTF-8, unless a byte order mark or a cookie (PEP 263)
    says otherwise. Raises UnicodeError where the bytes are not in that encoding.
    """
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)
        if codecs.lookup(encoding).name in _SLOW_CODECS:
            raise UnicodeError(f"{encoding} is not an encoding of source code")
        return raw.decode(encoding)
    except (SyntaxError, LookupError) as error:
        raise UnicodeError(str(error)) from None


# Python accepts these, in time quadratic in the length of the file.
_SLOW_CODECS = {"idna", "punycode"}
