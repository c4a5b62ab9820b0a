"""A small dump with a column for each thing: some modules of Python, and hostile text."""

from __future__ import annotations

import json
import sysconfig
from pathlib import Path

from tests.browser.answers import HOSTILE

FIRST = ("colorsys", "bisect")
THEN = ("textwrap",)

# Its docstring and a constant are markup, as are its path and repository.
HOSTILE_PROGRAM = f'''
def wrap_in_markup(text, width=20):
    """{HOSTILE.replace('"', "'")}"""
    left = "<script>window.attacked = 5</script><b>"
    if width < 0:
        raise ValueError("<img src=x onerror=window.attacked=6>")
    if len(text) > width:
        return left + text[:width] + "..."
    if not text:
        return "<i>nothing</i>"
    return left + text + "</b>"
'''


def add_modules(folder: Path, names: tuple[str, ...]) -> None:
    """Add an object with modules of the standard library."""
    library = Path(sysconfig.get_path("stdlib"))
    _add(
        folder / f"{names[0]}.jsonl",
        [
            {
                "content": (library / f"{name}.py").read_text(encoding="utf-8"),
                "path": f"Lib/{name}.py",
                "repository": "python/cpython",
                "license": "PSF-2.0",
            }
            for name in names
        ],
    )


def add_hostile(folder: Path) -> None:
    """Add an object whose text, path and repository are markup."""
    row = {
        "content": HOSTILE_PROGRAM,
        "path": "src/<b onclick=window.attacked=7>text</b>.py",
        "repository": "someone/<img src=x onerror=window.attacked=8>",
        "license": "MIT",
    }
    _add(folder / "hostile.jsonl", [row])


def _add(file: Path, rows: list[dict[str, str]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
