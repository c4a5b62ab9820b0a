"""Archives made to do harm, or spoilt on the way, lose no more than what is spoilt."""

from __future__ import annotations

import io
import stat
import struct
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Read = Callable[..., Any]
Makers = dict[str, Callable[..., bytes]]

SOURCE = b"x = 1\n"
END = bytes(1_024)
BOTH = pytest.mark.parametrize("suffix", [".tar.gz", ".zip"])


def block(data: bytes) -> bytes:
    return data + bytes(-len(data) % 512)


def tar_member(name: str, data: bytes = SOURCE, **header: Any) -> bytes:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    for field, value in header.items():
        setattr(member, field, value)
    return member.tobuf(tarfile.GNU_FORMAT) + block(data)


def extended(*records: bytes) -> bytes:
    """A POSIX header that says something of the member after it."""
    lines = [b"%d %s\n" % (len(record) + 4, record) for record in records]
    return tar_member("header", b"".join(lines), type=tarfile.XHDTYPE)


@pytest.fixture
def read_bytes(tmp_path: Path, read_dump: Read) -> Read:
    def read(name: str, data: bytes, **options: Any) -> Any:
        (tmp_path / name).write_bytes(data)
        return read_dump(tmp_path / name, **options)

    return read


def zip_of(*members: tuple[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", compression) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return sink.getvalue()


@BOTH
def test_only_own_python_files_are_read(makers: Makers, read_bytes: Read, suffix: str) -> None:
    names = [
        "./a/b.py",
        "a//c.py",
        "README.md",
        ".git/hooks/d.py",
        "v/lib/site-packages/e/f.py",
        "../notes.txt",
    ]
    reading = read_bytes(f"x{suffix}", makers[suffix](dict.fromkeys(names, "x = 1")))
    assert list(reading.contents) == ["a/b.py", "a/c.py"]
    assert reading.dropped == {}


@BOTH
@pytest.mark.parametrize("name", ["/etc/a.py", "../a.py", "a/../../b.py", "C:\\a.py", "..\\a.py"])
def test_unsafe_paths(makers: Makers, read_bytes: Read, suffix: str, name: str) -> None:
    reading = read_bytes(f"x{suffix}", makers[suffix]({name: "x = 1", "b.py": "x = 2"}))
    assert reading.contents == {"b.py": "x = 2"}
    assert reading.dropped == {"unsafe_path": 1}
    assert f"{name}: leads out of the archive" in reading.problems[0]


@BOTH
def test_too_large_and_not_utf8(makers: Makers, read_bytes: Read, suffix: str) -> None:
    files = {"a.py": "#" * 1_001, "b.py": "#" * 1_000, "c.py": "# coding: ascii\né", "d.py": " \n"}
    reading = read_bytes(f"x{suffix}", makers[suffix](files), max_file_bytes=1_000)
    assert list(reading.contents) == ["b.py"]
    assert reading.dropped == {"too_large": 1, "not_utf8": 1, "empty": 1}


def test_the_first_of_two_members_counts(read_bytes: Read) -> None:
    tar = tar_member("a.py", b"first") + tar_member("./a.py", b"second") + END
    with pytest.warns(UserWarning, match="Duplicate name"):
        zipped = zip_of(("a.py", b"first"), ("a.py", b"second"))
    for name, data in (("x.tar", tar), ("x.zip", zipped)):
        reading = read_bytes(name, data)
        assert reading.contents == {"a.py": "first"}
        assert reading.dropped == {"duplicate_member": 1}


def test_links_and_devices_of_tar(read_bytes: Read) -> None:
    kinds = (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE)
    members = [
        tar_member(f"{kind.decode()}.py", b"", type=kind, linkname="/etc/passwd") for kind in kinds
    ]
    folder = tar_member("folder.py", b"", type=tarfile.DIRTYPE)
    reading = read_bytes("x.tar", b"".join([*members, folder, tar_member("a.py"), END]))
    assert list(reading.contents) == ["a.py"]
    assert reading.dropped == {"link": 4}


def test_links_of_zip(read_bytes: Read) -> None:
    link = zipfile.ZipInfo("link.py")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert read_bytes("x.zip", sink.getvalue()).dropped == {"link": 1}


@pytest.mark.parametrize(
    "damage",
    [
        extended(b"GNU.sparse.map=a,b"),
        extended(b"GNU.sparse.size=many"),
        extended(b"GNU.sparse.major=1", b"GNU.sparse.minor=0") + tar_member("b.py"),
        extended(b"size=" + b"9" * 30) + tar_member("big.txt"),
        extended(b"comment=again") * 1_000,
        tar_member("long", b"name\0", type=tarfile.GNUTYPE_LONGNAME) * 1_000,
        tar_member("long", b"", type=tarfile.GNUTYPE_LONGNAME, size=1 << 40),
        tar_member("header", b"0 a=b\n", type=tarfile.XHDTYPE),
        tar_member("big.txt", size=1 << 60),
        tar_member("b.py", size=10_000),
        tar_member("b.py")[:100],
        b"\x01" * 512,
    ],
    ids=lambda data: f"{len(data)} bytes",
)
def test_tar_is_read_up_to_the_damage(read_bytes: Read, damage: bytes) -> None:
    reading = read_bytes("x.tar", tar_member("a.py") + damage + tar_member("z.py") + END)
    assert "a.py" in reading.contents
    assert reading.dropped.pop("unreadable_object") == 1
    assert "cannot be read to its end" in reading.problems[-1]


def test_tar_without_its_end(read_bytes: Read) -> None:
    reading = read_bytes("x.tar", tar_member("a.py"))
    assert list(reading.contents) == ["a.py"]
    assert reading.dropped == {"unreadable_object": 1}


def test_archives_of_nothing(makers: Makers, read_bytes: Read) -> None:
    for suffix in (".tar", ".tar.zst", ".zip"):
        assert read_bytes(f"x{suffix}", makers[suffix]({})).dropped == {}
        assert read_bytes(f"y{suffix}", b"").dropped == {"unreadable_object": 1}


def test_a_spoilt_member_of_zip_spoils_no_other(read_bytes: Read) -> None:
    data = bytearray(zip_of(("a.py", SOURCE), ("b.py", SOURCE), compression=zipfile.ZIP_STORED))
    data[data.index(SOURCE)] ^= 1
    reading = read_bytes("x.zip", bytes(data))
    assert list(reading.contents) == ["b.py"]
    assert reading.dropped == {"corrupt_record": 1}
    assert "a.py: cannot be read: Bad CRC-32" in reading.problems[0]


def test_encrypted_members(read_bytes: Read) -> None:
    data = bytearray(zip_of(("a.py", SOURCE)))
    for header, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        struct.pack_into("<H", data, data.index(header) + flags, 1)
    reading = read_bytes("x.zip", bytes(data))
    assert reading.dropped == {"corrupt_record": 1}
    assert "encrypted" in reading.problems[0]


@pytest.mark.parametrize(
    ("compression", "reason"),
    [
        (zipfile.ZIP_DEFLATED, "too_large"),
        (zipfile.ZIP_BZIP2, "corrupt_record"),
        (zipfile.ZIP_LZMA, "corrupt_record"),
    ],
)
def test_a_bomb_does_not_go_off(read_bytes: Read, compression: int, reason: str) -> None:
    bomb = zip_of(("a.py", b"#" * 50_000_000), ("b.md", b""), compression=compression)
    assert len(bomb) < 60_000
    tracemalloc.start()
    reading = read_bytes("x.zip", bomb, max_file_bytes=10_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert reading.dropped == {reason: 1}
    assert peak < 2_000_000


def test_a_size_that_lies(read_bytes: Read) -> None:
    data = bytearray(zip_of(("a.py", b"#" * 5_000)))
    struct.pack_into("<L", data, data.index(b"PK\1\2") + 24, 10)
    assert read_bytes("x.zip", bytes(data)).dropped == {"corrupt_record": 1}


def test_spoilt_lzma(read_bytes: Read) -> None:
    data = bytearray(zip_of(("a.py", SOURCE * 900), compression=zipfile.ZIP_LZMA))
    data[45:60] = bytes(15)
    assert read_bytes("x.zip", bytes(data)).dropped == {"corrupt_record": 1}
