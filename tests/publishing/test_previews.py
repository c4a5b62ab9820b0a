from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from c2c_tasks.publishing.previews import draw_previews
from c2c_tasks.records import FORMATS, Program
from c2c_tasks.store import StoreError, local_copy

MakeProgram = Callable[..., Program]


def test_formats_take_turns_and_functions_and_repositories_differ(
    tmp_path: Path, make_program: MakeProgram, write_files: Any
) -> None:
    # Four of five programs are of one repository.
    programs = [make_program(n, repository=f"o/{max(0, n - 40)}", split="train") for n in range(50)]
    files = write_files(tmp_path, programs)
    drawn = draw_previews(tmp_path.as_uri(), files, seed="1", count=10)
    assert [preview.format for preview in drawn] == [FORMATS[n % 3] for n in range(10)]
    assert len({preview.function_id for preview in drawn}) == 10
    assert len({preview.repository for preview in drawn}) == 10
    assert draw_previews(tmp_path.as_uri(), files, seed="1", count=10) == drawn
    assert draw_previews(tmp_path.as_uri(), files, seed="2", count=10) != drawn


def test_one_repository_is_enough(
    tmp_path: Path, make_program: MakeProgram, write_files: Any
) -> None:
    files = write_files(tmp_path, [make_program(n, repository="o/r") for n in range(12)])
    drawn = draw_previews(tmp_path.as_uri(), files, seed="1", count=5)
    assert Counter(preview.format for preview in drawn) == dict(
        zip(FORMATS, (2, 2, 1), strict=True)
    )
    few = tmp_path / "few"
    few.mkdir()
    files = write_files(few, [make_program(0, split="train")])
    assert len(draw_previews(few.as_uri(), files, seed="1", count=5)) == 1


@pytest.mark.parametrize("damaged", [slice(4, 204), slice(-20, None)])
def test_a_damaged_file_is_named(
    tmp_path: Path, make_program: MakeProgram, write_files: Any, damaged: slice
) -> None:
    files = write_files(tmp_path, [make_program(n, split="train") for n in range(30)])
    (path,) = (tmp_path / entry.path for entry in files if entry.config == "sft")
    data = bytearray(path.read_bytes())
    data[damaged] = bytes(len(data[damaged]))
    path.write_bytes(data)
    with pytest.raises(StoreError, match=r"sft/train.*: damaged \(.*`c2c release verify`"):
        draw_previews(tmp_path.as_uri(), files, seed="1")


def test_the_smallest_file_with_a_whole_row_group_is_read(
    tmp_path: Path, make_program: MakeProgram, write_files: Any, monkeypatch: Any
) -> None:
    programs = [make_program(n, split="train") for n in range(250)]
    files = write_files(tmp_path, programs, rows_per_file=100)
    monkeypatch.setattr("c2c_tasks.publishing.previews.ROW_GROUP", 100)
    read: list[str] = []

    def noting(uri: str) -> Any:
        read.append(uri)
        return local_copy(uri)

    monkeypatch.setattr("c2c_tasks.publishing.previews.local_copy", noting)
    draw_previews(tmp_path.as_uri(), files, seed="1")
    assert len(read) == 3
    for uri, format_ in zip(read, FORMATS, strict=True):
        sizes = {e.path: (e.rows, e.bytes) for e in files if e.config == format_}
        path = uri.removeprefix(f"{tmp_path.as_uri()}/")
        assert sizes[path] == min(size for size in sizes.values() if size[0] == 100)
