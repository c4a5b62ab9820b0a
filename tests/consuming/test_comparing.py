from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from c2c_tasks.config import BuildConfig
from c2c_tasks.consuming.comparing import compare
from c2c_tasks.consuming.finding import find_release
from c2c_tasks.consuming.pulling import pull
from c2c_tasks.publishing.manifest import DUMP_OBJECTS, read_manifest
from c2c_tasks.publishing.release import PublishError, describe_file
from c2c_tasks.records import LedgerEntry, Program, Standing, arrow_schema, extend, to_row
from c2c_tasks.shards import write_parquet
from c2c_tasks.store import ObjectInfo, StoreError, store_for

Make = Callable[..., Program]
of_files = pytest.mark.parametrize("target", ["file"], indirect=True)


@pytest.fixture
def releases(target: str, publish: Any, make_program: Make) -> Callable[..., tuple[str, str]]:
    """Publishes two releases of these programs."""

    def make(
        before: Sequence[Program], after: Sequence[Program], rows_per_file: int = 100
    ) -> tuple[str, str]:
        options = {"rows_per_file": rows_per_file}
        return (
            publish(target, before, date="2026-11-23", build_id="before", **options),
            publish(target, after, **options),
        )

    return make


def difference(pair: tuple[str, str], **options: Any) -> Any:
    return compare(*map(find_release, pair), **options)


def change_file(release: str, path: Path, name: str, **fields: Any) -> None:
    """Put another file in the place of one of a release, and other fields in its manifest."""
    manifest = read_manifest(release)
    entry = describe_file(path, name)
    store_for(release).write(f"{release}/{name}", path.read_bytes())
    files = [entry if known.path == name else known for known in manifest.files]
    changed = manifest.model_copy(update={"files": files, **fields})
    store_for(release).write(f"{release}/manifest.json", changed.to_json())


def change_manifest(release: str, **fields: Any) -> None:
    manifest = read_manifest(release).model_copy(update=fields)
    store_for(release).write(f"{release}/manifest.json", manifest.to_json())


@of_files
def test_programs_come_go_and_change(releases: Any, make_program: Make) -> None:
    programs = [make_program(n) for n in range(10)]
    changed = {
        1: {"cases": programs[1].cases[:2], "coverage": 0.25},
        2: {"first_line": 7, "last_line": 8},
        3: {"licence": "BSD-3-Clause"},
        5: {"split": "test"},
        6: {"behaviour": "ab" * 32},  # which was none
    }
    after = [dataclasses.replace(p, **changed.get(n, {})) for n, p in enumerate(programs)][1:]
    after.append(make_program(77))
    found = difference(releases(programs, after), details=2)
    assert found.programs == {
        **{"before": 10, "after": 10, "added": 1, "removed": 1, "changed": 5, "same": 4}
    }
    assert found.why["changed"] == dict.fromkeys(
        ("behaviour", "cases", "coverage", "licence", "place", "split"), 1
    )
    assert found.why["added"] == found.why["removed"] == {"not_told": 1}  # there is no ledger
    assert [(item.change, item.entry_point) for item in found.details] == [
        ("added", "divide"),
        ("removed", "divide"),
        ("changed", "divide"),
        ("changed", "divide"),
    ]
    assert found.details[1].function_id == programs[0].function_id


@of_files
def test_equal_releases_do_not_differ(releases: Any, make_program: Make) -> None:
    programs = [make_program(n) for n in range(6)]
    found = difference(releases(programs, programs))
    assert found.programs["same"] == 6
    assert not any(found.why.values())
    assert not (found.rows or found.options or found.circumstances or found.details)


def test_files_that_both_have_are_not_read(
    releases: Any, make_program: Make, cache: Path, target: str
) -> None:
    """The programs of one split differ; files of the others are the same in both."""
    programs = [make_program(n) for n in range(20)]
    train = next(n for n, program in enumerate(programs) if program.split == "train")
    pair = releases(programs, [p for n, p in enumerate(programs) if n != train])
    for entry in read_manifest(pair[0]).files:
        if entry.config == "programs" and entry.split != "train":
            for uri in pair:
                store_for(uri).delete(f"{uri}/{entry.path}")
    found = difference(pair)
    assert (found.programs["removed"], found.programs["same"]) == (1, 19)
    assert found.rows["programs/train"] == (12, 11)


@of_files
def test_the_ledger_tells_why(
    releases: Any, make_program: Make, target: str, tmp_path: Path
) -> None:
    gone, moved, unfit, near, overlap, taken = range(6)
    dumps = {gone: "file:///gone", moved: "file:///changed"}
    kept = make_program(9)
    before = [make_program(n, **({"dump": dumps[n]} if n in dumps else {})) for n in range(6)]
    release_before, release_after = releases([*before, kept], [kept])
    standings: dict[int, Standing] = {
        unfit: "kept",
        near: "near_duplicate",
        overlap: "benchmark_overlap",
    }
    rows = []
    for number, standing in standings.items():
        for place in ("a/b.py", "another/place.py"):
            entry = extend(
                LedgerEntry,
                before[number],
                signature=b"",
                shingles=b"",
                ingested=1,
                standing=standing if place == "a/b.py" else "exact_duplicate",
                leader=f"leader {number}" if place == "a/b.py" else before[number].function_id,
            )
            rows.append(to_row(dataclasses.replace(entry, path=place)))
    path = tmp_path / "ledger.parquet"
    write_parquet(path, arrow_schema(LedgerEntry), rows)
    ledger = describe_file(path, "ledger/x.parquet")
    store_for(target).write(f"{target}/ledger/x.parquet", path.read_bytes())

    def objects(release: str, *listed: ObjectInfo, **fields: Any) -> None:
        write_parquet(tmp_path / "objects", arrow_schema(ObjectInfo), map(to_row, listed))
        change_file(release, tmp_path / "objects", DUMP_OBJECTS, **fields)

    same = ObjectInfo("file:///dump/part.jsonl", "1", 10)
    objects(
        release_before,
        *(same, ObjectInfo("file:///gone", "1", 1), ObjectInfo("file:///changed", "1", 1)),
        ledger=[ledger],
    )
    objects(release_after, same, ObjectInfo("file:///changed", "2", 1), ledger=[ledger])

    found = difference((release_before, release_after), details=9)
    assert found.why["removed"] == dict.fromkeys(
        (
            *("benchmark_overlap", "near_duplicate", "not_taken", "source_changed"),
            *("source_gone", "unfit"),
        ),
        1,
    )
    assert found.dump_objects == {"added": 0, "removed": 1, "changed": 1}
    by_id = {item.function_id: item for item in found.details}
    assert by_id[before[near].function_id].leader == "leader 3"
    assert by_id[before[taken].function_id].leader is None

    back = difference((release_after, release_before))
    assert back.why["added"] == dict.fromkeys(
        (
            *("source_changed", "source_new", "taken_now", "was_benchmark_overlap"),
            *("was_near_duplicate", "was_unfit"),
        ),
        1,
    )
    untold = difference((release_before, release_after), why=False)
    assert untold.why["removed"] == {"not_told": 6}


@of_files
def test_options_lists_and_circumstances(releases: Any, make_program: Make) -> None:
    pair = releases([make_program(0)], [make_program(0)])
    config = BuildConfig.from_flat({"max_cases": 7}).model_dump(mode="json")
    manifest = read_manifest(pair[1])
    carried = {"name": "programs carried over", "unit": "programs", "rows_in": 9, "rows_out": 2}
    stage = manifest.funnel[0].model_copy(update={**carried, "dropped": {"opted_out": 7}})
    change_manifest(
        pair[1],
        config=config,
        rules={"opt_outs": "ab"},
        code_version="0.2.0",
        parent="2026.11.23-1",
        funnel=[stage],
    )
    found = difference(pair)
    assert found.options == {"cases.max_cases": (20, 7)}
    assert found.circumstances == {
        "code_version": ("0.1.0+test", "0.2.0"),
        "rules.opt_outs": (None, "ab"),
    }
    assert found.adds_to_it and found.carried_over == {"opted_out": 7}


@of_files
def test_what_cannot_be_compared_is_said(releases: Any, make_program: Make, tmp_path: Path) -> None:
    pair = releases([make_program(n) for n in range(5)], [make_program(n) for n in range(5, 9)])
    pull(find_release(pair[0]), tmp_path / "part", configs=["sft"])
    with pytest.raises(
        PublishError, match="partial copy, which lacks programs/test, programs/train"
    ):
        compare(find_release(str(tmp_path / "part")), find_release(pair[1]))
    name = "programs/train-00000-of-00001.parquet"
    (tmp_path / "bad").write_bytes(b"not Parquet")
    change_file(pair[0], tmp_path / "bad", name)
    with pytest.raises(StoreError, match=f"{name}|cannot be compared"):
        difference(pair)
