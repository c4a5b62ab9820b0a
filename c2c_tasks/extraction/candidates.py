"""Candidates: which of a file's functions may become programs, and why the others may not."""

from __future__ import annotations

import ast
import gc
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from c2c_tasks.config import ExtractionOptions
from c2c_tasks.extraction.closure import Impure, close_over
from c2c_tasks.extraction.modules import Module
from c2c_tasks.headers import parameters_of
from c2c_tasks.records import Function, SourceFile
from c2c_tasks.shards import StepReport

Identify = Callable[[ast.Module, str], str]
"""Gives a program, by its tree and entry point, the function id."""

_FUNCTION = re.compile(r"^(?:async[ \t]+)?def[ \t]", re.MULTILINE)
_TAKING = re.compile(r"^def[ \t](?![^(\[\n]*\([ \t]*\))", re.MULTILINE)
_GIVING = re.compile(r"\breturn\b(?![ \t]*(?:None[ \t]*)?(?:[\n;#]|\Z))")
_COMPOUND = {
    *(ast.If, ast.For, ast.While, ast.With, ast.Try, ast.TryStar, ast.Match),
    *(ast.AsyncFor, ast.AsyncWith, ast.ExceptHandler, ast.match_case),
}
_BLOCKS = ("body", "cases", "handlers", "orelse", "finalbody")


def extract_functions(
    file: SourceFile,
    options: ExtractionOptions,
    report: StepReport,
    *,
    identify: Identify,
) -> Iterator[Function]:
    """Yield the pure functions of a file, each with what it needs to run alone.

    Every file is counted in the stage ``parsed files``, every function at the top level of a
    parsed file in the stage ``functions``, with the reason where it is no candidate. Files
    whose text shows that none of their functions is one are not parsed.
    """
    parsed = report.stage("parsed files", "files")
    stage = report.stage("functions", "functions")
    if reason := hopeless(file.content):
        parsed.drop(reason)
        return
    try:
        with _collector_paused():
            found = list(_examined(file, options, identify))
    except SyntaxError:
        parsed.drop("syntax_error")
        return
    parsed.keep()
    for result in found:
        if isinstance(result, str):
            stage.drop(result)
        else:
            stage.keep()
            yield result


def hopeless(text: str) -> str | None:
    """Return why none of a file's functions can be a candidate, as far as its text shows it.

    A candidate has a parameter, and returns a value somewhere after its header.
    """
    normal = text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
    first = _FUNCTION.search(normal)
    if first is None:
        return "no_top_level_function"
    taking = _TAKING.search(normal, first.start())
    if taking is None or _GIVING.search(normal, taking.end()) is None:
        return "no_candidate_shape"
    return None


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Keep the garbage collector from walking a growing tree again and again.

    It would take a third of the time, and find nothing before the file is done.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _examined(
    file: SourceFile, options: ExtractionOptions, identify: Identify
) -> Iterator[Function | str]:
    """Yield each function of a file, or why it is no candidate. Raises SyntaxError."""
    module = Module(file.content)
    for node in module.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            try:
                yield _function(node, module, file, options, identify)
            except Impure as error:
                yield error.reason  # the error itself would keep the tree alive
            except RecursionError:  # of `ast.unparse`, which recurses
                yield "nested_too_deep"


def _function(
    node: ast.FunctionDef | ast.AsyncFunctionDef,
    module: Module,
    file: SourceFile,
    options: ExtractionOptions,
    identify: Identify,
) -> Function:
    if isinstance(node, ast.AsyncFunctionDef):
        raise Impure("asynchronous")
    _check_shape(node, options)
    if "yield" in module.text and module.scan(node).is_generator:
        raise Impure("generator")
    if module.definition(node.name) != [node]:
        raise Impure("redefined")
    program = close_over(module, node)
    if len(program.text) > options.max_program_characters:
        raise Impure("program_too_long")
    return Function(
        function_id=identify(program.tree, node.name),
        program=program.text,
        entry_point=node.name,
        parameters=parameters_of(node, module.segment),
        repository=file.repository,
        path=file.path,
        first_line=node.lineno,
        last_line=node.end_lineno or node.lineno,
        licence=file.licence,
        dump=file.dump,
        source_sha256=file.sha256,
    )


def _check_shape(node: ast.FunctionDef, options: ExtractionOptions) -> None:
    """Raise Impure where a function is no candidate whatever it does."""
    arguments = node.args
    count = len(arguments.posonlyargs) + len(arguments.args) + len(arguments.kwonlyargs)
    count += (arguments.vararg is not None) + (arguments.kwarg is not None)
    if not count:
        raise Impure("no_parameters")
    if count > options.max_parameters:
        raise Impure("too_many_parameters")
    if (node.end_lineno or node.lineno) - node.lineno + 1 < options.min_function_lines:
        raise Impure("too_short")
    if not _returns_value(node):
        raise Impure("returns_no_value")


def _returns_value(function: ast.FunctionDef) -> bool:
    statements: list[ast.AST] = list(function.body)
    while statements:
        node = statements.pop()
        kind = type(node)
        if kind is ast.Return:
            match node:
                case ast.Return(value=None | ast.Constant(value=None)):
                    continue
            return True
        if kind in _COMPOUND:
            for field in _BLOCKS:
                statements += getattr(node, field, ())
    return False
