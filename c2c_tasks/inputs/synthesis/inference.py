"""What each parameter of a function is, inferred from the program's text."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

from c2c_tasks.inputs.constants import NotConstant, constant_value
from c2c_tasks.inputs.synthesis import hints
from c2c_tasks.inputs.synthesis.calls import bind
from c2c_tasks.inputs.synthesis.examples import written_calls
from c2c_tasks.inputs.synthesis.expressions import Environment, Expressions, compare_with_constant
from c2c_tasks.inputs.synthesis.uses import (
    ABSENT,
    EXACT,
    Use,
    evidence,
    learn,
    mostly,
)
from c2c_tasks.records import Function

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
MAX_CALLS = 200
"""Helper functions walked for one entry point."""


@dataclass(slots=True)
class Knowledge:
    """What the text of a program says about the parameters of its entry point."""

    uses: dict[str, Use]
    """The use of each parameter; of ``*args`` a tuple, of ``**kwargs`` a dict."""
    examples: list[dict[str, Any]] = field(default_factory=list)
    """Arguments of calls that docstrings and comments write, as parameter to value."""
    numbers: list[int | float] = field(default_factory=list)
    """Numbers that the program writes, in order of appearance."""
    texts: list[str] = field(default_factory=list)
    """Short texts that the program writes, docstrings left out."""
    entry: FunctionNode | None = None


class UnreadableProgram(ValueError):
    """The program does not parse, or its entry point is not there."""


def understand(function: Function) -> Knowledge:
    """Return what the program's text says of the entry point's parameters.

    Raises UnreadableProgram.
    """
    try:
        module = ast.parse(function.program)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UnreadableProgram(f"{function.entry_point}: {error}") from None
    walk = _Statements(module)
    entry = walk.functions.get(function.entry_point)
    if entry is None:
        raise UnreadableProgram(f"{function.entry_point}: no such function in the program")
    signature = walk.signature(function.entry_point)
    known = Knowledge(dict(signature.uses), entry=entry)
    for parameter in function.parameters:
        use = known.uses.setdefault(parameter.name, Use())
        if parameter.kind == "var_positional":
            use.observe(EXACT["tuple"])
        elif parameter.kind == "var_keyword":
            use.observe(EXACT["dict"])
            use.get("item").observe(EXACT["str"])
        _declared(use, parameter.annotation, parameter.default, parameter.kind)
    hints.of_docstring(ast.get_docstring(entry, clean=False) or "", known.uses)
    known.examples = written_calls(function, entry)
    for example in known.examples:
        for name, value in example.items():
            learn(known.uses[name], value, 3.0)
    _gather_constants(entry, known)
    for name, use in known.uses.items():
        hints.of_name(name, use)
    return known


def _declared(use: Use, annotation: str | None, default: str | None, kind: str) -> None:
    if annotation:
        target = use
        if kind == "var_positional":
            target = use.get("item")
        elif kind == "var_keyword":
            target = use.get("value")
        hints.of_annotation(target, annotation)
    if default is not None:
        try:
            value = constant_value(ast.parse(default, mode="eval").body)
        except (NotConstant, SyntaxError, ValueError, RecursionError):
            return
        if value is None:
            use.flag("optional")
            return
        learn(use, value, 2.5)
        if isinstance(value, int | float | str) and not isinstance(value, bool):
            use.add_literal(value)


def _gather_constants(entry: FunctionNode, known: Knowledge) -> None:
    numbers: dict[tuple[str, int | float], int | float] = {}
    texts: dict[str, None] = {}
    docstring = ast.get_docstring(entry, clean=False)
    for node in ast.walk(entry):
        if not isinstance(node, ast.Constant):
            continue
        value = node.value
        if isinstance(value, int | float) and not isinstance(value, bool):
            if abs(value) < 10**7 and len(numbers) < 30:
                numbers[type(value).__name__, value] = value
        elif isinstance(value, str) and value != docstring and len(value) <= 40:
            if len(texts) < 30:
                texts[value] = None
    known.numbers = list(numbers.values())
    known.texts = list(texts)


@dataclass(slots=True)
class _Signature:
    node: FunctionNode
    uses: dict[str, Use]
    returned: Use


class _Statements(Expressions):
    """Walks statements in order of the text; a branch changes what names are bound to only
    where both sides do."""

    def __init__(self, module: ast.Module) -> None:
        super().__init__()
        self.functions: dict[str, FunctionNode] = {}
        self.signatures: dict[str, _Signature] = {}
        self.globals: Environment = {}
        self.returned = [Use()]
        for statement in module.body:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                self.functions[statement.name] = statement
            elif isinstance(statement, ast.Assign | ast.AnnAssign):
                self.statement(statement, self.globals)

    def signature(self, name: str) -> _Signature:
        """Return the uses of a function's parameters, its body walked once."""
        found = self.signatures.get(name)
        if found is not None:
            return found
        node = self.functions[name]
        made = _Signature(node, {argument.arg: Use() for argument in _arguments(node)}, Use())
        self.signatures[name] = made
        if len(self.signatures) <= MAX_CALLS:
            self.body_of(node, made, self.globals)
        return made

    def body_of(
        self, node: FunctionNode, signature: _Signature, env: Environment, guards: int = 0
    ) -> None:
        self.returned.append(signature.returned)
        outer, self.guards = self.guards, guards
        for argument in _arguments(node):
            if argument.annotation is not None:
                hints.of_annotation(signature.uses[argument.arg], ast.unparse(argument.annotation))
        self.block(node.body, {**env, **signature.uses})
        self.guards = outer
        self.returned.pop()

    def call_function(self, name: str, node: ast.Call, env: Environment) -> Use | None:
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

    def block(self, statements: list[ast.stmt], env: Environment) -> None:
        for statement in statements:
            self.statement(statement, env)

    def statement(self, node: ast.stmt, env: Environment) -> None:
        match node:
            case ast.Expr(value=value):
                self.expression(value, env)
            case ast.Return(value=value) if value is not None:
                use = self.expression(value, env)
                if use.constant is ABSENT and use.origin is None and use.scores:
                    self.returned[-1].observe(tuple(use.scores), 0.5)
                elif use.constant is not ABSENT:
                    learn(self.returned[-1], use.constant, 0.5)
            case ast.Assign(targets=targets, value=value):
                self.assignment(targets, value, env)
            case ast.AnnAssign(target=target, value=value) if value is not None:
                self.assignment([target], value, env)
            case ast.AugAssign(target=target, op=op, value=value):
                loaded = self.expression(_loaded(target), env)
                result = self.operation(loaded, op, self.expression(value, env))
                if isinstance(target, ast.Name):
                    env[target.id] = result
            case ast.If():
                self.branch(node, env)
            case ast.While(test=test, body=body, orelse=orelse):
                self.test(test, env)
                self.inside([*body, *orelse], self.narrowed(test, env, True), env)
            case ast.For() | ast.AsyncFor():
                item = self.iterate(self.expression(node.iter, env))
                inner = dict(env)
                self.assign(node.target, item, inner)
                self.inside([*node.body, *node.orelse], inner, env)
            case ast.Try() | ast.TryStar():
                self.attempt(node, env)
            case ast.With(items=items, body=body) | ast.AsyncWith(items=items, body=body):
                for item in items:
                    self.expression(item.context_expr, env)
                self.block(body, env)
            case ast.Assert(test=test):
                self.test(test, env)
                self.established(test, env)
            case ast.Match(subject=subject, cases=cases):
                use = self.expression(subject, env)
                for case in cases:
                    _match_pattern(case.pattern, use)
                    self.inside(case.body, dict(env), env)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self.nested_function(node, env)
            case ast.Raise(exc=value) if value is not None:
                self.expression(value, env)
            case ast.Delete(targets=targets):
                for target in targets:
                    self.expression(_loaded(target), env)

    def assignment(self, targets: list[ast.expr], value: ast.expr, env: Environment) -> None:
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

    def inside(self, body: list[ast.stmt], inner: Environment, env: Environment) -> None:
        """Walk a body that may not run; keep its bindings of names that had none."""
        self.guards += 1
        self.block(body, inner)
        self.guards -= 1
        for name, use in inner.items():
            before = env.get(name)
            if before is None:
                env[name] = use
            elif before.root() is not use.root() and before.constant is not ABSENT:
                env[name] = use  # an accumulator's first value says less than what is added

    def branch(self, node: ast.If, env: Environment) -> None:
        self.test(node.test, env)
        then, other = self.narrowed(node.test, env, True), self.narrowed(node.test, env, False)
        then, other = dict(then), dict(other)
        before = dict(env)
        self.guards += 1
        self.block(node.body, then)
        self.block(node.orelse, other)
        self.guards -= 1
        if _leaves(node.body):
            self.established(ast.UnaryOp(ast.Not(), node.test), env)
            then = other
        elif node.orelse and _leaves(node.orelse):
            other = then
        for name in {**then, **other}:
            first, second = then.get(name), other.get(name)
            if first is None or second is None:
                env[name] = first or second or Use()
            elif name in before and before[name].root() in (first.root(), second.root()):
                kept, new = before[name].root(), first if second.root() is before[name].root() else second
                if new.root() is not kept and new.constant is not ABSENT and new.constant is not None:
                    if kept.constant is ABSENT:
                        learn(kept, new.constant, 0.7)  # `if x is None: x = 5`
            else:
                env[name] = second if first.constant is not ABSENT else first

    def attempt(self, node: ast.Try | ast.TryStar, env: Environment) -> None:
        self.guards += 1
        self.block(node.body, env)
        for handler in node.handlers:
            self.inside(handler.body, dict(env), env)
        self.block(node.orelse, env)
        self.guards -= 1
        self.block(node.finalbody, env)

    def nested_function(self, node: FunctionNode, env: Environment) -> None:
        uses = {argument.arg: Use() for argument in _arguments(node)}
        function = Use(None)
        function.constant = ABSENT
        signature = _Signature(node, uses, function.get("returned"))
        function.fields.update(enumerate(uses.values()))
        env[node.name] = function
        self.body_of(node, signature, env, guards=1)  # it may never be called

    def narrowed(self, test: ast.expr, env: Environment, outcome: bool) -> Environment:
        found = _type_test(test)
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

    def established(self, test: ast.expr, env: Environment) -> None:
        """Take as evidence a test of types that the rest of the block relies on."""
        found = _type_test(test)
        if found is None or found[0] not in env:
            return
        name, kinds, positive = found
        if positive and kinds != ["none"]:
            env[name].observe(evidence(**dict.fromkeys(kinds, 0.0)), 0.6)


def _arguments(node: FunctionNode) -> list[ast.arg]:
    arguments = node.args
    found = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return found + [a for a in (arguments.vararg, arguments.kwarg) if a is not None]


def _loaded(target: ast.expr) -> ast.expr:
    return target  # contexts do not matter to the walk


def _leaves(body: list[ast.stmt]) -> bool:
    return bool(body) and isinstance(body[-1], ast.Return | ast.Raise | ast.Continue | ast.Break)


_CLASS_KINDS = {
    "int": ["int"], "float": ["float"], "bool": ["bool"], "str": ["str"], "bytes": ["bytes"],
    "list": ["list"], "tuple": ["tuple"], "set": ["set"], "frozenset": ["set"],
    "dict": ["dict"], "basestring": ["str"], "unicode": ["str"], "Number": ["int", "float"],
    "Mapping": ["dict"], "Sequence": ["list", "tuple", "str"], "Iterable": ["list", "tuple"],
    "NoneType": ["none"], "Integral": ["int"], "Real": ["int", "float"],
}  # fmt: skip


def _type_test(test: ast.expr) -> tuple[str, list[str], bool] | None:
    """Return the name, the kinds and the sense of a test of one name's type."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            found = _type_test(operand)
            return found and (found[0], found[1], not found[2])
        case ast.BoolOp(op=ast.And(), values=[first, *_]):
            found = _type_test(first)
            return found if found and found[2] else None
        case ast.Call(func=ast.Name(id="isinstance"), args=[ast.Name(id=name), classes]):
            kinds = kinds_of(classes)
            return (name, kinds, True) if kinds else None
        case ast.Compare(
            left=ast.Call(func=ast.Name(id="type"), args=[ast.Name(id=name)]),
            ops=[ast.Eq() | ast.Is() | ast.NotEq() | ast.IsNot() | ast.In() as op],
            comparators=[classes],
        ):
            kinds = kinds_of(classes)
            return (name, kinds, not isinstance(op, ast.NotEq | ast.IsNot)) if kinds else None
        case ast.Compare(
            left=ast.Name(id=name),
            ops=[ast.Is() | ast.IsNot() as op],
            comparators=[ast.Constant(value=None)],
        ):
            return name, ["none"], isinstance(op, ast.Is)
    return None


def kinds_of(node: ast.expr) -> list[str]:
    """Return the kinds of the classes that an expression names."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return _CLASS_KINDS.get(name, [])
        case ast.Tuple(elts=items) | ast.List(elts=items) | ast.Set(elts=items):
            return [kind for item in items for kind in kinds_of(item)]
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return kinds_of(left) + kinds_of(right)
    return []


def _match_pattern(pattern: ast.pattern, use: Use) -> None:
    match pattern:
        case ast.MatchValue(value=value):
            try:
                compare_with_constant(use, constant_value(value))
            except NotConstant:
                return
        case ast.MatchSingleton(value=value):
            compare_with_constant(use, value)
        case ast.MatchOr(patterns=patterns):
            for each in patterns:
                _match_pattern(each, use)
        case ast.MatchAs(pattern=inner) if inner is not None:
            _match_pattern(inner, use)
        case ast.MatchSequence(patterns=patterns):
            use.observe(mostly("list", 1.0))
            use.lengths.setdefault(len(patterns))
            for position, each in enumerate(patterns):
                _match_pattern(each, use.field(position))
        case ast.MatchMapping(keys=keys, patterns=patterns):
            use.observe(mostly("dict", 1.5))
            for key, each in zip(keys, patterns, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    _match_pattern(each, use.field(key.value))
        case ast.MatchClass(cls=ast.Name(id=name)):
            for kind in _CLASS_KINDS.get(name, []):
                variant = Use()
                variant.observe(EXACT[kind])
                use.variants.append(variant)

