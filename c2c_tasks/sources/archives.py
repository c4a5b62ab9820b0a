"""Archives: the Python files among the members of tar and zip.

Other members are not looked at. Nothing is unpacked to disk, so an unsafe path could do no
harm; it is skipped as a sign that the archive was made to do some.
"""

from __future__ import annotations

import io
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Self

from c2c_tasks.config import SourceOptions
from c2c_tasks.records import SourceFile
from c2c_tasks.sources.decompression import DAMAGED, open_plain
from c2c_tasks.sources.expansion import Bomb, Expansion
from c2c_tasks.sources.files import Origin, Skipped, source_file
from c2c_tasks.sources.licence_files import MAX_LICENCE_BYTES, LicenceFiles, tells_of_licence
from c2c_tasks.sources.members import is_own_python, is_unsafe
from c2c_tasks.store import local_copy

_MAX_HEADER = 1_000_000
"""Bytes of an extended tar header. It holds names; the format would allow 8 GB, read at once."""


def read_tar(origin: Origin, options: SourceOptions) -> Iterator[SourceFile | Skipped]:
    """Yield the Python files of a tar archive, one member in memory at a time.

    Of what was read, only the names are kept, to tell members that come twice, and what tells
    of licences: it may come after the code, so the archive is read twice.
    """
    seen: set[str] = set()
    licences = _licences_of_tar(origin)
    try:
        with (
            open_plain(origin.uri) as stream,
            tarfile.TarFile(fileobj=_Forwards(stream), tarinfo=_Member) as archive,  # type: ignore[arg-type]
        ):
            while (member := archive.next()) is not None:
                archive.members.clear()  # type: ignore[attr-defined]  # it would keep them all
                if skipped := _refusal(member.name, seen):
                    yield skipped
                elif not is_own_python(member.name) or member.isdir():
                    continue
                elif not member.isreg():
                    yield Skipped("link")
                elif member.size > options.max_file_bytes:
                    yield Skipped("too_large")
                elif (content := archive.extractfile(member)) is not None:
                    yield _file(content.read(), member.name, origin, options, licences)
    except Bomb as error:
        yield Skipped("decompression_bomb", f"given up: {error}")
    except _BAD_TAR as error:
        yield Skipped("unreadable_object", f"cannot be read to its end: {error}")


def read_zip(origin: Origin, options: SourceOptions) -> Iterator[SourceFile | Skipped]:
    """Yield the Python files of a zip archive, one member in memory at a time."""
    seen: set[str] = set()
    with local_copy(origin.uri) as path:
        try:
            archive = zipfile.ZipFile(path)
        except (*_BAD_ZIP, OSError) as error:
            yield Skipped("unreadable_object", f"cannot be read: {error}")
            return
        # Members may share their data, so that many small ones are a bomb together.
        expansion = Expansion(path.stat().st_size)
        with archive:
            licences = _licences_of_zip(archive, expansion)
            for member in archive.infolist():
                name = member.filename
                if skipped := _refusal(name, seen):
                    yield skipped
                elif not is_own_python(name):
                    continue
                elif stat.S_ISLNK(member.external_attr >> 16):
                    yield Skipped("link")
                else:
                    try:
                        yield _zip_member(archive, member, origin, options, licences, expansion)
                    except Bomb as error:
                        yield Skipped("decompression_bomb", f"given up at {name}: {error}")
                        return


def _zip_member(
    archive: zipfile.ZipFile,
    member: zipfile.ZipInfo,
    origin: Origin,
    options: SourceOptions,
    licences: LicenceFiles,
    expansion: Expansion,
) -> SourceFile | Skipped:
    if member.compress_type not in _BOUNDED:
        return Skipped("corrupt_record", f"{member.filename}: is not stored or deflated")
    try:
        with archive.open(member) as stream:
            # The size that a header declares may be a lie.
            raw = stream.read(options.max_file_bytes + 1)
    except (*_BAD_ZIP, OSError) as error:
        return Skipped("corrupt_record", f"{member.filename}: cannot be read: {error}")
    expansion.add(len(raw))
    return _file(raw, member.filename, origin, options, licences)


def _licences_of_tar(origin: Origin) -> LicenceFiles:
    """Read what tells of licences, up to where the archive is damaged."""
    licences = LicenceFiles()
    try:
        with (
            open_plain(origin.uri) as stream,
            tarfile.TarFile(fileobj=_Forwards(stream), tarinfo=_Member) as archive,  # type: ignore[arg-type]
        ):
            while (member := archive.next()) is not None:
                archive.members.clear()  # type: ignore[attr-defined]  # it would keep them all
                if (
                    tells_of_licence(member.name)
                    and member.isreg()
                    and (content := archive.extractfile(member)) is not None
                ):
                    licences.add(_path(member.name), content.read(MAX_LICENCE_BYTES + 1))
    except (Bomb, *_BAD_TAR):
        pass  # whoever reads the code says so
    return licences


def _licences_of_zip(archive: zipfile.ZipFile, expansion: Expansion) -> LicenceFiles:
    licences = LicenceFiles()
    for member in archive.infolist():
        if tells_of_licence(member.filename) and member.compress_type in _BOUNDED:
            try:
                with archive.open(member) as stream:
                    content = stream.read(MAX_LICENCE_BYTES + 1)
            except (*_BAD_ZIP, OSError):
                content = bytes(MAX_LICENCE_BYTES + 1)  # there is one, and nobody can tell which
            try:
                expansion.add(len(content))
            except Bomb:
                break  # whoever reads the code says so
            licences.add(_path(member.filename), content)
    return licences


def _path(name: str) -> str:
    return str(PurePosixPath(name))


def _refusal(name: str, seen: set[str]) -> Skipped | None:
    """Return why a Python member is refused by its name, or None."""
    if not name.lower().endswith(".py"):
        return None
    if is_unsafe(name):
        return Skipped("unsafe_path", f"{name}: leads out of the archive")
    path = _path(name)
    if path in seen:
        return Skipped("duplicate_member", f"{name}: is in the archive twice; the first one counts")
    seen.add(path)
    return None


def _file(
    raw: bytes, name: str, origin: Origin, options: SourceOptions, licences: LicenceFiles
) -> SourceFile | Skipped:
    path = _path(name)
    return source_file(
        raw,
        replace(origin, licence=licences.licence_of(path)),
        path=path,
        repository=None,
        licence=None,
        max_bytes=options.max_file_bytes,
    )


class _Member(tarfile.TarInfo):
    """A member of an archive that must be whole.

    By itself `tarfile` takes a header that is cut short, or wrong, for the end of the archive.
    """

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> Self:
        try:
            return super().fromtarfile(archive)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
            raise
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(str(error)) from None

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        member = super().frombuf(buf, encoding, errors)
        if member.type in _EXTENDED_HEADERS and member.size > _MAX_HEADER:
            raise tarfile.ReadError(f"a header of {member.size:,} bytes")
        return member


class _Forwards:
    """A stream as the file that `tarfile` asks for; it goes forwards alone, and not past the end.

    The stream mode of `tarfile` would look for the end of a member of 10^30 bytes forever.
    """

    def __init__(self, stream: io.BufferedReader) -> None:
        self._stream = stream
        self._position = 0

    def tell(self) -> int:
        return self._position

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._position += len(data)
        return data

    def seek(self, position: int) -> None:
        if position < self._position:
            raise tarfile.ReadError("a member that begins before the one before it ends")
        while self._position < position:
            if not self.read(min(position - self._position, _SEEK)):
                raise tarfile.ReadError("unexpected end of data")


_SEEK = 1 << 18

_EXTENDED_HEADERS = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)

_BAD_TAR = (
    tarfile.TarError,
    OverflowError,
    RecursionError,  # a thousand extended headers in a row
    ValueError,  # an extended header that is not as it should be
    *DAMAGED,
)

_BOUNDED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""What `zipfile` decompresses piece by piece; a bomb of another method would go off."""

_BAD_ZIP = (
    zipfile.BadZipFile,
    EOFError,
    NotImplementedError,  # a compression method that is not built in
    RuntimeError,  # an encrypted member
    ValueError,
    struct.error,
    zlib.error,
)
