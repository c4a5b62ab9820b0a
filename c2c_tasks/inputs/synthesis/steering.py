"""Arguments changed so that conditions come out as wanted, line by line of a path."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

from c2c_tasks.inputs.constants import NotConstant, listed
from c2c_tasks.inputs.signatures import Arguments
from c2c_tasks.inputs.synthesis.conditions import Condition
from c2c_tasks.inputs.synthesis.putting import Putting
from c2c_tasks.inputs.synthesis.repair import converted
from c2c_tasks.inputs.synthesis.type_tests import kinds_of

_NEGATED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.GtE, ast.GtE: ast.Lt, ast.Gt: ast.LtE,
    ast.LtE: ast.Gt, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
_MIRRORED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.Gt, ast.Gt: ast.Lt, ast.LtE: ast.GtE, ast.GtE: ast.LtE,
}  # fmt: skip
_PREDICATES: dict[str, tuple[Any, Any]] = {
    "isdigit": ("7", "x"), "isnumeric": ("42", "y"), "isalpha": ("q", "3"), "isupper": ("Q", "q"),
    "islower": ("k", "K"), "isspace": (" ", "w"), "isalnum": ("a1", "!"), "istitle": ("Ab", "ab"),
    "isdecimal": ("5", "z"), "isidentifier": ("name", "1-"), "is_integer": (2.0, 2.5),
}  # fmt: skip
_PROVOKING: dict[str, tuple[Any, ...]] = {
    "ZeroDivisionError": (0, [], 0.0),
    "ValueError": ("abc", "", -1, "1.5x", []),
    "TypeError": (None, "abc", 5, []),
    "KeyError": ("missing", {}, -999),
    "IndexError": ([], "", 999, -999),
    "AttributeError": (None, 5, "abc"),
    "OverflowError": (10**6, 1e308),
}
_ANYTHING: tuple[Any, ...] = (None, "abc", 0, [], {}, -1, "", 3.5)


class Steering(Putting):
    """Makes conditions of one function hold."""

    def towards(self, path: tuple[Condition, ...], arguments: Arguments) -> Arguments:
        """Return the arguments changed so that, with luck, the conditions hold."""
        self.start(arguments)
        for condition in path:
            if condition.role == "raises":
                self._provoke(condition.node)
        for condition in path:
            if condition.role == "loop":
                self._fill(condition.node)
            elif condition.role == "test" and self.holds(condition.node) is not condition.outcome:
                self._satisfy(condition.node, condition.outcome)
        return self.arguments

    def _satisfy(self, test: ast.expr, outcome: bool) -> bool:
        """Change the arguments so that a test comes out so; tell whether that was possible."""
        match test:
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return self._satisfy(operand, not outcome)
            case ast.BoolOp(op=op, values=values):
                if isinstance(op, ast.And) == outcome:
                    return _any(self._satisfy(value, outcome) for value in values)
                return self._satisfy(self.rng.choice(values), outcome)
            case ast.Compare(left=left, ops=ops, comparators=comparators):
                pairs = list(zip([left, *comparators], ops, comparators, strict=False))
                if not outcome:
                    pairs = [self.rng.choice(pairs)]
                return _any(self._compare(a, type(op), b, outcome) for a, op, b in pairs)
            case ast.Call(func=ast.Name(id="isinstance"), args=[subject, classes]):
                kinds = kinds_of(classes) if outcome else ["int", "str", "none", "list"]
                if not kinds:
                    return False
                return self.put(subject, converted(self.maybe(subject), self.rng.choice(kinds)))
            case ast.Call(func=ast.Name(id="any" | "all"), args=[ast.GeneratorExp(elt=element)]):
                return self._satisfy(element, outcome)
            case ast.Call(func=ast.Attribute(value=owner, attr=name), args=[*given]):
                return self._predicate(owner, name, given, outcome)
        return self.put(test, self._truth(self.maybe(test), outcome))

    def _truth(self, value: Any, outcome: bool) -> Any:
        """Return a value of the same kind that is true, or one that is not."""
        if not outcome:
            return (
                type(value)() if isinstance(value, str | list | dict | tuple | set | int) else None
            )
        if value:
            return value
        samples: dict[type, Any] = {str: "text", list: [1, 2], dict: {"a": 1}, tuple: (1, 2)}
        return samples.get(type(value), self.rng.choice((1, True, "text")))

    def _predicate(self, owner: ast.expr, name: str, given: list[ast.expr], outcome: bool) -> bool:
        if name in _PREDICATES and not given:
            return self.put(owner, _PREDICATES[name][0 if outcome else 1])
        if name in ("startswith", "endswith") and given:
            affix, text = self.maybe(given[0]), self.maybe(owner)
            affix = self.rng.choice(affix) if isinstance(affix, tuple) and affix else affix
            if isinstance(affix, str):
                text = text if isinstance(text, str) else "abc"
                if not outcome:
                    return self.put(owner, "zz" + text + "zz")
                return self.put(owner, affix + text if name == "startswith" else text + affix)
        return False

    def _compare(self, left: ast.expr, op: type[ast.cmpop], right: ast.expr, outcome: bool) -> bool:
        if not outcome:
            op = _NEGATED[op]
        if op in (ast.In, ast.NotIn):
            return self._member(left, right, op is ast.In)
        sides = [(left, op, right), (right, _MIRRORED.get(op, op), left)]
        if self.rng.random() < 0.3 and not isinstance(right, ast.Constant):
            sides.reverse()
        for target, relation, other in sides:
            try:
                value = self.read(other)
            except NotConstant:
                continue
            if self.put(target, self._related(value, relation)):
                return True
        return False

    def _related(self, value: Any, op: type[ast.cmpop]) -> Any:
        """Return a value that stands in a relation to another."""
        rng = self.rng
        if op in (ast.Eq, ast.Is):
            return value
        if isinstance(value, bool) or value is None:
            return not value if isinstance(value, bool) else rng.choice((1, "abc", [1, 2]))
        if isinstance(value, int | float):
            if op is ast.Lt:
                return value - rng.choice((1, 1, 2, 10))
            if op is ast.Gt or op in (ast.NotEq, ast.IsNot):
                return value + rng.choice((1, 1, 2, 10))
            return value + rng.choice((0, 0, -1 if op is ast.LtE else 1))
        if isinstance(value, str):
            return value[:-1] if op in (ast.Lt, ast.LtE) and value else value + "z"
        return value

    def _member(self, item: ast.expr, container: ast.expr, wanted: bool) -> bool:
        try:
            held = self.read(container)
        except NotConstant:
            held = None
        if held and isinstance(held, list | tuple | set | frozenset | dict | str):
            choices = listed(held)
            value = self.rng.choice(choices) if wanted else self._other_than(choices)
            if self.put(item, value):
                return True
        return wanted and self.insert(container, self.maybe(item))

    def _other_than(self, choices: list[Any]) -> Any:
        options: list[Any] = [-7, "zz", 1_000, "Q", "?"]
        same = [o for o in options if o not in choices and type(o) is type(choices[0])]
        return self.rng.choice(same or options)

    def _fill(self, iterated: ast.expr) -> bool:
        """See to it that a loop has something to run over."""
        value = self.maybe(iterated)
        if value:
            return True
        if isinstance(iterated, ast.Call) and isinstance(iterated.func, ast.Name):
            given = iterated.args
            if iterated.func.id == "range" and given:
                return self.put(given[min(1, len(given) - 1)], self.rng.randint(3, 9))
            if given:
                return self._fill(given[0])
        return self.put(iterated, self._truth(value, True))

    def _provoke(self, exceptions: ast.expr) -> bool:
        """Give one parameter a value that is likely to raise what a handler is for."""
        names = [node.id for node in ast.walk(exceptions) if isinstance(node, ast.Name)]
        values = [value for name in names for value in _PROVOKING.get(name, ())]
        if not self.arguments:
            return False
        name = self.rng.choice(list(self.arguments))
        value = self.rng.choice(values or _ANYTHING)
        current = self.arguments[name]
        if isinstance(current, list) and current and self.rng.random() < 0.4:
            value = [*current[:-1], value]
        elif isinstance(current, dict) and current and self.rng.random() < 0.5:
            value = {**current, self.rng.choice(list(current)): value}
        self.arguments[name] = value
        self.pinned.add(name)
        return True


def _any(done: Iterable[bool]) -> bool:
    """Tell whether any step succeeded, having taken them all."""
    return True in list(done)
