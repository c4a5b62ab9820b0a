"""What expressions tell of the values in them."""

from __future__ import annotations

import ast
import contextlib
import operator
from collections.abc import Callable
from typing import Any

from c2c_tasks.inputs.synthesis import calls
from c2c_tasks.inputs.constants import NotConstant, constant_value
from c2c_tasks.inputs.synthesis.uses import (
    ABSENT,
    ADDED,
    CONTAINER,
    EXACT,
    FORMATTED,
    INDEXED,
    INTEGER,
    ITERABLE,
    MULTIPLIED,
    NUMBER,
    ORDERED,
    SEQUENCE,
    TABLE,
    Use,
    evidence,
    kind_of,
    learn,
    mostly,
    unify,
)

Environment = dict[str, Use]
SCALARS = (int, float, str, bytes, bool, type(None))
BITS = evidence(int=0, bool=-1, set=-1.5)
SUBTRACTED = evidence(int=0, float=-0.6, set=-1.8, bool=-2.5)


def made(kind: str, item: Use | None = None) -> Use:
    """Return the use of a value that an operation makes, of a known kind."""
    use = Use()
    use.observe(EXACT[kind])
    use.item = item
    return use


def of_constant(value: Any) -> Use:
    """Return the use of a value that the source writes."""
    use = Use(value)
    learn(use, value, 4.0)
    return use


def compare_with_constant(use: Use, value: Any, depth: int = 0) -> None:
    """Record that a use is compared with a constant; seek back through what made it."""
    use = use.root()
    if isinstance(value, list | tuple | set | frozenset | dict):
        learn(use, value, 1.5)
        if len(value) < 12:
            use.lengths.setdefault(len(value))
        return
    if not isinstance(value, SCALARS):
        return
    if use.constant is ABSENT:
        use.add_literal(value)
        kind = kind_of(value)
        if kind == "none":
            use.flag("optional")
        elif kind in ("int", "float", "bool"):
            use.observe(NUMBER, 0.6)
        elif kind is not None:
            use.observe(mostly(kind, 1.5))
    if use.origin is None or depth > 5:  # unified uses may have come of themselves
        return
    how, operand, other = use.origin
    with contextlib.suppress(TypeError, ValueError, OverflowError, ZeroDivisionError):
        _seek_back(how, operand.root(), other, value, depth + 1)


def _seek_back(how: str, operand: Use, other: Any, value: Any, depth: int) -> None:
    """Record on an operand what makes the operation's result equal `value`."""
    match how:
        case "same":
            compare_with_constant(operand, value, depth)
        case "prefix" | "suffix" | "part" if isinstance(value, str):
            operand.observe(mostly("str", 1.0))
            affixes = operand.prefixes if how == "prefix" else operand.suffixes
            (operand.fragments if how == "part" else affixes).setdefault(value)
        case "len" if isinstance(value, int) and 0 <= value <= 60:
            operand.lengths.setdefault(value)
        case "%" if isinstance(value, int) and isinstance(other, int) and other:
            operand.remainders.setdefault((other, value))
        case "number" if isinstance(value, int | float):
            compare_with_constant(operand, str(value) if operand.score("int") < 0 else value, depth)
        case "ord" if isinstance(value, int) and 0 < value < 0x110000:
            compare_with_constant(operand, chr(value), depth)
        case "+" | "-" | "r-" | "*" | "/" | "//" if isinstance(value, int | float):
            compare_with_constant(operand, _INVERSE[how](value, other), depth)


_INVERSE: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.sub,
    "-": operator.add,
    "r-": lambda value, other: other - value,
    "*": lambda value, other: value // other if value % other == 0 else value / other,
    "/": operator.mul,
    "//": operator.mul,
}


class Expressions:
    """Walks expressions, and gathers evidence on the uses that they are made of."""

    functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef]

    def __init__(self) -> None:
        self.guards = 0
        """Depth of branches and handlers around the expression."""

    def call_function(self, name: str, node: ast.Call, env: Environment) -> Use | None:
        """Bind a call to a function of the program; None where there is none of that name."""
        raise NotImplementedError

    def expression(self, node: ast.expr | None, env: Environment) -> Use:
        """Return the use of an expression's value."""
        if node is None:
            return Use()
        visit = getattr(self, f"on_{type(node).__name__}", None)
        if visit is None:
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr):
                    self.expression(child, env)
            return Use()
        use: Use = visit(node, env)
        return use.root()

    def test(self, node: ast.expr, env: Environment) -> None:
        """Walk an expression that is used as a condition."""
        use = self.expression(node, env)
        if isinstance(node, ast.Name) and use.scores is None:
            use.flag("truth")

    def iterate(self, use: Use) -> Use:
        """Return the use of what iteration over `use` yields."""
        use = use.root()
        use.observe(ITERABLE)
        item = use.get("item")
        if use.constant is not ABSENT and isinstance(use.constant, list | tuple | set | dict | str):
            for value in list(use.constant)[:20]:
                learn(item, value, 0.5)
                if isinstance(value, SCALARS):
                    item.add_literal(value)
        return item

    def on_Constant(self, node: ast.Constant, env: Environment) -> Use:
        return of_constant(node.value)

    def on_Name(self, node: ast.Name, env: Environment) -> Use:
        use = env.get(node.id)
        return use.root() if use is not None else Use()

    def on_Attribute(self, node: ast.Attribute, env: Environment) -> Use:
        use = self.expression(node.value, env)
        self.attribute(use, node.attr)
        return Use()

    def attribute(self, use: Use, name: str) -> None:
        """Record that an attribute is read."""
        seen = calls.having_attribute(name)
        if seen is not None:
            use.observe(seen)
        elif not self.guards:
            use.root().attributes[name] = None

    def on_Subscript(self, node: ast.Subscript, env: Environment) -> Use:
        use = self.expression(node.value, env)
        if isinstance(node.slice, ast.Slice):
            use.observe(SEQUENCE)
            for bound in (node.slice.lower, node.slice.upper, node.slice.step):
                if bound is not None:
                    limit = self.expression(bound, env)
                    limit.observe(INTEGER, 0.5)
                    if isinstance(limit.constant, int) and 1 < limit.constant < 40:
                        use.root().lengths.setdefault(limit.constant)
            sliced = Use()
            sliced.scores = list(use.root().scores or ())
            sliced.item, sliced.value = use.get("item"), use.get("value")
            sliced.origin = (_slice_role(node.slice), use, None)
            return sliced
        return self.subscript(use, self.expression(node.slice, env))

    def subscript(self, use: Use, index: Use) -> Use:
        """Return the use of ``use[index]``."""
        key = index.constant
        if isinstance(key, str):
            use.observe(TABLE)
            return use.field(key)
        if isinstance(key, int) and not isinstance(key, bool) and -50 < key < 50:
            use.observe(INDEXED, 0.8)
            use.root().lengths.setdefault(key + 1 if key >= 0 else -key)
            return use.field(key)
        constant = use.root().constant
        if isinstance(constant, dict):
            for known in list(constant)[:30]:
                compare_with_constant(index, known)
            return Use()
        if isinstance(constant, list | tuple | str) and constant:
            index.observe(INTEGER, 0.7)
            index.flag("small")
            compare_with_constant(index, len(constant) - 1)
            return Use()
        if index.best() in ("int", "bool") and index.score("str") < -1:
            use.observe(SEQUENCE)
        elif index.best() == "str" and index.score("int") < -1:
            use.observe(TABLE)
        else:
            use.observe(INDEXED)
        unify(use.get("index"), index)
        return use.get("value")

    def on_BinOp(self, node: ast.BinOp, env: Environment) -> Use:
        left, right = self.expression(node.left, env), self.expression(node.right, env)
        return self.operation(left, node.op, right)

    def operation(self, left: Use, op: ast.operator, right: Use) -> Use:
        """Return the use of what a binary operator makes."""
        a, b = left.constant, right.constant
        match op:
            case ast.Add():
                return self.addition(left, right)
            case ast.Mod() if isinstance(a, str):
                right.observe(FORMATTED)
                if "%d" in a or "%f" in a or "%." in a:
                    right.observe(evidence(-0.5, int=0.5, float=0.5))
                return made("str")
            case ast.Mult():
                left.observe(MULTIPLIED)
                right.observe(MULTIPLIED)
                if "str" in (left.best(), right.best()):
                    other = right if left.best() == "str" else left
                    other.observe(INTEGER)
                    other.flag("small")
                    return made("str")
                if "list" in (left.best(), right.best()):
                    listed, other = (left, right) if left.best() == "list" else (right, left)
                    other.observe(INTEGER)
                    other.flag("small")
                    return made("list", listed.get("item"))
            case ast.BitAnd() | ast.BitOr() | ast.BitXor():
                left.observe(BITS)
                right.observe(BITS)
            case ast.LShift() | ast.RShift():
                left.observe(INTEGER)
                right.observe(INTEGER)
                right.flag("small")
            case ast.Sub():
                left.observe(SUBTRACTED)
                right.observe(SUBTRACTED)
            case _:
                left.observe(NUMBER)
                right.observe(NUMBER)
                if isinstance(op, ast.Pow):
                    right.flag("small")
        result = Use()
        result.observe(NUMBER if not isinstance(op, ast.Sub) else SUBTRACTED)
        symbol = _SYMBOLS.get(type(op))
        if symbol and isinstance(b, int | float) and not isinstance(b, bool):
            result.origin = (symbol, left, b)
        elif symbol in ("+", "*", "-") and isinstance(a, int | float):
            result.origin = ("r-" if symbol == "-" else symbol, right, a)
        return result

    def addition(self, left: Use, right: Use) -> Use:
        a, b = left.constant, right.constant
        left.observe(ADDED, 0.7)
        right.observe(ADDED, 0.7)
        result = Use()
        for constant, other in ((a, right), (b, left)):
            if constant is ABSENT:
                continue
            kind = kind_of(constant)
            if kind in ("int", "float", "bool"):
                other.observe(NUMBER)
                result.observe(NUMBER)
                if other.constant is ABSENT:
                    result.origin = ("+", other, constant)
            elif kind is not None:
                other.observe(EXACT[kind])
                result.observe(EXACT[kind])
            return result
        result.scores = list(left.scores) if left.scores else None
        self.alike(left, right)
        if left.root().item is not None:
            result.item = left.get("item")
        return result

    def alike(self, left: Use, right: Use) -> None:
        """Share kinds, but not literals, between two uses that must be of one type."""
        first, second = left.root(), right.root()
        if first is second:
            return
        before = list(first.scores) if first.scores else None
        if second.scores:
            first.observe(tuple(second.scores), 0.6)
        if before:
            second.observe(tuple(before), 0.6)
        if first.origin is None and second.origin is None and not first.variants:
            for use, other in ((first, second), (second, first)):
                if use.constant is ABSENT and other.constant is ABSENT:
                    unify(use, other)
                    return

    def on_UnaryOp(self, node: ast.UnaryOp, env: Environment) -> Use:
        if isinstance(node.op, ast.Not):
            self.test(node.operand, env)
            return made("bool")
        with contextlib.suppress(NotConstant):
            return of_constant(constant_value(node))
        use = self.expression(node.operand, env)
        use.observe(INTEGER if isinstance(node.op, ast.Invert) else NUMBER)
        result = Use()
        result.observe(NUMBER)
        if isinstance(node.op, ast.USub):
            result.origin = ("r-", use, 0)
        return result

    def on_BoolOp(self, node: ast.BoolOp, env: Environment) -> Use:
        first = self.expression(node.values[0], env)
        env = self.narrowed(node.values[0], env, isinstance(node.op, ast.And))
        self.guards += 1
        for value in node.values[1:]:
            use = self.expression(value, env)
            if use.constant is not ABSENT and use.constant is not None:
                learn(first, use.constant, 0.7)
        self.guards -= 1
        return first if isinstance(node.op, ast.Or) else use

    def narrowed(self, test: ast.expr, env: Environment, outcome: bool) -> Environment:
        """Return the environment in which a test of types came out so."""
        return env

    def on_IfExp(self, node: ast.IfExp, env: Environment) -> Use:
        self.test(node.test, env)
        self.guards += 1
        body = self.expression(node.body, self.narrowed(node.test, env, True))
        orelse = self.expression(node.orelse, self.narrowed(node.test, env, False))
        self.guards -= 1
        return orelse if body.constant is not ABSENT else body

    def on_Compare(self, node: ast.Compare, env: Environment) -> Use:
        left = self.expression(node.left, env)
        for op, comparator in zip(node.ops, node.comparators, strict=True):
            right = self.expression(comparator, env)
            match op:
                case ast.Is() | ast.IsNot():
                    if right.constant is None:
                        left.flag("optional")
                    elif isinstance(right.constant, bool):
                        left.observe(mostly("bool", 2.0))
                case ast.In() | ast.NotIn():
                    self.membership(left, right)
                case ast.Eq() | ast.NotEq():
                    self.comparison(left, right)
                case _:
                    left.observe(ORDERED)
                    right.observe(ORDERED)
                    self.comparison(left, right)
            left = right
        return made("bool")

    def comparison(self, left: Use, right: Use) -> None:
        """Record that two uses are compared."""
        left, right = left.root(), right.root()
        if right.constant is not ABSENT:
            compare_with_constant(left, right.constant)
        elif left.constant is not ABSENT:
            compare_with_constant(right, left.constant)
        else:
            self.alike(left, right)

    def membership(self, item: Use, container: Use) -> None:
        """Record that a use is looked for in another."""
        constant = container.root().constant
        if constant is not ABSENT:
            if isinstance(constant, str):
                item.observe(EXACT["str"])
                for character in constant[:12] if len(constant) > 1 else constant:
                    item.add_literal(character)
            elif isinstance(constant, list | tuple | set | frozenset | dict):
                for value in list(constant)[:30]:
                    compare_with_constant(item, value)
            return
        container.observe(CONTAINER)
        if item.constant is ABSENT:
            unify(container.get("item"), item)
            return
        value = item.constant
        if isinstance(value, str):
            container.root().fragments.setdefault(value)
            container.observe(evidence(-3.0, str=0.3, list=-0.3, dict=-0.4, set=-1, tuple=-1.5))
        else:
            container.observe(evidence(0.0, str=-4))
        if isinstance(value, SCALARS):
            container.get("item").add_literal(value)
            learn(container.get("item"), value, 1.0)

    def on_Call(self, node: ast.Call, env: Environment) -> Use:
        return calls.call(self, node, env)

    def on_JoinedStr(self, node: ast.JoinedStr, env: Environment) -> Use:
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                use = self.expression(part.value, env)
                spec = ast.unparse(part.format_spec) if part.format_spec else ""
                if any(mark in spec for mark in ("f'", "d'", 'f"', 'd"', "%'", "x'")):
                    use.observe(NUMBER)
                elif part.conversion == -1:
                    use.observe(FORMATTED, 0.5)
        return made("str")

    def display(self, node: ast.List | ast.Tuple | ast.Set, env: Environment) -> Use:
        with contextlib.suppress(NotConstant):
            return of_constant(constant_value(node))
        items = [self.expression(item, env) for item in node.elts]
        use = made(type(node).__name__.lower())
        if isinstance(node, ast.Tuple):
            use.root().fields.update(enumerate(items))
        elif len(items) == 1:
            use.item = items[0]
        return use

    on_List = on_Tuple = on_Set = display

    def on_Dict(self, node: ast.Dict, env: Environment) -> Use:
        with contextlib.suppress(NotConstant):
            return of_constant(constant_value(node))
        use = made("dict")
        known: dict[Any, None] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            self.expression(value, env)
            if isinstance(key, ast.Constant):
                known[key.value] = None
            elif key is not None:
                self.expression(key, env)
        if known:
            use.constant = known  # the keys are what lookups tell apart
        return use

    def comprehension(
        self,
        node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp,
        env: Environment,
    ) -> Use:
        env = dict(env)
        for generator in node.generators:
            self.assign(generator.target, self.iterate(self.expression(generator.iter, env)), env)
            self.guards += 1
            for condition in generator.ifs:
                self.test(condition, env)
                env = self.narrowed(condition, env, True)
            self.guards -= 1
        if isinstance(node, ast.DictComp):
            use = made("dict", self.expression(node.key, env))
            use.value = self.expression(node.value, env)
            return use
        return made("set" if isinstance(node, ast.SetComp) else "list", self.expression(node.elt, env))

    on_ListComp = on_SetComp = on_GeneratorExp = on_DictComp = comprehension

    def on_Lambda(self, node: ast.Lambda, env: Environment) -> Use:
        self.apply_lambda(node, [], env)
        return Use()

    def apply_lambda(self, node: ast.Lambda, arguments: list[Use], env: Environment) -> Use:
        """Walk a lambda's body with its parameters bound to uses."""
        names = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
        bound = {name: Use() for name in names}
        bound.update(zip(names, arguments, strict=False))
        return self.expression(node.body, {**env, **bound})

    def on_NamedExpr(self, node: ast.NamedExpr, env: Environment) -> Use:
        use = self.expression(node.value, env)
        self.assign(node.target, use, env)
        return use

    def on_Starred(self, node: ast.Starred, env: Environment) -> Use:
        self.iterate(self.expression(node.value, env))
        return Use()

    def assign(self, target: ast.expr, use: Use, env: Environment) -> None:
        """Bind a target to a use."""
        use = use.root()
        match target:
            case ast.Name(id=name):
                env[name] = use
            case ast.Tuple(elts=items) | ast.List(elts=items):
                starred = any(isinstance(item, ast.Starred) for item in items)
                if use.part is None and not use.fields:
                    use.observe(evidence(list=-0.3, tuple=0, str=-2.0, set=-4, dict=-3.5))
                if not starred:
                    use.lengths = {len(items): None}
                    use.flag("unpacked")
                for position, item in enumerate(items):
                    if isinstance(item, ast.Starred):
                        self.assign(item.value, made("list", use.get("item")), env)
                        break
                    self.assign(item, use.field(position), env)
            case ast.Subscript(value=value, slice=index):
                base = self.expression(value, env)
                base.observe(evidence(list=0, dict=-0.2))
                if not isinstance(index, ast.Slice):
                    slot = self.subscript(base, self.expression(index, env))
                    if use.constant is ABSENT:
                        self.alike(slot, use)
                base.constant = ABSENT
            case ast.Attribute(value=value, attr=name):
                self.attribute(self.expression(value, env), name)


def _slice_role(node: ast.Slice) -> str:
    """Return which part of a text a slice takes: its ``prefix``, its ``suffix`` or a ``part``."""
    negative = isinstance(node.lower, ast.UnaryOp)
    if node.step is not None:
        return "part"
    if node.lower is None or (isinstance(node.lower, ast.Constant) and node.lower.value == 0):
        return "prefix"
    return "suffix" if negative and node.upper is None else "part"


_SYMBOLS: dict[type[ast.operator], str] = {
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
}
