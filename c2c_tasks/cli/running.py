"""What every command does the same way: URIs as they are typed, errors in one line, progress."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from c2c_tasks.catalogue import Catalogue
    from c2c_tasks.consuming.parallel import Meter

FAULTS = 3
"""Exit code of a check that found faults; 1 is for what could not be done, 2 for wrong use."""


@contextmanager
def one_line_errors(*others: type[Exception]) -> Iterator[None]:
    """End with one line on standard error that says what is wrong, and exit code 1.

    `others` are what a command can come to besides faults of stores, releases and the catalogue.
    """
    from c2c_tasks.catalogue import CatalogueError
    from c2c_tasks.publishing.release import PublishError
    from c2c_tasks.store import StoreError

    expected: tuple[type[Exception], ...] = (CatalogueError, PublishError, StoreError, *others)
    try:
        yield
    except expected as error:
        from c2c_tasks.consuming.printing import printable

        line = printable(str(error)).replace("\n", " ")
        raise SystemExit(f"c2c: {line}") from None


def show_what_cannot_be_encoded() -> None:
    """Have output show characters that its encoding lacks by their numbers."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@contextmanager
def quiet_ends() -> Iterator[None]:
    """End without a word where the user interrupts, or the reader of the output goes away."""
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except BrokenPipeError:
        # What is left in the buffer is flushed at exit, and there is nobody to read it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None


@contextmanager
def progress(what: str) -> Iterator[Meter]:
    """Give a meter of bytes: a bar on standard error, where that is a terminal."""
    from c2c_tasks.consuming.parallel import NoMeter

    if not sys.stderr.isatty():
        yield NoMeter()
        return
    from c2c_tasks.cli.bar import Bar

    with Bar(what) as bar:
        yield bar


def print_json(value: Any) -> None:
    """Print a value as a document of JSON."""
    print(json.dumps(value, indent=1))


def typed_uri(uri: str) -> str | None:
    """Return a path or URI as typed, as a whole URI; None where nothing was typed."""
    from c2c_tasks.store import normalise

    return normalise(uri) if uri else None


def open_catalogue() -> Catalogue:
    """Return the catalogue of this deployment."""
    from c2c_tasks.catalogue import Catalogue
    from c2c_tasks.config import catalogue_url

    return Catalogue(catalogue_url())
