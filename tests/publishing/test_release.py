"""The publish protocol, on files and on a real S3 server over the wire."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial, wraps
from pathlib import Path
from typing import Any

import pytest

from c2c_tasks.publishing.manifest import FileEntry, Manifest, read_manifest
from c2c_tasks.publishing.pointer import read_pointer
from c2c_tasks.publishing.release import (
    Copy,
    PublishError,
    claim_version,
    claimed_by,
    commit_release,
    published_file,
    release_uri,
    stage_release,
    version_order,
)
from c2c_tasks.records import Program
from c2c_tasks.store import StoreError, read, store_for

WRITES = ("create", "replace", "upload", "write", "delete")


def contents(uri: str) -> dict[str, bytes]:
    """Every object below a URI, by path."""
    listed = store_for(uri).list(uri)
    return {info.uri.removeprefix(f"{uri}/"): read(info.uri) for info in listed}


def test_a_retry_finds_its_own_claim(target: str) -> None:
    assert claim_version(target, "2026-11-24", "a") == "2026.11.24-1"
    assert claim_version(target, "2026-11-24", "b") == "2026.11.24-2"
    assert claim_version(target, "2026-11-24", "a") == "2026.11.24-1"
    assert claim_version(target, "2026-11-25", "a") == "2026.11.25-1"


def test_builds_that_claim_at_once_get_distinct_versions(target: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        claims = list(
            pool.map(lambda n: claim_version(target, "2026-11-24", f"b{n % 6}"), range(12))
        )
    assert claims[:6] == claims[6:]
    assert sorted(set(claims)) == [f"2026.11.24-{n}" for n in range(1, 7)]


def test_a_claim_needs_a_date(target: str) -> None:
    with pytest.raises(PublishError, match="'yesterday': not a date"):
        claim_version(target, "yesterday", "a")


def test_versions_are_ordered_by_date_then_counter() -> None:
    versions = ["2026.11.24-10", "2026.11.24-9", "2027.01.01-1", "2026.12.01-1"]
    assert sorted(versions, key=version_order) == [versions[i] for i in (1, 0, 3, 2)]
    with pytest.raises(PublishError, match="not a version"):
        version_order("latest")


def test_what_is_there_already_is_not_sent_again(target: str, tmp_path: Path) -> None:
    (tmp_path / "stage" / "sft").mkdir(parents=True)
    for name in ("README.md", "sft/a.txt"):
        (tmp_path / "stage" / name).write_text(name)
    store, release = store_for(target), release_uri(target, "2026.11.24-1")
    entries = stage_release(target, "2026.11.24-1", tmp_path / "stage")
    assert [(e.path, e.bytes, e.rows) for e in entries] == [
        ("README.md", 9, None),
        ("sft/a.txt", 9, None),
    ]
    staged = dict(store.changed(release))
    assert stage_release(target, "2026.11.24-1", tmp_path / "stage") == entries
    assert dict(store.changed(release)) == staged
    # A file of the right size with other bytes is sent anew.
    store.write(f"{release}/README.md", b"r" * 9)
    assert stage_release(target, "2026.11.24-1", tmp_path / "stage") == entries
    assert read(f"{release}/README.md") == b"README.md"


def test_a_published_release_does_not_change(
    target: str, publish: Any, make_program: Callable[[int], Program], tmp_path: Path
) -> None:
    release = publish(target, [make_program(n) for n in range(12)])
    manifest = read_manifest(release)
    before = contents(release)
    commit_release(target, manifest)
    (tmp_path / "stage").mkdir()
    (tmp_path / "stage" / "README.md").write_text("other")
    with pytest.raises(PublishError, match="a published release never changes"):
        stage_release(target, manifest.version, tmp_path / "stage")
    with pytest.raises(PublishError, match=r"another manifest \(dataset_name differ\)"):
        commit_release(target, manifest.model_copy(update={"dataset_name": "Other"}))
    assert contents(release) == before


def test_commit_wants_the_claim_and_every_file(
    target: str, publish: Any, make_program: Callable[[int], Program]
) -> None:
    release = publish(target, [make_program(n) for n in range(12)])
    manifest = read_manifest(release)
    store = store_for(target)
    store.delete(f"{release}/manifest.json")
    with pytest.raises(PublishError, match="claimed by build build-1, not other"):
        commit_release(target, manifest.model_copy(update={"build_id": "other"}))
    with pytest.raises(PublishError, match="not claimed"):
        commit_release(target, manifest.model_copy(update={"version": "2026.11.24-7"}))
    store.delete(f"{release}/README.md")
    with pytest.raises(PublishError, match=r"README\.md: missing"):
        commit_release(target, manifest)
    assert store.head(f"{release}/manifest.json") is None


def test_a_retired_release_is_not_published_again(
    target: str, publish: Any, make_program: Callable[[int], Program]
) -> None:
    release = publish(target, [make_program(n) for n in range(12)])
    manifest = read_manifest(release)
    store_for(target).write(f"{release}/retired.json", b"{}")
    with pytest.raises(PublishError, match=f"{release}: was retired"):
        commit_release(target, manifest)


def test_commit_wants_the_files_of_the_ledger(
    target: str, publish: Any, make_program: Callable[[int], Program]
) -> None:
    release = publish(target, [make_program(n) for n in range(12)])
    manifest = read_manifest(release)
    store_for(target).delete(f"{release}/manifest.json")
    entry = FileEntry(path="ledger/0.parquet", bytes=4, rows=1, sha256="0" * 64)
    manifest = manifest.model_copy(update={"ledger": [entry]})
    store_for(target).write(f"{target}/ledger/0.parquet", b"cut")
    with pytest.raises(PublishError, match=r"ledger/0\.parquet: missing.*start a new build"):
        commit_release(target, manifest)
    store_for(target).write(f"{target}/ledger/0.parquet", b"full")
    assert read_manifest(commit_release(target, manifest)).ledger == [entry]


def test_strays_of_an_earlier_attempt_are_not_published(
    target: str, publish: Any, make_program: Callable[[int], Program]
) -> None:
    claim_version(target, "2026-11-24", "build-1")
    stray = f"{release_uri(target, '2026.11.24-1')}/sft/train-00007-of-00009.parquet"
    store_for(target).write(stray, b"x")
    release = publish(target, [make_program(n) for n in range(12)])
    listed = {entry.path for entry in read_manifest(release).files}
    assert set(contents(release)) == listed | {"claim.json", "manifest.json"}


@pytest.mark.parametrize("lost_response", [False, True])
def test_a_crash_at_any_write_then_a_retry_gives_the_same_release(
    tmp_path: Path,
    lost_response: bool,
    publish: Any,
    make_program: Callable[[int], Program],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On files; S3 is in tests/faults. The n-th write fails, done or not, for every n there is."""
    target = tmp_path.as_uri()
    publish = partial(publish, card=False)
    old = [make_program(n) for n in range(6)]
    new = [make_program(n) for n in range(6, 18)]
    reference = f"{target}/reference"
    parent = publish(reference, old, build_id="old", date="2026-11-23")
    expected = contents(publish(reference, new, parent=parent))
    kind = type(store_for(target))
    countdown: list[int] = []

    def faulty(method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def call(self: Any, uri: str, *arguments: Any, **options: Any) -> Any:
            if not countdown:
                return method(self, uri, *arguments, **options)
            position = countdown.pop()
            if position > 0:
                countdown.append(position - 1)
                return method(self, uri, *arguments, **options)
            if lost_response:
                method(self, uri, *arguments, **options)
            raise StoreError(f"{uri}: injected")

        return call

    for name in WRITES:
        monkeypatch.setattr(kind, name, faulty(getattr(kind, name)))

    failures = 0
    for number in range(100):
        place = f"{target}/{number}"
        parent = publish(place, old, build_id="old", date="2026-11-23")
        countdown[:] = [number]
        try:
            release = publish(place, new, parent=parent)
        except StoreError:
            failures += 1
            pointer = read_pointer(place)
            assert pointer is not None
            assert read_manifest(f"{place}/releases/{pointer.version}").version == pointer.version
        untouched = bool(countdown)
        countdown.clear()
        release = publish(place, new, parent=parent)
        assert contents(release) == expected
        pointer = read_pointer(place)
        assert pointer is not None
        assert (pointer.version, pointer.generation) == ("2026.11.24-1", 2)
        if untouched:
            break
    else:
        pytest.fail("the publish never got through")
    assert failures > 10


def test_a_damaged_file_of_the_parent_is_not_taken_over(
    target: str, publish: Any, make_program: Callable[[int], Program], tmp_path: Path
) -> None:
    parent = publish(target, [make_program(n) for n in range(12)], card=False)
    file = "programs/train-00000-of-00001.parquet"
    uri = f"{parent}/{file}"
    whole = read(uri)
    store_for(uri).write(uri, whole[:50] + bytes([whole[50] ^ 1]) + whole[51:])
    version = claim_version(target, "2026-11-25", "b")
    (entry,) = (e for e in read_manifest(parent).files if e.path == file)
    with pytest.raises(PublishError, match=rf"{file}: damaged"):
        stage_release(target, version, tmp_path, [Copy(uri, entry)])
    with pytest.raises(PublishError, match=rf"{file}: damaged"), published_file(uri, entry):
        pass


def test_what_another_attempt_published_meanwhile_stays(target: str, tmp_path: Path) -> None:
    version = claim_version(target, "2026-11-24", "a")
    release = release_uri(target, version)
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("first", "second"):
        (folder / name).write_text("of this attempt")
    store = type(store_for(target))
    upload = store.upload

    def publish_then(self: Any, uri: str, path: Path, **options: Any) -> Any:
        """Another attempt publishes its own files while this one is at its first."""
        store_for(uri).write(f"{release}/second", b"of the other attempt")
        store_for(uri).write(f"{release}/manifest.json", b"{}")
        return upload(self, uri, path, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("c2c_tasks.publishing.release.UPLOADS", 1)
        patch.setattr(store, "upload", publish_then)
        with pytest.raises(PublishError, match=r"second: .*a published release never changes"):
            stage_release(target, version, folder)
    assert read(f"{release}/second") == b"of the other attempt"


def test_a_claim_that_is_none_is_named(target: str) -> None:
    release = release_uri(target, "2026.11.24-1")
    assert claimed_by(release) is None
    for text in (b"", b"{}", b"[]", b'{"build_id": 1}'):
        store_for(release).write(f"{release}/claim.json", text)
        with pytest.raises(StoreError, match=r"claim\.json: not a claim"):
            claimed_by(release)


def test_publishers_at_once(
    target: str, publish: Any, make_program: Callable[[int], Program]
) -> None:
    def build(number: int) -> str:
        programs = [make_program(n) for n in range(number, number + 5)]
        return str(publish(target, programs, build_id=f"build-{number}"))

    with ThreadPoolExecutor(4) as pool:
        releases = list(pool.map(build, range(4)))
    assert len(set(releases)) == 4
    for number, release in enumerate(releases):
        manifest: Manifest = read_manifest(release)
        assert manifest.build_id == f"build-{number}"
        assert {e.path for e in manifest.files} <= set(contents(release))
    pointer = read_pointer(target)
    assert pointer is not None
    assert pointer.version == "2026.11.24-4"
