"""Opt-outs: the repositories, paths, files and functions that are not to be used.

A list of opt-outs is UTF-8 text, one opt-out a line; empty lines and lines that begin with ``#``
are left out. A line is a kind and a value, or the same as a JSON object, which may have further
members (who asked, when)::

    repository owner/name
    repository owner/*
    path owner/name/src/alice/**
    sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    {"function": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "date": "…"}

A path begins with its repository, as rows name both. It covers what lies below it; ``*`` and ``?``
stand for characters of one name, ``**`` for any number of names. Case does not matter, a
repository may be given as its URL, and ``sha256`` is a row's `source_sha256`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from c2c_tasks.store import normalise, read, store_for

Kind = Literal["repository", "path", "sha256", "function"]
KINDS: tuple[Kind, ...] = ("repository", "path", "sha256", "function")

_MAX_WILDCARDS = 10
"""Wildcards of one pattern: what it costs to match grows with their number."""


class OptOutError(ValueError):
    """A list of opt-outs cannot be read; the message names the file and the line."""


@dataclass(frozen=True, slots=True)
class OptOut:
    """One entry of a list, in the spelling in which it is compared."""

    kind: Kind
    value: str

    @classmethod
    def of_line(cls, line: str) -> OptOut | None:
        """Return the opt-out of a line, or None where it has none.

        Raises OptOutError, saying what is wrong with the line.
        """
        text = line.strip()
        if not text or text.startswith("#"):
            return None
        kind, value = _json_entry(text) if text.startswith("{") else _text_entry(text)
        if kind in ("sha256", "function"):
            value = value.lower()
            if not re.fullmatch(r"[0-9a-f]{64}", value):
                raise OptOutError(f"{value!r} is no SHA-256: 64 hexadecimal digits")
            return cls(kind, value)
        return cls(kind, _place(value, kind))


@dataclass(slots=True)
class OptOuts:
    """A list of opt-outs, to be asked of each file or row."""

    digest: str
    """SHA-256 of the entries: lists that say the same have it in common."""
    _places: set[str] = field(default_factory=set)
    """Repositories and folders that are covered with all that is below."""
    _digests: set[str] = field(default_factory=set)
    _functions: set[str] = field(default_factory=set)
    _patterns: dict[str, list[str]] = field(default_factory=dict)
    """Regular expressions, by the folder below which they may match."""
    _compiled: dict[str, re.Pattern[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: Iterable[OptOut]) -> OptOuts:
        """Return the list of some entries."""
        unique = sorted({(entry.kind, entry.value) for entry in entries})
        text = "".join(f"{kind} {value}\n" for kind, value in unique)
        found = cls(hashlib.sha256(text.encode()).hexdigest())
        for kind, value in unique:
            if kind == "sha256":
                found._digests.add(value)
            elif kind == "function":
                found._functions.add(value)
            elif "*" in value or "?" in value:
                literal = re.split(r"[^/]*[*?]", value, maxsplit=1)[0].rstrip("/")
                found._patterns.setdefault(literal, []).append(_regular_expression(value))
            else:
                found._places.add(value)
        return found

    @classmethod
    def read(cls, uri: str) -> OptOuts:
        """Read a file of opt-outs, or all files of a folder; an empty URI has none.

        Raises OptOutError where there is no such file, or a line is not understood: a build must
        not go on without an opt-out that somebody asked for. StoreError where the store does not
        answer.
        """
        return cls.of(_entries(uri)) if uri else cls.of(())

    def __len__(self) -> int:
        patterns = sum(map(len, self._patterns.values()))
        return len(self._places) + len(self._digests) + len(self._functions) + patterns

    def covers(
        self, *, repository: str, path: str, source_sha256: str, function_id: str | None = None
    ) -> bool:
        """Tell whether a file, or a function of it, is opted out."""
        if source_sha256 in self._digests or function_id in self._functions:
            return True
        if not self._places and not self._patterns:
            return False
        place = f"{_repository(repository)}/{path}".casefold()
        return any(
            folder in self._places
            or (folder in self._patterns and self._matcher(folder).fullmatch(place))
            for folder in _folders(place)
        )

    def covers_function(self, function_id: str) -> bool:
        """Tell whether a function is opted out wherever it is found."""
        return function_id in self._functions

    def _matcher(self, folder: str) -> re.Pattern[str]:
        if folder not in self._compiled:
            self._compiled[folder] = re.compile("|".join(self._patterns[folder]), re.DOTALL)
        return self._compiled[folder]


def _entries(uri: str) -> Iterator[OptOut]:
    place = normalise(uri)
    store = store_for(place)
    if store.head(place) is not None:
        files = [place]
    else:
        files = [item.uri for item in store.list(place)]
        if not files:
            raise OptOutError(f"{uri}: no such file of opt-outs, or an empty folder")
    for file in files:
        try:
            lines = read(file).decode("utf-8-sig").split("\n")
        except UnicodeDecodeError as error:
            raise OptOutError(f"{file}: not a text in UTF-8: {error}") from None
        for number, line in enumerate(lines, 1):
            try:
                entry = OptOut.of_line(line)
            except OptOutError as error:
                raise OptOutError(f"{file}, line {number}: {error}") from None
            if entry is not None:
                yield entry


def _text_entry(text: str) -> tuple[Kind, str]:
    name, *rest = text.split(maxsplit=1)
    for kind in KINDS:
        if name == kind and rest:
            return kind, rest[0]
    raise OptOutError(f"{text[:80]!r} is none of {', '.join(KINDS)} with a value")


def _json_entry(text: str) -> tuple[Kind, str]:
    try:
        entry = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise OptOutError(f"not a JSON object: {error}") from None
    kinds = [kind for kind in KINDS if kind in entry]
    if len(kinds) != 1 or not isinstance(entry[kinds[0]], str):
        raise OptOutError(f"needs one of {', '.join(KINDS)}, with a text")
    return kinds[0], entry[kinds[0]]


def _place(value: str, kind: Kind) -> str:
    """Return a repository or path as it is compared."""
    place = _repository(value.strip()).casefold()
    while place.endswith(("/**", "/")) or (kind == "repository" and place.endswith("/*")):
        place = place.rstrip("*").rstrip("/")
    parts = place.split("/")
    if not place.strip("*?/") or "" in parts or any(part in (".", "..") for part in parts):
        raise OptOutError(f"{value!r} is no {kind}")
    if kind == "repository" and (len(parts) > 2 or "*" in place or "?" in place):
        raise OptOutError(f"{value!r} is no repository: write owner/name, or owner/* for all")
    if place.count("*") + place.count("?") > _MAX_WILDCARDS:
        raise OptOutError(f"{value!r} has more than {_MAX_WILDCARDS} wildcards")
    return place


def _repository(name: str) -> str:
    """Return a repository's name without the host that its URL has."""
    return re.sub(r"^(?:\w+://[^/]+/|git@[^:/]+:)", "", name).strip("/").removesuffix(".git")


def _folders(place: str) -> Iterator[str]:
    """Yield a path and each folder that it lies in, ending with the empty one."""
    yield place
    while "/" in place:
        place = place.rpartition("/")[0]
        yield place
    yield ""


def _regular_expression(pattern: str) -> str:
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    meaning = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(meaning.get(part) or re.escape(part) for part in parts) + "(?:/.*)?"
