"""Python code in answers that language models give. It is parsed, and never run.

Blocks of code are looked for between fences and, where those do not define the entry point,
wherever lines can be parsed. Of several blocks that define it, the last one counts: models correct
themselves. What it needs from earlier blocks (imports, helpers) is put before it. What comes after
the definitions and could only make them fail to load (asserts, prints, ``__main__``) is left out.
"""

from __future__ import annotations

import ast
import builtins
import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from c2c_tasks.evaluation.signatures import bound_names
from c2c_tasks.syntax import parse_module

MAX_CHARACTERS = 200_000
"""Characters of an answer that are looked at."""
_PARSED_CHARACTERS = 1_000_000
_CHARACTERS_OF_A_CALL = 100
"""Characters that are parsed in search of the code of one answer, together, and those that a call
of the parser counts for by itself."""
_MAX_ENDS = 8
"""Closing fences that a block is tried to end with: one may stand in a docstring."""
_MAX_BODIES = 20
"""Blocks that are tried as what a prefix goes on with."""
_MAX_CUTS = 20
"""Syntax errors before which a text is cut in search of what can be parsed."""

_FENCE = re.compile(r"(?P<indent>[ \t>]*)(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>[^`\n]*)")
_INFO = re.compile(r"(?i)(?:python|py|pycon|python[23]|code|)\b")
_DEFINITION = re.compile(r"(?:def|class|import|from|async def)\b")
_CODE_LINE = re.compile(
    r"(?:def|class|import|from|async def)\b|@|(?:try|if .+):$|[A-Za-z_]\w* *(?::[^=]*)?=[^=]"
)
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
    text = text[:MAX_CHARACTERS].replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
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
            if any(isinstance(node, ast.FunctionDef) for node in block.tree.body):
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
        blocks = ["\n".join(block) for block, _ in self._blocks(text.split("\n"))]
        for rest in (text, *blocks[:_MAX_BODIES]):
            whole = textwrap.indent(textwrap.dedent(rest), "    ")
            for body_text in (rest, "    " + rest.lstrip(), whole):
                grown = self._continuation(prefix, body_text, size)
                if grown is not None:
                    return grown
        return None

    def _continuation(self, prefix: str, rest: str, size: int) -> Code | None:
        joined = prefix.rstrip(" \t") + rest if prefix.endswith("\n") else f"{prefix}\n{rest}"
        code = self._prefix(joined.split("\n"), at_end=True)
        if code is None or not self._defines(code):
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
        return self._entry_point in bound_names(code.tree)

    def _finished(self, code: Code, earlier: Sequence[Code]) -> Code:
        code = self._without_uses(code)
        missing = _missing(code.tree) if earlier else set()
        before = []
        for block in reversed(earlier):
            if missing & bound_names(block.tree):
                block = self._without_uses(block)
                before.append(block.text)
                missing |= _missing(block.tree)
        if not before:
            return code
        return self._parse("\n\n".join([*reversed(before), code.text])) or code

    def _without_uses(self, code: Code) -> Code:
        """Return a block without what follows its definitions and defines nothing they use."""
        body = code.tree.body
        end = len(body)
        used: set[str] | None = None
        while end > 1:
            last = body[end - 1]
            if isinstance(last, ast.Assign | ast.AnnAssign):
                used = used if used is not None else _names_in_functions(code.tree)
                if bound_names(ast.Module([last], [])) & {*used, self._entry_point}:
                    break
                if not isinstance(last, ast.Assign) or not _calls(last):
                    break
            elif not isinstance(last, ast.Expr | ast.Assert) and not _is_main(last):
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
            return self._parse(ast.unparse(ast.Module(kept, []))) or code
        return Code("\n".join(lines), ast.Module(kept, []))

    # Blocks

    def _fenced(self, lines: list[str]) -> list[Code]:
        found = []
        for block, closed in self._blocks(lines):
            code = self._prefix(block, at_end=not closed)
            if code is not None:
                found.append(code)
        return found

    def _blocks(self, lines: list[str]) -> Iterator[tuple[list[str], bool]]:
        """Yield the lines between fences, without the fences' indentation; whether they close."""
        position = 0
        while position < len(lines):
            opening = _opening(lines[position])
            position += 1
            if opening is None:
                continue
            fence, indent, first = opening
            ends = _ends(lines, position, fence)
            block, end = lines[position:], len(lines)
            for number, candidate in enumerate(ends):
                shorter = _up_to(lines, position, candidate, fence)
                parses = self._parse(_dedented([*first, *shorter], indent)) is not None
                if parses or number == 0:
                    block, end = shorter, candidate
                if parses:
                    break
            yield _dedented([*first, *block], indent).split("\n"), end < len(lines)
            position = end + 1

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
            if self._entry_point in bound_names(last):
                return code
            return self._first(code, len(code.tree.body) - 1)
        return None

    def _parse(self, text: str) -> Code | None:
        try:
            return self._parsed(text)
        except SyntaxError:
            return None

    def _parsed(self, text: str) -> Code | None:
        """Return the code that a text is, None where enough was parsed. Raises SyntaxError."""
        if text in self._known:
            return self._known[text]
        self._left -= len(text) + _CHARACTERS_OF_A_CALL
        if self._left < 0:
            return None
        code = self._known[text] = Code(text, parse_module(text))
        return code


def _opening(line: str) -> tuple[str, str, list[str]] | None:
    """Return the fence that a line opens a block with, its indentation, and code behind it."""
    match = _FENCE.match(line)
    if match is None:
        start = max(line.rfind("```"), line.rfind("~~~"))
        while start > 0 and line[start - 1] == line[start]:
            start -= 1
        if start < 0 or line.count(line[start] * 3) > 1:
            return None
        match = _FENCE.match(line, start)  # behind prose
        if match is None or not _INFO.fullmatch(match["info"].strip()):
            return None
        return match["fence"], "", []
    info = match["info"].strip()
    words = info.split(" ", 1)
    rest = [words[1]] if len(words) > 1 and _DEFINITION.match(words[1]) else []
    return match["fence"], match["indent"], rest


def _ends(lines: list[str], start: int, fence: str) -> list[int]:
    """Return the first lines that may close a block."""
    found = []
    for position in range(start, len(lines)):
        line = lines[position].strip().lstrip("> ")
        if not line.endswith(fence):
            continue
        if line == fence[0] * len(line) or not line.startswith(fence[0]):
            found.append(position)
            if len(found) == _MAX_ENDS:
                break
    return found


def _up_to(lines: list[str], start: int, end: int, fence: str) -> list[str]:
    """Return the lines before the one that closes a block, and what is left of it at the fence."""
    block = lines[start : end + 1]
    block[-1] = block[-1].rstrip().rstrip(fence[0])
    return block if block[-1].strip(" \t>") else block[:-1]


def _dedented(lines: list[str], indent: str) -> str:
    if indent:
        lines = [line.removeprefix(indent) for line in lines]
    text = "\n".join(lines)
    return textwrap.dedent(text) if lines and text[:1] in " \t\n" else text


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


def _missing(tree: ast.Module) -> set[str]:
    """Return the names that a program uses and nowhere binds."""
    used = {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    bound = bound_names(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Name(ctx=ast.Store()):
                bound.add(node.id)
            case ast.arg():
                bound.add(node.arg)
            case ast.FunctionDef() | ast.ClassDef() | ast.AsyncFunctionDef():
                bound.add(node.name)
            case ast.ExceptHandler(name=str(name)):
                bound.add(name)
            case ast.Import() | ast.ImportFrom():
                bound |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
    return used - bound - _BUILTINS


_BUILTINS = frozenset(dir(builtins))


def _names_in_functions(tree: ast.Module) -> set[str]:
    return {
        node.id
        for statement in tree.body
        if isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef)
        for node in ast.walk(statement)
        if isinstance(node, ast.Name)
    }


def _calls(statement: ast.stmt) -> bool:
    return any(isinstance(node, ast.Call) for node in ast.walk(statement))


def _is_main(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and any(
        isinstance(node, ast.Name) and node.id == "__name__" for node in ast.walk(statement.test)
    )
