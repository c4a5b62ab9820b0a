from __future__ import annotations

import dataclasses
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from c2c_tasks.browsing import programs as searching
from c2c_tasks.browsing.cursors import Position, write_cursor
from c2c_tasks.browsing.programs import Search, search_programs
from c2c_tasks.browsing.refusals import InvalidRequest
from c2c_tasks.browsing.releases import open_release
from c2c_tasks.browsing.row_groups import DataFile
from c2c_tasks.publishing.release import release_uri
from c2c_tasks.records import Program
from c2c_tasks.store import StoreError, store_for
from tests.browsing.conftest import GROUP

pytestmark = pytest.mark.usefixtures("deployment")
of_files = pytest.mark.parametrize("target", ["file"], indirect=True)


def all_pages(version: str, search: Search, limit: int = 7) -> list[dict[str, Any]]:
    """Return what a search finds, asked for until its end."""
    found: list[dict[str, Any]] = []
    cursor, scanned = "", 0
    while True:
        page = search_programs(None, version, search, cursor=cursor, limit=limit)
        assert len(page["items"]) <= limit
        found += page["items"]
        scanned += page["scanned"]
        cursor = page["next_cursor"]
        if not cursor:
            assert scanned == page["rows"]
            return found


@pytest.mark.parametrize("limit", [1, 3, GROUP, 7, 30, 100])
@of_files
def test_every_program_is_listed_once(
    target: str, release: str, programs: list[Program], limit: int
) -> None:
    listed = all_pages(release, Search(), limit)
    assert len(listed) == len(programs)
    assert {item["function_id"] for item in listed} == {p.function_id for p in programs}
    assert [item["split"] for item in listed] == (
        ["train"] * 18 + ["validation"] * 6 + ["test"] * 6
    )


def test_an_item_tells_what_a_list_shows(release: str, programs: list[Program]) -> None:
    item = search_programs(None, release, Search(), limit=1)["items"][0]
    program = next(p for p in programs if p.function_id == item["function_id"])
    fields = ("function_id", "entry_point", "repository", "path", "licence", "split", "coverage")
    expected = {name: getattr(program, name) for name in fields}
    assert item == {**expected, "cases": len(program.cases)}


def test_filters_find_what_they_say(release: str, programs: list[Program]) -> None:
    def found(**fields: str) -> set[str]:
        return {item["function_id"] for item in all_pages(release, Search(**fields))}

    def expected(keep: Callable[[Program], bool]) -> set[str]:
        return {program.function_id for program in programs if keep(program)}

    assert found(licence="MIT") == expected(lambda p: p.licence == "MIT")
    assert found(licence="not stated") == expected(lambda p: p.licence is None)
    assert found(licence="Zlib") == set()
    assert found(split="test") == expected(lambda p: p.split == "test")
    assert found(repository="owner/name-1") == expected(lambda p: p.repository == "owner/name-1")
    assert found(repository="owner") == set()
    assert found(text="DIVIDE") == expected(lambda p: True)
    assert found(text="NAME-2") == expected(lambda p: p.repository == "owner/name-2")
    assert found(text="turn 17 / X") == expected(lambda p: "return 17 / x" in p.program)
    assert found(text="turn 17 / x", licence="Zlib") == set()
    both = found(text="name-1", licence="MIT", split="train")
    assert both == expected(
        lambda p: (p.repository, p.licence, p.split) == ("owner/name-1", "MIT", "train")
    )


@of_files
@pytest.mark.parametrize("text", ["%", "_", ".*", "d.vide", "\\", "[", "(", "*", "?", "^def", "$"])
def test_wildcards_are_plain_characters(
    target: str, release: str, programs: list[Program], text: str
) -> None:
    expected = {p.function_id for p in programs if text in p.program + p.repository + p.path}
    assert {item["function_id"] for item in all_pages(release, Search(text=text))} == expected


@of_files
def test_case_is_folded_beyond_ascii(
    target: str, publish: Any, make_program: Callable[..., Program]
) -> None:
    program = dataclasses.replace(make_program(1), path="Übung/ΣΊΣΥΦΟΣ.py")
    version = publish(target, [program], card=False).rpartition("/")[2]
    for text in ("übung", "ÜBUNG", "σίσυφο"):
        assert len(all_pages(version, Search(text=text))) == 1, text
    assert all_pages(version, Search(text="ubung")) == []


@of_files
def test_any_search_finds_what_a_plain_one_does(
    target: str, release: str, programs: list[Program]
) -> None:
    random = Random(7)
    for _ in range(60):
        source = random.choice(programs).program + "q\n(%_"
        start = random.randrange(len(source))
        text = source[start : start + random.randint(1, 6)]
        text = random.choice([text, text.upper(), text.swapcase()])
        asked = Search(
            text=text,
            licence=random.choice(["", "MIT", "not stated"]),
            split=random.choice(["", "train", "test"]),
        )
        expected = {
            p.function_id
            for p in programs
            if any(
                text.lower() in of.lower()
                for of in (p.program, p.path, p.repository, p.entry_point)
            )
            and asked.licence in ("", p.licence or "not stated")
            and asked.split in ("", p.split)
        }
        found = all_pages(release, asked, limit=random.randint(1, 30))
        assert sorted(item["function_id"] for item in found) == sorted(expected), asked


@of_files
def test_a_request_stops_at_its_budget_and_goes_on(
    target: str, release: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = Search(text="no such thing")
    for name, value in (("MAX_ROWS", 5), ("MAX_BYTES", 1), ("MAX_SECONDS", -1.0)):
        with monkeypatch.context() as patch:
            patch.setattr(searching, name, value)
            page = search_programs(None, release, nothing)
            assert 0 < page["scanned"] <= 2 * GROUP
            assert (page["items"], page["rows"]) == ([], 30)
            assert page["next_cursor"]
            assert all_pages(release, nothing) == []
            assert len(all_pages(release, Search(text="return"))) == 30


@of_files
def test_only_what_is_needed_is_read(
    target: str, release: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[tuple[int, tuple[str, ...]]] = []
    plain = DataFile.read

    def reading(self: DataFile, group: int, columns: Any) -> Any:
        read.append((group, tuple(columns)))
        return plain(self, group, columns)

    monkeypatch.setattr(DataFile, "read", reading)
    search_programs(None, release, Search(), limit=GROUP)
    assert [group for group, _ in read] == [0]
    assert "program" not in read[0][1]
    assert "cases" not in read[0][1]
    read.clear()
    # No statistics hold it: not one row group is read.
    assert search_programs(None, release, Search(licence="Zlib"))["items"] == []
    assert read == []
    search_programs(None, release, Search(text="no such thing", repository="owner/name-0"))
    assert all("cases" not in name for _, columns in read for name in columns)


@of_files
def test_what_makes_no_sense_is_refused(target: str, release: str) -> None:
    cursor = search_programs(None, release, Search(text="divide"), limit=1)["next_cursor"]
    for search, options in (
        (Search(split="all"), {}),
        (Search(), {"limit": 0}),
        (Search(), {"limit": 101}),
        (Search(), {"cursor": "../.."}),
        (Search(), {"cursor": cursor}),
    ):
        with pytest.raises(InvalidRequest):
            search_programs(None, release, search, **options)


@of_files
def test_a_position_past_the_end_is_the_end(target: str, release: str) -> None:
    found = open_release(None, release)
    asked = (found.uri, found.manifest.build_id, "", "", "", "")
    for position in (Position(10**6, 0, 0), Position(2, 10**6, 0), Position(2, 1, 10**6)):
        page = search_programs(None, release, Search(), cursor=write_cursor(position, asked))
        assert (page["items"], page["next_cursor"]) == ([], None)


def test_files_that_are_damaged_or_gone_are_named(target: str, release: str) -> None:
    uri = f"{release_uri(target, release)}/programs/train-00000-of-00001.parquet"
    size = store_for(uri).head(uri)
    assert size is not None
    store_for(uri).write(uri, b"PAR1" + bytes(size.size - 8) + b"PAR1")
    with pytest.raises(StoreError, match=r"train-00000-of-00001\.parquet: damaged"):
        search_programs(None, release, Search())
    store_for(uri).delete(uri)
    with pytest.raises(StoreError, match=r"train-00000-of-00001\.parquet: no such object"):
        search_programs(None, release, Search())


def test_licences_are_offered(
    target: str, publish: Any, make_program: Callable[[int], Program]
) -> None:
    version = publish(target, [make_program(n) for n in range(9)]).rpartition("/")[2]
    facets = search_programs(None, version, Search())["facets"]
    assert facets == {"licences": ["MIT", "not stated"], "splits": ["train", "validation", "test"]}


@of_files
def test_a_release_without_the_table_of_origins_offers_none(target: str, release: str) -> None:
    assert search_programs(None, release, Search())["facets"]["licences"] is None
