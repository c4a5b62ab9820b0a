"""JSON Lines: one record a line, plain or compressed."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any

from c2c_tasks.config import SourceOptions
from c2c_tasks.records import SourceFile
from c2c_tasks.sources.decompression import DAMAGED, open_plain
from c2c_tasks.sources.errors import SourceError
from c2c_tasks.sources.expansion import Bomb
from c2c_tasks.sources.fields import Fields
from c2c_tasks.sources.files import Origin, Skipped

_HEAD_RECORDS = 100
_HEAD_BYTES = 4_000_000
"""How much of an object is looked at for its columns: a record may leave out what is null."""

_Row = tuple[int, dict[str, Any]]


def check_json_lines(uri: str, options: SourceOptions) -> bool:
    """Raise SourceError where the first records do not have the columns that are needed.

    Return whether there are any.
    """
    with open_plain(uri) as stream:
        rows = islice(_rows(stream, uri, options), _HEAD_RECORDS)
        if head := _head(row for row in rows if not isinstance(row, Skipped)):
            _fields(head, options, uri)
        return bool(head)


def read_json_lines(origin: Origin, options: SourceOptions) -> Iterator[SourceFile | Skipped]:
    """Yield the files of a JSON Lines object, holding some first records, then one at a time.

    Raises SourceError where the first records do not have the columns that are needed.
    """
    with open_plain(origin.uri) as stream:
        rows = _rows(stream, origin.uri, options)
        for first in rows:
            if not isinstance(first, Skipped):
                break
            yield first
        else:
            return
        head = _head(chain([first], rows))
        fields = _fields(head, options, origin.uri)
        for row in chain(head, rows):
            if isinstance(row, Skipped):
                yield row
            else:
                number, record = row
                yield fields.source_file(record, number, origin, options.max_file_bytes)


def _rows(stream: io.BufferedReader, uri: str, options: SourceOptions) -> Iterator[_Row | Skipped]:
    """Yield each record with the number of its line, up to where the object is damaged."""
    # JSON may take six bytes for one of the content; a line has other fields beside it.
    longest = 6 * options.max_file_bytes + 1_000_000
    number = 0
    try:
        while line := stream.readline(longest):
            number += 1
            if len(line) == longest and not line.endswith(b"\n"):
                while (rest := stream.readline(longest)) and not rest.endswith(b"\n"):
                    pass
                yield Skipped("too_large")
            elif not line.isspace():
                if number == 1 and _opens_a_document(line):
                    raise SourceError(
                        f"{uri}: holds one JSON value, an array or an object over several lines; "
                        "write one JSON object a line (JSON Lines)"
                    )
                yield _record(line, number)
    except Bomb as error:
        yield Skipped("decompression_bomb", f"given up after line {number}: {error}")
    except DAMAGED as error:
        yield Skipped("unreadable_object", f"cannot be read after line {number}: {error}")


def _opens_a_document(line: bytes) -> bool:
    start = line.strip(b"\xef\xbb\xbf \t\r\n")
    return start.startswith(b"[") or start == b"{"


def _record(line: bytes, number: int) -> _Row | Skipped:
    try:
        record = json.loads(line)
    except UnicodeDecodeError as error:
        return Skipped("not_utf8", f"line {number}: {error}")
    except (ValueError, RecursionError) as error:
        return Skipped("corrupt_record", f"line {number}: not JSON: {error}")
    if not isinstance(record, dict):
        return Skipped("corrupt_record", f"line {number}: not a JSON object")
    return number, record


def _head(rows: Iterable[_Row | Skipped]) -> list[_Row | Skipped]:
    """Take the first rows, some megabytes at most."""
    head: list[_Row | Skipped] = []
    size = 0
    for row in rows:
        head.append(row)
        if not isinstance(row, Skipped):
            size += sum(len(value) for value in row[1].values() if isinstance(value, str))
        if len(head) == _HEAD_RECORDS or size > _HEAD_BYTES:
            break
    return head


def _fields(head: list[_Row | Skipped], options: SourceOptions, uri: str) -> Fields:
    records = (row[1] for row in head if not isinstance(row, Skipped))
    return Fields.of({name for record in records for name in record}, options, uri)
