"""Data files: sorted, cut, merged with the parent's, their bytes a matter of the rows alone."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c2c_tasks.publishing.data_files import read_dump_objects, read_programs
from c2c_tasks.publishing.manifest import FileEntry, splits_of
from c2c_tasks.publishing.release import PublishError
from c2c_tasks.records import FORMATS, SPLITS, Program
from c2c_tasks.store import ObjectInfo

Make = Callable[..., Program]


def identities(folder: Path, config: str, split: str) -> list[str]:
    return [
        value
        for path in sorted((folder / config).glob(f"{split}-*.parquet"))
        for value in pq.read_table(path, columns=["function_id"])[0].to_pylist()
    ]


def test_files_are_cut_named_and_sorted(
    tmp_path: Path, make_program: Make, write_files: Callable[..., list[FileEntry]]
) -> None:
    programs = [make_program(n, split="train") for n in range(250)]
    entries = write_files(tmp_path, [*programs, make_program(900, split="test")])
    assert [(e.path, e.rows) for e in entries if e.config == "programs"] == [
        ("programs/test-00000-of-00001.parquet", 1),
        ("programs/train-00000-of-00003.parquet", 100),
        ("programs/train-00001-of-00003.parquet", 100),
        ("programs/train-00002-of-00003.parquet", 50),
    ]
    assert splits_of(entries) == {c: {"train": 250, "test": 1} for c in ("programs", *FORMATS)}
    expected = sorted(program.function_id for program in programs)
    for config in ("programs", *FORMATS):
        assert identities(tmp_path, config, "train") == expected
    assert not list(tmp_path.rglob(".*"))


def test_rows_out_of_order_are_a_mistake(
    tmp_path: Path, make_program: Make, write_files: Any, make_samples: Any
) -> None:
    last = max((make_program(n) for n in range(9)), key=lambda program: program.function_id)
    of_last = [replace(sample, split="train") for sample in make_samples(last)]
    with pytest.raises(ValueError, match="not in order"):
        write_files(
            tmp_path,
            [make_program(n, split="train") for n in range(9)],
            samples=lambda program: [*of_last, *make_samples(program)],
        )
    assert not list(tmp_path.glob("sft/*.parquet"))


@given(
    origins=st.dictionaries(
        st.integers(0, 400),
        st.tuples(st.sampled_from(SPLITS), st.booleans()),
        min_size=1,
        max_size=30,
    )
)
@settings(max_examples=15)
def test_parent_and_new_make_what_one_build_makes(
    origins: dict[int, tuple[Any, bool]], make_program: Make, write_files: Any
) -> None:
    programs = {number: make_program(number, split=split) for number, (split, _) in origins.items()}
    with tempfile.TemporaryDirectory() as place:
        whole, parent, child = (Path(place, name) for name in ("whole", "parent", "child"))
        for folder in (whole, parent, child):
            folder.mkdir()
        at_once = write_files(whole, programs.values())
        earlier = write_files(parent, [programs[n] for n, (_, old) in origins.items() if old])
        _write_manifest(parent, earlier)
        new = [programs[n] for n, (_, old) in origins.items() if not old]
        assert write_files(child, new, parent=parent.as_uri()) == at_once
        # Were a function built again, the new row would stand.
        assert write_files(child, programs.values(), parent=parent.as_uri()) == at_once


def test_a_parent_with_other_columns_is_refused(
    tmp_path: Path, make_program: Make, write_files: Any
) -> None:
    parent = tmp_path / "parent"
    parent.mkdir()
    entries = write_files(parent, [make_program(1, split="train")])
    path = parent / "sft" / "train-00000-of-00001.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["template"]), path)
    _write_manifest(parent, entries)
    with pytest.raises(PublishError, match=r"sft/train.*its columns are not those.*mode=full"):
        write_files(tmp_path / "child", [make_program(2)], parent=parent.as_uri())


def test_a_release_gives_its_programs_and_dump_objects_back(
    target: str, publish: Any, make_program: Make
) -> None:
    programs = [make_program(n) for n in range(30)]
    release = publish(target, programs, rows_per_file=100)
    by_id = sorted(read_programs(release), key=lambda program: program.function_id)
    assert by_id == sorted(programs, key=lambda program: program.function_id)
    assert list(read_dump_objects(release)) == [ObjectInfo("file:///dump/part.jsonl", "etag", 10)]


def _write_manifest(folder: Path, files: list[FileEntry]) -> None:
    from c2c_tasks.publishing.manifest import Dump, Manifest

    manifest = Manifest(
        dataset_name="x",
        version="2026.11.23-1",
        parent=None,
        build_id="b",
        created_for="2026-11-23",
        config={},
        code_version="",
        dump=Dump(uri="file:///dump", objects=0),
        writer={},
        sandbox={},
        funnel=[],
        splits=splits_of(files),
        files=files,
    )
    (folder / "manifest.json").write_bytes(manifest.to_json())
