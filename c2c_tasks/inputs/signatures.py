"""Arguments checked against a function's parameters."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from c2c_tasks.inputs.constants import NotConstant, constant_value
from c2c_tasks.records import Parameter

Arguments = dict[str, Any]
"""The arguments of one call: parameter to value."""


class WrongArguments(ValueError):
    """The arguments do not fit the parameters; `reason` names why, for counting."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def bind_call(
    parameters: Sequence[Parameter], call: ast.Call, names: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return the constant arguments of a call as parameter to value, in header order.

    Arguments past the positional parameters make the tuple of ``*args``, keywords that no
    parameter has the dict of ``**kwargs``. Raises NotConstant for what is not a constant,
    WrongArguments for what does not fit.
    """
    positional: list[Any] = []
    for node in call.args:
        if isinstance(node, ast.Starred):
            values = constant_value(node.value, names)
            if not isinstance(values, list | tuple):
                raise NotConstant("* of what is no list")
            positional.extend(values)
        else:
            positional.append(constant_value(node, names))
    keywords: dict[str, Any] = {}
    for keyword in call.keywords:
        value = constant_value(keyword.value, names)
        if keyword.arg is not None:
            keywords[keyword.arg] = value
        elif isinstance(value, dict):
            keywords.update(value)
        else:
            raise NotConstant("** of what is no dict")
    return bind(parameters, positional, keywords)


def bind(
    parameters: Sequence[Parameter], positional: Sequence[Any], keywords: dict[str, Any]
) -> dict[str, Any]:
    """Return arguments of a call as parameter to value, in header order.

    Raises WrongArguments.
    """
    by_position = [p for p in parameters if p.kind.startswith("positional")]
    given = dict(zip((p.name for p in by_position), positional, strict=False))
    surplus = tuple(positional[len(by_position) :])
    rest = next((p.name for p in parameters if p.kind == "var_positional"), None)
    if surplus and rest is None:
        raise WrongArguments("too_many_arguments", f"{len(positional)} positional arguments")
    return _fit(parameters, given, keywords, surplus)


def check(parameters: Sequence[Parameter], arguments: dict[Any, Any]) -> dict[str, Any]:
    """Return arguments given by name, in header order.

    ``*args`` may be given as a list, ``**kwargs`` as a dict, or its members by name.
    Raises WrongArguments.
    """
    rest = next((p.name for p in parameters if p.kind == "var_positional"), None)
    surplus: tuple[Any, ...] = ()
    if rest is not None and rest in arguments:
        values = arguments[rest]
        if not isinstance(values, list | tuple):
            raise WrongArguments("wrong_arguments", f"*{rest} is not a list or tuple")
        surplus = tuple(values)
        arguments = {name: value for name, value in arguments.items() if name != rest}
    return _fit(parameters, {}, arguments, surplus)


def _fit(
    parameters: Sequence[Parameter],
    given: dict[str, Any],
    keywords: dict[Any, Any],
    surplus: tuple[Any, ...],
) -> dict[str, Any]:
    named = {p.name: p for p in parameters if not p.kind.startswith("var_")}
    collector = next((p.name for p in parameters if p.kind == "var_keyword"), None)
    extra: dict[str, Any] = {}
    for name, value in keywords.items():
        if not isinstance(name, str):
            raise WrongArguments("unknown_parameter", f"a {type(name).__name__} as a name")
        if name in given:
            raise WrongArguments("wrong_arguments", f"{name} is given twice")
        if name in named:
            given[name] = value
        elif collector is None:
            raise WrongArguments("unknown_parameter", f"no parameter {name}")
        elif name == collector and isinstance(value, dict):
            extra.update(value)
        else:
            extra[name] = value
    if not all(isinstance(name, str) for name in extra):
        raise WrongArguments("unknown_parameter", f"**{collector} with other keys than names")
    if extra.keys() & named.keys():
        raise WrongArguments("wrong_arguments", f"**{collector} repeats a parameter")
    return _in_order(parameters, given, surplus, extra)


def _in_order(
    parameters: Sequence[Parameter],
    given: dict[str, Any],
    surplus: tuple[Any, ...],
    extra: dict[str, Any],
) -> dict[str, Any]:
    ordered: dict[str, Any] = {}
    for parameter in parameters:
        if parameter.kind == "var_positional":
            if surplus:
                ordered[parameter.name] = surplus
        elif parameter.kind == "var_keyword":
            if extra:
                ordered[parameter.name] = extra
        elif parameter.name in given:
            ordered[parameter.name] = given[parameter.name]
        elif parameter.default is None:
            raise WrongArguments("missing_parameter", f"no value for {parameter.name}")
        elif surplus and parameter.kind != "keyword_only":
            raise WrongArguments("missing_parameter", f"*args without {parameter.name} before it")
    return ordered
