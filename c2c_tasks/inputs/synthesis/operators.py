"""What operators tell of their operands, and what they make of them."""

from __future__ import annotations

import ast

from c2c_tasks.inputs.synthesis.relations import alike, made
from c2c_tasks.inputs.synthesis.uses import (
    ABSENT,
    ADDED,
    EXACT,
    FORMATTED,
    INTEGER,
    MULTIPLIED,
    NUMBER,
    Evidence,
    Use,
    evidence,
    kind_of,
)

BITS = evidence(int=0, bool=-1, set=-1.5)
SUBTRACTED = evidence(int=0, float=-0.6, set=-1.8, bool=-2.5)
_OPERANDS: dict[type[ast.operator], Evidence] = {
    ast.Mult: MULTIPLIED,
    ast.Sub: SUBTRACTED,
    ast.BitAnd: BITS,
    ast.BitOr: BITS,
    ast.BitXor: BITS,
    ast.LShift: INTEGER,
    ast.RShift: INTEGER,
}
_SYMBOLS: dict[type[ast.operator], str] = {
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
}


def operation(left: Use, op: ast.operator, right: Use) -> Use:
    """Return the use of what a binary operator makes."""
    a, b = left.constant, right.constant
    if isinstance(op, ast.Add):
        return addition(left, right)
    if isinstance(op, ast.Mod) and isinstance(a, str):
        return _formatting(a, right)
    seen = _OPERANDS.get(type(op), NUMBER)
    left.observe(seen)
    right.observe(seen)
    if isinstance(op, ast.Mult):
        for repeated, times in ((left, right), (right, left)):
            if repeated.best() in ("str", "list"):
                return _repetition(repeated, times)
    if isinstance(op, ast.LShift | ast.RShift | ast.Pow):
        right.flag("small")
    result = Use()
    result.observe(SUBTRACTED if isinstance(op, ast.Sub) else NUMBER)
    symbol = _SYMBOLS.get(type(op))
    if symbol and isinstance(b, int | float) and not isinstance(b, bool):
        result.origin = (symbol, left, b)
    elif symbol in ("*", "-") and isinstance(a, int | float):
        result.origin = ("r-" if symbol == "-" else symbol, right, a)
    return result


def _formatting(template: str, given: Use) -> Use:
    given.observe(FORMATTED)
    if "%d" in template or "%f" in template or "%." in template:
        given.observe(evidence(-0.5, int=0.5, float=0.5))
    return made("str")


def _repetition(repeated: Use, times: Use) -> Use:
    times.observe(INTEGER)
    times.flag("small")
    return made("str") if repeated.best() == "str" else made("list", repeated.get("item"))


def addition(left: Use, right: Use) -> Use:
    """Return the use of ``left + right``, which are of one type unless they are numbers."""
    a, b = left.constant, right.constant
    left.observe(ADDED, 0.7)
    right.observe(ADDED, 0.7)
    result = Use()
    for constant, other in ((a, right), (b, left)):
        if constant is ABSENT:
            continue
        kind = kind_of(constant)
        if kind in ("int", "float", "bool"):
            other.observe(NUMBER)
            result.observe(NUMBER)
            if other.constant is ABSENT:
                result.origin = ("+", other, constant)
        elif kind is not None:
            other.observe(EXACT[kind])
            result.observe(EXACT[kind])
        return result
    result.scores = list(left.scores) if left.scores else None
    alike(left, right)
    result.origin = ("sum", left, None)
    if left.root().item is not None:
        result.item = left.get("item")
    return result
