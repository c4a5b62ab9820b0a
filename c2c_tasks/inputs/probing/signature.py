"""The signature that functions are compared under: types of their arguments, by position.

It is read off the calls that returned, since what is annotated, and how a function is written,
differs between functions that do the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import Any

from c2c_tasks import literals
from c2c_tasks.inputs.synthesis.uses import kind_of
from c2c_tasks.records import Case, Function

MAX_DEPTH = 3
"""Containers in containers; what is in the innermost are integers."""
MAX_READ = 40
"""Cases that are read for the signature of a function."""

TYPED = 0.95
"""Share of the arguments of a parameter that must be numbers, or must not, for it to have a type.
What takes both takes anything; what takes texts and lists may be written for either."""

_GROUPS = {
    **dict.fromkeys(("int", "float", "bool"), "number"),
    **dict.fromkeys(("list", "tuple"), "sequence"),
}
_ORDER = ("number", "str", "sequence", "dict", "set", "bytes")
"""Groups of kinds; of equally common ones the first counts."""

Type = tuple[Any, ...]
"""A kind, then the types of its items, or of its keys and values."""
ANY: Type = ("any",)
NONE: Type = ("none",)
INT: Type = ("int",)


def signature_of(function: Function, returned: Sequence[Case]) -> dict[str, Type]:
    """Return the type of each parameter that most calls pass, in order of the header.

    `returned` are cases that returned.
    """
    cases = returned[:MAX_READ]
    rows = [literals.loads(case.arguments) for case in cases]
    outputs = [literals.loads(case.output) for case in cases if case.output is not None]
    fractional = 2 * sum(map(_has_float, outputs)) > len(outputs)
    types: dict[str, Type] = {}
    for parameter in function.parameters:
        values = [row[parameter.name] for row in rows if parameter.name in row]
        if 2 * len(values) > len(rows):
            types[parameter.name] = type_of(values, fractional) if _is_typed(values) else ANY
    return types


def _is_typed(values: Sequence[Any]) -> bool:
    """Return whether nearly all values are numbers, or nearly none is; None is neither."""
    groups = [group for value in values if (group := _group_of(value)) != "none"]
    numbers = groups.count("number")
    return max(numbers, len(groups) - numbers) >= TYPED * len(groups)


def type_of(values: Sequence[Any], fractional: bool = False, depth: int = 0) -> Type:
    """Return the type that most values have; that of None where all are None.

    Numbers are booleans where all are, floats where most are or what the function makes of them
    is `fractional`, else integers. Lists and tuples are told apart where all are tuples.
    """
    kinds = Counter(map(kind_of, values))
    groups: Counter[str] = Counter()
    for kind, number in kinds.items():
        if kind is not None and kind != "none":
            groups[_GROUPS.get(kind, kind)] += number
    if not groups:
        return NONE
    group = max(_ORDER, key=lambda name: groups[name])
    if group == "number":
        if kinds["bool"] == groups[group]:
            return ("bool",)
        return ("float",) if fractional or kinds["float"] > kinds["int"] else INT
    members = [value for value in values if _group_of(value) == group]
    match group:
        case "str" | "bytes":
            return (group,)
        case "dict":
            held = [item for value in members for item in value.values()]
            return (
                group,
                _member(members, False, depth),
                _type_of_members(held, fractional, depth),
            )
        case "set":
            return (group, _member(members, fractional, depth))
    kind = "list" if kinds["list"] else "tuple"
    return (kind, _member(members, fractional, depth))


def _group_of(value: Any) -> str | None:
    kind = kind_of(value)
    return _GROUPS.get(kind, kind) if kind is not None else None


def _member(containers: Sequence[Any], fractional: bool, depth: int) -> Type:
    return _type_of_members([*chain.from_iterable(containers)], fractional, depth)


def _type_of_members(items: list[Any], fractional: bool, depth: int) -> Type:
    if depth + 1 == MAX_DEPTH:
        return INT
    type_ = type_of(items, fractional, depth + 1)
    return INT if type_ == NONE else type_


def _has_float(value: Any) -> bool:
    match value:
        case float():
            return True
        case dict():
            return any(map(_has_float, value.values()))
        case list() | tuple():
            return any(map(_has_float, value))
    return False
