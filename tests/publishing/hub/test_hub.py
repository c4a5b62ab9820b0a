"""Pushing to a stand-in of the Hub, over the wire."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Literal, NoReturn

import pytest

from c2c_tasks.publishing.hub import push_release
from c2c_tasks.publishing.manifest import MANIFEST, read_manifest
from c2c_tasks.publishing.release import CLAIM, TOMBSTONE, PublishError
from c2c_tasks.publishing.retired import Tombstone
from c2c_tasks.publishing.withdrawal import roll_back
from c2c_tasks.store import StoreUnavailable, file_path, read, store_for
from tests.publishing.hub.conftest import MakeRelease
from tests.publishing.hub.stand_in import Dataset, Fault, File, StandIn

REPOSITORY = "org/case2code"
COMMIT = "POST .*/commit/"
FIRST, SECOND = "2026.11.24-1", "2026.11.25-1"


def published(release: str) -> dict[str, bytes]:
    """The files of a release that are to be on the Hub."""
    uris = [info.uri for info in store_for(release).list(release)]
    files = {uri.removeprefix(f"{release}/"): read(uri) for uri in uris}
    del files[CLAIM]
    return files


def on_the_hub(dataset: Dataset, revision: str) -> dict[str, bytes]:
    files = dataset.files(revision)
    assert files.pop(".gitattributes")
    return files


def test_a_release_is_pushed_as_it_was_published_and_tagged(
    hub: StandIn, make_release: MakeRelease, target: str
) -> None:
    release = make_release("2026-11-24", range(20), target)
    pushed = push_release(release, REPOSITORY)
    dataset = hub.datasets[REPOSITORY]
    assert pushed == {
        "repository": REPOSITORY,
        "version": FIRST,
        "commit": dataset.tags[FIRST],
        "latest": True,
    }
    assert dataset.private
    assert dataset.history() == ["initial commit", f"Release {FIRST}"]
    assert dataset.branches == {"main": dataset.tags[FIRST]}
    assert on_the_hub(dataset, FIRST) == published(release)
    assert CLAIM not in dataset.files(FIRST)


def test_a_dataset_is_made_public_where_that_is_asked_for_and_then_left_as_it_is(
    hub: StandIn, make_release: MakeRelease
) -> None:
    push_release(make_release("2026-11-24", range(4)), REPOSITORY, private=False)
    assert not hub.datasets[REPOSITORY].private
    push_release(make_release("2026-11-25", range(5)), REPOSITORY, private=True)
    assert not hub.datasets[REPOSITORY].private


def test_pushed_twice_nothing_is_sent(hub: StandIn, make_release: MakeRelease) -> None:
    release = make_release("2026-11-24", range(20))
    pushed = push_release(release, REPOSITORY)
    hub.requests.clear(), hub.sent.clear()
    assert push_release(release, REPOSITORY) == pushed
    assert not [request for request in hub.requests if not request.startswith(("GET", "HEAD"))]


def test_main_holds_the_newest_release_alone_and_what_it_shares_is_not_sent_again(
    hub: StandIn, make_release: MakeRelease
) -> None:
    first = make_release("2026-11-24", range(200))  # some of its files are cut in two
    second = make_release("2026-11-25", range(10))
    push_release(first, REPOSITORY)
    push_release(second, REPOSITORY)
    dataset = hub.datasets[REPOSITORY]
    assert published(first).keys() - published(second).keys()
    assert on_the_hub(dataset, "main") == published(second)
    assert on_the_hub(dataset, FIRST) == published(first)
    assert dataset.history() == ["initial commit", f"Release {FIRST}", f"Release {SECOND}"]
    assert len(hub.sent) == len(set(hub.sent))
    shared = {e.sha256 for e in read_manifest(first).files} & {
        e.sha256 for e in read_manifest(second).files
    }
    assert shared


def test_an_older_release_gets_its_tag_and_leaves_main_alone(
    hub: StandIn, make_release: MakeRelease
) -> None:
    first, second = make_release("2026-11-24", range(9)), make_release("2026-11-25", range(20))
    push_release(second, REPOSITORY)
    pushed = push_release(first, REPOSITORY)
    dataset = hub.datasets[REPOSITORY]
    assert not pushed["latest"]
    assert on_the_hub(dataset, "main") == published(second)
    assert on_the_hub(dataset, FIRST) == published(first)
    assert dataset.branches == {"main": dataset.tags[SECOND]}
    assert push_release(first, REPOSITORY) == pushed


def test_a_card_that_a_person_began_gives_way(hub: StandIn, make_release: MakeRelease) -> None:
    release = make_release("2026-11-24", range(9))
    dataset = hub.new_dataset(REPOSITORY)
    dataset.commit("main", "Create README.md", {"README.md": File(b"# Soon\n", False)})
    push_release(release, REPOSITORY)
    assert dataset.files("main") == published(release)


def test_another_dataset_is_not_overwritten(hub: StandIn, make_release: MakeRelease) -> None:
    release = make_release("2026-11-24", range(4))
    dataset = hub.new_dataset(REPOSITORY)
    files = {f"data-{n}.csv": File(b"x,y\n", False) for n in range(5)}
    dataset.commit("main", "My data", files)
    with pytest.raises(PublishError, match=r"org/case2code: holds data-0.csv, .*, …, and no rel"):
        push_release(release, REPOSITORY)
    dataset.commit("main", "An app", {MANIFEST: File(b'{"name": "app"}', False)})
    with pytest.raises(PublishError, match=r"its manifest.json is not a release's"):
        push_release(release, REPOSITORY)
    assert dataset.history()[-1] == "An app"


def test_a_tag_of_another_release_stays(hub: StandIn, make_release: MakeRelease) -> None:
    push_release(make_release("2026-11-24", range(9)), REPOSITORY)
    dataset = hub.datasets[REPOSITORY]
    before = dict(dataset.tags)
    with tempfile.TemporaryDirectory() as folder:
        other = make_release("2026-11-24", range(5), Path(folder).as_uri())
        with pytest.raises(PublishError, match=r"tag 2026.11.24-1 is not file:.* differ"):
            push_release(other, REPOSITORY)
    assert dataset.tags == before


def test_what_is_no_sound_release_is_not_pushed(
    hub: StandIn, make_release: MakeRelease, tmp_path: Path
) -> None:
    with pytest.raises(PublishError, match=r"not a release; it has no manifest.json"):
        push_release(tmp_path.as_uri(), REPOSITORY)
    release = make_release("2026-11-24", range(9))
    damaged = file_path(f"{release}/sft/train-00000-of-00001.parquet")
    content = bytearray(damaged.read_bytes())
    content[20] ^= 1
    damaged.write_bytes(content)
    with pytest.raises(PublishError, match=r"sft/train-00000-of-00001.parquet: its SHA-256 is not"):
        push_release(release, REPOSITORY)
    assert hub.datasets[REPOSITORY].history() == ["initial commit"]
    retired = Tombstone(version=FIRST, reason="a licence", retired_at="2026-11-25T10:00:00+00:00")
    store_for(release).write(f"{release}/{TOMBSTONE}", retired.model_dump_json().encode())
    with pytest.raises(PublishError, match="retired, and not pushed any more: a licence"):
        push_release(release, REPOSITORY)


def test_a_release_that_was_rolled_back_is_refused(
    hub: StandIn, make_release: MakeRelease, tmp_path: Path
) -> None:
    make_release("2026-11-24", range(20))
    second = make_release("2026-11-25", range(20))
    roll_back((tmp_path / "target").as_uri(), FIRST)
    with pytest.raises(PublishError, match="rolled back, and is not pushed any more"):
        push_release(second, REPOSITORY)
    assert REPOSITORY not in hub.datasets


def test_few_files_are_on_this_machine_at_a_time(
    hub: StandIn,
    make_release: MakeRelease,
    s3_bucket: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    release = make_release("2026-11-24", range(20), s3_bucket)
    monkeypatch.setattr("c2c_tasks.publishing.hub.FILES_AT_A_TIME", 3)
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    at_once: list[int] = []
    hub.before = lambda _: at_once.append(len(list(folder.glob("c2c-*"))))
    push_release(release, REPOSITORY)
    assert max(at_once) == 3 < len(read_manifest(release).files)
    assert not list(folder.iterdir())


def test_of_two_pushers_at_once_the_second_reads_again(
    hub: StandIn, make_release: MakeRelease
) -> None:
    first, second = make_release("2026-11-24", range(9)), make_release("2026-11-25", range(20))
    calls = count()

    def overtake(request: str) -> None:
        if "/commit/" in request and next(calls) == 0:
            push_release(second, REPOSITORY)

    hub.before = overtake
    pushed = push_release(first, REPOSITORY)
    dataset = hub.datasets[REPOSITORY]
    assert not pushed["latest"]
    assert on_the_hub(dataset, "main") == published(second)
    assert on_the_hub(dataset, FIRST) == published(first)


def test_many_pushers_at_once(hub: StandIn, make_release: MakeRelease) -> None:
    releases = [make_release(f"2026-11-{24 + n}", range(6 + n)) for n in range(3)]
    hub.new_dataset(REPOSITORY)
    for _ in range(3):
        dataset = hub.new_dataset(REPOSITORY)
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(lambda release: push_release(release, REPOSITORY), releases * 2))
        assert on_the_hub(dataset, "main") == published(releases[2])
        assert dataset.branches.keys() == {"main"}
        for n, release in enumerate(releases):
            assert on_the_hub(dataset, f"2026.11.{24 + n}-1") == published(release)


class Killed(Exception):
    """Ends a push where it would wait and try again."""


@pytest.mark.parametrize("what", ["dropped", "lost"])
@pytest.mark.parametrize("older", [False, True], ids=["newest", "older"])
def test_cut_off_at_any_request_a_later_push_gives_the_same(
    hub: StandIn,
    make_release: MakeRelease,
    monkeypatch: pytest.MonkeyPatch,
    what: Literal["dropped", "lost"],
    older: bool,
) -> None:
    """From some request on the Hub hears nothing; the first one it may have heard (`lost`)."""
    release, newer = make_release("2026-11-24", range(5)), make_release("2026-11-25", range(6))
    push_release(newer, REPOSITORY)
    known = dict(hub.objects)

    def kill(seconds: float) -> NoReturn:
        raise Killed

    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", kill)
    for cut in count():
        hub.datasets.clear()
        hub.objects = dict(known)  # all but two of the files of the older one
        if older:
            push_release(newer, REPOSITORY)
        numbers = count()

        def die(request: str, numbers: count[int] = numbers, cut: int = cut) -> None:
            number = next(numbers)
            if number >= cut:
                hub.faults = [Fault("", what if number == cut else "dropped")]

        hub.before = die
        with suppress(Killed, StoreUnavailable):
            push_release(release, REPOSITORY)
        hub.before, hub.faults = lambda _: None, []
        push_release(release, REPOSITORY)
        dataset = hub.datasets[REPOSITORY]
        assert on_the_hub(dataset, FIRST) == published(release)
        assert on_the_hub(dataset, "main") == published(newer if older else release)
        assert dataset.branches.keys() == {"main"}
        if next(numbers) < cut:  # it came to its end
            assert cut > 15
            break


@pytest.mark.parametrize(
    "fault",
    [
        *(Fault(COMMIT, status) for status in (409, 412, 500, 503)),
        *(Fault(COMMIT, what) for what in ("dropped", "lost")),
        *(Fault("/tag/", what) for what in (500, "dropped", "lost")),
        *(Fault("PUT /lfs/", what, times=3) for what in (500, 429, "dropped", "lost")),
        Fault("/preupload/", 429, headers={"Retry-After": "1"}),
    ],
    ids=lambda fault: f"{fault.request} {fault.what}",
)
def test_what_passes_is_overcome(hub: StandIn, make_release: MakeRelease, fault: Fault) -> None:
    release = make_release("2026-11-24", range(9))
    hub.faults = [Fault(fault.request, fault.what, fault.times, fault.headers)]
    push_release(release, REPOSITORY)
    assert not hub.faults[0].times
    dataset = hub.datasets[REPOSITORY]
    assert dataset.history() == ["initial commit", f"Release {FIRST}"]
    assert on_the_hub(dataset, FIRST) == published(release)


def test_a_file_that_the_hub_lists_otherwise_is_noticed(
    hub: StandIn, make_release: MakeRelease
) -> None:
    release = make_release("2026-11-24", range(9))

    def damage(request: str) -> None:
        if "/tree/" in request and len(dataset.history()) > 1:
            files = dataset.commits[dataset.branches["main"]].files
            files["README.md"] = File(files["README.md"].content.upper(), False)

    dataset = hub.new_dataset(REPOSITORY)
    hub.before = damage
    with pytest.raises(StoreUnavailable, match=r"lists other files than were sent: README.md"):
        push_release(release, REPOSITORY)
    assert not dataset.tags


def test_the_store_is_not_asked_for_what_the_hub_has(
    hub: StandIn, make_release: MakeRelease
) -> None:
    first, second = make_release("2026-11-24", range(20)), make_release("2026-11-25", range(20))
    push_release(first, REPOSITORY)
    shutil.rmtree(file_path(f"{second}/sft"))  # the same rows as in the first
    push_release(second, REPOSITORY)
    dataset = hub.datasets[REPOSITORY]
    listed = {
        path: hashlib.sha256(content).hexdigest() for path, content in dataset.files(SECOND).items()
    }
    assert {e.path: e.sha256 for e in read_manifest(second).files}.items() <= listed.items()
