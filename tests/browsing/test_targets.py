from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from c2c_tasks.browsing.refusals import NothingThere
from c2c_tasks.browsing.targets import catalogue, known_target, list_targets
from c2c_tasks.catalogue import CatalogueError

pytestmark = pytest.mark.usefixtures("deployment")
of_files = pytest.mark.parametrize("target", ["file"], indirect=True)


def record(target: str) -> None:
    options: dict[str, Any] = {"date": "2026-11-24", "mode": "full", "config": {}}
    catalogue().record_build(target, "b", "failed", code_version="1", **options)


def test_targets_are_the_default_and_those_of_the_catalogue(
    target: str, release: str, tmp_path: Path
) -> None:
    other = (tmp_path / "other").as_uri()
    record(other)
    record(target)
    assert list_targets() == {
        "items": [
            {"uri": target, "default": True, "latest": release},
            {"uri": other, "default": False, "latest": None},
        ],
        "note": None,
    }
    assert known_target(None) == known_target("") == known_target(target) == target
    assert known_target(other) == other


@of_files
@pytest.mark.parametrize("uri", ["file:///etc", "file:///", "/etc", "s3://bucket", "x", "../x"])
def test_no_other_place_is_looked_into(target: str, uri: str) -> None:
    with pytest.raises(NothingThere, match="no such target"):
        known_target(uri)


@of_files
def test_without_the_catalogue_the_default_is_still_there(
    target: str, release: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("C2C_CATALOGUE", f"sqlite:///{tmp_path}/file/c.sqlite")
    found = list_targets()
    assert [item["uri"] for item in found["items"]] == [target]
    assert "catalogue does not answer" in found["note"]
    with pytest.raises(CatalogueError):
        known_target("file:///other")


@of_files
def test_a_target_that_cannot_be_read_does_not_hide_the_others(
    target: str, release: str, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "latest.json").write_text("not JSON")
    record(broken.as_uri())
    assert [item["latest"] for item in list_targets()["items"]] == [release, None]
