"""The catalogue over SQLite and PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, text

from c2c_tasks.catalogue import Catalogue, CatalogueError
from c2c_tasks.shards import StepReport
from c2c_tasks.store import ObjectInfo
from tests.catalogue.history import History

if TYPE_CHECKING:
    from tests.catalogue.conftest import MakeRelease

TARGET = "file:///t"
FIRST = "file:///t/releases/2026.11.24-1"
SECOND = "file:///t/releases/2026.11.25-1"


def since(url: str) -> dict[str, str | None]:
    """Return, of each object, since which version it is what it is."""
    query = text("SELECT uri, since FROM ingested_objects")
    with create_engine(url).connect() as connection:
        return dict(tuple(row) for row in connection.execute(query))


def test_a_release_and_its_objects(url: str, make_release: MakeRelease) -> None:
    catalogue = Catalogue(url)
    objects = [ObjectInfo("file:///a", "e1", 1), ObjectInfo("file:///b", "e2", 2)]
    assert catalogue.record_latest(make_release("2026.11.24-1"), objects, over=None)
    objects = [ObjectInfo("file:///a", "e3", 3)]
    assert catalogue.record_latest(make_release("2026.11.24-1"), objects, over=None)
    again = Catalogue(url)
    assert again.ingested(TARGET, FIRST) == {"file:///a": ("e3", 3)}
    found = again.release(FIRST)
    assert found is not None and (found.programs, found.config) == (3, {"a": 1})
    assert again.release(SECOND) is None
    assert [release.uri for release in again.releases(TARGET)] == [FIRST]
    assert again.releases("file:///other") == []


def test_objects_are_those_of_one_release_and_tell_since_when(
    url: str, make_release: MakeRelease
) -> None:
    catalogue = Catalogue(url)
    first = [ObjectInfo("same", "1", 1), ObjectInfo("changed", "1", 1), ObjectInfo("gone", "1", 1)]
    second = [ObjectInfo("same", "1", 1), ObjectInfo("changed", "2", 1), ObjectInfo("new", "1", 1)]
    catalogue.record_latest(make_release("2026.11.24-1"), first, over=None, generation=1)
    child = make_release("2026.11.25-1", parent="2026.11.24-1")
    assert catalogue.record_latest(child, second, over=FIRST, generation=2)
    assert catalogue.ingested(TARGET, FIRST) is None
    assert catalogue.ingested(TARGET, SECOND) == {o.uri: (o.etag, o.size) for o in second}
    assert since(url) == {"same": "2026.11.24-1", "changed": "2026.11.25-1", "new": "2026.11.25-1"}
    target = catalogue.target(TARGET)
    assert target is not None and (target.release_uri, target.generation) == (SECOND, 2)

    # Built anew, of the same objects: nothing of the chain before is left.
    assert catalogue.record_latest(make_release("2026.11.26-1"), second, over=None, generation=3)
    assert set(since(url).values()) == {"2026.11.26-1"}


def test_a_release_over_one_whose_objects_are_not_known_is_refused(
    url: str, make_release: MakeRelease
) -> None:
    catalogue = Catalogue(url)
    catalogue.record_latest(make_release("2026.11.24-1"), [ObjectInfo("a", "1", 1)], over=None)
    child = make_release("2026.11.26-1", parent="2026.11.25-1")
    assert not catalogue.record_latest(child, [ObjectInfo("b", "1", 1)], over=SECOND)
    assert catalogue.release(child.uri) is None
    assert catalogue.ingested(TARGET, FIRST) == {"a": ("1", 1)}


def test_targets_keep_their_objects_apart(url: str, make_release: MakeRelease) -> None:
    catalogue = Catalogue(url)
    for target, etag in (("file:///t", "1"), ("file:///u", "2")):
        release = make_release("2026.11.24-1", target)
        catalogue.record_latest(release, [ObjectInfo("file:///a", etag, 1)], over=None)
    assert catalogue.ingested("file:///t", FIRST) == {"file:///a": ("1", 1)}
    other = "file:///u/releases/2026.11.24-1"
    assert catalogue.ingested("file:///u", other) == {"file:///a": ("2", 1)}
    assert catalogue.ingested("file:///t", other) is None
    catalogue.forget_releases("file:///t")
    assert catalogue.releases("file:///t") == [] and catalogue.release(other) is not None
    assert catalogue.ingested("file:///u", other) == {"file:///a": ("2", 1)}


def test_objects_that_held_nothing_new_are_noted(url: str, make_release: MakeRelease) -> None:
    catalogue = Catalogue(url)
    objects = [ObjectInfo("file:///d/a", "1", 10), ObjectInfo("file:///d/b", "1", 20)]
    catalogue.record_latest(make_release("2026.11.24-1"), objects, over=None)
    for _ in range(2):
        noted = [objects[0], ObjectInfo("file:///d/b", "2", 21)]
        assert catalogue.add_ingested(TARGET, FIRST, noted)
    assert not catalogue.add_ingested(TARGET, SECOND, [ObjectInfo("file:///d/c", "2", 21)])
    known = {"file:///d/a": ("1", 10), "file:///d/b": ("2", 21)}
    assert catalogue.ingested(TARGET, FIRST) == known
    assert since(url) == {"file:///d/a": "2026.11.24-1", "file:///d/b": None}
    # The next release is built from them, too: what is then known is what its files say.
    child = make_release("2026.11.25-1", parent="2026.11.24-1")
    listed = [ObjectInfo(uri, *version) for uri, version in known.items()]
    catalogue.record_latest(child, listed, over=FIRST)
    assert since(url) == {"file:///d/a": "2026.11.24-1", "file:///d/b": "2026.11.25-1"}
    # What is gone, and held nothing, is forgotten.
    assert catalogue.add_ingested(TARGET, SECOND, listed[:1])
    assert since(url) == {"file:///d/a": "2026.11.24-1"}


def test_names_of_objects_may_be_as_long_as_s3_has_them(
    url: str, make_release: MakeRelease
) -> None:
    objects = [ObjectInfo("s3://bucket/" + "ключ" * 128 + "%'\"\n", "e", 1 << 40)]
    objects.append(ObjectInfo("s3://bucket/" + "k" * 1_024, "e", 0))
    catalogue = Catalogue(url)
    catalogue.record_latest(make_release("2026.11.24-1"), objects, over=None)
    assert catalogue.ingested(TARGET, FIRST) == {o.uri: (o.etag, o.size) for o in objects}


OBJECTS = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from("12"))


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from(["release", "anew", "note"]), OBJECTS), max_size=6))
def test_any_history_leaves_what_its_last_release_and_the_notes_after_say(
    steps: list[tuple[str, dict[str, str]]],
) -> None:
    history = History()
    for kind, objects in steps:
        history.take(kind, objects)
        history.check()


def test_builds_and_their_reports(url: str) -> None:
    catalogue = Catalogue(url)

    def record(build_id: str, state: str, **more: object) -> None:
        fields = {"date": "2026-11-24", "mode": "full", "config": {"a": 1}, "code_version": "1"}
        catalogue.record_build(TARGET, build_id, state, **fields | more)  # type: ignore[arg-type]

    report = StepReport("extract", "file:///w/part-00000.parquet", seconds=1.5)
    report.stage("functions", "functions").drop("too_short", 4)
    report.count("files", 2)
    catalogue.record_reports(TARGET, "one", [report])  # of a build that is not known
    assert catalogue.reports(TARGET, "one") == []
    record("one", "planned")
    record("one", "failed", message="no such file")
    record("one", "running")
    (build,) = catalogue.builds(TARGET)
    assert (build.state, build.message, build.ended_at) == ("running", None, None)
    for _ in range(2):
        catalogue.record_reports(TARGET, "one", [report])
    (entry,) = catalogue.reports(TARGET, "one")
    assert entry.stages[0]["dropped"] == {"too_short": 4}
    assert (entry.seconds, entry.counters) == (1.5, {"files": 2})

    record("one", "published", release_uri=FIRST)
    record("one", "failed", message="it has published already")
    record("two", "published", release_uri=SECOND, timed=False)
    record("one", "published", timed=False)
    states = {b.build_id: (b.state, b.release_uri) for b in catalogue.builds()}
    assert states == {"one": ("published", FIRST), "two": ("published", SECOND)}
    assert [b.build_id for b in catalogue.builds(limit=1)] == ["one"]
    assert [b.state for b in catalogue.builds_named("one")] == [states["one"][0]]
    assert catalogue.builds_named("none") == []


def test_a_database_that_cannot_be_used_is_named_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "c.sqlite").write_text("this is not a database, by any means, at all" * 50)
    with pytest.raises(CatalogueError, match=r"c\.sqlite: file is not a database$"):
        Catalogue(f"sqlite:///{tmp_path}/c.sqlite")
    with pytest.raises(CatalogueError) as caught:
        Catalogue("postgresql+psycopg://me:secret@127.0.0.1:1/none")
    assert "secret" not in str(caught.value) and "\n" not in str(caught.value)
    with pytest.raises(CatalogueError, match="not an SQLAlchemy URL"):
        Catalogue("catalogue.sqlite")
