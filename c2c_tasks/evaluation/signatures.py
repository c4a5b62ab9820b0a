"""What an answer calls its parameters, and how recorded arguments are passed to it.

All is read from the answer's syntax tree, on the host, before anything runs.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from c2c_tasks.records import Parameter

Items = Mapping[str, "str | list[str] | dict[str, str]"]
"""Arguments of one call by parameter, each as a literal: of ``*args`` a list of them, of
``**kwargs`` a dict."""

_ALIASES = 10
"""Names that are followed from ``f = g`` to what is called."""


_VALUES = (ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.Set)
"""What cannot be called. It is passed over: ``f = None`` may stand after ``except ImportError``."""


@dataclass(frozen=True, slots=True)
class Signature:
    """The parameters of a function."""

    positional: tuple[str, ...] = ()
    """Those that can be passed by position, in order; the first ones perhaps only so."""
    keyword_only: tuple[str, ...] = ()
    required: frozenset[str] = frozenset()
    """Those without a default."""
    rest: str | None = None
    """Name of ``*args``."""
    further: str | None = None
    """Name of ``**kwargs``."""
    positional_only: int = 0
    """How many of the positional ones are nothing but positional."""


@dataclass(frozen=True, slots=True)
class Callee:
    """What an answer's entry point is, as far as its text tells."""

    signature: Signature | None
    """None where it is made by a call, a class or an import."""
    plain: bool
    """True for a ``def`` or ``lambda`` that nothing decorates."""


@dataclass(slots=True)
class Passed:
    """The arguments of one call, as the answer takes them."""

    named: dict[str, str] = field(default_factory=dict)
    rest: list[str] = field(default_factory=list)
    further: dict[str, str] = field(default_factory=dict)


def callee_of(tree: ast.Module, entry_point: str) -> Callee | None:
    """Return what a program binds a name to, last, at its top level; None for nothing to call.

    Bindings inside ``if``, ``try``, ``with`` and loops count; what a program does to ``globals()``
    is not seen.
    """
    last = {name: value for name, value in _bindings(tree.body) if not isinstance(value, _VALUES)}
    for _ in range(_ALIASES):
        found = last.get(entry_point)
        if not isinstance(found, ast.Name):
            break
        if found.id not in last:
            return Callee(None, False)  # a builtin, as in f = sorted
        entry_point = found.id
    match found:
        case None:
            return None
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return Callee(signature_of(found.args), not found.decorator_list)
        case ast.Lambda():
            return Callee(signature_of(found.args), True)
    return Callee(None, False)


def bindings(tree: ast.Module) -> dict[str, list[ast.AST]]:
    """Return the names that a program binds at its top level, each with what to, in order."""
    found: dict[str, list[ast.AST]] = {}
    for name, value in _bindings(tree.body):
        found.setdefault(name, []).append(value)
    return found


def signature_of(arguments: ast.arguments) -> Signature:
    """Return the signature of a header."""
    positional = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]
    keyword_only = [argument.arg for argument in arguments.kwonlyargs]
    required = positional[: len(positional) - len(arguments.defaults)]
    required += [
        name
        for name, default in zip(keyword_only, arguments.kw_defaults, strict=True)
        if default is None
    ]
    return Signature(
        tuple(positional),
        tuple(keyword_only),
        frozenset(required),
        arguments.vararg.arg if arguments.vararg else None,
        arguments.kwarg.arg if arguments.kwarg else None,
        len(arguments.posonlyargs),
    )


def by_name(
    items: Items, parameters: Sequence[Parameter], own: Signature, *, collected: bool
) -> Passed | None:
    """Return a recorded call's arguments under the same names, or None where they do not fit.

    `collected` lets the answer's ``**kwargs`` have them, though it has parameters of other names,
    which may be what it calls them.
    """
    passed = Passed()
    known = {*own.positional, *own.keyword_only}
    collects = collected or {*own.positional} <= {parameter.name for parameter in parameters}
    for parameter in parameters:
        value = items.get(parameter.name)
        if isinstance(value, list):
            passed.rest = value
            continue
        named = {parameter.name: value} if isinstance(value, str) else value or {}
        for name, text in named.items():
            if name in known:
                passed.named[name] = text
            elif own.further is not None and (collects or isinstance(value, dict)):
                passed.further[name] = text
            else:
                return None
    return passed if _fits(passed, own) else None


def by_position(items: Items, parameters: Sequence[Parameter], own: Signature) -> Passed | None:
    """Return a recorded call's arguments in the answer's own order, or None where they do not fit.

    The first recorded parameter is the answer's first, whatever it calls it, and so on. What was
    recorded as ``*args`` comes next, then what could only be passed by name, unless the answer
    has that very name for it; what ``**kwargs`` held keeps its names.
    """
    passed = Passed()
    in_order, by_own_name = _sequence(items, parameters, own)
    for position, text in enumerate(in_order):
        if position >= len(own.positional):
            if text is None:
                continue
            passed.rest.append(text)
        elif text is not None:
            passed.named[own.positional[position]] = text
    known = {*own.keyword_only, *own.positional}
    for name, text in by_own_name.items():
        if name in passed.named:
            return None
        if name in known:
            passed.named[name] = text
        elif own.further is not None:
            passed.further[name] = text
        else:
            return None
    return passed if _fits(passed, own) else None


def _sequence(
    items: Items, parameters: Sequence[Parameter], own: Signature
) -> tuple[list[str | None], dict[str, str]]:
    """Return what is passed by position, None for what a call leaves out, and what by name."""
    in_order: list[str | None] = []
    by_own_name: dict[str, str] = {}
    for parameter in parameters:
        value = items.get(parameter.name)
        if isinstance(value, list):
            in_order += value
        elif isinstance(value, dict):
            by_own_name |= value
        elif parameter.kind == "keyword_only" and value is not None:
            known = parameter.name in (*own.keyword_only, *own.positional)
            if not known and (len(in_order) < len(own.positional) or not own.further):
                in_order.append(value)
            else:
                by_own_name[parameter.name] = value
        elif parameter.kind in ("positional_only", "positional_or_keyword"):
            in_order.append(value)
    return in_order, by_own_name


def _fits(passed: Passed, own: Signature) -> bool:
    """Return True where a call can pass the arguments so."""
    if not own.required <= passed.named.keys():
        return False
    if passed.rest and (own.rest is None or not passed.named.keys() >= set(own.positional)):
        return False
    # What can only be passed by position has no gap before it.
    only = [name in passed.named for name in own.positional[: own.positional_only]]
    return only == sorted(only, reverse=True)


def _bindings(body: Sequence[ast.stmt]) -> Iterator[tuple[str, ast.AST]]:
    """Yield names that statements bind, each with what to, in order."""
    for statement in body:
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield statement.name, statement
            case ast.Assign():
                for target in statement.targets:
                    yield from _assigned(target, statement.value)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, value
            case ast.Import() | ast.ImportFrom():
                for alias in statement.names:
                    yield alias.asname or alias.name.partition(".")[0], statement
            case _:
                for part in ("body", "handlers", "orelse", "finalbody", "cases"):
                    for inner in getattr(statement, part, ()):
                        if isinstance(inner, ast.stmt):
                            yield from _bindings([inner])
                        else:
                            yield from _bindings(inner.body)


def _assigned(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.AST]]:
    match target:
        case ast.Name(id=name):
            yield name, value
        case ast.Tuple(elts=targets) | ast.List(elts=targets):
            values = value.elts if isinstance(value, ast.Tuple) else []
            known = len(values) == len(targets)
            for position, item in enumerate(targets):
                yield from _assigned(item, values[position] if known else value)
