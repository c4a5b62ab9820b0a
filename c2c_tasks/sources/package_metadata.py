"""What the metadata of a Python package says of its licence, and which files are the package's."""

from __future__ import annotations

import configparser
import csv
import io
import tomllib
from email.parser import HeaderParser
from pathlib import PurePosixPath
from typing import Any

from c2c_tasks.sources.licence_names import all_of, expression, is_definite, is_family
from c2c_tasks.sources.licence_texts import licence_of_text

_NAME_CHARACTERS = 200
"""A longer value of a licence field is the licence's text."""


def licence_of_metadata(text: str) -> str | None:
    """Return the licence of core metadata: ``PKG-INFO`` or ``METADATA``, or None.

    ``License-Expression`` counts before ``License``, and that before classifiers (PEP 639).
    """
    headers = HeaderParser().parsestr(text)
    if stated := headers.get("License-Expression"):
        return expression(str(stated))
    return _licence(headers.get("License"), headers.get_all("Classifier"))


def licence_of_pyproject(text: str) -> str | None:
    """Return the licence of a ``pyproject.toml``, or None where it names none."""
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return None
    project = _table(document, "project")
    stated = project.get("license")
    if isinstance(stated, dict):  # {file = ...} names a file that is looked at anyway
        stated = stated.get("text")
    poetry = _table(_table(document, "tool"), "poetry")
    return _licence(stated, project.get("classifiers")) or _licence(
        poetry.get("license"), poetry.get("classifiers")
    )


def licence_of_setup_cfg(text: str) -> str | None:
    """Return the licence of a ``setup.cfg``, or None where it names none."""
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text)
    except configparser.Error:
        return None
    stated = parser.get("metadata", "license", fallback=None)
    classifiers = parser.get("metadata", "classifiers", fallback="")
    return _licence(stated, classifiers.splitlines())


def packages_of_record(text: str) -> set[str]:
    """Return what of the code a ``RECORD`` lists: uppermost folders, and modules in none.

    Paths are relative to the folder of installed packages; what lies outside of it is left out.
    A folder of a namespace package, which has no module of its own, is no distribution's.
    """
    modules: set[str] = set()
    folders: set[PurePosixPath] = set()
    try:
        for row in csv.reader(io.StringIO(text)):
            if row and row[0].endswith(".py") and not row[0].startswith(("/", "..")):
                parent = PurePosixPath(row[0]).parent
                if parent.name:
                    folders.add(parent)
                else:
                    modules.add(row[0])
    except csv.Error:
        return set()
    return modules | {folder.as_posix() for folder in folders if folders.isdisjoint(folder.parents)}


def packages_of_top_level(text: str) -> set[str]:
    """Return the folders and modules that the names in a ``top_level.txt`` may stand for."""
    names = {line.strip() for line in text.splitlines()} - {""}
    return names | {f"{name}.py" for name in names}


def _licence(stated: object, classifiers: object) -> str | None:
    """Return the licence of a field, or the more precise one of classifiers."""
    field = None
    if isinstance(stated, str):
        is_text = len(stated) > _NAME_CHARACTERS or "\n" in stated.strip()
        field = licence_of_text(stated) if is_text else expression(stated)
    items = classifiers if isinstance(classifiers, list) else []
    trove = all_of(
        item.strip()
        for item in items
        if isinstance(item, str) and item.strip().startswith("License ::")
    )
    # max takes the first of equals.
    return max(field, trove, key=_precision)


def _precision(licence: str | None) -> int:
    if licence is None:
        return 0
    return 3 if is_definite(licence) else 2 if is_family(licence) else 1


def _table(document: dict[str, Any], name: str) -> dict[str, Any]:
    value = document.get(name)
    return value if isinstance(value, dict) else {}
