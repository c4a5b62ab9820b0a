"""The writer `none`: what any function of a signature is given, whatever it does.

It is the floor that other writers are measured against (`ablations/input-writers.yaml`). A
signature is what a header declares: how many parameters there are, their annotations and, where
there is none, the types of their defaults. Neither the body, nor names, docstrings or outcomes are
looked at, so two functions of one signature get the same inputs.
"""

from __future__ import annotations

import ast
from collections.abc import Generator, Iterable
from functools import lru_cache

from c2c_tasks import literals
from c2c_tasks.config import InputOptions
from c2c_tasks.inputs.constants import NotConstant, constant_value
from c2c_tasks.inputs.probing.probes import probe_rows
from c2c_tasks.inputs.probing.signature import ANY, NONE, Type, type_of
from c2c_tasks.records import Function, Inputs, Parameter, extend
from c2c_tasks.shards import StepReport
from c2c_tasks.syntax import parse_expression

MAX_DEPTH = 3
"""Containers in containers that an annotation is read for."""
_SCALARS = frozenset({"int", "float", "bool", "str", "bytes"})
_CONTAINERS = {
    **dict.fromkeys(("list", "List", "Sequence", "Iterable", "Collection"), "list"),
    **dict.fromkeys(("tuple", "Tuple"), "tuple"),
    **dict.fromkeys(("set", "Set", "frozenset", "FrozenSet", "AbstractSet"), "set"),
    **dict.fromkeys(("dict", "Dict", "Mapping", "MutableMapping"), "dict"),
}
"""Annotations of containers, and the kind that a value for them has."""
_SIGNATURES = 1_024
"""Signatures whose inputs are kept; most functions have one of few."""


class SignatureWriter:
    """Gives each function the values of its signature; runs nothing, reads no body."""

    name = "none"

    def __init__(self, options: InputOptions) -> None:
        self.options = options

    def write(
        self, functions: Iterable[Function], report: StepReport
    ) -> Generator[Inputs, None, None]:
        """Yield inputs for each function, in order: see `InputWriter`. It drops none."""
        report.facts["writer"] = {"name": self.name}
        stage = report.stage("inputs", "functions")
        for function in functions:
            arguments = _arguments(function, self.options.inputs_per_function)
            stage.keep()
            report.count("inputs_written", len(arguments))
            yield extend(Inputs, function, arguments=arguments, writer=self.name)


def _arguments(function: Function, count: int) -> list[str]:
    """Return up to `count` rows; fewer where the types have no more values."""
    # Names for `**kwargs` would have to be made up: it is left empty.
    parameters = [p for p in function.parameters if p.kind != "var_keyword"]
    if not parameters:
        return [literals.dumps({})]
    rows = _rows(tuple(map(declared_type, parameters)), count)
    names = [repr(parameter.name) for parameter in parameters]
    return [
        "{" + ", ".join(f"{name}: {value}" for name, value in zip(names, row, strict=True)) + "}"
        for row in rows
    ]


@lru_cache(_SIGNATURES)
def _rows(types: tuple[Type, ...], count: int) -> list[tuple[str, ...]]:
    return [tuple(map(literals.dumps, row)) for row in probe_rows(types, count)]


def declared_type(parameter: Parameter) -> Type:
    """Return the type that a header declares for a parameter; of ``*args``, that of a tuple.

    Of a union it is the first part that is not None. What says nothing, or names a class, may be
    anything.
    """
    type_ = _annotated(parameter.annotation) if parameter.annotation else ANY
    if type_ == ANY and parameter.default is not None:
        type_ = _type_of_default(parameter.default)
    return ("tuple", type_) if parameter.kind == "var_positional" else type_


def _type_of_default(default: str) -> Type:
    try:
        type_ = type_of([constant_value(parse_expression(default))])
    except (NotConstant, SyntaxError):
        return ANY
    return ANY if type_ == NONE else type_


def _annotated(annotation: str, depth: int = 0) -> Type:
    try:
        return _read(parse_expression(annotation.strip()), depth)
    except SyntaxError:
        return ANY


def _read(node: ast.expr, depth: int) -> Type:
    match node:
        case ast.Constant(value=None):
            return NONE
        case ast.Constant(value=str(text)) if depth < MAX_DEPTH:
            return _annotated(text, depth + 1)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return _named(name, [], depth)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _first([left, right], depth)
        case ast.Subscript(value=ast.Name(id=name) | ast.Attribute(attr=name), slice=inner):
            return _named(name, inner.elts if isinstance(inner, ast.Tuple) else [inner], depth)
    return ANY


def _named(name: str, inner: list[ast.expr], depth: int) -> Type:
    if name in _SCALARS:
        return (name,)
    if name in ("Optional", "Union"):
        return _first(inner, depth)
    kind = _CONTAINERS.get(name)
    if kind is None:
        return ANY
    members = [_read(node, depth + 1) for node in inner] if depth + 1 < MAX_DEPTH else []
    members = [ANY if member == NONE else member for member in members]
    # Probes hold items of one type: that of a tuple's first one.
    return (kind, *[*members, ANY, ANY][: 2 if kind == "dict" else 1])


def _first(nodes: list[ast.expr], depth: int) -> Type:
    types = [_read(node, depth) for node in nodes]
    return next((type_ for type_ in types if type_ != NONE), NONE)
