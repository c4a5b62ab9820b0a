"""Reading one object of a dump, and counting what could not be read of it."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from c2c_tasks.config import SourceOptions
from c2c_tasks.records import SourceFile
from c2c_tasks.shards import StepReport
from c2c_tasks.sources.dump import origin_of
from c2c_tasks.sources.errors import SourceError
from c2c_tasks.sources.files import Skipped
from c2c_tasks.sources.formats import FORMATS, Format, format_of
from c2c_tasks.store import ObjectNotFound, StoreError

_NAMED = 5
"""Skipped records of one object that the report names; it counts them all."""

_OF_AN_OBJECT = ("decompression_bomb", "unreadable_object", "wrong_columns")
"""Reasons why the rest of an object is not read, each named."""


def read_object(uri: str, options: SourceOptions, report: StepReport) -> Iterator[SourceFile]:
    """Yield the Python files of one object of the dump, in its order.

    A file that cannot be used is counted by reason in the stage ``source files``; damage is
    named in the report too. Memory does not grow with the object.

    Raises SourceError where the suffix is not known, StoreError where the object is gone or
    the store does not answer.
    """
    format_ = format_of(uri)
    if format_ is None:
        known = ", ".join(item.suffix for item in FORMATS)
        raise SourceError(f"{uri}: not an object of a dump; the suffixes read are {known}")
    stage = report.stage("source files", "files")
    named = unnamed = 0
    for item in _items(uri, format_, options):
        if isinstance(item, SourceFile):
            stage.keep()
            yield item
            continue
        stage.drop(item.reason)
        if not item.detail:
            continue
        if named < _NAMED or item.reason in _OF_AN_OBJECT:
            report.problem(f"{uri}: {item.detail}")
            named += 1
        else:
            unnamed += 1
    if unnamed:
        report.problem(f"{uri}: {unnamed:,} more of such records")


def _items(uri: str, format_: Format, options: SourceOptions) -> Iterator[SourceFile | Skipped]:
    try:
        yield from format_.read(origin_of(uri, options), options)
    except ObjectNotFound:
        raise
    except SourceError as error:  # the first of its kind was right, or the build had not begun
        yield Skipped("wrong_columns", str(error).removeprefix(f"{uri}: "))
    except StoreError as error:
        # A file that may not be read stays so; a store that does not answer may do so later.
        if urlsplit(uri).scheme != "file":
            raise
        yield Skipped("unreadable_object", str(error))
