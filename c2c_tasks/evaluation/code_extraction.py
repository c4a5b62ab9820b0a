"""Python code in answers that language models give. It is parsed, and never run.

Blocks of code are looked for between fences and, where those do not define the entry point,
wherever lines can be parsed. Of several blocks that define it, the last one counts: models correct
themselves. What it needs from earlier blocks (imports, helpers) is put before it. What comes after
the definitions and could only make them fail to load (asserts, prints, ``__main__``) is left out.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from c2c_tasks.evaluation.fences import fenced_blocks
from c2c_tasks.evaluation.signatures import bindings, callee_of
from c2c_tasks.evaluation.uses import (
    assigned_names,
    calls,
    changes_one_of,
    is_call_of,
    is_main_guard,
    missing_names,
    names_in_definitions,
    returns,
)
from c2c_tasks.syntax import parse_module

MAX_CHARACTERS = 200_000
"""Characters of an answer that are looked at."""
_PARSED_CHARACTERS = 1_000_000
_CHARACTERS_OF_A_CALL = 100
"""Characters that are parsed in search of the code of one answer, together, and those that a call
of the parser counts for by itself."""
_MAX_BODIES = 20
"""Blocks that are tried as what a prefix goes on with."""
_MAX_CUTS = 20
"""Syntax errors before which a text is cut in search of what can be parsed."""

_CODE_LINE = re.compile(
    r"(?:def|class|import|from|async def)\b|@|(?:try|if .+):$|[A-Za-z_]\w* *(?::[^=]*)?=[^=]"
)
_OWN_DEFINITION = re.compile(r"^(?:def|class|async def)\b", re.MULTILINE)
_FUTURE = re.compile(r"^from __future__ import .*\n", re.MULTILINE)
_THINKING = re.compile(r"\s*<think(?:ing)?>")
_THOUGHT = re.compile(r"</think(?:ing)?>")


@dataclass(frozen=True, slots=True)
class Code:
    """Code that was found in an answer."""

    text: str
    tree: ast.Module


def extract_code(text: str, entry_point: str, *, truncated: bool = False, prefix: str = "") -> str:
    """Return the code of an answer, or "" where it holds none that can be parsed.

    `truncated` tells that the answer ended at a limit: what it ends in may be half a statement.
    `prefix` is code, up to the inside of the entry point, that an answer may go on from instead of
    defining it; the code that is returned holds it then. Where no code defines the entry point,
    the last block that has a function is returned.
    """
    code = find_code(text, entry_point, truncated=truncated, prefix=prefix)
    return code.text if code is not None else ""


def find_code(
    text: str, entry_point: str, *, truncated: bool = False, prefix: str = ""
) -> Code | None:
    """Return what `extract_code` does, with its tree, or None."""
    text = text[:MAX_CHARACTERS].replace("\r\n", "\n").replace("\r", "\n")
    text = text.replace("\0", "").replace("\ufeff", "")
    text = _after_thinking(text)
    if not text.strip():
        return None
    search = _Search(entry_point, truncated)
    if prefix:
        return search.continued(prefix, text)
    return search.find(text)


def _after_thinking(text: str) -> str:
    """Return what comes after a section of thoughts; nothing where it does not end."""
    opening = _THINKING.match(text)
    closings = [match.end() for match in _THOUGHT.finditer(text)]
    if not closings:
        return "" if opening else text
    # Without an opening one, which is part of some prompts, the last one counts.
    return text[closings[0 if opening else -1] :]


class _Search:
    def __init__(self, entry_point: str, truncated: bool) -> None:
        self._entry_point = entry_point
        self._truncated = truncated
        self._left = _PARSED_CHARACTERS
        self._known: dict[str, Code] = {}

    def find(self, text: str) -> Code | None:
        lines = text.split("\n")
        first = next((line for line in lines if line.strip()), "")
        if _CODE_LINE.match(first):  # it starts with code: what is fenced comes after it
            start = self._prefix(lines, at_end=True)
            if start is not None and self._defines(start):
                return self._finished(start, [])
        fenced = self._fenced(lines)
        code = self._chosen(fenced) or self._chosen(plain := self._plain(lines))
        if code is not None:
            return code
        for block in reversed([*fenced, *plain]):
            if any(isinstance(node, ast.FunctionDef | ast.Lambda) for node in ast.walk(block.tree)):
                return self._finished(block, [])
        return None

    def continued(self, prefix: str, text: str) -> Code | None:
        """Return the code of an answer that may go on from a prefix."""
        before = self._parse(prefix.rstrip("\n") + "\n    pass\n")
        body = before.tree.body if before else []
        names = [getattr(node, "name", "") for node in body]
        if before is None or self._entry_point not in names:
            return self.find(text)
        start = body[names.index(self._entry_point)]
        first = min([start.lineno, *(node.lineno for node in getattr(start, "decorator_list", ()))])
        head = self._parse("\n".join(prefix.split("\n")[: first - 1]))
        if text.strip("\n")[:1] not in (" ", "\t"):
            code = self.find(text)
            if code is not None and self._defines(code):
                return self._finished(code, [head] if head else [])
        size = len(list(ast.walk(start)))
        blocks = ["\n".join(block) for block, _ in fenced_blocks(text.split("\n"), self._parses)]
        for rest in (text, *blocks[:_MAX_BODIES]):
            whole = textwrap.dedent(rest)
            variants = [rest]
            if not self._stands_alone(whole):
                variants += [textwrap.indent(whole, "    "), "    " + rest.lstrip()]
            for body_text in variants:
                grown = self._continuation(prefix, body_text, size)
                if grown is not None:
                    return grown
        return self.find(text)

    def _stands_alone(self, text: str) -> bool:
        """Return True for functions, which would be inner functions if they were indented."""
        code = self._parse(text) if _OWN_DEFINITION.search(text) else None
        return code is not None and not returns(code.tree)

    def _continuation(self, prefix: str, rest: str, size: int) -> Code | None:
        joined = prefix.rstrip(" \t") + rest if prefix.endswith("\n") else f"{prefix}\n{rest}"
        code = self._prefix(joined.split("\n"), at_end=True)
        if code is None or returns(code.tree) or not self._defines(code):
            return None
        for position, node in enumerate(code.tree.body):
            if getattr(node, "name", None) == self._entry_point:
                if len(list(ast.walk(node))) < size:
                    return None
                code = self._first(code, position + 1)
                break
        return code

    def _chosen(self, blocks: Sequence[Code]) -> Code | None:
        """Return the last of the blocks that defines the entry point, with what it needs."""
        for position in reversed(range(len(blocks))):
            if self._defines(blocks[position]):
                return self._finished(blocks[position], blocks[:position])
        return None

    def _defines(self, code: Code) -> bool:
        first = bindings(code.tree).get(self._entry_point, [None])[0]
        if first is None or is_call_of(first, self._entry_point):
            return False  # as in `mean = mean([1, 2])`
        return callee_of(code.tree, self._entry_point) is not None

    def _finished(self, code: Code, earlier: Sequence[Code]) -> Code:
        code = self._without_uses(code)
        missing = missing_names(code.tree) if earlier else set()
        before = []
        for block in reversed(earlier):
            if missing & bindings(block.tree).keys():
                block = self._without_uses(block)
                before.append(block.text)
                missing |= missing_names(block.tree)
        if not before:
            return code
        joined = "\n\n".join([*reversed(before), code.text])
        future = "".join(_FUTURE.findall(joined))  # nothing may stand before it
        return self._parse(future + _FUTURE.sub("", joined)) or code

    def _without_uses(self, code: Code) -> Code:
        """Return a block without what follows its definitions and defines nothing they use."""
        body = code.tree.body
        end = len(body)
        used = names_in_definitions(code.tree)
        tables = used & assigned_names(code.tree)
        while end > 1:
            last = body[end - 1]
            if isinstance(last, ast.Assign | ast.AnnAssign):
                of_entry_point = last.value and is_call_of(last.value, self._entry_point)
                names = bindings(ast.Module([last], [])).keys()
                if not of_entry_point and names & {*used, self._entry_point}:
                    break
                if not calls(last):
                    break
            elif changes_one_of(last, tables):
                break  # without it the function would know less
            elif not isinstance(last, ast.Expr | ast.Assert) and not is_main_guard(last):
                break
            end -= 1
        return code if end == len(body) else self._first(code, end)

    def _first(self, code: Code, count: int) -> Code:
        """Return the first statements of a block."""
        kept = code.tree.body[:count]
        if count == len(code.tree.body):
            return code
        lines = code.text.split("\n")[: kept[-1].end_lineno]
        following = code.tree.body[count]
        if following.lineno == kept[-1].end_lineno:  # a semicolon between them
            try:
                return self._parse(ast.unparse(ast.Module(kept, []))) or code
            except RecursionError:  # an expression that is nested too deep to be written
                return code
        return Code("\n".join(lines), ast.Module(kept, []))

    # Blocks

    def _fenced(self, lines: list[str]) -> list[Code]:
        found = []
        for block, closed in fenced_blocks(lines, self._parses):
            code = self._prefix(block, at_end=not closed)
            if code is not None:
                found.append(code)
        return found

    def _plain(self, lines: list[str]) -> list[Code]:
        """Return what can be parsed of lines without fences: runs that start with code."""
        found = []
        position = 0
        while position < len(lines) and self._left > 0:
            if _CODE_LINE.match(lines[position]):
                code = self._prefix(lines[position:], at_end=True)
                if code is not None:
                    found.append(code)
                    position += code.text.count("\n")
            position += 1
        return found

    def _prefix(self, lines: list[str], *, at_end: bool) -> Code | None:
        """Return the longest run of whole top-level statements that lines start with.

        `at_end` tells that they go on to where the answer ends.
        """
        size = len(lines)
        for _ in range(_MAX_CUTS):
            text = "\n".join(lines[:size]).rstrip()
            if not text:
                return None
            try:
                code = self._parsed(text)
            except SyntaxError as error:
                size = _cut(lines, min(error.lineno or 0, size))
                continue
            if code is None or not code.tree.body:
                return None
            whole = not (self._truncated and at_end and size == len(lines))
            if whole or len(code.tree.body) == 1:
                return code
            last = ast.Module(code.tree.body[-1:], [])
            if self._entry_point in bindings(last):
                return code
            return self._first(code, len(code.tree.body) - 1)
        return None

    def _parse(self, text: str) -> Code | None:
        try:
            return self._parsed(text)
        except SyntaxError:
            return None

    def _parses(self, text: str) -> bool:
        return self._parse(text) is not None

    def _parsed(self, text: str) -> Code | None:
        """Return the code that a text is, None where enough was parsed. Raises SyntaxError."""
        if text in self._known:
            return self._known[text]
        self._left -= len(text) + _CHARACTERS_OF_A_CALL
        if self._left < 0:
            return None
        code = self._known[text] = Code(text, parse_module(text))
        return code


def _cut(lines: list[str], error: int) -> int:
    """Return the number of lines before the top-level statement in which an error is."""
    position = min(error, len(lines)) - 1
    while position > 0 and (
        not lines[position].strip() or lines[position][0] in " \t)]}#" or _goes_on(lines[position])
    ):
        position -= 1
    while position > 0 and lines[position - 1].startswith("@"):
        position -= 1
    return max(position, 0)


_CLAUSE = re.compile(r"(?:else|elif|except|finally)\b")


def _goes_on(line: str) -> bool:
    return _CLAUSE.match(line) is not None
