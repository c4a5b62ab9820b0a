"""JSON Lines that hold problems or answers."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from typing import Any

from c2c_tasks.evaluation.errors import ProblemError
from c2c_tasks.shards import storable
from c2c_tasks.store import StoreError, normalise, read


def read_rows(option: str, uri: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each object of a file of JSON Lines, plain or ``.gz``, with its place for errors.

    `option` is the name of the option that holds the file. Raises ProblemError where the file
    cannot be read or a line is no object.
    """
    name = f"{option} {uri}"
    try:
        data = read(normalise(uri))
        text = (gzip.decompress(data) if uri.endswith(".gz") else data).decode("utf-8-sig")
    except (StoreError, EOFError, OSError, zlib.error, UnicodeError) as error:
        raise ProblemError(f"{name}: cannot be read: {error}") from None
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        place = f"{name}: line {number}"
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ProblemError(f"{place}: not JSON: {error}") from None
        if not isinstance(row, dict):
            raise ProblemError(f"{place}: not an object")
        yield place, row


def text_of(row: dict[str, Any], place: str, *columns: str) -> str:
    """Return the text of the first of these columns that a row has, as shards can hold it.

    Raises ProblemError where the row has none.
    """
    for column in columns:
        if isinstance(text := row.get(column), str):
            return storable(text)
    raise ProblemError(f"{place}: has no text `{'` or `'.join(columns)}`, but {', '.join(row)}")
