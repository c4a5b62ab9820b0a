"""Listing a dump: its objects, and what their place in it says of them."""

from __future__ import annotations

import logging
import os
import sysconfig
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from c2c_tasks.config import SourceOptions
from c2c_tasks.sources.errors import SourceError
from c2c_tasks.sources.files import Origin
from c2c_tasks.sources.formats import FORMATS, format_of
from c2c_tasks.sources.licence_files import tree_licences
from c2c_tasks.sources.members import is_left_out
from c2c_tasks.store import ObjectInfo, StoreError, file_path, normalise, store_for

STDLIB = "stdlib:"
"""The standard library of the running interpreter."""

_NOT_IN_STDLIB = {"test", "tests", "idlelib", "turtledemo"}
_CHECKOUT_MARKS = (".git", "pyproject.toml", "setup.py")
_NAMED = 5
"""Objects left out of a mixed dump that the log names."""

log = logging.getLogger(__name__)


def list_dump(options: SourceOptions) -> Iterator[ObjectInfo]:
    """Return the objects of the dump, in order of URI.

    In a folder, hidden files and folders, virtual environments and installed packages are
    left out, and so are symbolic links that lead out of it. Where a folder holds several
    formats, so are records without code: a checkout may hold fixtures in Parquet.

    Raises SourceError, naming the dump, where it is missing or holds no object of a known
    suffix, and naming an object where its columns are not as the options say; StoreError
    where the store does not answer.
    """
    root = _root(options.dump)
    tree_licences.cache_clear()  # licences are looked up anew for each listing
    scheme = urlsplit(root).scheme
    if scheme not in ("file", "s3"):
        raise SourceError(f"{options.dump}: a dump is a path, file://, s3:// or {STDLIB}")
    if scheme == "file" and not _exists(root, options.dump):
        raise SourceError(f"{options.dump}: no such file or folder")
    objects = list(_local_objects(options) if scheme == "file" else _s3_objects(root))
    if not objects:
        raise SourceError(f"{options.dump}: holds no file, or only hidden ones")
    known = [item for item in objects if format_of(item.uri)]
    if not known:
        suffixes = ", ".join(item.suffix for item in FORMATS)
        raise SourceError(
            f"{options.dump}: no file in it has a suffix that is read; these are {suffixes}"
        )
    return iter(_holding_code(sorted(known, key=lambda item: item.uri), options))


def is_in_dump(uri: str, options: SourceOptions) -> bool:
    """Tell whether an object of that URI would be one of the dump, if it were there."""
    root = _root(options.dump)
    return uri == root or uri.startswith(f"{root}/")


def origin_of(uri: str, options: SourceOptions) -> Origin:
    """Return an object's place in the dump, and the repository and licence to assume.

    Raises StoreError where the licence of a file in a tree cannot be looked up.
    """
    root = _root(options.dump)
    if options.dump == STDLIB:
        path = _below(root, uri)
        return Origin(uri, f"Lib/{path}", "python/cpython", "Python-2.0")
    path = _below(root, uri)
    format_ = format_of(uri)
    if uri == root or (format_ is not None and format_.kind == "archive"):
        return Origin(uri, path, _stem(path))
    if format_ is not None and format_.kind == "python":
        in_checkout = "/" not in path or _is_checkout(root)
        repository = _stem(_name(root)) if in_checkout else path.split("/", 1)[0]
        return Origin(uri, path, repository, tree_licences(root).licence_of(path))
    return Origin(uri, path, _stem(_name(root)))


def _root(dump: str) -> str:
    if dump == STDLIB:
        return Path(sysconfig.get_path("stdlib")).as_uri()
    try:
        root = normalise(dump)
        # As a listing spells it: `file:///a b` is `file:///a%20b`.
        return file_path(root).as_uri() if urlsplit(root).scheme == "file" else root
    except (RuntimeError, ValueError) as error:
        raise SourceError(f"{dump}: names no place: {error}") from None


def _exists(root: str, dump: str) -> bool:
    try:
        return file_path(root).exists()
    except OSError as error:
        raise SourceError(f"{dump}: cannot be read: {error.strerror}") from None


def _below(root: str, uri: str) -> str:
    """Return the path of an object below the dump's root, or its name where it is the root."""
    if not uri.startswith(f"{root}/"):
        return _name(uri)
    if urlsplit(uri).scheme == "file":
        return file_path(uri).relative_to(file_path(root)).as_posix()
    return uri.removeprefix(f"{root}/")


def _name(uri: str) -> str:
    if urlsplit(uri).scheme == "file":
        return file_path(uri).name
    return uri.rsplit("/", 1)[-1]


def _stem(path: str) -> str:
    """Return the name of a file without the suffix of its format."""
    name = path.rsplit("/", 1)[-1]
    format_ = format_of(name)
    return name[: -len(format_.suffix)] or name if format_ else name


@cache
def _is_checkout(root: str) -> bool:
    """Tell whether the dump is one repository, rather than a folder of repositories."""
    if urlsplit(root).scheme != "file":
        return False
    return any((file_path(root) / mark).exists() for mark in _CHECKOUT_MARKS)


def _local_objects(options: SourceOptions) -> Iterator[ObjectInfo]:
    root = file_path(_root(options.dump))
    if root.is_file():
        paths: Iterable[Path] = [root]
    else:
        paths = _walk(root, _NOT_IN_STDLIB if options.dump == STDLIB else set())
    for path in paths:
        uri = path.as_uri()
        try:
            info = store_for(uri).head(uri)
        except OSError as error:
            log.warning("%s: left out: %s", path, error.strerror)
            continue
        if info is None:
            log.warning("%s: left out: no regular file, or a name that is not UTF-8", uri)
            continue
        yield info


def _walk(root: Path, left_out: set[str]) -> Iterator[Path]:
    boundary = _boundary(root.resolve())

    def unreadable(error: OSError) -> None:
        log.warning("%s: cannot be listed: %s", error.filename, error.strerror)

    for folder, folders, names in os.walk(root, onerror=unreadable):
        folders[:] = [
            name
            for name in folders
            if not is_left_out(name)
            and name not in left_out
            and not Path(folder, name, "pyvenv.cfg").exists()
        ]
        for name in names:
            path = Path(folder, name)
            if is_left_out(name):
                continue
            if path.is_symlink() and not _leads_into(path, boundary):
                log.warning("%s: leads out of the dump; left out", path)
                continue
            yield path


def _leads_into(link: Path, boundary: Path) -> bool:
    try:
        return link.resolve(strict=True).is_relative_to(boundary)
    except (OSError, RuntimeError):  # it leads nowhere, or round in a circle
        return False


def _boundary(root: Path) -> Path:
    """Return the folder that links may not lead out of: the root.

    In the cache of Hugging Face's Hub, the files of a snapshot are links to ``../../blobs``.
    """
    for folder in (root, *root.parents):
        if folder.name == "snapshots" and (folder.parent / "blobs").is_dir():
            return folder.parent
    return root


def _s3_objects(root: str) -> Iterator[ObjectInfo]:
    store = store_for(root)
    # A bucket by itself has no key to ask for.
    if root.count("/") > 2 and (info := store.head(root)):
        yield info
        return
    for item in store.list(root):
        if not any(is_left_out(part) for part in _below(root, item.uri).split("/")):
            yield item


def _holding_code(objects: list[ObjectInfo], options: SourceOptions) -> list[ObjectInfo]:
    """Check the columns of records before work starts.

    Objects of one suffix are taken to be alike, and the first one is checked. In a mixture
    each is, and those that hold no code are left out.
    """
    mixed = len({format_.suffix for item in objects if (format_ := format_of(item.uri))}) > 1
    kept: list[ObjectInfo] = []
    errors: list[SourceError] = []
    fitting = 0
    for item in objects:
        format_ = format_of(item.uri)
        if format_ is not None and format_.check is not None and (mixed or not kept):
            try:
                fitting += format_.check(item.uri, options)
            except SourceError as error:
                if not mixed:
                    raise
                errors.append(error)
                continue
            except StoreError:
                # Whoever reads it counts it as unreadable, or fails for want of the store.
                pass
        kept.append(item)
    if errors and not fitting and (not kept or _maps_columns(options)):
        raise errors[0]
    for reason in errors[:_NAMED]:
        log.warning("left out: %s", reason)
    if len(errors) > _NAMED:
        log.warning("left out: %d more objects without code", len(errors) - _NAMED)
    return kept


def _maps_columns(options: SourceOptions) -> bool:
    return any(
        (
            options.content_field,
            options.path_field,
            options.repository_field,
            options.licence_field,
        )
    )
