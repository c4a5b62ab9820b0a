"""Which files of a folder or an archive are code of its own: names alone decide."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

# Packages that were installed into a tree are somebody else's code.
_LEFT_OUT = {"__pycache__", "node_modules", "site-packages", "dist-packages"}


def is_left_out(name: str) -> bool:
    """Tell whether a file or folder of this name, and all below it, is left out."""
    return name in _LEFT_OUT or name.startswith(".")


def is_own_python(path: str) -> bool:
    """Tell whether a relative path is that of a Python file, in no folder that is left out."""
    parts = PurePosixPath(path).parts
    return path.lower().endswith(".py") and not any(is_left_out(part) for part in parts)


def is_unsafe(path: str) -> bool:
    """Tell whether a member's path leads out of its archive, on any system."""
    parts = re.split(r"[/\\]", path)
    return parts[0] == "" or ".." in parts or re.match("[A-Za-z]:", path) is not None
