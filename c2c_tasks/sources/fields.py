"""Columns of known dumps: which one holds the text, the path, the repository, the licence."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from c2c_tasks.config import SourceOptions
from c2c_tasks.records import SourceFile
from c2c_tasks.sources.errors import SourceError
from c2c_tasks.sources.files import Origin, Skipped, source_file
from c2c_tasks.sources.licence_names import all_of, expression

# In order of preference. The Stack v1 (`max_stars_...`, `lang`), its small samples
# (`repository_name`, `licenses`), The Stack v2 (`detected_licenses`, `language`), CodeParrot
# (`content`, `repo_name`, `license`), its GitHub Code (`code`) and StarCoder derivatives
# (`text`, `repo_path`). The Stack v2's `license_type` says "permissive", which is no licence.
CONTENT = ("content", "code", "text")
PATH = ("max_stars_repo_path", "path", "repo_path", "file_path", "filename")
REPOSITORY = ("max_stars_repo_name", "repository_name", "repo_name", "repository", "repo")
LICENCE = ("max_stars_repo_licenses", "detected_licenses", "licenses", "license", "licence")
LANGUAGE = ("lang", "language")

# What The Stack v2 publishes in place of contents: an id, or a list of files that have ids.
_IDENTIFIERS = ("blob_id", "files")

_NAMED = 30
"""Columns that an error names."""


@dataclass(frozen=True, slots=True)
class Fields:
    """The columns of one dump object by what they mean; None where it has no such column."""

    content: str
    path: str | None
    repository: str | None
    licence: str | None
    language: str | None

    @classmethod
    def of(cls, columns: Collection[str], options: SourceOptions, uri: str) -> Fields:
        """Return the columns to read of an object that has `columns`.

        Raises SourceError where an option names a column that is not there, or where no
        column of contents is recognised.
        """

        def find(option: str, known: tuple[str, ...]) -> str | None:
            asked: str = getattr(options, option)
            if asked and asked not in columns:
                raise SourceError(
                    f"{uri}: no column {asked!r} (option {option}); its columns: {_list(columns)}"
                )
            return asked or next((name for name in known if name in columns), None)

        content = find("content_field", CONTENT)
        if content is None:
            raise SourceError(f"{uri}: {_why_no_content(columns)}; its columns: {_list(columns)}")
        return cls(
            content=content,
            path=find("path_field", PATH),
            repository=find("repository_field", REPOSITORY),
            licence=find("licence_field", LICENCE),
            language=next((name for name in LANGUAGE if name in columns), None),
        )

    def __iter__(self) -> Iterator[str]:
        """Yield the columns that there are, each once."""
        names = (self.content, self.path, self.repository, self.licence, self.language)
        yield from dict.fromkeys(name for name in names if name is not None)

    def source_file(
        self, row: dict[str, Any], number: int, origin: Origin, max_bytes: int
    ) -> SourceFile | Skipped:
        """Return the file that a row holds, or why it is skipped.

        `number` is the row's place in the object, from 1. It stands for the path where the
        row has none.
        """
        path = self._text(row, self.path)
        if not _is_python(self._text(row, self.language), path):
            return Skipped("not_python")
        if self.content not in row:
            return Skipped("corrupt_record", f"record {number}: no {self.content!r}")
        content = row[self.content]
        if content is None:
            return Skipped("empty")
        if not isinstance(content, str | bytes):
            kind = type(content).__name__
            return Skipped("corrupt_record", f"record {number}: {self.content!r} is of type {kind}")
        return source_file(
            content,
            origin,
            path=path or f"{origin.path}#{number}",
            repository=self._text(row, self.repository),
            licence=_licence(row.get(self.licence)) if self.licence else None,
            max_bytes=max_bytes,
        )

    @staticmethod
    def _text(row: dict[str, Any], name: str | None) -> str | None:
        value = row.get(name) if name else None
        return value if isinstance(value, str) and value else None


def _is_python(language: str | None, path: str | None) -> bool:
    """Believe the dump's word for the language before the path's suffix."""
    if language is not None:
        return language.lower() in ("python", "python3")
    return path is None or path.lower().endswith(".py")


def _licence(stated: object) -> str | None:
    """Return a licence, or a list of those found in a repository, as one SPDX expression."""
    if isinstance(stated, str):
        return expression(stated)
    if isinstance(stated, list):
        return all_of(item for item in stated if isinstance(item, str))
    return None


def _why_no_content(columns: Collection[str]) -> str:
    for name in _IDENTIFIERS:
        if name in columns:
            return (
                f"holds identifiers of files ({name!r}) and not their contents, as The Stack v2 is "
                "published; download the contents first and name their column by content_field"
            )
    known = ", ".join(CONTENT)
    return f"no column of file contents is recognised ({known}); name it by content_field"


def _list(columns: Collection[str]) -> str:
    names = sorted(columns)
    return ", ".join(names[:_NAMED] + ["…"] * (len(names) > _NAMED)) or "none"
