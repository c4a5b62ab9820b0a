"""Arguments changed so that a condition comes out as wanted, by working it backwards."""

from __future__ import annotations

import ast
import operator
import random
from collections.abc import Callable
from typing import Any

from c2c_tasks.inputs.constants import NotConstant, constant_value
from c2c_tasks.inputs.synthesis.conditions import Condition, Layout
from c2c_tasks.inputs.synthesis.inference import kinds_of
from c2c_tasks.inputs.synthesis.repair import converted

Arguments = dict[str, Any]
MAX_LENGTH = 200
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
_ANYTHING = (None, "abc", 0, [], {}, -1, "", 3.5)


class Steering:
    """Works conditions of one function backwards to its parameters."""

    def __init__(self, layout: Layout, rng: random.Random) -> None:
        self.layout = layout
        self.rng = rng
        self.arguments: Arguments = {}
        self.pinned: set[str] = set()
        """Parameters whose value is what a handler's exception comes of."""
        self.running: dict[str, Any] = {}
        """Values taken for loop variables that were read."""
        self.depth = 0

    def towards(self, path: tuple[Condition, ...], arguments: Arguments) -> Arguments:
        """Return the arguments changed so that, with luck, the conditions hold."""
        self.arguments = dict(arguments)
        self.pinned.clear()
        self.running.clear()
        for condition in path:
            if condition.role == "raises":
                self.provoke(condition.node)
        for condition in path:
            if condition.role == "loop":
                self.fill(condition.node)
            elif condition.role == "test" and self.holds(condition.node) is not condition.outcome:
                self.satisfy(condition.node, condition.outcome)
        return self.arguments

    # -- conditions ----------------------------------------------------------------------------

    def satisfy(self, test: ast.expr, outcome: bool) -> bool:
        """Change the arguments so that a test comes out so; tell whether that was possible."""
        match test:
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return self.satisfy(operand, not outcome)
            case ast.BoolOp(op=op, values=values):
                if isinstance(op, ast.And) == outcome:
                    return any([self.satisfy(value, outcome) for value in values])
                return self.satisfy(self.rng.choice(values), outcome)
            case ast.Compare(left=left, ops=ops, comparators=comparators):
                pairs = list(zip([left, *comparators], ops, comparators, strict=False))
                if not outcome:
                    pairs = [self.rng.choice(pairs)]
                return any([self.compare(a, type(op), b, outcome) for a, op, b in pairs])
            case ast.Call(func=ast.Name(id="isinstance"), args=[subject, classes]):
                kinds = kinds_of(classes) if outcome else ["int", "str", "none", "list"]
                if not kinds:
                    return False
                return self.put(subject, converted(self.maybe(subject), self.rng.choice(kinds)))
            case ast.Call(func=ast.Name(id="any" | "all"), args=[ast.GeneratorExp(elt=element)]):
                return self.satisfy(element, outcome)
            case ast.Call(func=ast.Attribute(value=owner, attr=name), args=[*given]):
                return self.predicate(owner, name, given, outcome)
        return self.put(test, self.truth(self.maybe(test), outcome))

    def truth(self, value: Any, outcome: bool) -> Any:
        """Return a value of the same kind that is true, or one that is not."""
        if not outcome:
            return type(value)() if isinstance(value, str | list | dict | tuple | set | int) else None
        if value:
            return value
        samples: dict[type, Any] = {str: "text", list: [1, 2], dict: {"a": 1}, tuple: (1, 2)}
        return samples.get(type(value), self.rng.choice((1, True, "text")))

    def predicate(self, owner: ast.expr, name: str, given: list[ast.expr], outcome: bool) -> bool:
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

    def compare(
        self, left: ast.expr, op: type[ast.cmpop], right: ast.expr, outcome: bool
    ) -> bool:
        if not outcome:
            op = _NEGATED[op]
        if op in (ast.In, ast.NotIn):
            return self.member(left, right, op is ast.In)
        sides = [(left, op, right), (right, _MIRRORED.get(op, op), left)]
        if self.rng.random() < 0.3 and not isinstance(right, ast.Constant):
            sides.reverse()
        for target, relation, other in sides:
            try:
                value = self.read(other)
            except NotConstant:
                continue
            if self.put(target, self.related(value, relation)):
                return True
        return False

    def related(self, value: Any, op: type[ast.cmpop]) -> Any:
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

    def member(self, item: ast.expr, container: ast.expr, wanted: bool) -> bool:
        try:
            held = self.read(container)
        except NotConstant:
            held = None
        if held and isinstance(held, list | tuple | set | frozenset | dict | str):
            choices = sorted(held, key=repr) if isinstance(held, set | frozenset) else list(held)
            value = self.rng.choice(choices) if wanted else self.other_than(choices)
            if self.put(item, value):
                return True
        return wanted and self.insert(container, self.maybe(item))

    def other_than(self, choices: list[Any]) -> Any:
        options: list[Any] = [-7, "zz", 1_000, "Q", "?"]
        same = [o for o in options if o not in choices and type(o) is type(choices[0])]
        return self.rng.choice(same or options)

    def fill(self, iterated: ast.expr) -> bool:
        """See to it that a loop has something to run over."""
        value = self.maybe(iterated)
        if value:
            return True
        if isinstance(iterated, ast.Call) and isinstance(iterated.func, ast.Name):
            if iterated.func.id == "range":
                bound = iterated.args[min(1, len(iterated.args) - 1)]
                return self.put(bound, self.rng.randint(3, 9))
            if iterated.args:
                return self.fill(iterated.args[0])
        return self.put(iterated, self.truth(value, True))

    def provoke(self, exceptions: ast.expr) -> bool:
        """Give one parameter a value that is likely to raise what a handler is for."""
        names = [node.id for node in ast.walk(exceptions) if isinstance(node, ast.Name)]
        values = [value for name in names for value in _PROVOKING.get(name, ())]
        if not self.arguments:
            return False
        name = self.rng.choice(list(self.arguments))
        value = self.rng.choice(values or list(_ANYTHING))
        current = self.arguments[name]
        if isinstance(current, list) and current and self.rng.random() < 0.4:
            value = [*current[:-1], value]
        elif isinstance(current, dict) and current and self.rng.random() < 0.5:
            value = {**current, self.rng.choice(list(current)): value}
        self.arguments[name] = value
        self.pinned.add(name)
        return True

    # -- reading -------------------------------------------------------------------------------

    def holds(self, test: ast.expr) -> bool | None:
        """Return how a test comes out for the present arguments; None where that is unknown."""
        match test:
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _RELATIONS:
                try:
                    return bool(_RELATIONS[type(op)](self.read(left), self.read(right)))
                except (NotConstant, TypeError):
                    return None
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                held = self.holds(operand)
                return None if held is None else not held
            case ast.Name() | ast.Subscript():
                try:
                    return bool(self.read(test))
                except NotConstant:
                    return None
        return None

    def maybe(self, node: ast.expr) -> Any:
        try:
            return self.read(node)
        except NotConstant:
            return None

    def read(self, node: ast.expr) -> Any:
        """Return an expression's value for the present arguments; raises NotConstant."""
        self.depth += 1
        try:
            if self.depth > 12:
                raise NotConstant("definitions in a circle")
            return self._read(node)
        finally:
            self.depth -= 1

    def _read(self, node: ast.expr) -> Any:
        match node:
            case ast.Name(id=name) if name in self.layout.definitions:
                return self.read(self.layout.definitions[name])
            case ast.Name(id=name) if name in self.arguments:
                return self.arguments[name]
            case ast.Name(id=name) if name in self.layout.loops:
                return self.read_loop(name)
            case ast.Call(func=ast.Name(id=name), args=given, keywords=[]) if name in _BUILTINS:
                return _applied(_BUILTINS[name], [self.read(argument) for argument in given])
            case ast.Call(func=ast.Attribute(value=inner, attr=name), args=given, keywords=[]):
                value = self.read(inner)
                if isinstance(value, str) and name in _TEXT_METHODS:
                    texts = [self.read(argument) for argument in given]
                    return _applied(getattr(value, name), texts)
            case ast.Subscript(value=inner, slice=ast.Slice(lower=low, upper=high, step=None)):
                bounds = [self.read(bound) if bound else None for bound in (low, high)]
                value = self.read(inner)
                if isinstance(value, str | list | tuple):
                    return _applied(lambda: value[slice(*bounds)], [])
            case ast.Subscript(value=inner, slice=index):
                value = self.read(inner)
                if isinstance(value, str | list | tuple | dict):
                    return _applied(value.__getitem__, [self.read(index)])
            case ast.BinOp(left=left, op=op, right=right):
                parts = {"left": self.read(left), "right": self.read(right)}
                a, b = ast.Name("left", ast.Load()), ast.Name("right", ast.Load())
                return constant_value(ast.BinOp(a, op, b), parts)
        return constant_value(node, self.arguments)

    def read_loop(self, name: str) -> Any:
        """Return some value that a loop variable takes, the same until the next path."""
        if name not in self.running:
            values = self.read(self.layout.loops[name])
            if not isinstance(values, list | tuple | str | dict) or not values:
                raise NotConstant("a loop over nothing")
            self.running[name] = self.rng.choice(list(values)[:50])
        return self.running[name]

    # -- writing -------------------------------------------------------------------------------

    def put(self, node: ast.expr, value: Any) -> bool:
        """Change the arguments so that an expression has a value; tell whether it could be."""
        self.depth += 1
        try:
            return self.depth <= 12 and self._put(node, value)
        except (TypeError, ValueError, ArithmeticError, NotConstant, IndexError):
            return False
        finally:
            self.depth -= 1

    def _put(self, node: ast.expr, value: Any) -> bool:
        match node:
            case ast.Name(id=name) if name in self.layout.loops:
                return self.insert(self.layout.loops[name], value)
            case ast.Name(id=name) if name in self.arguments:
                if name in self.pinned:
                    return False
                self.arguments[name] = value
                return True
            case ast.Name(id=name) if name in self.layout.definitions:
                return self.put(self.layout.definitions[name], value)
            case ast.Subscript(value=owner, slice=index):
                return self.put_item(owner, index, value)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self.put(operand, -value)
            case ast.BinOp(left=left, op=op, right=right):
                return self.put_operand(left, op, right, value)
            case ast.Call(func=ast.Name(id=name), args=[inner, *_]):
                return self.put_argument(name, inner, value)
            case ast.Call(func=ast.Attribute(value=owner, attr=name), args=given):
                return self.put_owner(owner, name, given, value)
        return False

    def put_item(self, owner: ast.expr, index: ast.expr, value: Any) -> bool:
        held = self.maybe(owner)
        if isinstance(index, ast.Slice):
            if not isinstance(held, str) or not isinstance(value, str):
                return False
            starts = index.lower is None or self.maybe(index.lower) == 0
            rest = held[len(value) :] if starts else held[: -len(value) or None]
            return self.put(owner, value + rest if starts else rest + value)
        key = self.maybe(index)
        if isinstance(held, dict) and isinstance(key, str | int):
            return self.put(owner, {**held, key: value})
        if not isinstance(held, list | tuple | str):
            if isinstance(key, str):
                return self.put(owner, {key: value})
            held = []
        if not isinstance(key, int) or isinstance(key, bool):
            return self.insert(owner, value)
        items = list(held)
        filler = items[0] if items else value
        items += [filler] * max(0, min(MAX_LENGTH, key + 1 if key >= 0 else -key) - len(items))
        items[key] = value
        return self.put(owner, _like(held, items))

    def put_operand(self, left: ast.expr, op: ast.operator, right: ast.expr, value: Any) -> bool:
        for target, other, forwards in ((left, right, True), (right, left, False)):
            try:
                known = self.read(other)
            except NotConstant:
                continue
            inverse = (_INVERSE if forwards else _INVERSE_RIGHT).get(type(op))
            if inverse is None:
                continue
            if self.put(target, inverse(value, known, self.rng.randint(0, 9))):
                return True
        return False

    def put_argument(self, name: str, inner: ast.expr, value: Any) -> bool:
        current = self.maybe(inner)
        match name:
            case "len" if isinstance(value, int) and 0 <= value <= MAX_LENGTH:
                held = current if isinstance(current, str | list | tuple) and current else [1, 2, 3]
                return self.put(inner, (held * (value // len(held) + 1))[:value])
            case "int" | "float" | "abs" | "round":
                return self.put(inner, str(value) if isinstance(current, str) else value)
            case "str":
                return self.put(inner, int(value) if isinstance(current, int) else value)
            case "sum" | "max" | "min":
                return self.put(inner, [value] if isinstance(value, int | float) else value)
            case "ord" if isinstance(value, int):
                return self.put(inner, chr(value))
            case "set" | "list" | "tuple" | "sorted" if isinstance(value, list | tuple | set | str):
                return self.put(inner, list(value))
        return False

    def put_owner(self, owner: ast.expr, name: str, given: list[ast.expr], value: Any) -> bool:
        match name:
            case "lower" | "upper" | "strip" | "lstrip" | "rstrip" | "title" | "casefold":
                return self.put(owner, value)
            case "get" if given:
                return self.put_item(owner, given[0], value)
            case "count" if given and isinstance(value, int) and 0 <= value <= MAX_LENGTH:
                item, held = self.maybe(given[0]), self.maybe(owner)
                if isinstance(held, str):
                    return self.put(owner, str(item) * value if item else held)
                return self.put(owner, [item] * value)
            case "find" | "rfind" | "index" | "rindex" if given and isinstance(value, int):
                item = self.maybe(given[0])
                if isinstance(item, str) and -1 <= value <= MAX_LENGTH:
                    return self.put(owner, "x" * value + item + "y" if value >= 0 else "zz")
            case "split":
                return self.put(owner, " ".join(str(part) for part in value))
        return False

    def insert(self, container: ast.expr, value: Any) -> bool:
        """Change the arguments so that a container holds a value."""
        match container:
            case ast.Call(func=ast.Name(), args=[inner, *_]):
                return self.insert(inner, value)
            case ast.Call(func=ast.Attribute(value=owner, attr="split"), args=given):
                separator = self.maybe(given[0]) if given else " "
                text = self.maybe(owner)
                if isinstance(text, str) and isinstance(separator, str):
                    return self.put(owner, f"{text}{separator}{value}" if text else str(value))
                return False
            case ast.Call(func=ast.Attribute(value=owner, attr="values")):
                held = self.maybe(owner)
                keys = list(held) if isinstance(held, dict) and held else ["a"]
                base = held if isinstance(held, dict) else {}
                return self.put(owner, {**base, self.rng.choice(keys): value})
            case ast.Call(func=ast.Attribute(value=owner)):
                return self.insert(owner, value)
            case ast.Subscript(value=owner, slice=ast.Slice()):
                return self.insert(owner, value)
        held = self.maybe(container)
        if isinstance(held, dict):
            return self.put(container, {**held, value: next(iter(held.values()), 1)})
        if isinstance(held, set):
            return self.put(container, {*held, value})
        items = list(held) if isinstance(held, list | tuple | str) else []
        at = self.rng.randint(0, len(items))
        if items and self.rng.random() < 0.5:
            items[at % len(items)] = value
        else:
            items.insert(at, value)
        if isinstance(held, str) and not isinstance(value, str):
            return False
        return self.put(container, _like(held, items[:MAX_LENGTH]))


_BUILTINS: dict[str, Callable[..., Any]] = {
    "len": len, "int": int, "float": float, "abs": abs, "round": round, "str": str, "max": max,
    "min": min, "sum": sum, "sorted": sorted, "list": list, "tuple": tuple, "set": set,
    "ord": ord, "chr": chr, "bool": bool,
    "range": lambda *bounds: list(range(*bounds)[:MAX_LENGTH]),
}  # fmt: skip
_TEXT_METHODS = frozenset(
    "lower upper strip lstrip rstrip title split find rfind count isdigit isalpha isupper "
    "islower startswith endswith".split()
)
_RELATIONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le,
    ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Is: operator.is_, ast.IsNot: operator.is_not,
    ast.In: lambda a, b: a in b, ast.NotIn: lambda a, b: a not in b,
}  # fmt: skip


def _applied(function: Callable[..., Any], values: list[Any]) -> Any:
    """Return what a builtin makes of plain values; raises NotConstant where it cannot."""
    try:
        return function(*values)
    except (TypeError, ValueError, ArithmeticError, LookupError) as error:
        raise NotConstant(str(error)) from None


def _like(held: Any, items: list[Any]) -> Any:
    if isinstance(held, str) and all(isinstance(item, str) for item in items):
        return "".join(items)
    return tuple(items) if isinstance(held, tuple) else items


_INVERSE: dict[type[ast.operator], Callable[[Any, Any, int], Any]] = {
    ast.Add: lambda value, known, _: value - known,
    ast.Sub: lambda value, known, _: value + known,
    ast.Mult: lambda value, known, _: value // known if value % known == 0 else value / known,
    ast.Div: lambda value, known, _: value * known,
    ast.FloorDiv: lambda value, known, more: value * known + more % known,
    ast.Mod: lambda value, known, more: value + known * more,
    ast.BitAnd: lambda value, known, more: value & known,
}
_INVERSE_RIGHT: dict[type[ast.operator], Callable[[Any, Any, int], Any]] = {
    ast.Add: lambda value, known, _: value - known,
    ast.Sub: lambda value, known, _: known - value,
    ast.Mult: lambda value, known, _: value // known if value % known == 0 else value / known,
}
