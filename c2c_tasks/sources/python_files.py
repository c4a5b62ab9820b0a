"""A single Python file of a tree."""

from __future__ import annotations

from collections.abc import Iterator

from c2c_tasks.config import SourceOptions
from c2c_tasks.records import SourceFile
from c2c_tasks.sources.files import Origin, Skipped, source_file
from c2c_tasks.store import store_for


def read_python_file(origin: Origin, options: SourceOptions) -> Iterator[SourceFile | Skipped]:
    """Yield the file, or why it is skipped."""
    with store_for(origin.uri).open(origin.uri) as stream:
        raw = stream.read(options.max_file_bytes + 1)
    yield source_file(
        raw,
        origin,
        path=origin.path,
        repository=None,
        licence=None,
        max_bytes=options.max_file_bytes,
    )
