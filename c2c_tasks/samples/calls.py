"""How a call, and the header of the function called, are written as Python source."""

from __future__ import annotations

import keyword
from collections.abc import Mapping, Sequence
from typing import Any

from c2c_tasks.literals import dumps
from c2c_tasks.records import Parameter, ParameterKind

_REST: ParameterKind = "var_positional"


def call_expression(
    name: str,
    parameters: Sequence[Parameter],
    arguments: Mapping[str, Any],
    *,
    by_keyword: bool = False,
) -> str:
    """Return the expression that calls `name` with `arguments`, a value for each parameter.

    Arguments go by position where the header allows it or, with `by_keyword`, by name where
    it allows that. The value of a ``*args`` parameter is a tuple and that of a ``**kwargs``
    parameter a dict; both are written out. A parameter that `arguments` lacks is left to its
    default. Raises ValueError where no call binds the parameters so.
    """
    if unknown := arguments.keys() - {parameter.name for parameter in parameters}:
        raise ValueError(f"{name} has no parameter {', '.join(sorted(unknown))}")
    rest = any(arguments.get(p.name) for p in parameters if p.kind == _REST)
    written: list[str] = []
    skipped: str | None = None
    for parameter in parameters:
        if parameter.name not in arguments:
            if parameter.kind in ("positional_only", "positional_or_keyword"):
                skipped = skipped or parameter.name
            continue
        value = arguments[parameter.name]
        by_position = parameter.kind == "positional_only" or (value and parameter.kind == _REST)
        if skipped and by_position:
            raise ValueError(f"{name}: {parameter.name} is given, but not {skipped} before it")
        match parameter.kind:
            case "positional_or_keyword" if skipped or (by_keyword and not rest):
                written.append(f"{parameter.name}={dumps(value)}")
            case "positional_only" | "positional_or_keyword":
                written.append(dumps(value))
            case "keyword_only":
                written.append(f"{parameter.name}={dumps(value)}")
            case "var_positional":
                written += [dumps(item) for item in value]
            case "var_keyword":
                written += _keywords(value)
    return f"{name}({', '.join(written)})"


def header(name: str, parameters: Sequence[Parameter]) -> str:
    """Return the ``def`` line of a function, up to its colon, without a return annotation."""
    written: list[str] = []
    kinds = [parameter.kind for parameter in parameters]
    for position, parameter in enumerate(parameters):
        before = kinds[position - 1] if position else None
        if before == "positional_only" != parameter.kind:
            written.append("/")
        if parameter.kind == "keyword_only" and before not in ("keyword_only", "var_positional"):
            written.append("*")
        written.append(_declaration(parameter))
    if kinds and kinds[-1] == "positional_only":
        written.append("/")
    return f"def {name}({', '.join(written)}):"


def starred(parameter: Parameter) -> str:
    """Return a parameter's name with the stars it has in the header."""
    stars = {"var_positional": "*", "var_keyword": "**"}
    return stars.get(parameter.kind, "") + parameter.name


def _declaration(parameter: Parameter) -> str:
    text = starred(parameter)
    if parameter.annotation is not None:
        text += f": {parameter.annotation}"
    if parameter.default is not None:
        text += f" = {parameter.default}" if parameter.annotation else f"={parameter.default}"
    return text


def _keywords(values: Mapping[Any, Any]) -> list[str]:
    """Return further keyword arguments, as a dict where a name is no plain identifier."""
    if not values or all(map(_is_plain, values)):
        return [f"{name}={dumps(value)}" for name, value in values.items()]
    return [f"**{dumps(values)}"]


def _is_plain(name: object) -> bool:
    """Return whether source may say ``name=``; other alphabets may be normalised by the parser."""
    return (
        isinstance(name, str)
        and name.isascii()
        and name.isidentifier()
        and not keyword.iskeyword(name)
        and name != "__debug__"
    )
