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

from c2c_tasks.publishing.carrying import MAX_SMALL_FILES, Changes
from c2c_tasks.publishing.data_files import read_dump_objects, read_programs
from c2c_tasks.publishing.manifest import FileEntry, splits_of
from c2c_tasks.publishing.release import PublishError, describe_file
from c2c_tasks.records import FORMATS, SPLITS, Program, to_row
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
        st.tuples(st.sampled_from(SPLITS), st.sampled_from(["old", "new", "leaves", "moves"])),
        min_size=1,
        max_size=30,
    )
)
@settings(max_examples=15)
def test_parent_and_new_make_what_one_build_makes(
    origins: dict[int, tuple[Any, str]], make_program: Make, write_files: Any
) -> None:
    programs = {number: make_program(number, split=split) for number, (split, _) in origins.items()}
    moved = {
        programs[n].function_id: to_row(replace(programs[n], path="moved.py", first_line=7))
        for n, (_, what) in origins.items()
        if what == "moves"
    }
    leaving = {programs[n].function_id for n, (_, what) in origins.items() if what == "leaves"}
    with tempfile.TemporaryDirectory() as place:
        whole, parent, child = (Path(place, name) for name in ("whole", "parent", "child"))
        for folder in (whole, parent, child):
            folder.mkdir()
        write_files(
            whole,
            [
                replace(p, path="moved.py", first_line=7) if p.function_id in moved else p
                for p in programs.values()
                if p.function_id not in leaving
            ],
        )
        earlier = write_files(
            parent, [programs[n] for n, (_, what) in origins.items() if what != "new"]
        )
        _write_manifest(parent, earlier)
        write_files(
            child,
            [programs[n] for n, (_, what) in origins.items() if what == "new"],
            parent=parent.as_uri(),
            changes=Changes(dict.fromkeys(leaving, "opted_out"), moved),
        )
        for config in ("programs", *FORMATS):
            for split in SPLITS:
                assert _rows(child, config, split) == _rows(whole, config, split)


def test_a_file_that_nothing_touches_is_copied(
    tmp_path: Path, make_program: Make, write_files: Any
) -> None:
    parent, child = tmp_path / "parent", tmp_path / "child"
    parent.mkdir(), child.mkdir()
    old = sorted((make_program(n, split="train") for n in range(150)), key=lambda p: p.function_id)
    _write_manifest(parent, write_files(parent, old))
    write_files(
        child,
        [make_program(900, split="train")],
        parent=parent.as_uri(),
        changes=Changes({old[120].function_id: "opted_out"}),
    )
    names = [f"programs/train-0000{n}-of-00003.parquet" for n in range(3)]
    assert [pq.read_metadata(child / name).num_rows for name in names] == [100, 49, 1]
    first = parent / "programs" / "train-00000-of-00002.parquet"
    assert (child / names[0]).read_bytes() == first.read_bytes()


def test_damage_to_the_parent_does_not_pass_into_what_is_written_anew(
    tmp_path: Path, make_program: Make, write_files: Any
) -> None:
    parent, child = tmp_path / "parent", tmp_path / "child"
    parent.mkdir(), child.mkdir()
    old = [make_program(n, split="train") for n in range(9)]
    entries = write_files(parent, old)
    _write_manifest(parent, entries)
    other = tmp_path / "other"
    other.mkdir()
    write_files(other, [replace(program, path="another.py") for program in old])
    path = "programs/train-00000-of-00001.parquet"
    (parent / path).write_bytes((other / path).read_bytes())
    with pytest.raises(PublishError, match=rf"{path}: damaged"):
        write_files(
            child, [], parent=parent.as_uri(), changes=Changes({old[0].function_id: "opted_out"})
        )


def test_many_small_files_are_joined(tmp_path: Path, make_program: Make, write_files: Any) -> None:
    release = tmp_path / "0"
    release.mkdir()
    _write_manifest(release, write_files(release, [make_program(0, split="test")]))
    for night in range(1, 40):
        following = tmp_path / str(night)
        following.mkdir()
        new = [make_program(night, split="test")]
        _write_manifest(following, write_files(following, new, parent=release.as_uri()))
        release = following
        files = list((release / "programs").glob("test-*"))
        assert len(files) <= MAX_SMALL_FILES + 2  # those that were joined are not small
    assert len(_rows(release, "programs", "test")) == 40
    assert len(_rows(release, "sft", "test")) == 40


def test_a_parent_with_other_columns_is_refused(
    tmp_path: Path, make_program: Make, write_files: Any
) -> None:
    parent = tmp_path / "parent"
    parent.mkdir()
    entries = write_files(parent, [make_program(1, split="train")])
    name = "sft/train-00000-of-00001.parquet"
    pq.write_table(pq.read_table(parent / name).drop_columns(["template"]), parent / name)
    others = [entry for entry in entries if entry.path != name]
    _write_manifest(parent, [*others, describe_file(parent / name, name)])
    (tmp_path / "child").mkdir()
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


def _rows(folder: Path, config: str, split: str) -> list[dict[str, Any]]:
    found = [
        row
        for path in (folder / config).glob(f"{split}-*.parquet")
        for row in pq.read_table(path).to_pylist()
    ]
    return sorted(found, key=lambda row: (row["function_id"], row.get("sample_id", "")))


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
