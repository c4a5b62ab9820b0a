"""The nightly refresh: a chain of builds on a dump that grows and changes is what one build from
nothing, in the recorded order of ingestion, comes to."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

from c2c_tasks.curation.overlap import Contamination
from c2c_tasks.pipeline import BuildError, NothingNew, run_build
from c2c_tasks.publishing.data_files import read_dump_objects, read_programs
from c2c_tasks.publishing.manifest import read_manifest
from c2c_tasks.records import Program
from c2c_tasks.shards import read_shard
from c2c_tasks.store import file_path, read

if TYPE_CHECKING:
    from tests.pipeline.conftest import MakeBuild

CLAMP = """
def clamp(value, low, high):
    \"\"\"Return the value, moved into the range.\"\"\"
    if value < low:
        return low
    if value > high:
        return high
    return value
"""
SCORE = """
def score(text, weight=3):
    total = 0
    for position, letter in enumerate(text):
        if letter.isdigit():
            total += int(letter) * weight
        elif letter.isalpha():
            total += position
        elif letter in "+-*/":
            total -= position % weight
        elif letter.isspace():
            continue
        else:
            total = abs(total) - len(text)
    if total < 0:
        return -total
    return total
"""
# Each is near to the one before it, and to no other.
RATE = SCORE.replace("def score", "def rate").replace("% weight", "// weight")
GRADE = RATE.replace("def rate", "def grade").replace("total < 0", "total < 9")
COUNT = """
def count_vowels(text):
    found = 0
    for letter in text:
        if letter in "aeiou":
            found += 1
    return found
"""
RENAMED_COUNT = COUNT.replace("letter", "character").replace("found", "vowels")
INITIALS = """
def initials(name):
    return "".join(part[0].upper() for part in name.split() if part)
"""


def rows(release: str) -> dict[str, Program]:
    """The programs of a release by function id: every column of every one."""
    found = list(read_programs(release))
    by_id = {program.function_id: program for program in found}
    assert len(by_id) == len(found)
    return by_id


def samples(release: str) -> list[dict[str, Any]]:
    """All rows of all formats, in an order that files do not matter for."""
    found = [
        {"file": entry.config, "split": entry.split, **row}
        for entry in read_manifest(release).files
        if entry.config not in (None, "programs")
        for row in pq.read_table(file_path(f"{release}/{entry.path}")).to_pylist()
    ]
    return sorted(found, key=lambda row: row["sample_id"])


def same(chain: str, whole: str) -> None:
    """Assert that two releases hold the same, whatever files they have it in."""
    assert rows(chain) == rows(whole)
    assert samples(chain) == samples(whole)
    assert set(read_dump_objects(chain)) == set(read_dump_objects(whole))


def names(release: str) -> set[str]:
    return {program.entry_point for program in read_programs(release)}


class Dump:
    """A dump of the test: what it holds changes from day to day."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def write(self, name: str, *functions: str) -> None:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(functions))

    def remove(self, name: str) -> None:
        (self.folder / name).unlink()


@pytest.fixture
def dump(workspace: Path) -> Dump:
    return Dump(workspace / "dump")


@pytest.fixture
def refresh(make_build: MakeBuild, dump: Dump) -> Any:
    """Builds a release of the dump as it is: ``refresh(day, **options)``."""

    def build(day: int, **options: Any) -> str:
        name = f"day-{day}-{options.get('mode', 'incremental')}"
        options = {"dump": str(dump.folder), "max_gone_share": 1.0} | options
        return run_build(make_build(name, f"2026-11-{day:02d}", **options))["uri"]

    return build


@pytest.mark.slow
@pytest.mark.nightly
def test_a_week_of_changes_comes_to_what_a_build_from_nothing_comes_to(
    refresh: Any, dump: Dump, small_dump: Path
) -> None:
    for name in ("colorsys", "fnmatch", "textwrap", "bisect", "shlex"):
        shutil.copy(small_dump / f"{name}.py", dump.folder)
    dump.write("one/score.py", SCORE, CLAMP)
    chain = [refresh(1)]
    assert {"score", "clamp"} <= names(chain[-1])

    # New files, near copies and copies among them.
    shutil.copy(small_dump / "posixpath.py", dump.folder)
    shutil.copy(small_dump / "textwrap.py", dump.folder / "copied.py")
    dump.write("two/rate.py", RATE)
    dump.write("two/vowels.py", COUNT)
    chain.append(refresh(2))
    assert "rate" not in names(chain[-1]) and "count_vowels" in names(chain[-1])

    # A file changes: functions move down, one leaves, and what gave way to it comes.
    dump.write("one/score.py", "# moved\n", CLAMP)
    dump.write("three/grade.py", GRADE)
    chain.append(refresh(3))
    assert "score" not in names(chain[-1]) and {"rate", "clamp"} <= names(chain[-1])
    assert rows(chain[-1]).keys() & rows(chain[-2]).keys()

    # A file is renamed, another one goes; of a third the variables are renamed.
    (dump.folder / "textwrap.py").rename(dump.folder / "wrapping.py")
    dump.remove("posixpath.py")
    dump.write("two/vowels.py", RENAMED_COUNT)
    chain.append(refresh(4))
    counting = next(p for p in read_programs(chain[-1]) if p.entry_point == "count_vowels")
    assert "character" in counting.program

    # What left comes back, after what has taken its place.
    dump.write("five/score.py", SCORE, INITIALS)
    chain.append(refresh(5))
    assert "score" not in names(chain[-1]) and {"rate", "initials"} <= names(chain[-1])

    dump.remove("two/rate.py")
    shutil.copy(small_dump / "posixpath.py", dump.folder / "back.py")
    chain.append(refresh(6))
    assert "rate" not in names(chain[-1])

    whole = refresh(7, mode="full")
    same(chain[-1], whole)
    assert read_manifest(whole).order_of == read_manifest(chain[-1]).version
    # Without the recorded order, other functions would have been the first.
    dump.write("six/more.py", CLAMP.replace("clamp", "limit"))
    dump.write("six/sums.py", INITIALS.replace("initials", "letters").replace("[0]", "[-1]"))
    same(refresh(8), refresh(9, mode="full"))


def test_files_that_hold_nothing_that_changed_are_copied(
    refresh: Any, dump: Dump, small_dump: Path
) -> None:
    for name in ("colorsys", "fnmatch"):
        shutil.copy(small_dump / f"{name}.py", dump.folder)
    first = read_manifest(refresh(1))
    dump.write("score.py", SCORE)
    second = read_manifest(refresh(2))
    old = {entry.sha256 for entry in first.files if entry.config}
    new = {entry.sha256 for entry in second.files if entry.config}
    assert old < new
    assert next(e.sha256 for e in first.ledger) in {e.sha256 for e in second.ledger}
    assert second.parent == first.version and second.build_number == first.build_number + 1


def test_a_listing_that_failed_in_part_empties_no_release(
    refresh: Any, dump: Dump, small_dump: Path
) -> None:
    for name in ("colorsys", "fnmatch", "textwrap"):
        shutil.copy(small_dump / f"{name}.py", dump.folder)
    refresh(1)
    dump.remove("colorsys.py")
    with pytest.raises(BuildError, match=r"1 of the 3 objects read before are gone.*gone_share"):
        refresh(2, max_gone_share=0.25)
    refresh(2)
    with pytest.raises(NothingNew):
        refresh(3)


def test_rules_made_tighter_rewrite_only_what_they_touch(
    refresh: Any, dump: Dump, small_dump: Path, tmp_path: Path
) -> None:
    for name in ("colorsys", "fnmatch", "textwrap", "bisect"):
        shutil.copy(small_dump / f"{name}.py", dump.folder)
    dump.write("score.py", SCORE, CLAMP)
    first = rows(refresh(1))
    problems = tmp_path / "problems.jsonl"
    problems.write_text(json.dumps({"code": SCORE}))
    second = refresh(2, benchmarks=[str(problems)])
    assert {first[i].entry_point for i in first.keys() - rows(second).keys()} == {"score"}
    listed = f"{second}/decontamination.parquet"
    assert [row.protected for row in read_shard(listed, Contamination)] == ["problems.jsonl:1"]
    most = max(len(program.cases) for program in rows(second).values())
    third = refresh(3, benchmarks=[str(problems)], min_cases=most)
    assert rows(third) == {
        i: program for i, program in rows(second).items() if len(program.cases) >= most
    }
    assert len(rows(third)) < len(rows(second))
    assert read(f"{third}/decontamination.parquet") == read(listed)
    dropped = {
        reason: number
        for stage in read_manifest(third).funnel
        if stage.name == "programs carried over"
        for reason, number in stage.dropped.items()
    }
    assert dropped == {"too_few_cases": len(rows(second)) - len(rows(third))}
    same(third, refresh(4, benchmarks=[str(problems)], min_cases=most, mode="full"))
    with pytest.raises(BuildError, match=r"built with other options \(min_cases\)"):
        refresh(5, benchmarks=[str(problems)])


@pytest.mark.nightly
def test_an_opt_out_leaves_the_next_release_and_does_not_come_back(
    refresh: Any, dump: Dump, small_dump: Path, tmp_path: Path
) -> None:
    shutil.copytree(small_dump, dump.folder / "lib")
    dump.write("one/score.py", SCORE, CLAMP)
    dump.write("two/rate.py", RATE)
    opt_outs = tmp_path / "opt-outs.txt"
    opt_outs.write_text("# nobody yet\n")
    first = refresh(1, opt_outs=str(opt_outs))
    assert {"score", "clamp"} <= names(first) and "rate" not in names(first)
    assert b"`one/score.py`" in read(f"{first}/ATTRIBUTION.md")

    opt_outs.write_text("repository one\n")
    second = refresh(2, opt_outs=str(opt_outs))
    assert names(second) == names(first) - {"score", "clamp"} | {"rate"}
    assert b"`one/score.py`" not in read(f"{second}/ATTRIBUTION.md")
    funnel = {stage.name: stage.dropped for stage in read_manifest(second).funnel}
    assert funnel["programs carried over"] == {"opted_out": 2}

    dump.write("one/more.py", COUNT)
    dump.write("three/initials.py", INITIALS)
    third = refresh(3, opt_outs=str(opt_outs))
    assert names(third) == names(second) | {"initials"}
    assert {program.repository for program in read_programs(third)} == {"lib", "two", "three"}
    same(third, refresh(4, opt_outs=str(opt_outs), mode="full"))
