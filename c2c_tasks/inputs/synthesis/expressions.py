"""What expressions tell of the values in them."""

from __future__ import annotations

import ast
import contextlib
from typing import Any

from c2c_tasks.inputs.constants import NotConstant, constant_value
from c2c_tasks.inputs.synthesis import calls
from c2c_tasks.inputs.synthesis.operators import operation
from c2c_tasks.inputs.synthesis.relations import (
    alike,
    comparison,
    iterate,
    made,
    membership,
    of_constant,
    subscript,
)
from c2c_tasks.inputs.synthesis.uses import (
    ABSENT,
    FORMATTED,
    INTEGER,
    NUMBER,
    ORDERED,
    SEQUENCE,
    Use,
    evidence,
    having_attribute,
    learn,
    mostly,
)

Environment = dict[str, Use]
MAX_VISITS = 100_000
"""Expressions walked. A lambda is walked at each of its uses, so nested ones multiply."""


class Expressions:
    """Walks expressions, and gathers evidence on the uses that they are made of."""

    def __init__(self) -> None:
        self.guards = 0
        """Depth of branches and handlers around the expression."""
        self.visits = 0

    def call_function(self, name: str, node: ast.Call, env: Environment) -> Use | None:
        """Bind a call to a function of the program; None where there is none of that name."""
        raise NotImplementedError

    def apply_function(self, name: str, arguments: list[Use]) -> Use | None:
        """Bind uses to a function of the program; None where there is none of that name."""
        raise NotImplementedError

    def expression(self, node: ast.expr | None, env: Environment) -> Use:
        """Return the use of an expression's value."""
        self.visits += 1
        if node is None or self.visits > MAX_VISITS:
            return Use()
        visit = getattr(self, f"_on_{type(node).__name__}", None)
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

    def _on_Constant(self, node: ast.Constant, env: Environment) -> Use:
        return of_constant(node.value)

    def _on_Name(self, node: ast.Name, env: Environment) -> Use:
        use = env.get(node.id)
        return use.root() if use is not None else Use()

    def _on_Attribute(self, node: ast.Attribute, env: Environment) -> Use:
        use = self.expression(node.value, env)
        self.attribute(use, node.attr)
        return Use()

    def attribute(self, use: Use, name: str) -> None:
        """Record that an attribute is read."""
        seen = having_attribute(name)
        if seen is not None:
            use.observe(seen)
        elif not self.guards:
            use.root().attributes[name] = None

    def _on_Subscript(self, node: ast.Subscript, env: Environment) -> Use:
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
        return subscript(use, self.expression(node.slice, env))

    def _on_BinOp(self, node: ast.BinOp, env: Environment) -> Use:
        left, right = self.expression(node.left, env), self.expression(node.right, env)
        return operation(left, node.op, right)

    def _on_UnaryOp(self, node: ast.UnaryOp, env: Environment) -> Use:
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

    def _on_BoolOp(self, node: ast.BoolOp, env: Environment) -> Use:
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

    def _on_IfExp(self, node: ast.IfExp, env: Environment) -> Use:
        self.test(node.test, env)
        self.guards += 1
        body = self.expression(node.body, self.narrowed(node.test, env, True))
        orelse = self.expression(node.orelse, self.narrowed(node.test, env, False))
        self.guards -= 1
        return orelse if body.constant is not ABSENT else body

    def _on_Compare(self, node: ast.Compare, env: Environment) -> Use:
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
                    membership(left, right)
                case ast.Eq() | ast.NotEq():
                    comparison(left, right)
                case _:
                    left.observe(ORDERED)
                    right.observe(ORDERED)
                    comparison(left, right)
            left = right
        return made("bool")

    def arguments(self, node: ast.Call, env: Environment) -> list[Use]:
        """Walk a call's arguments; return the uses of the positional ones."""
        uses = [self.expression(argument, env) for argument in node.args]
        for keyword in node.keywords:
            self.expression(keyword.value, env)
        return uses

    def _on_Call(self, node: ast.Call, env: Environment) -> Use:
        return calls.call(self, node, env)

    def _on_JoinedStr(self, node: ast.JoinedStr, env: Environment) -> Use:
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                use = self.expression(part.value, env)
                spec = ast.unparse(part.format_spec) if part.format_spec else ""
                if any(mark in spec for mark in ("f'", "d'", 'f"', 'd"', "%'", "x'")):
                    use.observe(NUMBER)
                elif part.conversion == -1:
                    use.observe(FORMATTED, 0.5)
        return made("str")

    def _display(self, node: ast.List | ast.Tuple | ast.Set, env: Environment) -> Use:
        with contextlib.suppress(NotConstant):
            return of_constant(constant_value(node))
        items = [self.expression(item, env) for item in node.elts]
        use = made(type(node).__name__.lower())
        if isinstance(node, ast.Tuple):
            use.root().fields.update(enumerate(items))
        elif len(items) == 1:
            use.item = items[0]
        return use

    _on_List = _on_Tuple = _on_Set = _display

    def _on_Dict(self, node: ast.Dict, env: Environment) -> Use:
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

    def _comprehension(
        self,
        node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp,
        env: Environment,
    ) -> Use:
        env = dict(env)
        for generator in node.generators:
            self.assign(generator.target, iterate(self.expression(generator.iter, env)), env)
            self.guards += 1
            for condition in generator.ifs:
                self.test(condition, env)
                env = self.narrowed(condition, env, True)
            self.guards -= 1
        if isinstance(node, ast.DictComp):
            use = made("dict", self.expression(node.key, env))
            use.value = self.expression(node.value, env)
            return use
        return made(
            "set" if isinstance(node, ast.SetComp) else "list", self.expression(node.elt, env)
        )

    _on_ListComp = _on_SetComp = _on_GeneratorExp = _on_DictComp = _comprehension

    def _on_Lambda(self, node: ast.Lambda, env: Environment) -> Use:
        self.apply_lambda(node, [], env)
        return Use()

    def apply(self, function: ast.expr, arguments: list[Use], env: Environment) -> Use:
        """Return the use of what a function gives that is handed on for others to call."""
        return calls.apply(self, function, arguments, env)

    def apply_lambda(self, node: ast.Lambda, arguments: list[Use], env: Environment) -> Use:
        """Walk a lambda's body with its parameters bound to uses."""
        names = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
        bound = {name: Use() for name in names}
        bound.update(zip(names, arguments, strict=False))
        return self.expression(node.body, {**env, **bound})

    def _on_NamedExpr(self, node: ast.NamedExpr, env: Environment) -> Use:
        use = self.expression(node.value, env)
        self.assign(node.target, use, env)
        return use

    def _on_Starred(self, node: ast.Starred, env: Environment) -> Use:
        return iterate(self.expression(node.value, env))

    def assign(self, target: ast.expr, use: Use, env: Environment) -> None:
        """Bind a target to a use."""
        use = use.root()
        match target:
            case ast.Name(id=name):
                env[name] = use
            case ast.Tuple(elts=items) | ast.List(elts=items):
                starred = any(isinstance(item, ast.Starred) for item in items)
                if use.part is None and not use.fields:
                    use.observe(evidence(list=-0.3, tuple=0, str=-4, set=-4, dict=-4))
                if not starred:
                    use.lengths = {len(items): None}
                    use.flag("unpacked")
                for position, item in enumerate(items):
                    if "alike" in use.flags and use.item is not None:
                        self.assign(item, use.item, env)
                        continue
                    if isinstance(item, ast.Starred):
                        self.assign(item.value, made("list", use.get("item")), env)
                        break
                    self.assign(item, use.field(position), env)
            case ast.Subscript(value=value, slice=index):
                base = self.expression(value, env)
                base.observe(evidence(list=0, dict=-0.2))
                if not isinstance(index, ast.Slice):
                    slot = subscript(base, self.expression(index, env))
                    if use.constant is ABSENT:
                        alike(slot, use)
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
