"""What is printed for people: tables without boxes, which read well in a terminal and in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

ENDLESS = 10_000
"""Width of what is no terminal: there is nothing that lines would have to fit into."""
_CONTROLS = {number: 0x2400 + number for number in range(32) if chr(number) not in "\t\n"} | {
    0x7F: 0x2421
}
"""Control characters, and the pictures that Unicode has of them."""
_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def console() -> Console:
    """Return the console of standard output."""
    return Console(width=None if sys.stdout.isatty() else ENDLESS)


def say(console: Console, text: str = "", style: str = "") -> None:
    """Print a text as it is: no markup, and lines break where the terminal breaks them."""
    console.print(Text(text, style=style), soft_wrap=True)


def show(console: Console, content: RenderableType) -> None:
    """Print a table, in a pipe without blanks at the ends of its lines."""
    if console.is_terminal:
        console.print(content)
        return
    with console.capture() as capture:
        console.print(content)
    for line in capture.get().splitlines():
        console.out(line.rstrip(), highlight=False)


def table(columns: Sequence[str], *, numbers: Sequence[str] = (), title: str = "") -> Table:
    """Return a table without rows; columns of `numbers` are aligned to the right."""
    made = Table(
        box=None, pad_edge=False, title=title or None, title_justify="left", title_style="bold"
    )
    for name in columns:
        right = name in numbers
        made.add_column(name, justify="right" if right else "left", no_wrap=right, overflow="fold")
    return made


def printable(text: str) -> str:
    """Return a stranger's text with its control characters shown, which a terminal would obey."""
    return text.translate(_CONTROLS)


def size(count: int) -> str:
    """Return a number of bytes as people read it."""
    amount = float(count)
    for unit in _UNITS:
        if amount < 1_000 or unit == _UNITS[-1]:
            break
        amount /= 1_000
    return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.3g} {unit}"


def rows(count: int | None) -> str:
    """Return a number of rows as people read it; nothing where it is not known."""
    return "" if count is None else f"{count:,}"
