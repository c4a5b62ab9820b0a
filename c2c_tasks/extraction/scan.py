"""One walk over a statement, which finds all that is asked of it later.

The names that it needs follow Python's rules of scope (reference manual, 4.2.2). Rules that few
functions meet, of classes, ``global`` and ``:=``, are left to the compiler's symbol table.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Sequence
from typing import Any

from c2c_tasks.extraction.bindings import base_name, bound_by_import
from c2c_tasks.extraction.names import needed_names

MUTATING = frozenset(
    {
        "add",
        "append",
        "appendleft",
        "clear",
        "difference_update",
        "discard",
        "extend",
        "extendleft",
        "insert",
        "intersection_update",
        "move_to_end",
        "pop",
        "popitem",
        "popleft",
        "remove",
        "reverse",
        "rotate",
        "setdefault",
        "sort",
        "subtract",
        "symmetric_difference_update",
        "update",
    }
)
"""Methods that change the object they are called on."""

_MUTABLE = (ast.List, ast.Dict, ast.Set, ast.Call, ast.ListComp, ast.DictComp, ast.SetComp)
_MAX_DEPTH = 100
"""Nesting of a tree beyond which the compiler is asked whether it can follow."""


class _Scope:
    """The names that a scope reads and binds, but not those of the scopes in it."""

    __slots__ = ("bound", "parent", "used")

    def __init__(self, parent: _Scope | None) -> None:
        self.parent = parent
        self.used: set[str] = set()
        self.bound: set[str] = set()


class Scan:
    """What there is to know of a statement of a module."""

    __slots__ = (
        "_entry",
        "_inside",
        "_level",
        "_scope",
        "_scopes",
        "_unclear",
        "annotated",
        "chains",
        "has_global",
        "imports",
        "is_asynchronous",
        "is_generator",
        "mutable_defaults",
        "mutated",
        "mutated_inside",
        "needed",
        "read",
    )

    def __init__(self, statement: ast.stmt, text: Callable[[ast.stmt], str]) -> None:
        """Scan a statement; `text` gives its source, where that is needed."""
        self.annotated: set[str] = set()
        """Names in its annotations, which may stay text."""
        self.read: set[str] = set()
        """Names that are read by themselves, not as the ``a`` of ``a.b``."""
        self.chains: list[list[str]] = []
        """``["a", "b", "c"]`` of each ``a.b.c``; the first is empty where the base is no name."""
        self.imports: list[tuple[ast.Import | ast.ImportFrom, ast.alias]] = []
        self.mutated: set[str] = set()
        """Names whose objects are changed."""
        self.mutated_inside: set[str] = set()
        """Those that are when a function is called."""
        self.mutable_defaults: set[str] = set()
        """Parameters whose default is one object for all calls, and can be changed."""
        self.has_global = self.is_asynchronous = False
        self.is_generator = False
        """Whether the statement is a function that yields."""
        self._entry: _Scope | None = None
        self._unclear = False
        self._walk(statement)
        self.needed: frozenset[str] | None = self._needed(statement, text)
        """Names that it reads or binds in the module's scope; None where it cannot be compiled.

        Names in annotations are not among them, nor are those that the statement itself makes
        local.
        """

    def _needed(
        self, statement: ast.stmt, text: Callable[[ast.stmt], str]
    ) -> frozenset[str] | None:
        if self._unclear or self._is_special():
            try:
                return needed_names(text(statement))
            except (SyntaxError, RecursionError):  # what only the compiler minds, as a name twice
                return None
        module, *inner = self._scopes
        needed = module.used
        for scope in inner:
            free = scope.used - scope.bound
            outer = scope.parent
            while free and outer is not None and outer is not module:
                free -= outer.bound
                outer = outer.parent
            needed |= free
        return frozenset(needed)

    def _is_special(self) -> bool:
        """Tell whether a name is used that stands for another, or that cannot be bound."""
        return "super" in self.read or any("__debug__" in scope.bound for scope in self._scopes)

    def _walk(self, statement: ast.stmt) -> None:
        """Go over the tree level by level, for a sum may be thousands of terms deep."""
        self._scope = _Scope(None)
        self._scopes = [self._scope]
        self._inside = False
        self._level: list[tuple[ast.AST, _Scope, bool]] = []
        self._visit(statement)
        depth = 0
        while self._level:
            depth += 1
            level, self._level = self._level, []
            for node, self._scope, self._inside in level:
                self._visit(node)
        self._unclear |= depth > _MAX_DEPTH

    def _visit(self, node: ast.AST) -> None:
        handler = _HANDLERS.get(type(node))
        if handler is not None:
            handler(self, node)
        else:
            self._children(node)

    def _children(self, node: ast.AST) -> None:
        for field in _FIELDS[type(node)]:
            value = getattr(node, field)
            if type(value) is list:
                self._all(value)
            elif value is not None:
                self._one(value)

    def _one(self, node: Any) -> None:
        """Note a name at once, and any other node to be visited later."""
        kind = type(node)
        if kind is ast.Name:
            if type(node.ctx) is ast.Load:
                self._scope.used.add(node.id)
                self.read.add(node.id)
            else:
                self._scope.bound.add(node.id)
        elif kind is not ast.Constant:
            self._level.append((node, self._scope, self._inside))

    def _all(self, nodes: Sequence[Any]) -> None:
        for node in nodes:
            if node is not None:
                self._one(node)

    def _enter(self) -> _Scope:
        scope = _Scope(self._scope)
        self._scopes.append(scope)
        return scope

    def _attribute(self, node: ast.Attribute) -> None:
        names = [node.attr]
        inner = node.value
        while type(inner) is ast.Attribute:
            names.append(inner.attr)
            inner = inner.value
        if type(inner) is ast.Name:
            names.append(inner.id)
            self._scope.used.add(inner.id)
        else:
            names.append("")
            self._one(inner)
        names.reverse()
        self.chains.append(names)
        if type(node.ctx) is not ast.Load:
            self._mutate(node)

    def _subscript(self, node: ast.Subscript) -> None:
        if type(node.ctx) is not ast.Load:
            self._mutate(node)
        self._one(node.value)
        self._one(node.slice)

    def _call(self, node: ast.Call) -> None:
        if type(node.func) is ast.Attribute and node.func.attr in MUTATING:
            self._mutate(node.func.value)
        self._one(node.func)
        self._all(node.args)
        for keyword in node.keywords:
            self._one(keyword.value)

    def _mutate(self, node: ast.expr) -> None:
        name = base_name(node)
        if name is not None:
            self.mutated.add(name)
            if self._inside:
                self.mutated_inside.add(name)

    def _function(self, node: ast.FunctionDef) -> None:
        self._scope.bound.add(node.name)
        self._inside = True
        self._all(node.decorator_list)
        if node.returns is not None:
            self._annotation(node.returns)
        if getattr(node, "type_params", None):
            self._unclear = True
        inner = self._arguments(node.args)
        if self._entry is None:
            self._entry = inner
        positional = [*node.args.posonlyargs, *node.args.args]
        first = len(positional) - len(node.args.defaults)
        defaults = [*node.args.defaults, *node.args.kw_defaults]
        for parameter, default in zip(
            [*positional[first:], *node.args.kwonlyargs], defaults, strict=True
        ):
            if isinstance(default, _MUTABLE):
                self.mutable_defaults.add(parameter.arg)
        self._scope = inner
        self._all(node.body)

    def _lambda(self, node: ast.Lambda) -> None:
        self._inside = True
        self._scope = self._arguments(node.args)
        self._one(node.body)

    def _arguments(self, arguments: ast.arguments) -> _Scope:
        """Return the scope of a function that has these parameters."""
        self._all(arguments.defaults)
        self._all(arguments.kw_defaults)
        inner = self._enter()
        for parameter in (
            *(*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs),
            *filter(None, (arguments.vararg, arguments.kwarg)),
        ):
            self._unclear |= parameter.arg in inner.bound
            inner.bound.add(parameter.arg)
            if parameter.annotation is not None:
                self._annotation(parameter.annotation)
        return inner

    def _annotation(self, annotation: ast.expr) -> None:
        for node in ast.walk(annotation) if type(annotation) is not ast.Name else (annotation,):
            if type(node) is ast.Name:
                self.annotated.add(node.id)
            elif isinstance(node, ast.Yield | ast.YieldFrom | ast.Await | ast.NamedExpr):
                self._unclear = True

    def _annotated_assignment(self, node: ast.AnnAssign) -> None:
        self._annotation(node.annotation)
        self._one(node.target)
        if node.value is not None:
            self._one(node.value)

    def _comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp
    ) -> None:
        first = node.generators[0]
        self._one(first.iter)
        self._scope = self._enter()
        for generator in node.generators:
            self.is_asynchronous |= bool(generator.is_async)
            self._one(generator.target)
            self._all(generator.ifs)
            if generator is not first:
                self._one(generator.iter)
        if isinstance(node, ast.DictComp):
            self._one(node.key)
            self._one(node.value)
        else:
            self._one(node.elt)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            self.imports.append((node, alias))
            self._scope.bound.add(bound_by_import(alias))
            self._unclear |= alias.name == "*"

    def _named(self, node: ast.ExceptHandler | ast.MatchAs | ast.MatchStar) -> None:
        if node.name is not None:
            self._scope.bound.add(node.name)
        self._children(node)

    def _mapping(self, node: ast.MatchMapping) -> None:
        if node.rest is not None:
            self._scope.bound.add(node.rest)
        self._children(node)

    def _global(self, node: ast.Global) -> None:
        self._unclear = self.has_global = True

    def _asynchronous(self, node: ast.AST) -> None:
        self._unclear = self.is_asynchronous = True
        if isinstance(node, ast.AsyncFunctionDef):
            self._scope = self._arguments(node.args)
        self._children(node)

    def _yield(self, node: ast.Yield | ast.YieldFrom) -> None:
        self._unclear = True
        self.is_generator |= self._scope is self._entry
        self._children(node)

    def _other(self, node: ast.AST) -> None:
        """Leave the names to the compiler."""
        self._unclear = True
        self._children(node)


_RUNNING = {
    *("bases", "body", "cases", "cause", "cls", "comparators", "context_expr", "decorator_list"),
    *("elt", "elts", "exc", "finalbody", "format_spec", "func", "generators", "guard", "handlers"),
    *("ifs", "items", "iter", "key", "keys", "keywords", "kwd_patterns", "left", "lower", "msg"),
    *("operand", "optional_vars", "orelse", "pattern", "patterns", "right", "slice", "step"),
    *("subject", "target", "targets", "test", "type", "upper", "value", "values"),
}
"""Fields that hold nodes which run."""

_FIELDS: dict[type[ast.AST], tuple[str, ...]] = {
    kind: tuple(field for field in kind._fields if field in _RUNNING)
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST)
}
_FIELDS[ast.MatchSingleton] = ()

_HANDLERS: dict[type[ast.AST], Callable[[Scan, Any], None]] = {
    ast.AnnAssign: Scan._annotated_assignment,
    ast.AsyncFor: Scan._asynchronous,
    ast.AsyncFunctionDef: Scan._asynchronous,
    ast.AsyncWith: Scan._asynchronous,
    ast.Attribute: Scan._attribute,
    ast.Await: Scan._asynchronous,
    ast.Call: Scan._call,
    ast.ClassDef: Scan._other,
    ast.DictComp: Scan._comprehension,
    ast.ExceptHandler: Scan._named,
    ast.FunctionDef: Scan._function,
    ast.GeneratorExp: Scan._comprehension,
    ast.Global: Scan._global,
    ast.Import: Scan._import,
    ast.ImportFrom: Scan._import,
    ast.Lambda: Scan._lambda,
    ast.ListComp: Scan._comprehension,
    ast.MatchAs: Scan._named,
    ast.MatchMapping: Scan._mapping,
    ast.MatchStar: Scan._named,
    ast.NamedExpr: Scan._other,
    ast.Nonlocal: Scan._other,
    ast.SetComp: Scan._comprehension,
    ast.Subscript: Scan._subscript,
    ast.Yield: Scan._yield,
    ast.YieldFrom: Scan._yield,
}
if sys.version_info >= (3, 12):
    _HANDLERS[ast.TypeAlias] = Scan._other
