"""The catalogue over SQLite."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from c2c_tasks.catalogue import Catalogue, CatalogueError, Release
from c2c_tasks.store import ObjectInfo


def release(version: str) -> Release:
    return Release(
        uri=f"file:///t/releases/{version}",
        target="file:///t",
        version=version,
        parent=None,
        build_id="b",
        config_digest="d",
        programs=3,
        config={"a": 1},
        funnel=[],
        indexed_at=datetime.now(UTC),
    )


def test_a_release_and_its_objects(tmp_path: Path) -> None:
    catalogue = Catalogue(f"sqlite:///{tmp_path}/folder/c.sqlite")
    first = release("2026.11.24-1")
    catalogue.record(first, [ObjectInfo("file:///a", "e1", 1), ObjectInfo("file:///b", "e2", 2)])
    catalogue.record(release("2026.11.24-1"), [ObjectInfo("file:///a", "e3", 3)])
    again = Catalogue(f"sqlite:///{tmp_path}/folder/c.sqlite")
    assert again.ingested("file:///t/releases/2026.11.24-1") == {"file:///a": ("e3", 3)}
    found = again.release("file:///t/releases/2026.11.24-1")
    assert found is not None and (found.programs, found.config) == (3, {"a": 1})
    assert again.release("file:///t/releases/other") is None


def test_unusable_database_is_named_without_its_password(tmp_path: Path) -> None:
    (tmp_path / "c.sqlite").write_text("this is not a database, by any means, at all" * 50)
    with pytest.raises(CatalogueError, match=r"c\.sqlite: file is not a database"):
        Catalogue(f"sqlite:///{tmp_path}/c.sqlite")


def test_objects_that_held_nothing_new_are_noted(tmp_path: Path) -> None:
    catalogue = Catalogue(f"sqlite:///{tmp_path}/c.sqlite")
    entry = release("2026.11.24-1")
    uri = entry.uri
    catalogue.record(
        entry, [ObjectInfo("file:///d/a", "1", 10), ObjectInfo("file:///d/b", "1", 20)]
    )
    for _ in range(2):
        catalogue.add_ingested(uri, [ObjectInfo("file:///d/b", "2", 21)])
    assert catalogue.ingested(uri) == {"file:///d/a": ("1", 10), "file:///d/b": ("2", 21)}
