"""What a call leaves to the defaults of a function."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeVar

from c2c_tasks.inputs.constants import NotConstant, constant_value
from c2c_tasks.literals import Unrepresentable, dumps, loads
from c2c_tasks.records import Function, Parameter
from c2c_tasks.syntax import parse_expression, parse_module

F = TypeVar("F", bound=Function)


def with_literal_defaults(function: F) -> F:
    """Return a function with defaults that its program's constants name written out.

    A header is shown without the program: ``limit=MAX_ITEMS`` would say nothing, and would not
    even load. What is no constant stays as it is written.
    """
    if all(p.default is None or _is_literal(p.default) for p in function.parameters):
        return function
    names = _constants(function.program)
    return replace(function, parameters=[_with_literal(p, names) for p in function.parameters])


def bound(function: Function, arguments: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the literal of each parameter in a call, defaults filled in.

    Two calls that have these in common are one to the function, whatever they leave out.
    """
    return tuple(_bound(parameter, arguments) for parameter in function.parameters)


def _bound(parameter: Parameter, arguments: Mapping[str, Any]) -> str:
    if parameter.name in arguments:
        return dumps(arguments[parameter.name])
    match parameter.kind:
        case "var_positional":
            return "()"
        case "var_keyword":
            return "{}"
    return parameter.default or ""


def _with_literal(parameter: Parameter, names: dict[str, Any]) -> Parameter:
    if parameter.default is None:
        return parameter
    with suppress(SyntaxError, NotConstant, Unrepresentable):
        value = constant_value(parse_expression(parameter.default), names)
        return replace(parameter, default=dumps(value))
    return parameter


def _is_literal(text: str) -> bool:
    try:
        return dumps(loads(text)) == text
    except (ValueError, Unrepresentable):
        return False


def _constants(program: str) -> dict[str, Any]:
    """Return the values of the constants at the top of a program."""
    names: dict[str, Any] = {}
    for node in parse_module(program).body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                pass
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                pass
            case _:
                continue
        with suppress(NotConstant):
            names[name] = constant_value(value, names)
    return names
