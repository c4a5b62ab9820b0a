from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

import pytest

from c2c_tasks.browsing.refusals import InvalidRequest, NothingThere
from c2c_tasks.browsing.releases import list_releases, open_kept_release, open_release
from c2c_tasks.consuming.listing import list_releases as all_releases
from c2c_tasks.publishing.release import TOMBSTONE, claim_version, release_uri
from c2c_tasks.records import Program
from c2c_tasks.store import StoreError, file_path, store_for

pytestmark = pytest.mark.usefixtures("deployment")
of_files = pytest.mark.parametrize("target", ["file"], indirect=True)


def test_pages_are_those_of_the_list(
    target: str, publish: Any, make_program: Callable[[int], Program]
) -> None:
    for day in range(1, 6):
        publish(target, [make_program(day)], date=f"2026-11-0{day}", build_id=str(day), card=False)
    claim_version(target, "2026-11-06", "under way")
    pages = [list_releases(None, page, 4) for page in (1, 2, 3)]
    assert [len(page["items"]) for page in pages] == [4, 2, 0]
    assert {page["total"] for page in pages} == {6}
    listed = [item for page in pages for item in page["items"]]
    assert [item["version"] for item in listed] == [r.version for r in all_releases(target)]
    assert listed[0]["states"] == ["incomplete"]
    assert listed[1]["states"] == ["latest"]
    assert listed[1]["programs"] == 1


def test_what_was_read_is_not_read_again(
    target: str, release: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = list_releases(None, 1, 10)

    def reading(cls: Any, data: bytes, **_: Any) -> Any:
        raise AssertionError(f"parsed again: {data[:50]!r}")

    monkeypatch.setattr(
        "c2c_tasks.publishing.manifest.Manifest.model_validate_json", classmethod(reading)
    )
    assert list_releases(None, 1, 10) == first
    assert open_release(None, release).manifest.version == release


@of_files
def test_a_release_that_was_made_anew_is_read_anew(
    target: str, publish: Any, make_program: Callable[[int], Program]
) -> None:
    version = publish(target, [make_program(1)], card=False).rpartition("/")[2]
    assert list_releases(None, 1, 10)["items"][0]["programs"] == 1
    shutil.rmtree(file_path(target))
    assert list_releases(None, 1, 10)["items"] == []
    again = publish(target, [make_program(n) for n in range(4)], card=False)
    assert again.endswith(version)
    assert list_releases(None, 1, 10)["items"][0]["programs"] == 4


@pytest.mark.parametrize(
    "version", ["", "latest", "..", "../..", "2026.11.24-1/..", "2026.11.24-0", "2026.11.24-1\n"]
)
@of_files
def test_a_version_is_a_version(target: str, release: str, version: str) -> None:
    with pytest.raises(InvalidRequest, match="not a version"):
        open_release(None, version)


def test_what_is_not_there_is_said(target: str, release: str) -> None:
    with pytest.raises(NothingThere, match=f"has no release 2026.11.24-7; it has {release}"):
        open_release(None, "2026.11.24-7")
    claim_version(target, "2026-11-25", "under way")
    with pytest.raises(NothingThere, match="staged by build under way and not complete"):
        open_release(None, "2026.11.25-1")


def test_a_retired_release_is_described_and_its_files_are_not(target: str, release: str) -> None:
    uri = release_uri(target, release)
    tombstone = f'{{"version": "{release}", "reason": "too old", "retired_at": "2026-12-01"}}'
    assert open_kept_release(None, release).tombstone is None
    store_for(uri).write(f"{uri}/{TOMBSTONE}", tombstone.encode())
    assert open_release(None, release).manifest.version == release
    with pytest.raises(NothingThere, match="retired on 2026-12-01: too old"):
        open_kept_release(None, release)


@of_files
def test_a_manifest_that_leads_out_of_the_release_is_refused(target: str, release: str) -> None:
    found = open_release(None, release)
    entry = found.manifest.files[0].model_copy(update={"path": "../../secret"})
    changed = found.manifest.model_copy(update={"files": [entry]})
    store_for(found.uri).write(f"{found.uri}/manifest.json", changed.to_json())
    with pytest.raises(StoreError, match="no file of the release"):
        open_release(None, release)


@of_files
@pytest.mark.parametrize(("page", "size"), [(0, 10), (-1, 10), (1, 0), (1, 101), (1, 10**9)])
def test_pages_have_bounds(target: str, page: int, size: int) -> None:
    with pytest.raises(InvalidRequest):
        list_releases(None, page, size)
