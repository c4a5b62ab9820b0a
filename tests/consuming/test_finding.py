from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from c2c_tasks.consuming.finding import find_release
from c2c_tasks.publishing.release import TOMBSTONE, PublishError, claim_version, release_uri
from c2c_tasks.records import Program
from c2c_tasks.store import StoreError, file_path, store_for

VERSION = "2026.11.24-1"


def test_a_release_has_many_names(
    target: str, publish: Any, make_program: Callable[[int], Program]
) -> None:
    for day in (23, 24):
        publish(target, [make_program(day)], date=f"2026-11-{day}", build_id=f"b{day}")
    for name in ("latest", VERSION, target, f"{target}/", release_uri(target, VERSION)):
        found = find_release(name, target)
        assert (found.uri, found.target) == (release_uri(target, VERSION), target)
        assert found.manifest.version == VERSION
    assert find_release("2026.11.23-1", target).manifest.build_id == "b23"


def test_the_target_is_c2c_target_where_none_is_given(
    release: str, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("C2C_TARGET", target)
    assert find_release("latest").uri == release


@pytest.mark.parametrize("target", ["file"], indirect=True)
def test_copies_are_found_by_path(release: str, target: str, tmp_path: Path) -> None:
    shutil.copytree(file_path(release), tmp_path / "copy")
    assert find_release(str(tmp_path / "copy")).target is None
    # A target that was copied has a pointer with the URI of where it was.
    shutil.copytree(file_path(target), tmp_path / "moved")
    shutil.rmtree(file_path(target))
    found = find_release("latest", str(tmp_path / "moved"))
    assert found.uri == (tmp_path / "moved" / "releases" / VERSION).as_uri()


def test_where_nothing_is_published(target: str) -> None:
    for name in ("latest", target):
        with pytest.raises(PublishError, match=f"^{re.escape(target)}: nothing is published here"):
            find_release(name, target)
    with pytest.raises(PublishError, match=r"has no release 2026.11.24-1; there is no release"):
        find_release(VERSION, target)


def test_an_unknown_version_names_those_that_are_there(release: str, target: str) -> None:
    for name in ("2026.11.24-9", release_uri(target, "2026.11.24-9")):
        with pytest.raises(PublishError, match=rf"has no release 2026.11.24-9; it has {VERSION}$"):
            find_release(name, target)


def test_a_staged_release_is_none_yet(release: str, target: str) -> None:
    assert claim_version(target, "2026-11-24", "under way") == "2026.11.24-2"
    for name in ("2026.11.24-2", release_uri(target, "2026.11.24-2")):
        with pytest.raises(PublishError, match="staged by build under way and not complete"):
            find_release(name, target)
    # The pointer of a target is what makes its latest release the latest.
    store_for(target).delete(f"{target}/latest.json")
    with pytest.raises(PublishError, match=f"nothing is published here; it has {VERSION}$"):
        find_release(target)


def test_a_retired_release_says_when_and_why(release: str, target: str) -> None:
    tombstone = {"version": VERSION, "reason": "a mistake", "retired_at": "2026-12-01T10:00:00Z"}
    store_for(release).write(f"{release}/{TOMBSTONE}", json.dumps(tombstone).encode())
    with pytest.raises(PublishError, match="retired on 2026-12-01T10:00:00Z: a mistake"):
        find_release(VERSION, target)
    found = find_release(VERSION, target, or_retired=True)
    assert found.tombstone is not None and found.manifest.version == VERSION


def test_what_is_no_manifest_is_said_in_one_line(release: str, target: str) -> None:
    for text in (b"{", b"[]", b'{"schema_version": 2}'):
        store_for(release).write(f"{release}/manifest.json", text)
        with pytest.raises(StoreError, match="not a manifest of schema version 1") as caught:
            _ = find_release(VERSION, target).manifest
        assert "\n" not in str(caught.value)
