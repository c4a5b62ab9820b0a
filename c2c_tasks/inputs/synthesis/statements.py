"""What the statements of a program tell of the values that flow through them."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from c2c_tasks.inputs.synthesis import hints
from c2c_tasks.inputs.synthesis.conditions import FunctionNode, leaves
from c2c_tasks.inputs.synthesis.expressions import Environment, Expressions
from c2c_tasks.inputs.synthesis.operators import operation
from c2c_tasks.inputs.synthesis.relations import bind, iterate
from c2c_tasks.inputs.synthesis.type_tests import take_pattern, type_test
from c2c_tasks.inputs.synthesis.uses import ABSENT, Use, evidence, learn

MAX_FUNCTIONS = 200
"""Functions of a program that are walked for one entry point."""


@dataclass(slots=True)
class Signature:
    """A function of the program: what it is given and what it returns."""

    node: FunctionNode
    uses: dict[str, Use]
    """The use of each parameter."""
    returned: Use


class Statements(Expressions):
    """Walks statements in order of the text.

    A branch changes what names are bound to only where both sides do.
    """

    def __init__(self, module: ast.Module) -> None:
        super().__init__()
        self.functions: dict[str, FunctionNode] = {}
        self.signatures: dict[str, Signature] = {}
        self.globals: Environment = {}
        self.returned = [Use()]
        for statement in module.body:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                self.functions[statement.name] = statement
            elif isinstance(statement, ast.Assign | ast.AnnAssign):
                self.statement(statement, self.globals)

    def signature(self, name: str) -> Signature:
        """Return the uses of a function's parameters, its body walked once."""
        found = self.signatures.get(name)
        if found is not None:
            return found
        node = self.functions[name]
        made = Signature(node, {argument.arg: Use() for argument in _arguments(node)}, Use())
        self.signatures[name] = made
        if len(self.signatures) <= MAX_FUNCTIONS:
            self._body_of(node, made, self.globals)
        return made

    def _body_of(
        self, node: FunctionNode, signature: Signature, env: Environment, guards: int = 0
    ) -> None:
        self.returned.append(signature.returned)
        outer, self.guards = self.guards, guards
        for argument in _arguments(node):
            if argument.annotation is not None:
                hints.of_annotation(signature.uses[argument.arg], ast.unparse(argument.annotation))
        self._block(node.body, {**env, **signature.uses})
        self.guards = outer
        self.returned.pop()

    def call_function(self, name: str, node: ast.Call, env: Environment) -> Use | None:
        """Bind a call to a function of the program; None where there is none of that name."""
        if name not in self.functions:
            return None
        signature = self.signature(name)
        names = [a.arg for a in (*signature.node.args.posonlyargs, *signature.node.args.args)]
        for position, argument in enumerate(node.args):
            use = self.expression(argument, env)
            if position < len(names) and not isinstance(argument, ast.Starred):
                bind(signature.uses[names[position]], use)
        for keyword in node.keywords:
            use = self.expression(keyword.value, env)
            if keyword.arg in signature.uses:
                bind(signature.uses[keyword.arg], use)
        return signature.returned

    def apply_function(self, name: str, arguments: list[Use]) -> Use | None:
        """Bind uses to a function of the program; None where there is none of that name."""
        if name not in self.functions:
            return None
        signature = self.signature(name)
        for use, argument in zip(signature.uses.values(), arguments, strict=False):
            bind(use, argument)
        return signature.returned

    def _block(self, statements: list[ast.stmt], env: Environment) -> None:
        for statement in statements:
            self.statement(statement, env)

    def statement(self, node: ast.stmt, env: Environment) -> None:
        """Walk a statement; bind the names that it binds."""
        visit = getattr(self, f"_on_{type(node).__name__}", None)
        if visit is not None:
            visit(node, env)

    def _on_Expr(self, node: ast.Expr, env: Environment) -> None:
        self.expression(node.value, env)

    def _on_Raise(self, node: ast.Raise, env: Environment) -> None:
        self.expression(node.exc, env)

    def _on_Delete(self, node: ast.Delete, env: Environment) -> None:
        for target in node.targets:
            self.expression(target, env)

    def _on_Return(self, node: ast.Return, env: Environment) -> None:
        if node.value is None:
            return
        use = self.expression(node.value, env)
        if use.constant is not ABSENT:
            learn(self.returned[-1], use.constant, 0.5)
        elif use.scores and (use.origin is None or use.origin[0] == "sum"):
            self.returned[-1].observe(tuple(use.scores), 0.5)

    def _on_Assign(self, node: ast.Assign, env: Environment) -> None:
        self._assign_to(node.targets, node.value, env)

    def _on_AnnAssign(self, node: ast.AnnAssign, env: Environment) -> None:
        if node.value is not None:
            self._assign_to([node.target], node.value, env)

    def _on_AugAssign(self, node: ast.AugAssign, env: Environment) -> None:
        before = self.expression(node.target, env)
        result = operation(before, node.op, self.expression(node.value, env))
        if isinstance(node.target, ast.Name):
            env[node.target.id] = result

    def _on_While(self, node: ast.While, env: Environment) -> None:
        self.test(node.test, env)
        inner = self.narrowed(node.test, env, True)
        self._perhaps([*node.body, *node.orelse], inner, env)

    def _on_For(self, node: ast.For | ast.AsyncFor, env: Environment) -> None:
        item = iterate(self.expression(node.iter, env))
        inner = dict(env)
        self.assign(node.target, item, inner)
        self._perhaps([*node.body, *node.orelse], inner, env)

    _on_AsyncFor = _on_For

    def _on_With(self, node: ast.With | ast.AsyncWith, env: Environment) -> None:
        for item in node.items:
            self.expression(item.context_expr, env)
        self._block(node.body, env)

    _on_AsyncWith = _on_With

    def _on_Assert(self, node: ast.Assert, env: Environment) -> None:
        self.test(node.test, env)
        self._establish(node.test, env)

    def _on_Match(self, node: ast.Match, env: Environment) -> None:
        use = self.expression(node.subject, env)
        for case in node.cases:
            take_pattern(case.pattern, use)
            self._perhaps(case.body, dict(env), env)

    def _on_If(self, node: ast.If, env: Environment) -> None:
        self.test(node.test, env)
        then = dict(self.narrowed(node.test, env, True))
        other = dict(self.narrowed(node.test, env, False))
        before = dict(env)
        self.guards += 1
        self._block(node.body, then)
        self._block(node.orelse, other)
        self.guards -= 1
        if leaves(node.body):
            self._establish(ast.UnaryOp(ast.Not(), node.test), env)
            then = other
        elif leaves(node.orelse):
            other = then
        for name in {**then, **other}:
            env[name] = _joined(then.get(name), other.get(name), before.get(name))

    def _on_Try(self, node: ast.Try | ast.TryStar, env: Environment) -> None:
        self.guards += 1
        self._block(node.body, env)
        for handler in node.handlers:
            self._perhaps(handler.body, dict(env), env)
        self._block(node.orelse, env)
        self.guards -= 1
        self._block(node.finalbody, env)

    _on_TryStar = _on_Try

    def _on_FunctionDef(self, node: FunctionNode, env: Environment) -> None:
        uses = {argument.arg: Use() for argument in _arguments(node)}
        function = Use()
        signature = Signature(node, uses, function.get("returned"))
        function.fields.update(enumerate(uses.values()))
        env[node.name] = function
        self._body_of(node, signature, env, guards=1)  # it may never be called

    _on_AsyncFunctionDef = _on_FunctionDef

    def _assign_to(self, targets: list[ast.expr], value: ast.expr, env: Environment) -> None:
        for target in targets:
            if (
                isinstance(target, ast.Tuple)
                and isinstance(value, ast.Tuple)
                and len(target.elts) == len(value.elts)
            ):
                uses = [self.expression(item, env) for item in value.elts]
                for item, use in zip(target.elts, uses, strict=True):
                    self.assign(item, use, env)
            else:
                self.assign(target, self.expression(value, env), env)

    def _perhaps(self, body: list[ast.stmt], inner: Environment, env: Environment) -> None:
        """Walk a body that may not run; keep its bindings of names that had none."""
        self.guards += 1
        self._block(body, inner)
        self.guards -= 1
        for name, use in inner.items():
            before = env.get(name)
            if before is None:
                env[name] = use
            elif before.root() is not use.root() and before.constant is not ABSENT:
                env[name] = use  # an accumulator's first value says less than what is added

    def narrowed(self, test: ast.expr, env: Environment, outcome: bool) -> Environment:
        """Return the environment in which a test of types came out so."""
        found = type_test(test)
        if found is None or found[0] not in env:
            return env
        name, kinds, positive = found
        use = env[name].root()
        if positive == outcome:
            variant = Use()
            variant.observe(evidence(**dict.fromkeys(kinds, 0.0)))
            use.variants.append(variant)
            return {**env, name: variant}
        return env

    def _establish(self, test: ast.expr, env: Environment) -> None:
        """Take as evidence a test of types that the rest of the block relies on."""
        found = type_test(test)
        if found is None or found[0] not in env:
            return
        name, kinds, positive = found
        if positive and kinds != ["none"]:
            env[name].observe(evidence(**dict.fromkeys(kinds, 0.0)), 0.6)


def _joined(then: Use | None, other: Use | None, before: Use | None) -> Use:
    """Return what a name is bound to after a branch, given what each side binds it to."""
    if then is None or other is None:
        return then or other or Use()
    if before is not None and before.root() in (then.root(), other.root()):
        kept, new = before.root(), then if other.root() is before.root() else other
        constant = new.constant
        told = constant is not ABSENT and constant is not None
        if told and new.root() is not kept and kept.constant is ABSENT:
            learn(kept, constant, 0.7)  # `if x is None: x = 5`
        return before
    return other if then.constant is not ABSENT else then


def _arguments(node: FunctionNode) -> list[ast.arg]:
    arguments = node.args
    found = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return found + [a for a in (arguments.vararg, arguments.kwarg) if a is not None]
