"""The pointer moves to newer releases only, whatever happens at the same time."""

from __future__ import annotations

import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c2c_tasks.publishing.pins import pin, unpin
from c2c_tasks.publishing.pointer import move_pointer, read_pointer
from c2c_tasks.publishing.release import PublishError, release_uri, version_order
from c2c_tasks.store import StoreError, StoreUnavailable, read, store_for

VERSIONS = [f"2026.11.{day}-{number}" for day in (23, 24) for number in (1, 2, 10)]


def pretend_published(target: str, version: str) -> None:
    store_for(target).write(f"{release_uri(target, version)}/manifest.json", b"{}")


def move(target: str, version: str) -> str:
    day = version[:10].replace(".", "-")
    return move_pointer(target, version, build_id=f"build of {version}", date=day).version


def test_no_pointer_before_the_first_release(target: str) -> None:
    assert read_pointer(target) is None
    with pytest.raises(PublishError, match="not published"):
        move(target, VERSIONS[0])
    assert read_pointer(target) is None


def test_a_broken_pointer_is_named(target: str) -> None:
    store_for(target).write(f"{target}/latest.json", b"[]")
    with pytest.raises(StoreError, match=r"latest\.json: not a pointer"):
        read_pointer(target)


@given(moves=st.lists(st.sampled_from(VERSIONS), min_size=1, max_size=12))
@settings(max_examples=40)
def test_it_never_goes_back(moves: list[str]) -> None:
    folder = Path(tempfile.mkdtemp())
    target = folder.as_uri()
    newest: list[str] = []
    generations = 0
    for version in moves:
        pretend_published(target, version)
        if not newest or version_order(version) > version_order(newest[-1]):
            newest.append(version)
            generations += 1
        assert move(target, version) == newest[-1]
        pointer = read_pointer(target)
        assert pointer is not None
        assert (pointer.version, pointer.generation) == (newest[-1], generations)
        assert pointer.build_id == f"build of {newest[-1]}"
    shutil.rmtree(folder)


@pytest.mark.parametrize("attempt", range(3))
def test_publishers_at_once_end_at_the_newest(target: str, attempt: int) -> None:
    versions = [f"2026.11.24-{n}" for n in range(1, 17)]
    for version in versions:
        pretend_published(target, version)
    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(lambda version: move(target, version), versions))
    pointer = read_pointer(target)
    assert pointer is not None
    assert pointer.version == versions[-1]
    assert all(version_order(s) >= version_order(v) for s, v in zip(seen, versions, strict=True))
    assert pointer.generation <= len(versions)


@pytest.mark.parametrize("done", [False, True])
def test_an_unknown_outcome_is_looked_up(
    target: str, done: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in VERSIONS[:2]:
        pretend_published(target, version)
    move(target, VERSIONS[0])
    kind = type(store_for(target))
    replace = kind.replace
    calls: list[str] = []

    def lose_first_response(self: Any, uri: str, data: bytes, etag: str) -> object:
        calls.append(uri)
        if len(calls) > 1:
            return replace(self, uri, data, etag)
        if done:
            replace(self, uri, data, etag)
        raise StoreUnavailable(f"{uri}: timed out")

    monkeypatch.setattr(kind, "replace", lose_first_response)
    assert move(target, VERSIONS[1]) == VERSIONS[1]
    assert len(calls) == (1 if done else 2)
    pointer = read_pointer(target)
    assert pointer is not None
    assert (pointer.version, pointer.generation) == (VERSIONS[1], 2)


def test_a_release_that_lacks_the_rows_of_the_latest_does_not_take_its_place(target: str) -> None:
    for version in VERSIONS[:3]:
        pretend_published(target, version)
    first = {"build_id": "a", "date": "2026-11-23"}
    move_pointer(target, VERSIONS[0], **first, over=[None])
    move_pointer(target, VERSIONS[1], **first, over=[VERSIONS[0]])
    with pytest.raises(PublishError, match=f"{VERSIONS[1]} was published in the meantime"):
        move_pointer(target, VERSIONS[2], **first, over=[VERSIONS[0]])
    assert move_pointer(target, VERSIONS[1], **first, over=[VERSIONS[0]]).generation == 2
    assert move_pointer(target, VERSIONS[2], **first).version == VERSIONS[2]


def test_a_release_that_a_newer_one_left_behind_is_not_taken_for_published(
    target: str, publish: Any, make_program: Any
) -> None:
    one, two = (
        publish(target, [make_program(number)], build_id=f"build-{number}").rpartition("/")[2]
        for number in (1, 2)
    )
    build = {"build_id": "a", "date": "2026-11-23"}
    move_pointer(target, two, **build, over=[None])
    # Neither adds to the other.
    with pytest.raises(PublishError, match=f"{two} was published in the meantime"):
        move_pointer(target, one, **build, over=[None])
    assert move_pointer(target, one, **build).version == two


def test_what_a_person_took_the_pointer_back_from_is_not_pointed_to_again(target: str) -> None:
    for version in VERSIONS[:4]:
        pretend_published(target, version)
    move(target, VERSIONS[0])
    pointer = read_pointer(target)
    assert pointer is not None
    rolled_back = pointer.model_copy(update={"generation": 3, "withdrawn": [VERSIONS[1]]})
    store_for(target).write(f"{target}/latest.json", rolled_back.to_json())
    with pytest.raises(PublishError, match=f"{VERSIONS[1]} was rolled back"):
        move(target, VERSIONS[1])
    build = {"build_id": "a", "date": "2026-11-23"}
    with pytest.raises(PublishError, match=f"{VERSIONS[1]} was rolled back"):
        move_pointer(target, VERSIONS[2], **build, over=[VERSIONS[1]])
    assert read_pointer(target) == rolled_back
    moved = move_pointer(target, VERSIONS[3], **build, over=[VERSIONS[0]])
    assert (moved.generation, moved.withdrawn) == (4, [VERSIONS[1]])


def test_no_two_contents_of_the_pointer_are_equal(target: str) -> None:
    for version in VERSIONS[:2]:
        pretend_published(target, version)
        move(target, version)
    texts = [read(f"{target}/latest.json")]
    for change in (pin, unpin, pin, unpin):
        change(target, VERSIONS[0])
        texts.append(read(f"{target}/latest.json"))
    assert len(set(texts)) == 5  # or else their ETags would be, on S3
    store_for(target).delete(f"{target}/latest.json")
    pretend_published(target, VERSIONS[2])
    with pytest.raises(PublishError, match=r"latest\.json: is gone"):
        move_pointer(target, VERSIONS[2], build_id="b", date="2026-11-25", over=[VERSIONS[1]])
