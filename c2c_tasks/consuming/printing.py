"""What is printed for people: tables without boxes, which read well in a terminal and in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from c2c_tasks.publishing.markdown import CONTROLS

ENDLESS = 10_000
"""Width of what is no terminal: there is nothing that lines would have to fit into."""
_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def console() -> Console:
    """Return the console of standard output."""
    return Console(width=None if sys.stdout.isatty() else ENDLESS)


def say(console: Console, text: str = "", style: str = "") -> None:
    """Print a text as it is: no markup, and lines break where the terminal breaks them."""
    console.print(Text(printable(text), style=style), soft_wrap=True)


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


def add(made: Table, *cells: str | Text) -> None:
    """Add a row; what a `str` holds is shown as it is, without markup."""
    made.add_row(*(cell if isinstance(cell, Text) else Text(printable(cell)) for cell in cells))


def printable(text: str) -> str:
    """Return a stranger's text with its control characters shown, which a terminal would obey."""
    return text.translate(CONTROLS)


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
