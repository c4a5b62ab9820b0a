"""How the recorded arguments of a problem are passed to an answer."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from c2c_tasks import literals
from c2c_tasks.evaluation.records import CalledBy, Problem
from c2c_tasks.evaluation.signatures import (
    Callee,
    Items,
    Passed,
    Signature,
    by_name,
    by_position,
    callee_of,
)
from c2c_tasks.records import Parameter

_Pass = Callable[[Items], Passed | None]
_WRAPPER = """

def {name}(*positional, **named):
    return {entry_point}(*positional, **named)
"""


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls that grade an answer."""

    program: str
    entry_point: str
    arguments: list[str]
    """Literals, as the program takes them."""
    positions: list[int]
    """The case that each is of; cases that the answer takes no arguments of are not called."""
    called_by: CalledBy | None


@dataclass(slots=True)
class Passing:
    """Passes the recorded arguments of one problem to its answers."""

    problem: Problem
    _parameters: list[Parameter] = field(init=False)
    _signature: Signature = field(init=False)
    _unknown: Signature = field(init=False)
    """What is called like an answer whose signature is not known."""
    _items: list[Items] | None = None

    def __post_init__(self) -> None:
        self._parameters = self.problem.parameters
        self._signature = _signature_of(self._parameters)
        self._unknown = Signature(self._signature.positional, rest="rest", further="further")

    def calls(
        self, code: str, tree: ast.Module, arguments: Sequence[str] | None = None
    ) -> Calls | None:
        """Return the calls of an answer; None where it takes the arguments of none.

        By name, where the answer takes every case's arguments by name, else by position where it
        takes more of them so. `arguments` are other calls of the program than the recorded ones;
        they are passed in the way that those are.
        """
        callee = callee_of(tree, self.problem.entry_point)
        if callee is None:
            return None
        if arguments is None:
            rows = [case.arguments for case in self.problem.cases]
        else:
            rows = [*arguments]
        if callee.plain and callee.signature == self._signature:
            return Calls(code, self.problem.entry_point, rows, [*range(len(rows))], "name")
        own = callee.signature or self._unknown
        way, passed = self._way(own, callee)
        if arguments is None:
            items = self._every_item()
        else:
            items = [_items(row, self._parameters) for row in rows]
        literal = {
            position: _for_itself(one, own) if callee.plain else _for_wrapper(one, own, way)
            for position, one in enumerate(map(passed, items))
            if one is not None
        }
        if not literal:
            return None
        entry_point = self.problem.entry_point
        if not callee.plain:
            name = "call"
            while name in code:
                name += "_"
            code += _WRAPPER.format(name=name, entry_point=entry_point)
            entry_point = name
        return Calls(code, entry_point, [*literal.values()], [*literal], way)

    def _way(self, own: Signature, callee: Callee) -> tuple[CalledBy, _Pass]:
        """Return the way that most cases' arguments can be passed; of several, the first."""
        by_place = partial(by_position, parameters=self._parameters, own=own)
        if callee.signature is None:  # builtins take few names, and a class's are not its own
            return "position", by_place
        named = partial(by_name, parameters=self._parameters, own=own)
        ways: list[tuple[CalledBy, _Pass]]
        ways = [
            ("name", partial(named, collected=False)),
            ("position", by_place),
            ("name", partial(named, collected=True)),
        ]
        return min(ways, key=lambda way: sum(way[1](one) is None for one in self._every_item()))

    def _every_item(self) -> list[Items]:
        if self._items is None:
            self._items = [_items(case.arguments, self._parameters) for case in self.problem.cases]
        return self._items


def _signature_of(parameters: Sequence[Parameter]) -> Signature:
    """Return the signature of recorded parameters."""
    names: dict[str, list[str]] = {}
    for parameter in parameters:
        names.setdefault(parameter.kind, []).append(parameter.name)
    only = names.get("positional_only", [])
    stars = ("var_positional", "var_keyword")
    rest, further = (names.get(kind, [None])[0] for kind in stars)
    return Signature(
        (*only, *names.get("positional_or_keyword", ())),
        tuple(names.get("keyword_only", ())),
        frozenset(p.name for p in parameters if p.default is None and p.kind not in stars),
        rest,
        further,
        len(only),
    )


def _items(arguments: str, parameters: Sequence[Parameter]) -> Items:
    kinds = {parameter.name: parameter.kind for parameter in parameters}
    items: dict[str, str | list[str] | dict[str, str]] = {}
    for name, value in literals.loads(arguments).items():
        match kinds.get(name):
            case "var_positional":
                items[name] = [literals.dumps(item) for item in value]
            case "var_keyword":
                items[name] = {key: literals.dumps(item) for key, item in value.items()}
            case _:
                items[name] = literals.dumps(value)
    return items


def _for_itself(passed: Passed, own: Signature) -> str:
    """Return the literal that passes the arguments to a function of that signature."""
    texts = dict(passed.named)
    if passed.rest and own.rest:
        texts[own.rest] = _tuple(passed.rest)
    if passed.further and own.further:
        texts[own.further] = _dict(passed.further)
    return _dict(texts)


def _for_wrapper(passed: Passed, own: Signature, way: CalledBy) -> str:
    """Return the literal that passes the arguments to the wrapper of what is no plain function."""
    named = passed.named | passed.further
    all_by_place = way == "position" or passed.rest
    positional = []
    for name in own.positional if all_by_place else own.positional[: own.positional_only]:
        if name not in named:  # it has a default, and what follows goes by name
            break
        positional.append(named.pop(name))
    return _dict({"positional": _tuple(positional + passed.rest), "named": _dict(named)})


def _tuple(texts: Sequence[str]) -> str:
    return f"({', '.join(texts)}{',' if len(texts) == 1 else ''})"


def _dict(texts: dict[str, str]) -> str:
    return f"{{{', '.join(f'{name!r}: {text}' for name, text in texts.items())}}}"
