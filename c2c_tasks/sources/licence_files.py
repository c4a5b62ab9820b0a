"""Licences of code that does not name its own: the files that lie beside it.

The nearest word counts, from a file's folder upwards: licence files (``LICENSE``, ``COPYING``),
the metadata of a project (``pyproject.toml``, ``setup.cfg``, ``PKG-INFO``), and in a folder of
installed packages the metadata of the distribution that a file belongs to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import PurePosixPath
from urllib.parse import quote, urlsplit

from c2c_tasks.sources.licence_names import UNRECOGNISED, all_of, is_family, licences_in
from c2c_tasks.sources.licence_texts import licence_of_text
from c2c_tasks.sources.package_metadata import (
    licence_of_metadata,
    licence_of_pyproject,
    licence_of_setup_cfg,
    packages_of_record,
    packages_of_top_level,
)
from c2c_tasks.store import ObjectNotFound, StoreError, store_for

MAX_LICENCE_BYTES = 4_000_000
"""What is read of one file; a longer text is not recognised."""

_MAX_PLACES = 200_000
"""Places that licences are remembered for, in one dump object."""

_TEXT = re.compile(r"(?:[a-z0-9]+[-_.])?(?:un)?licen[cs]es?(?:[-_.].*)?|copying(?:[-_.].*)?", re.I)
_CODE = (".py", ".pyc", ".pyi", ".pyx", ".js", ".json", ".html", ".c", ".h", ".sh", ".go", ".java")

_DECLARED: dict[str, Callable[[str], str | None]] = {
    "PKG-INFO": licence_of_metadata,
    "METADATA": licence_of_metadata,
    "pyproject.toml": licence_of_pyproject,
    "setup.cfg": licence_of_setup_cfg,
}
_PACKAGES: dict[str, Callable[[str], set[str]]] = {
    "RECORD": packages_of_record,
    "top_level.txt": packages_of_top_level,
}
_INSTALLED = (".dist-info", ".egg-info")


@dataclass(slots=True)
class _Terms:
    """What was said of the licence of one place."""

    declared: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def licence(self) -> str | None:
        """Return the licence that all of it comes to.

        A declaration is a person's word, and settles what a text that is not recognised means.
        It does not settle what else was recognised: that is asked for too. Where it names a
        family alone, the texts tell which one is meant.
        """
        declared = all_of(self.declared)
        texts = all_of(self.texts)
        if declared is None or texts is None:
            return declared or texts
        known = [name for name in licences_in(texts) if name != UNRECOGNISED]
        if is_family(declared):
            return all_of(known) or declared
        families = {_family(name) for name in licences_in(declared)}
        return all_of([declared, *(name for name in known if _family(name) not in families)])


@dataclass(slots=True)
class _Distribution:
    """What the ``.dist-info`` or ``.egg-info`` of a distribution says."""

    terms: _Terms = field(default_factory=_Terms)
    packages: set[str] = field(default_factory=set)


class LicenceFiles:
    """The files of a dump object, or of a tree, that tell of licences, by their paths."""

    def __init__(self) -> None:
        self._terms: dict[str, list[_Terms]] = {}
        self._distributions: dict[str, _Distribution] = {}
        self._licences: dict[str, str | None] = {}

    def add(self, path: str, content: bytes) -> None:
        """Take note of a file for which `tells_of_licence` holds."""
        self._licences.clear()
        place = PurePosixPath(path)
        text = content[:MAX_LICENCE_BYTES].decode("utf-8", "replace")
        information = _information(place)
        if information is None:
            terms = _Terms()
            self._terms.setdefault(place.parent.as_posix(), []).append(terms)
        else:
            distribution = self._distributions.setdefault(information, _Distribution())
            terms = distribution.terms
            if place.name in _PACKAGES:
                distribution.packages |= _PACKAGES[place.name](text)
                return
        if place.name in _DECLARED:
            if declared := _DECLARED[place.name](text):
                terms.declared.append(declared)
        elif len(content) > MAX_LICENCE_BYTES:
            terms.texts.append(UNRECOGNISED)
        elif found := licence_of_text(text):
            terms.texts.append(found)

    def licence_of(self, path: str) -> str | None:
        """Return the licence of a file by its path, or None where nothing tells of it."""
        self._settle()
        if len(self._terms) > _MAX_PLACES:
            return UNRECOGNISED
        place = PurePosixPath(path)
        return self._licence_at(path) or self._licence_from(place.parent)

    def _licence_from(self, folder: PurePosixPath) -> str | None:
        key = folder.as_posix()
        if key not in self._licences:
            found = self._licence_at(key)
            if found is None and folder != folder.parent:
                found = self._licence_from(folder.parent)
            self._licences[key] = found
        return self._licences[key]

    def _licence_at(self, place: str) -> str | None:
        terms = self._terms.get(place, ())
        declared = [item for one in terms for item in one.declared]
        return _Terms(declared, [item for one in terms for item in one.texts]).licence()

    def _settle(self) -> None:
        """Move what distributions say to the places of their code."""
        for information, distribution in self._distributions.items():
            base = PurePosixPath(information).parent
            name = PurePosixPath(information).stem.partition("-")[0]
            for package in distribution.packages or {name, f"{name}.py"}:
                place = (base / package).as_posix()
                self._terms.setdefault(place, []).append(distribution.terms)
        self._distributions.clear()


def tells_of_licence(path: str) -> bool:
    """Tell whether a relative path is that of a file that `LicenceFiles` reads."""
    place = PurePosixPath(path)
    if _information(place) is not None:
        return place.name in _PACKAGES or place.name in _DECLARED or _is_text(place.name)
    return (place.name in _DECLARED and place.name != "METADATA") or _is_text(place.name)


def _is_text(name: str) -> bool:
    return _TEXT.fullmatch(name) is not None and not name.lower().endswith(_CODE)


def _information(place: PurePosixPath) -> str | None:
    """Return the folder of a distribution's metadata that a file lies in, or None.

    That of a source archive or a checkout lies beside the code as well as that of an installed
    package beside its modules.
    """
    for folder in place.parents:
        if folder.name.endswith(_INSTALLED):
            return folder.as_posix()
    return None


def _family(licence: str) -> str:
    return licence.removesuffix("-only").removesuffix("-or-later")


class TreeLicences:
    """The licences of a tree of files; each folder of it is looked at once."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._files = LicenceFiles()
        self._seen: set[str] = set()

    def licence_of(self, path: str) -> str | None:
        """Return the licence of the file at `path` below the root, or None.

        Raises StoreError where the store does not answer.
        """
        for folder in PurePosixPath(path).parents:
            self._look_into("" if folder == folder.parent else folder.as_posix())
        return self._files.licence_of(path)

    def _look_into(self, folder: str) -> None:
        if folder in self._seen:
            return
        self._seen.add(folder)
        names = list(self._names(folder))
        for name in names:
            path = f"{folder}/{name}".lstrip("/")
            if name.endswith("/"):
                if name.rstrip("/").endswith(_INSTALLED):
                    self._read_information(path.rstrip("/"))
            elif tells_of_licence(path):
                self._read(path)

    def _read_information(self, folder: str) -> None:
        names = list(self._names(folder))
        if "licenses/" in names:
            names += [f"licenses/{name}" for name in self._names(f"{folder}/licenses")]
        for name in names:
            if not name.endswith("/") and tells_of_licence(f"{folder}/{name}"):
                self._read(f"{folder}/{name}")

    def _names(self, folder: str) -> Iterable[str]:
        return store_for(self._root).names(self._uri(folder))

    def _read(self, path: str) -> None:
        uri = self._uri(path)
        try:
            with store_for(uri).open(uri) as stream:
                content = stream.read(MAX_LICENCE_BYTES + 1)
        except ObjectNotFound:
            return
        except StoreError:
            if urlsplit(uri).scheme != "file":
                raise
            content = bytes(MAX_LICENCE_BYTES + 1)  # there is one, and nobody can tell which
        self._files.add(path, content)

    def _uri(self, path: str) -> str:
        if not path:
            return self._root
        is_file = urlsplit(self._root).scheme == "file"
        return f"{self._root}/{quote(path, errors='surrogateescape') if is_file else path}"


@lru_cache(maxsize=2)
def tree_licences(root: str) -> TreeLicences:
    """Return the licences of the tree at a URI, as they were first looked at."""
    return TreeLicences(root)
