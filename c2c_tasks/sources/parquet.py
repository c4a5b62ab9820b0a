"""Parquet: rows in batches, of the needed columns alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq

from c2c_tasks.config import SourceOptions
from c2c_tasks.records import SourceFile
from c2c_tasks.sources.errors import SourceError
from c2c_tasks.sources.expansion import Bomb, Expansion
from c2c_tasks.sources.fields import Fields
from c2c_tasks.sources.files import Origin, Skipped
from c2c_tasks.store import local_copy

_BATCH_ROWS = 100
_BUFFER = 1 << 20
_DAMAGED = (pa.ArrowException, OSError)
_UNREADABLE_VALUES = (OverflowError, ValueError)
"""Of what Python cannot hold: a date of the year 10,000, a name that is not UTF-8."""


def check_parquet(uri: str, options: SourceOptions) -> bool:
    """Raise SourceError where the object does not have the columns that are needed.

    Return whether it can be read. Only a local file is looked at: of S3 the whole object would
    have to be fetched.
    """
    if urlsplit(uri).scheme != "file":
        return True
    with local_copy(uri) as path:
        try:
            columns = pq.read_schema(path).names
        except (*_DAMAGED, UnicodeDecodeError):
            return False
    Fields.of(columns, options, uri)
    return True


def read_parquet(origin: Origin, options: SourceOptions) -> Iterator[SourceFile | Skipped]:
    """Yield the files of a Parquet object, holding some rows at a time.

    Raises SourceError where it does not have the columns that are needed.
    """
    number = 0
    with local_copy(origin.uri) as path:
        try:
            # A buffer makes Arrow read page by page, not whole column chunks.
            with pq.ParquetFile(path, buffer_size=_BUFFER) as file:
                fields = Fields.of(file.schema_arrow.names, options, origin.uri)
                expansion = Expansion(path.stat().st_size)
                for batch in file.iter_batches(
                    _BATCH_ROWS, columns=list(fields), use_threads=False
                ):
                    expansion.add(batch.nbytes)
                    for row in _rows(batch):
                        number += 1
                        yield fields.source_file(row, number, origin, options.max_file_bytes)
        except SourceError:
            raise
        except Bomb as error:
            yield Skipped("decompression_bomb", f"given up after row {number}: {error}")
        except (*_DAMAGED, *_UNREADABLE_VALUES) as error:
            yield Skipped("unreadable_object", f"cannot be read after row {number}: {error}")


def _rows(batch: pa.RecordBatch) -> Iterator[dict[str, Any]]:
    columns = [_values(column) for column in batch.columns]
    for values in zip(*columns, strict=True):
        yield dict(zip(batch.schema.names, values, strict=True))


def _values(column: Any) -> list[Any]:
    """Return a column's values, taking text as bytes first: one that is not UTF-8 must not
    spoil the batch. It becomes text with lone surrogates, which is told apart later.
    """
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if _is_text(kind):
        return [_text(value) for value in column.cast(pa.large_binary()).to_pylist()]
    if (pa.types.is_list(kind) or pa.types.is_large_list(kind)) and _is_text(kind.value_type):
        lists = column.cast(pa.large_list(pa.large_binary())).to_pylist()
        return [None if values is None else [_text(value) for value in values] for values in lists]
    values: list[Any] = column.to_pylist()
    return values


def _is_text(kind: pa.DataType) -> bool:
    return (
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "surrogateescape")
