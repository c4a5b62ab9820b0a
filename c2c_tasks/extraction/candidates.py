"""Candidates: which of a file's functions may become programs, and why the others may not."""

from __future__ import annotations

import ast
import gc
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from c2c_tasks.config import ExtractionOptions
from c2c_tasks.extraction.closure import Impure, close_over
from c2c_tasks.extraction.headers import parameters_of
from c2c_tasks.extraction.modules import Module
from c2c_tasks.records import Function, SourceFile
from c2c_tasks.shards import StepReport

_TOP_LEVEL_FUNCTION = re.compile(r"(?:\A|[\r\n])(?:async[ \t]+)?def[ \t]")
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def extract_functions(
    file: SourceFile,
    options: ExtractionOptions,
    report: StepReport,
    *,
    identify: Callable[[str, str], str],
) -> Iterator[Function]:
    """Yield the pure functions of a file, each with what it needs to run alone.

    `identify` gives a program, by its text and entry point, the function id. Every file is
    counted in the stage ``parsed files``, every function at the top level of a parsed file in
    the stage ``functions``, with the reason where it is no candidate.
    """
    parsed = report.stage("parsed files", "files")
    stage = report.stage("functions", "functions")
    if not _TOP_LEVEL_FUNCTION.search(file.content):  # most files of a dump hold classes
        parsed.drop("no_top_level_function")
        return
    try:
        with _collector_paused():
            found = list(_examined(file, options, identify))
    except SyntaxError:
        parsed.drop("syntax_error")
        return
    parsed.keep()
    for result in found:
        if isinstance(result, Impure):
            stage.drop(result.reason)
        else:
            stage.keep()
            yield result


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
    file: SourceFile, options: ExtractionOptions, identify: Callable[[str, str], str]
) -> Iterator[Function | Impure]:
    """Yield each function of a file, or why it is no candidate. Raises SyntaxError."""
    module = Module(file.content)
    for node in module.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            try:
                yield _function(node, module, file, options, identify)
            except Impure as error:
                yield error


def _function(
    node: ast.FunctionDef | ast.AsyncFunctionDef,
    module: Module,
    file: SourceFile,
    options: ExtractionOptions,
    identify: Callable[[str, str], str],
) -> Function:
    if isinstance(node, ast.AsyncFunctionDef):
        raise Impure("asynchronous")
    _check_shape(node, options, may_yield="yield" in module.text)
    if module.definition(node.name) != [node]:
        raise Impure("redefined")
    program = close_over(module, node)
    if len(program) > options.max_program_characters:
        raise Impure("program_too_long")
    try:
        function_id = identify(program, node.name)
    except SyntaxError:
        raise Impure("does_not_compile") from None
    return Function(
        function_id=function_id,
        program=program,
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


def _check_shape(node: ast.FunctionDef, options: ExtractionOptions, *, may_yield: bool) -> None:
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
    if may_yield and _is_generator(node):
        raise Impure("generator")


def _returns_value(function: ast.FunctionDef) -> bool:
    statements: list[ast.AST] = list(function.body)
    while statements:
        node = statements.pop()
        match node:
            case ast.Return(value=None | ast.Constant(value=None)):
                continue
            case ast.Return():
                return True
        if not isinstance(node, ast.expr | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            statements.extend(ast.iter_child_nodes(node))
    return False


def _is_generator(function: ast.FunctionDef) -> bool:
    nodes: list[ast.AST] = list(function.body)
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(node, _SCOPES):
            nodes.extend(ast.iter_child_nodes(node))
    return False
