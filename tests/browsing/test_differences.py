from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from c2c_tasks.browsing import differences
from c2c_tasks.browsing.differences import compare_releases
from c2c_tasks.browsing.refusals import InvalidRequest, NothingThere, StillComputing
from c2c_tasks.config import cache_folder
from c2c_tasks.consuming.caching import local_file
from c2c_tasks.consuming.comparing import compare
from c2c_tasks.consuming.finding import FoundRelease
from c2c_tasks.records import Program
from c2c_tasks.store import StoreError

pytestmark = pytest.mark.usefixtures("deployment")
of_files = pytest.mark.parametrize("target", ["file"], indirect=True)


@pytest.fixture
def pair(target: str, publish: Any, make_program: Callable[..., Program]) -> tuple[str, str]:
    """Versions of two releases: 3 programs left, 5 came, 2 have another licence."""
    before = [make_program(number) for number in range(20)]
    after = [make_program(number) for number in range(3, 25)]
    after[:2] = [dataclasses.replace(program, licence="Zlib") for program in after[:2]]
    first = publish(target, before, date="2026-11-23", build_id="a", card=False)
    second = publish(target, after, build_id="b", card=False)
    return first.rpartition("/")[2], second.rpartition("/")[2]


def test_two_releases_are_compared_in_pages(pair: tuple[str, str]) -> None:
    pages = [compare_releases(None, *pair, page=page, page_size=4) for page in (1, 2, 3, 4)]
    first = pages[0]
    assert (first["a"], first["b"]) == pair
    assert first["counts"] == {
        "added": 5, "removed": 3, "changed": 2, "same": 15, "before": 20, "after": 22,
    }  # fmt: skip
    assert [len(page["programs"]) for page in pages] == [4, 4, 2, 0]
    assert {page["total"] for page in pages} == {10}
    listed = [item for page in pages for item in page["programs"]]
    assert [item["change"] for item in listed] == ["added"] * 5 + ["removed"] * 3 + ["changed"] * 2
    assert {tuple(item["why"]) for item in listed if item["change"] == "changed"} == {("licence",)}
    assert set(first["meanings"]) == {"not_told", "licence"}
    assert all(first["meanings"].values())
    # What was fetched from S3 is gone again.
    assert [path for path in cache_folder().rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("target", ["s3"], indirect=True)
def test_what_others_fetch_meanwhile_stays(
    target: str, pair: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cache may be shared, as with the trainer of whoever runs Airflow on their machine."""
    fetched: list[Path] = []

    def while_others_pull(before: FoundRelease, after: FoundRelease, **options: Any) -> Any:
        entries = [e for e in after.manifest.files if e.config == "programs"]
        fetched.extend(local_file(after.uri, entry) for entry in entries)
        return compare(before, after, **options)

    monkeypatch.setattr(differences, "compare", while_others_pull)
    compare_releases(None, *pair)
    assert fetched and all(path.is_file() for path in fetched)


@of_files
def test_it_is_compared_once(
    target: str, pair: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def counting(*arguments: Any, **options: Any) -> Any:
        calls.append(1)
        return compare(*arguments, **options)

    monkeypatch.setattr(differences, "compare", counting)
    for page in (1, 2, 1):
        compare_releases(None, *pair, page=page, page_size=4)
    compare_releases(None, *reversed(pair))
    assert len(calls) == 2


@of_files
def test_who_asks_too_early_asks_again(
    target: str, pair: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    def slow(*arguments: Any, **options: Any) -> Any:
        go_on.wait(20)
        return compare(*arguments, **options)

    monkeypatch.setattr(differences, "compare", slow)
    monkeypatch.setattr(differences, "WAIT_SECONDS", 0.05)
    for _ in range(2):
        with pytest.raises(StillComputing, match="ask again in a few seconds"):
            compare_releases(None, *pair)
    monkeypatch.setattr(differences, "MAX_PENDING", 1)
    with pytest.raises(StillComputing, match="other releases are being compared"):
        compare_releases(None, *reversed(pair))
    go_on.set()
    monkeypatch.setattr(differences, "WAIT_SECONDS", 20.0)
    assert compare_releases(None, *pair)["counts"]["added"] == 5


@of_files
def test_an_error_is_not_kept(
    target: str, pair: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: Any, **__: Any) -> Any:
        raise StoreError("the store is away")

    with monkeypatch.context() as patch:
        patch.setattr(differences, "compare", failing)
        with pytest.raises(StoreError, match="the store is away"):
            compare_releases(None, *pair)
    found = None
    for _ in range(2):  # the one who finds the error, and the next
        try:
            found = compare_releases(None, *pair)
        except StoreError:
            continue
    assert found is not None
    assert found["counts"]["added"] == 5


@of_files
def test_what_is_too_much_for_a_page_is_refused(
    target: str, pair: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(differences, "MAX_BYTES", 100)
    with pytest.raises(InvalidRequest, match=f"c2c release diff {pair[0]} {pair[1]}"):
        compare_releases(None, *pair)
    assert compare_releases(None, pair[0], pair[0])["counts"]["same"] == 20


@of_files
def test_what_is_not_there_is_said(target: str, pair: tuple[str, str]) -> None:
    with pytest.raises(NothingThere):
        compare_releases(None, pair[0], "2020.01.01-1")
    with pytest.raises(InvalidRequest):
        compare_releases(None, pair[0], "../x")
    with pytest.raises(InvalidRequest):
        compare_releases(None, *pair, page_size=1_000)
