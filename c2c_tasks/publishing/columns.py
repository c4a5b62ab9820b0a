"""What the columns of a release mean, for its card: in the words of the records that they are."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import pyarrow as pa

from c2c_tasks.records import Case, Parameter, Program, Sample
from c2c_tasks.syntax import parse_module

_ITEMS: dict[str, type] = {"cases": Case, "parameters": Parameter}
"""Records that the items of a column are."""
_OF_A_FORMAT = {
    "messages": "The chat: the prompt as `user`, then the answer as `assistant`.",
    "messages[].role": "Who speaks: `user` or `assistant`.",
    "messages[].content": "What is said.",
    "output": "The answer: the program, with what the template says around it.",
    "text": "The whole document: the cases, then the program.",
}
"""Columns of a training format that are no field of a sample."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a config, or a field of its items."""

    name: str
    """With ``[].`` before a field of a list's items."""
    type: str
    meaning: str


def columns_of(config: str, schema: pa.Schema) -> list[Column]:
    """Return the columns of a config. Raises KeyError for one that is described nowhere."""
    meanings = field_meanings(Program if config == "programs" else Sample)
    if config != "programs":
        meanings = meanings | _OF_A_FORMAT
    for name, record in _ITEMS.items():
        meanings |= {f"{name}[].{field}": text for field, text in field_meanings(record).items()}
    return [
        Column(name, type_, meanings[name])
        for field in schema
        for name, type_ in _flattened(field.name, field.type, nullable=field.nullable)
    ]


def _flattened(name: str, type_: pa.DataType, *, nullable: bool) -> Iterator[tuple[str, str]]:
    """Yield a column and, where its items are records, their fields, each with its type."""
    or_none = " or null" if nullable else ""
    if not pa.types.is_list(type_):
        yield name, f"{type_}{or_none}"
        return
    item = type_.value_type
    if not pa.types.is_struct(item):
        yield name, f"list of {item}{or_none}"
        return
    yield name, f"list of records{or_none}"
    for field in item:
        yield from _flattened(f"{name}[].{field.name}", field.type, nullable=field.nullable)


@cache
def field_meanings(record: type) -> dict[str, str]:
    """Return what the docstrings of a dataclass say of its fields, its bases' included."""
    found: dict[str, str] = {}
    for cls in reversed(record.__mro__[:-1]):
        (node,) = parse_module(textwrap.dedent(inspect.getsource(cls))).body
        assert isinstance(node, ast.ClassDef)
        for field, text in pairwise(node.body):
            match field, text:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)),
                    ast.Expr(value=ast.Constant(value=str(docstring))),
                ):
                    found[name] = " ".join(docstring.split()).replace("``", "`")
    return found
