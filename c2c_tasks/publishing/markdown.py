"""Text of strangers inside a Markdown page: it is shown, and does not mark up the page."""

from __future__ import annotations

import json
import re
from html import escape
from typing import Any

_MARKS = re.compile(r"([|`<>*_\[\]\\~#&$])")
_MARKS_IN_HTML = re.compile(r"[|`*_\[\]\\~$]")
_BIBTEX = re.compile(r"[{}\\`\"#%$]")
CONTROLS: dict[int, int | str] = {
    **{number: 0x2400 + number for number in range(32) if chr(number) not in "\t\n"},
    0x7F: 0x2421,
    **{number: f"\\x{number:x}" for number in range(0x80, 0xA0)},
}
"""Control characters, and the pictures that Unicode has of them, or their numbers."""


def cell(value: Any) -> str:
    """Return a value as one line of text that can stand in a table's cell, or anywhere."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return _MARKS.sub(r"\\\1", _printable(" ".join(text.split())))


def code(text: str, *, in_table: bool = False) -> str:
    """Return a name as code, for running text or for a table's cell."""
    shown = _printable(text)
    if in_table:  # the one mark that counts inside of code, there
        shown = shown.replace("|", r"\|")
    if "`" not in shown:
        return f"`{shown}`"
    fence = "`" * (1 + max(map(len, re.findall("`+", shown))))
    return f"{fence} {shown} {fence}"


def html(text: str) -> str:
    """Return a text for inside of an HTML element, where Markdown's marks count as well."""
    shown = escape(_printable(" ".join(text.split())))
    return _MARKS_IN_HTML.sub(lambda mark: f"&#{ord(mark[0])};", shown)


def bibtex(text: str) -> str:
    """Return a text for a field of a BibTeX entry that stands in a block of code."""
    return _BIBTEX.sub("", _printable(" ".join(text.split())))


def fenced(text: str, language: str = "text") -> str:
    """Return a text as a block of code, whatever backticks and control characters it holds."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    # A line ends at \n alone: other ends of lines are shown, and end nothing.
    return f"{fence}{language}\n{text.translate(CONTROLS).rstrip()}\n{fence}"


def shortened(text: str, characters: int, line_characters: int) -> str:
    """Return a text with its long lines and its end cut, and said so."""
    lines = [
        line
        if len(line) <= line_characters
        else f"{line[:line_characters]}… ({len(line) - line_characters:,} more characters)"
        for line in text.split("\n")
    ]
    shown = "\n".join(lines)
    if len(shown) <= characters:
        return shown
    return f"{shown[:characters]}…\n({len(shown) - characters:,} more characters)"


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
