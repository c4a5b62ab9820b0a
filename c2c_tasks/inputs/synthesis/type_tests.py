"""Tests of types, and the kinds of value that they tell apart."""

from __future__ import annotations

import ast

from c2c_tasks.inputs.constants import NotConstant, constant_value
from c2c_tasks.inputs.synthesis.relations import compare_with_constant
from c2c_tasks.inputs.synthesis.uses import EXACT, Use, kind_of, mostly

_CLASS_KINDS = {
    "int": ["int"], "float": ["float"], "bool": ["bool"], "str": ["str"], "bytes": ["bytes"],
    "list": ["list"], "tuple": ["tuple"], "set": ["set"], "frozenset": ["set"],
    "dict": ["dict"], "basestring": ["str"], "unicode": ["str"], "Number": ["int", "float"],
    "Mapping": ["dict"], "Sequence": ["list", "tuple", "str"], "Iterable": ["list", "tuple"],
    "NoneType": ["none"], "Integral": ["int"], "Real": ["int", "float"],
}  # fmt: skip


def type_test(test: ast.expr) -> tuple[str, list[str], bool] | None:
    """Return the name, the kinds and the sense of a test of one name's type."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            found = type_test(operand)
            return found and (found[0], found[1], not found[2])
        case ast.BoolOp(op=ast.And(), values=[first, *_]):
            found = type_test(first)
            return found if found and found[2] else None
        case ast.Call(func=ast.Name(id="isinstance"), args=[ast.Name(id=name), classes]):
            kinds = kinds_of(classes)
            return (name, kinds, True) if kinds else None
        case ast.Compare(
            left=ast.Call(func=ast.Name(id="type"), args=[ast.Name(id=name)]),
            ops=[ast.Eq() | ast.Is() | ast.NotEq() | ast.IsNot() | ast.In() as op],
            comparators=[classes],
        ):
            kinds = kinds_of(classes)
            return (name, kinds, not isinstance(op, ast.NotEq | ast.IsNot)) if kinds else None
        case ast.Compare(
            left=ast.Name(id=name),
            ops=[ast.Is() | ast.IsNot() as op],
            comparators=[ast.Constant(value=None)],
        ):
            return name, ["none"], isinstance(op, ast.Is)
    return None


def kinds_of(node: ast.expr) -> list[str]:
    """Return the kinds of the classes that an expression names."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return _CLASS_KINDS.get(name, [])
        case ast.Tuple(elts=items) | ast.List(elts=items) | ast.Set(elts=items):
            return [kind for item in items for kind in kinds_of(item)]
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return kinds_of(left) + kinds_of(right)
        case ast.Call(func=ast.Name(id="type"), args=[example]):
            try:
                return [kind_of(constant_value(example)) or "none"]
            except NotConstant:
                return []
    return []


def take_pattern(pattern: ast.pattern, use: Use) -> None:
    """Take a pattern of a ``match`` statement as evidence on its subject."""
    match pattern:
        case ast.MatchValue(value=value):
            try:
                compare_with_constant(use, constant_value(value))
            except NotConstant:
                return
        case ast.MatchSingleton(value=value):
            compare_with_constant(use, value)
        case ast.MatchOr(patterns=patterns):
            for each in patterns:
                take_pattern(each, use)
        case ast.MatchAs(pattern=inner) if inner is not None:
            take_pattern(inner, use)
        case ast.MatchSequence(patterns=patterns):
            use.observe(mostly("list", 2.0))
            use.root().lengths.setdefault(len(patterns))
            for position, each in enumerate(patterns):
                take_pattern(each, use.field(position))
        case ast.MatchMapping():
            _take_mapping(pattern, use)
        case ast.MatchClass(cls=cls):
            use.root().variants.extend(_of_kind(kind) for kind in kinds_of(cls))


def _take_mapping(pattern: ast.MatchMapping, use: Use) -> None:
    use.observe(mostly("dict", 3.0))
    for key, each in zip(pattern.keys, pattern.patterns, strict=True):
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            take_pattern(each, use.field(key.value))


def _of_kind(kind: str) -> Use:
    variant = Use()
    variant.observe(EXACT[kind])
    return variant
