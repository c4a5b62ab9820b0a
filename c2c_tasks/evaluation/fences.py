"""Blocks of code between the fences of Markdown, as language models write them.

Fences of backticks or tildes, at the start of a line or behind prose, indented, in a quotation,
closed at the end of a line of code, or not at all.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator

_MAX_ENDS = 8
"""Closing fences that a block is tried to end with: one may stand in a docstring."""

_FENCE = re.compile(r"(?P<indent>[ \t>]*)(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>[^`\n]*)")
_INFO = re.compile(r"(?i)(?:python|py|pycon|python[23]|code|)\b")
_DEFINITION = re.compile(r"(?:def|class|import|from|async def)\b")


def fenced_blocks(
    lines: list[str], parses: Callable[[str], bool]
) -> Iterator[tuple[list[str], bool]]:
    """Yield the lines between fences, without the fences' indentation, and whether they close.

    A fence may stand in a docstring of the code: of the first ones that may close a block, that
    one does with which it `parses`, or else the first.
    """
    position = 0
    while position < len(lines):
        opening = _opening(lines[position])
        position += 1
        if opening is None:
            continue
        fence, indent, first = opening
        ends = _ends(lines, position, fence)
        end = ends[0] if ends else len(lines)
        block = _up_to(lines, position, end, fence) if ends else lines[position:]
        for candidate in ends:
            shorter = _up_to(lines, position, candidate, fence)
            if parses(_dedented([*first, *shorter], indent)):
                block, end = shorter, candidate
                break
        yield _dedented([*first, *block], indent).split("\n"), end < len(lines)
        position = end + 1


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
