"""What values tell of each other: by comparison, membership, subscripts and iteration."""

from __future__ import annotations

import contextlib
import operator
from collections.abc import Callable
from typing import Any

from c2c_tasks.inputs.constants import listed
from c2c_tasks.inputs.synthesis.uses import (
    ABSENT,
    CONTAINER,
    EXACT,
    INDEXED,
    INTEGER,
    ITERABLE,
    NUMBER,
    SEQUENCE,
    TABLE,
    Use,
    evidence,
    kind_of,
    learn,
    mostly,
    unify,
)

SCALARS = (int, float, str, bytes, bool, type(None))


def made(kind: str, item: Use | None = None) -> Use:
    """Return the use of a value that an operation makes, of a known kind."""
    use = Use()
    use.observe(EXACT[kind])
    use.item = item
    return use


def of_one_kind(item: Use) -> Use:
    """Return the use of a tuple of an unknown number of items that are alike."""
    use = made("tuple", item)
    use.flag("alike")
    return use


def of_constant(value: Any) -> Use:
    """Return the use of a value that the source writes."""
    use = Use(value)
    learn(use, value, 4.0)
    return use


def iterate(use: Use) -> Use:
    """Return the use of what iteration over `use` yields."""
    use = use.root()
    use.observe(ITERABLE)
    if use.item is None and use.origin is not None and use.origin[0] == "sum":
        use.item = use.origin[1].get("item")
    item = use.get("item")
    if use.constant is not ABSENT and isinstance(use.constant, list | tuple | set | dict | str):
        for value in listed(use.constant)[:20]:
            learn(item, value, 0.5)
            if isinstance(value, SCALARS):
                item.add_literal(value)
    return item


def subscript(use: Use, index: Use) -> Use:
    """Return the use of ``use[index]``."""
    key = index.constant
    if isinstance(key, str):
        use.observe(TABLE)
        return use.field(key)
    if isinstance(key, int) and not isinstance(key, bool) and -50 < key < 50:
        use.observe(INDEXED, 0.8)
        use.root().lengths.setdefault(key + 1 if key >= 0 else -key)
        return use.field(key)
    if index.origin is not None and index.origin[0] == "range":
        use.root().lengths.setdefault(index.origin[2])
    constant = use.root().constant
    if isinstance(constant, dict):
        for known in list(constant)[:30]:
            compare_with_constant(index, known)
        return Use()
    if isinstance(constant, list | tuple | str) and constant:
        index.observe(INTEGER, 0.7)
        index.flag("small")
        compare_with_constant(index, len(constant) - 1)
        return Use()
    if index.best() in ("int", "bool") and index.score("str") < -1:
        use.observe(SEQUENCE)
    elif index.best() == "str" and index.score("int") < -1:
        use.observe(TABLE)
    else:
        use.observe(INDEXED)
    unify(use.get("index"), index)
    return use.get("value")


def alike(left: Use, right: Use) -> None:
    """Share kinds, but not literals, between two uses that must be of one type."""
    first, second = _first_term(left), _first_term(right)
    if first is second:
        return
    before = list(first.scores) if first.scores else None
    if second.scores:
        first.observe(tuple(second.scores), 0.6)
    if before:
        second.observe(tuple(before), 0.6)
    if first.origin is None and second.origin is None and not first.variants:
        for use, other in ((first, second), (second, first)):
            if use.constant is ABSENT and other.constant is ABSENT:
                unify(use, other)
                return


def _first_term(use: Use) -> Use:
    """Return the use itself, or of a sum the first of what it is a sum of."""
    for _ in range(4):
        use = use.root()
        if use.origin is None or use.origin[0] != "sum":
            break
        use = use.origin[1]
    return use.root()


def comparison(left: Use, right: Use) -> None:
    """Record that two uses are compared."""
    left, right = left.root(), right.root()
    if right.constant is not ABSENT:
        compare_with_constant(left, right.constant)
    elif left.constant is not ABSENT:
        compare_with_constant(right, left.constant)
    else:
        alike(left, right)


def compare_with_constant(use: Use, value: Any, depth: int = 0) -> None:
    """Record that a use is compared with a constant; seek back through what made it."""
    use = use.root()
    if isinstance(value, list | tuple | set | frozenset | dict):
        learn(use, value, 1.5)
        if len(value) < 12:
            use.lengths.setdefault(len(value))
        return
    if not isinstance(value, SCALARS):
        return
    if use.constant is ABSENT:
        use.add_literal(value)
        kind = kind_of(value)
        if kind == "none":
            use.flag("optional")
        elif kind in ("int", "float", "bool"):
            use.observe(NUMBER, 0.6)
        elif kind is not None:
            use.observe(mostly(kind, 1.5))
    if use.origin is None or depth > 5:  # unified uses may have come of themselves
        return
    how, operand, other = use.origin
    with contextlib.suppress(TypeError, ValueError, OverflowError, ZeroDivisionError):
        _seek_back(how, operand.root(), other, value, depth + 1)


def _seek_back(how: str, operand: Use, other: Any, value: Any, depth: int) -> None:
    """Record on an operand what makes the operation's result equal `value`."""
    match how:
        case "same":
            compare_with_constant(operand, value, depth)
        case "prefix" | "suffix" | "part" if isinstance(value, str):
            operand.observe(mostly("str", 1.0))
            affixes = operand.prefixes if how == "prefix" else operand.suffixes
            (operand.fragments if how == "part" else affixes).setdefault(value)
        case "len" if isinstance(value, int) and 0 <= value <= 60:
            operand.lengths.setdefault(value)
        case "%" if isinstance(value, int) and isinstance(other, int) and other:
            operand.remainders.setdefault((other, value))
        case "number" if isinstance(value, int | float):
            compare_with_constant(operand, str(value) if operand.score("int") < 0 else value, depth)
        case "ord" if isinstance(value, int) and 0 < value < 0x110000:
            compare_with_constant(operand, chr(value), depth)
        case "+" | "-" | "r-" | "*" | "/" | "//" if isinstance(value, int | float):
            compare_with_constant(operand, _INVERSE[how](value, other), depth)


_INVERSE: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.sub,
    "-": operator.add,
    "r-": lambda value, other: other - value,
    "*": lambda value, other: value // other if value % other == 0 else value / other,
    "/": operator.mul,
    "//": operator.mul,
}


def membership(item: Use, container: Use) -> None:
    """Record that a use is looked for in another."""
    constant = container.root().constant
    if constant is not ABSENT:
        if isinstance(constant, str):
            item.observe(EXACT["str"])
            for character in constant[:12] if len(constant) > 1 else constant:
                item.add_literal(character)
        elif isinstance(constant, list | tuple | set | frozenset | dict):
            for value in listed(constant)[:30]:
                compare_with_constant(item, value)
        return
    if item.root() is container.root():  # one item of a list in another: they are texts
        container.observe(EXACT["str"])
        return
    container.observe(CONTAINER)
    if item.constant is ABSENT:
        unify(container.get("item"), item)
        return
    value = item.constant
    if isinstance(value, str):
        container.root().fragments.setdefault(value)
        container.observe(evidence(-3.0, str=0.3, list=-0.3, dict=-0.4, set=-1, tuple=-1.5))
    else:
        container.observe(evidence(0.0, str=-4))
    if isinstance(value, SCALARS):
        container.get("item").add_literal(value)
        learn(container.get("item"), value, 1.0)


def bind(parameter: Use, argument: Use) -> None:
    """Record that an argument is passed as a parameter."""
    argument = argument.root()
    if argument.constant is not ABSENT:
        learn(parameter, argument.constant, 0.7)
    else:
        unify(parameter, argument)
