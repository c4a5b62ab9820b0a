"""What calls of builtins tell of their arguments."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING

from c2c_tasks.inputs.synthesis.library_calls import call_library
from c2c_tasks.inputs.synthesis.relations import comparison, iterate, made, of_one_kind
from c2c_tasks.inputs.synthesis.sites import CallSite
from c2c_tasks.inputs.synthesis.uses import (
    ABSENT,
    EXACT,
    HASHABLE,
    INTEGER,
    NUMBER,
    SEQUENCE,
    SIZED,
    STRING,
    Use,
    evidence,
    mostly,
)

if TYPE_CHECKING:
    from c2c_tasks.inputs.synthesis.expressions import Environment, Expressions


MAX_RANGE = 40
"""Bound of a range up to which what it indexes is made as long."""


def call_builtin(walk: Expressions, name: str, node: ast.Call, env: Environment) -> Use:
    """Walk a call of a builtin, or of a name imported from a library."""
    if name in ("map", "filter") and len(node.args) >= 2:
        return _map(walk, name, node, env)
    if name == "isinstance" and node.args:
        walk.expression(node.args[0], env)
        return made("bool")
    return call_builtin_on(CallSite(walk, node, env, name, walk.arguments(node, env)))


def call_builtin_on(site: CallSite) -> Use:
    """Return the use of what a builtin gives, or what is imported from a library."""
    handle = _BUILTINS.get(site.name)
    return handle(site) if handle is not None else call_library(site, "")


def _map(walk: Expressions, name: str, node: ast.Call, env: Environment) -> Use:
    items = [iterate(walk.expression(argument, env)) for argument in node.args[1:]]
    result = walk.apply(node.args[0], items, env)
    return made("list", result if name == "map" else items[0])


def _len(site: CallSite) -> Use:
    site.first.observe(SIZED)
    result = made("int")
    result.origin = ("len", site.first, None)
    return result


def _range(site: CallSite) -> Use:
    for argument in site.arguments:
        argument.observe(INTEGER)
        argument.flag("small")
    bound = site.arguments[min(1, len(site.arguments) - 1)].constant if site.arguments else None
    position = made("int")
    if isinstance(bound, int) and 1 < bound <= MAX_RANGE:
        position.origin = ("range", position, bound)
    return made("list", position)


def _enumerate(site: CallSite) -> Use:
    pair = made("tuple")
    pair.fields.update({0: made("int"), 1: iterate(site.first)})
    return made("list", pair)


def _zip(site: CallSite) -> Use:
    if len(site.arguments) == 1:  # zip(*rows)
        return made("list", of_one_kind(iterate(site.first)))
    row = made("tuple")
    row.fields.update({i: iterate(use) for i, use in enumerate(site.arguments)})
    return made("list", row)


def _collect(site: CallSite) -> Use:
    kind = {"tuple": "tuple", "set": "set", "frozenset": "set"}.get(site.name, "list")
    if not site.arguments:
        return made(kind)
    given = site.first.root()
    told_apart = bool(given.fields) and given.constant is ABSENT
    if site.name in ("list", "tuple") and (told_apart or given.best() in ("list", "tuple")):
        return given
    item = iterate(given)
    if site.name == "reversed":
        given.observe(SEQUENCE)
    site.walk_key(item)
    if kind == "set":
        item.observe(HASHABLE)
    return made(kind, item)


def _extreme(site: CallSite) -> Use:
    if len(site.arguments) == 1:
        site.first.root().lengths.setdefault(1)
        return _next(site)
    result = Use()
    for use in site.arguments:
        if use.constant is ABSENT:
            use.observe(NUMBER, 0.6)
            result = use
            continue
        for other in site.arguments:
            if other is not use:
                comparison(other, use)
    return result


def _next(site: CallSite) -> Use:
    item = iterate(site.first)
    site.walk_key(item)
    return item


def _any(site: CallSite) -> Use:
    iterate(site.first)
    return made("bool")


def _sum(site: CallSite) -> Use:
    item = iterate(site.first)
    item.observe(NUMBER)
    site.first.observe(evidence(0.0, str=-4))
    return item if item.origin is None else made("int")


def _to_number(site: CallSite) -> Use:
    if len(site.arguments) == 1 or site.name == "float":
        return _number_of(site.name, site.first)
    site.first.observe(EXACT["str"])  # int(text, base)
    site.first.flag("integer_text")
    return made(site.name)


def _number_of(name: str, use: Use) -> Use:
    result = made(name)
    use.observe(evidence(int=0, str=-0.3, float=-0.3 if name == "int" else 0.0, bool=-2.5))
    use.flag("integer_text" if name == "int" else "number_text")
    result.origin = ("number", use.root(), None)
    return result


def _to_text(site: CallSite) -> Use:
    if site.name == "str":
        site.first.observe(mostly("int", 0.4))
    return made("str")


def _ord(site: CallSite) -> Use:
    site.first.observe(STRING)
    site.first.root().lengths = {1: None}
    result = made("int")
    result.origin = ("ord", site.first, None)
    return result


def _digits(site: CallSite) -> Use:
    site.first.observe(INTEGER)
    site.first.flag("code_point" if site.name == "chr" else "natural")
    return made("str")


def _compute(site: CallSite) -> Use:
    for argument in site.arguments:
        argument.observe(NUMBER)
    result = Use()
    result.observe(NUMBER)
    if site.name in ("abs", "round"):
        result.origin = ("same", site.first, None)
    return result


_BUILTINS: dict[str, Callable[[CallSite], Use]] = {
    "len": _len,
    "range": _range,
    "enumerate": _enumerate,
    "zip": _zip,
    "next": _next,
    "sum": _sum,
    "ord": _ord,
    "bool": lambda site: made("bool"),
    **dict.fromkeys(("sorted", "list", "tuple", "set", "frozenset", "reversed", "iter"), _collect),
    **dict.fromkeys(("max", "min"), _extreme),
    **dict.fromkeys(("any", "all"), _any),
    **dict.fromkeys(("int", "float"), _to_number),
    **dict.fromkeys(("str", "repr"), _to_text),
    **dict.fromkeys(("print", "hash", "id", "type"), lambda site: made("int")),
    **dict.fromkeys(("chr", "bin", "hex", "oct"), _digits),
    **dict.fromkeys(("abs", "round", "divmod", "pow"), _compute),
}
