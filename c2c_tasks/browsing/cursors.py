"""Where a search goes on: a position, told to whoever asks as an opaque text."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from typing import NamedTuple

from c2c_tasks.browsing.refusals import InvalidRequest


class Position(NamedTuple):
    """The next row to be looked at."""

    file: int = 0
    group: int = 0
    row: int = 0


def write_cursor(position: Position, search: object) -> str:
    """Return a position as text that `read_cursor` takes, for the same search alone."""
    text = json.dumps([_digest(search), *position], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str | None, search: object) -> Position:
    """Return the position that a text tells; the first one where there is none.

    Raises InvalidRequest where it is none of this search. The position may lie past the end.
    """
    if not cursor:
        return Position()
    try:
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,200}", cursor):
            raise ValueError
        digest, *numbers = json.loads(base64.urlsafe_b64decode(f"{cursor}==="))
        file, group, row = numbers
        if digest != _digest(search) or not all(
            type(number) is int and 0 <= number < 1 << 40 for number in numbers
        ):
            raise ValueError
    except (ValueError, TypeError, RecursionError, binascii.Error):
        raise InvalidRequest("cursor: is none of this search; start it anew") from None
    return Position(file, group, row)


def _digest(search: object) -> str:
    return hashlib.sha256(repr(search).encode()).hexdigest()[:12]
