"""Readers of code dumps: what objects a dump has, and the Python files inside each."""

from c2c_tasks.sources.dump import is_in_dump, list_dump
from c2c_tasks.sources.errors import SourceError
from c2c_tasks.sources.reading import read_object

__all__ = ["SourceError", "is_in_dump", "list_dump", "read_object"]
