"""Releases are taken back: by the pointer, and for good."""

from __future__ import annotations

import itertools
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from c2c_tasks.publishing.manifest import read_manifest
from c2c_tasks.publishing.pins import pin, unpin
from c2c_tasks.publishing.pointer import move_pointer, read_pointer
from c2c_tasks.publishing.release import PublishError, claim_version, release_uri
from c2c_tasks.publishing.retired import read_tombstone
from c2c_tasks.publishing.withdrawal import retire, roll_back
from c2c_tasks.store import StoreUnavailable, file_path, read, store_for

if TYPE_CHECKING:
    from tests.publishing.conftest import Publish

ONE, TWO, THREE = (f"2026.11.24-{number}" for number in (1, 2, 3))
KEPT = {"manifest.json", "claim.json", "retired.json"}


@pytest.fixture
def releases(target: str, publish: Publish, make_program: Any) -> str:
    """A target of three releases."""
    for number in (1, 2, 3):
        publish(target, [make_program(number)], build_id=f"build-{number}")
    return target


def files_of(target: str, version: str) -> set[str]:
    release = release_uri(target, version)
    return {info.uri.removeprefix(f"{release}/") for info in store_for(release).list(release)}


def publish_again(target: str, version: str) -> str:
    return move_pointer(target, version, build_id="again", date="2026-11-24").version


def state(target: str) -> tuple[str, int, list[str]]:
    pointer = read_pointer(target)
    assert pointer is not None
    return pointer.version, pointer.generation, pointer.withdrawn


def pins_of(target: str) -> dict[str, str]:
    pointer = read_pointer(target)
    assert pointer is not None
    return pointer.pinned


def test_a_rollback_keeps_publishers_from_what_it_left(releases: str) -> None:
    pointer = roll_back(releases, ONE)
    assert state(releases) == (ONE, 4, [TWO, THREE])
    assert pointer == read_pointer(releases)
    assert (pointer.uri, pointer.build_id) == (release_uri(releases, ONE), "build-1")
    assert pointer.date == "2026-11-24"
    for version in (TWO, THREE):
        with pytest.raises(PublishError, match=f"{version} was rolled back"):
            publish_again(releases, version)
    assert roll_back(releases, ONE).generation == 4
    # What was withdrawn may be gone back to, and what is built from now on takes its place.
    assert roll_back(releases, TWO).withdrawn == [THREE]
    assert state(releases) == (TWO, 5, [THREE])
    assert claim_version(releases, "2026-11-24", "build-4") == "2026.11.24-4"


def test_a_new_release_follows_a_rollback(
    releases: str, publish: Publish, make_program: Any
) -> None:
    roll_back(releases, ONE)
    pin(releases, TWO, "cited")
    publish(releases, [make_program(4)], build_id="build-4")
    assert state(releases) == ("2026.11.24-4", 5, [TWO, THREE])
    assert pins_of(releases) == {TWO: "cited"}
    roll_back(releases, TWO)
    assert state(releases) == (TWO, 6, [THREE, "2026.11.24-4"])


def test_what_cannot_be_rolled_back_to(releases: str, publish: Publish, make_program: Any) -> None:
    with pytest.raises(PublishError, match=r"has no release 2026\.11\.20-1"):
        roll_back(releases, "2026.11.20-1")
    with pytest.raises(PublishError, match="not a version"):
        roll_back(releases, "yesterday")
    claim_version(releases, "2026-11-23", "other")
    with pytest.raises(PublishError, match=r"2026\.11\.23-1: has no manifest"):
        roll_back(releases, "2026.11.23-1")
    retire(releases, ONE, "asked for")
    with pytest.raises(PublishError, match=r"2026.11.24-1: retired on 20.*: asked for"):
        roll_back(releases, ONE)
    # Newer, and complete, but its publisher has not pointed to it yet.
    other = publish(releases, [make_program(9)], build_id="next", date="2026-11-25")
    roll_back(releases, TWO)
    pointer = json.loads(read(f"{releases}/latest.json"))
    pointer["withdrawn"] = []
    store_for(releases).write(f"{releases}/latest.json", json.dumps(pointer).encode())
    with pytest.raises(PublishError, match=r"25-1: newer than the latest .* was not withdrawn"):
        roll_back(releases, other.rpartition("/")[2])
    assert state(releases)[0] == TWO


def test_retiring_leaves_manifest_claim_and_tombstone(releases: str) -> None:
    manifest = read_manifest(release_uri(releases, TWO))
    before = files_of(releases, TWO)
    others = {version: files_of(releases, version) for version in (ONE, THREE)}
    size = sum(entry.bytes for entry in manifest.files)
    retired = retire(releases, TWO, "holds a secret")
    assert (retired.files, retired.bytes) == (len(before) - 2, size)
    assert files_of(releases, TWO) == KEPT
    tombstone = read_tombstone(release_uri(releases, TWO))
    assert tombstone is not None
    assert (tombstone.version, tombstone.reason) == (TWO, "holds a secret")
    assert (retired.version, retired.reason) == (TWO, "holds a secret")
    assert read_manifest(release_uri(releases, TWO)) == manifest
    assert {version: files_of(releases, version) for version in (ONE, THREE)} == others
    pointer = read_pointer(releases)
    assert pointer is not None and (pointer.retiring, pointer.generation) == ({}, 3)
    again = retire(releases, TWO, "another reason")
    assert (again.reason, again.files) == ("holds a secret", 0)
    assert read_tombstone(release_uri(releases, TWO)) == tombstone
    if releases.startswith("file"):
        names = {path.name for path in file_path(release_uri(releases, TWO)).iterdir()}
        assert names == KEPT


def test_retiring_takes_what_holds_rows_out_of_evaluations_and_exports(releases: str) -> None:
    version = "2026.11.24-1"
    kept = [
        f"evaluations/{version}/model-1/report.json",
        f"exports/{version}1-0123456789/train.jsonl",  # of another release
        "models/small-1/training.json",
    ]
    gone = [
        f"evaluations/{version}/model-1/answers/part-00000.parquet",
        f"exports/{version}-0123456789/export.json",
        f"exports/{version}-0123456789/train.jsonl",
    ]
    store = store_for(releases)
    for name in (*kept, *gone):
        store.write(f"{releases}/{name}", b"{}")
    retire(releases, version, "ticket 17")
    assert [name for name in (*kept, *gone) if store.head(f"{releases}/{name}")] == kept


def test_what_is_current_or_pinned_is_not_retired(releases: str) -> None:
    with pytest.raises(PublishError, match=f"{THREE}: is the latest release; roll back"):
        retire(releases, THREE, "mistake")
    pin(releases, ONE, "cited in a paper")
    pin(releases, TWO)
    with pytest.raises(PublishError, match=rf"{ONE}: is pinned \(cited in a paper\); unpin it"):
        retire(releases, ONE, "mistake")
    with pytest.raises(PublishError, match=f"{TWO}: is pinned; unpin it"):
        retire(releases, TWO, "mistake")
    assert pins_of(releases) == {ONE: "cited in a paper", TWO: ""}
    assert unpin(releases, ONE).pinned == {TWO: ""}
    assert unpin(releases, ONE).pinned == {TWO: ""}
    retire(releases, ONE, "no longer cited")
    with pytest.raises(PublishError, match=r"24-1: retired on .*: no longer cited"):
        pin(releases, ONE)
    with pytest.raises(PublishError, match=r"has no release 2026\.11\.20-1"):
        pin(releases, "2026.11.20-1")
    # The bad release itself: first another one has to be the latest.
    roll_back(releases, TWO)
    retire(releases, THREE, "mistake")
    with pytest.raises(PublishError, match=f"{THREE}: retired"):
        roll_back(releases, THREE)
    with pytest.raises(PublishError, match=f"{THREE} was rolled back"):
        publish_again(releases, THREE)


def test_a_release_that_nothing_points_to_yet_is_not_pointed_to_once_it_is_retired(
    releases: str,
) -> None:
    roll_back(releases, TWO)
    pointer = json.loads(read(f"{releases}/latest.json"))
    pointer["withdrawn"] = []  # as if its publisher had not come to the pointer yet
    store_for(releases).write(f"{releases}/latest.json", json.dumps(pointer).encode())
    retire(releases, THREE, "mistake")
    with pytest.raises(PublishError, match=f"{THREE} was rolled back"):
        publish_again(releases, THREE)


def test_a_tombstone_alone_deletes_nothing_of_what_is_current(releases: str) -> None:
    before = files_of(releases, THREE)
    tombstone = {"version": THREE, "reason": "by hand", "retired_at": "2026-11-24"}
    uri = f"{release_uri(releases, THREE)}/retired.json"
    store_for(uri).write(uri, json.dumps(tombstone).encode())
    with pytest.raises(PublishError, match="is the latest release"):
        retire(releases, THREE, "mistake")
    assert files_of(releases, THREE) == before | {"retired.json"}


def test_nothing_is_pinned_or_retired_where_nothing_is_published(target: str) -> None:
    for change in (
        lambda: pin(target, ONE),
        lambda: roll_back(target, ONE),
        lambda: retire(target, ONE, "why"),
    ):
        with pytest.raises(PublishError, match=f"has no release {ONE}"):
            change()


class Killed(BaseException):
    """The process ends here."""


class Requests:
    """Counts the requests to the store of files; before the one of a number, does something."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("os.fsync", lambda _: None)  # most of the time that a write takes
        self.count = 0
        self.at = -1
        self.event: Callable[[], object] = lambda: None
        self._within = threading.local()
        kind = type(store_for("file:///"))
        for name in ("head", "open", "create", "replace", "delete", "names", "list"):
            monkeypatch.setattr(kind, name, self._counted(getattr(kind, name)))

    def _counted(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def counted(store: Any, *arguments: Any) -> Any:
            if getattr(self._within, "one", False):  # a part of another request
                return method(store, *arguments)
            self.count += 1
            if self.count == self.at:
                self.event()
            self._within.one = True
            try:
                return method(store, *arguments)
            finally:
                self._within.one = False

        return counted

    def run(self, call: Callable[[], object], at: int, event: Callable[[], object]) -> bool:
        """Call, with the event before request `at`; tell whether it came to that."""
        self.count, self.at, self.event = 0, at, event
        try:
            attempt(call)
        finally:
            happened, self.at = self.count >= at, -1
        return happened


def attempt(call: Callable[[], object]) -> bool:
    """Tell whether a call was not refused."""
    try:
        call()
    except (PublishError, Killed):
        return False
    return True


def is_whole(target: str, version: str) -> bool:
    manifest = read_manifest(release_uri(target, version))
    return {entry.path for entry in manifest.files} <= files_of(target, version)


CHANGES: dict[str, Callable[[str], object]] = {
    "pin": lambda target: pin(target, TWO),
    "roll back": lambda target: roll_back(target, TWO),
    "roll back further": lambda target: roll_back(target, ONE),
    "publish again": lambda target: publish_again(target, TWO),
    "unpin": lambda target: unpin(target, TWO),
    "retire": lambda target: retire(target, TWO, "the other"),
}


@pytest.fixture
def copies(tmp_path: Path, publish: Publish, make_program: Any) -> Iterator[Callable[[], str]]:
    """Makes targets, each with three releases of which the second one is retired by a test."""
    original = tmp_path / "target"
    for number in (1, 2, 3):
        publish(original.as_uri(), [make_program(number)], build_id=f"build-{number}")
    numbers = itertools.count()

    def copy() -> str:
        folder = tmp_path / f"copy-{next(numbers)}"
        shutil.copytree(original, folder)
        return folder.as_uri()

    yield copy


@pytest.mark.parametrize("order", ["retire first", "retire second"])
@pytest.mark.parametrize("change", [name for name in CHANGES if name != "retire"])
def test_what_is_decided_at_the_same_time_as_a_retirement(
    change: str, order: str, copies: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One happens wholly before each request of the other; and again with that one killed there."""
    requests = Requests(monkeypatch)
    outcomes = set()
    for killed in (False, True):
        for number in itertools.count(1):
            target = copies()

            def retirement(target: str = target) -> object:
                return retire(target, TWO, "why")

            def other(target: str = target) -> object:
                return CHANGES[change](target)

            first, second = (retirement, other) if order == "retire first" else (other, retirement)
            done: list[bool] = []

            def event(
                second: Callable[[], object] = second,
                killed: bool = killed,
                done: list[bool] = done,
            ) -> None:
                done.append(attempt(second))
                if killed:
                    raise Killed

            came = requests.run(first, number, event)
            pointer = read_pointer(target)
            assert pointer is not None
            if pointer.version == TWO or TWO in pointer.pinned:
                assert read_tombstone(release_uri(target, TWO)) is None, number
                assert TWO not in pointer.retiring
                assert is_whole(target, TWO), number
            if not is_whole(target, TWO):
                assert read_tombstone(release_uri(target, TWO)), number
            outcomes.add(tuple(done))
            # Whatever was cut off: the same again ends it.
            unpin(target, TWO)
            if pointer.version == TWO:
                roll_back(target, ONE)
            retire(target, TWO, "why")
            assert files_of(target, TWO) == KEPT
            assert attempt(lambda target=target: pin(target, TWO)) is False
            pointer = read_pointer(target)
            assert pointer is not None and pointer.retiring == {}
            if not came:
                break
        assert number > 2
    if (
        change in ("pin", "roll back") and order == "retire first"
    ):  # whoever decides first refuses the other
        assert {(True,), (False,)} <= outcomes


def test_two_retirements_and_a_pin(
    copies: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A retirement is cut off before each of its requests; the next one has a pin in its midst."""
    requests = Requests(monkeypatch)
    for first in itertools.count(1):

        def kill() -> None:
            raise Killed

        came = True
        for second in itertools.count(1):
            target = copies()

            def retirement(target: str = target) -> object:
                return retire(target, TWO, "why")

            def change(target: str = target) -> None:
                attempt(lambda: pin(target, TWO))

            came = requests.run(retirement, first, kill)
            inner = requests.run(retirement, second, change)
            if TWO in pins_of(target):
                assert is_whole(target, TWO) and not read_tombstone(release_uri(target, TWO))
            else:
                assert files_of(target, TWO) == KEPT
            if not inner:
                break
        if not came:
            break


@pytest.mark.parametrize("written", [False, True])
@pytest.mark.parametrize("moved_on", [False, True])
def test_a_rollback_whose_outcome_is_unknown(
    releases: str,
    publish: Publish,
    make_program: Any,
    written: bool,
    moved_on: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kind = type(store_for(releases))
    replace = kind.replace
    calls: list[str] = []

    def lose_first_response(self: Any, uri: str, data: bytes, etag: str) -> object:
        calls.append(uri)
        if len(calls) > 1:
            return replace(self, uri, data, etag)
        if written:
            replace(self, uri, data, etag)
        if moved_on:
            publish(releases, [make_program(4)], build_id="build-4")
        raise StoreUnavailable(f"{uri}: timed out")

    monkeypatch.setattr(kind, "replace", lose_first_response)
    pointer = roll_back(releases, ONE)
    four = "2026.11.24-4"
    if not moved_on:
        assert state(releases) == (ONE, 4, [TWO, THREE])
    elif written:  # it was rolled back, and a new release came after that
        assert state(releases) == (four, 5, [TWO, THREE])
    else:
        assert state(releases) == (ONE, 5, [TWO, THREE, four])
    assert pointer == read_pointer(releases)
