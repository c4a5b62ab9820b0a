"""What each parameter of a function is, inferred from the program's text."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from c2c_tasks.inputs.constants import NotConstant, constant_value
from c2c_tasks.inputs.synthesis import hints
from c2c_tasks.inputs.synthesis.conditions import FunctionNode
from c2c_tasks.inputs.synthesis.examples import written_calls
from c2c_tasks.inputs.synthesis.statements import Statements
from c2c_tasks.inputs.synthesis.uses import EXACT, Use, learn
from c2c_tasks.records import Function
from c2c_tasks.syntax import parse_expression, parse_module

MAX_CONSTANTS = 30
"""Numbers, and texts, of a program that inputs are made of."""


@dataclass(slots=True)
class Knowledge:
    """What the text of a program says about the parameters of its entry point."""

    entry: FunctionNode
    uses: dict[str, Use]
    """The use of each parameter; of ``*args`` a tuple, of ``**kwargs`` a dict."""
    examples: list[dict[str, Any]] = field(default_factory=list)
    """Arguments of calls that docstrings and comments write, as parameter to value."""
    numbers: list[int | float] = field(default_factory=list)
    """Numbers that the program writes, those of the entry point first."""
    texts: list[str] = field(default_factory=list)
    """Short texts that the program writes, docstrings left out; bytes as Latin-1."""
    constants: dict[str, ast.expr] = field(default_factory=dict)
    """Expressions of the program's own names outside of functions."""


class UnreadableProgram(ValueError):
    """The program does not parse, or its entry point is not there."""


def understand(function: Function) -> Knowledge:
    """Return what the program's text says of the entry point's parameters.

    Raises UnreadableProgram.
    """
    try:
        module = parse_module(function.program)
    except SyntaxError as error:
        raise UnreadableProgram(f"{function.entry_point}: {error}") from None
    walk = Statements(module)
    entry = walk.functions.get(function.entry_point)
    if entry is None:
        raise UnreadableProgram(f"{function.entry_point}: no such function in the program")
    signature = walk.signature(function.entry_point)
    known = Knowledge(entry, dict(signature.uses))
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
    _gather_constants(module, entry, known)
    known.constants = _module_constants(module)
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
            value = constant_value(parse_expression(default))
        except (NotConstant, SyntaxError):
            return
        if value is None:
            use.flag("optional")
            return
        learn(use, value, 5.0)
        if isinstance(value, int | float | str) and not isinstance(value, bool):
            use.add_literal(value)


def _gather_constants(module: ast.Module, entry: FunctionNode, known: Knowledge) -> None:
    """Gather what the entry point writes, then what the rest of the program does."""
    numbers: dict[tuple[str, int | float], int | float] = {}  # 1 and 1.0 are two
    texts: dict[str, None] = {}
    docstrings = _docstrings(module)
    for node in chain(ast.walk(entry), ast.walk(module)):
        match node:
            case ast.Constant(value=bytes(value)) if value:
                value = value.decode("latin-1")
            case ast.Constant(value=value) if id(node) not in docstrings:
                pass
            case ast.BinOp(left=ast.Constant(), right=ast.Constant()):
                try:
                    value = constant_value(node)
                except NotConstant:
                    continue
            case _:
                continue
        if isinstance(value, int | float) and not isinstance(value, bool):
            if abs(value) < 10**7:
                numbers[type(value).__name__, value] = value
        elif isinstance(value, str) and len(value) <= 40:
            texts[value] = None
    known.numbers = list(numbers.values())[:MAX_CONSTANTS]
    known.texts = list(texts)[:MAX_CONSTANTS]


def _docstrings(module: ast.Module) -> set[int]:
    """Return the ids of the constants that stand alone as statements."""
    return {id(node.value) for node in ast.walk(module) if isinstance(node, ast.Expr)}


def _module_constants(module: ast.Module) -> dict[str, ast.expr]:
    """Return the expressions of names that the module assigns once."""
    found: dict[str, list[ast.expr]] = {}
    for statement in module.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                found.setdefault(name, []).append(value)
    return {name: values[0] for name, values in found.items() if len(values) == 1}
