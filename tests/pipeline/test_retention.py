"""What retention removes, and what it never does."""

from __future__ import annotations

import json
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from sqlalchemy import create_engine, text

from c2c_tasks.catalogue import Catalogue
from c2c_tasks.config import catalogue_url, work_area
from c2c_tasks.pipeline import NothingNew, old_releases, retention, work_areas
from c2c_tasks.publishing.manifest import read_manifest
from c2c_tasks.publishing.pins import pin
from c2c_tasks.publishing.pointer import read_pointer
from c2c_tasks.publishing.release import PublishError, claim_version, release_uri
from c2c_tasks.publishing.retired import Tombstone
from c2c_tasks.publishing.withdrawal import retire, roll_back
from c2c_tasks.store import file_path, store_for
from tests.pipeline.nights import ONE, THREE, TWO, Nights


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Lets days pass, for the clocks of stores and of this machine."""
    real = work_areas.store_time

    def days_later(days: int) -> None:
        def store_time(place: str) -> Any:
            return real(place) + timedelta(days=days)

        for module in (work_areas, retention):
            monkeypatch.setattr(module, "store_time", store_time)
        with closing(create_engine(catalogue_url()).connect()) as connection:
            for column in ("started_at", "ended_at"):
                connection.execute(
                    text(f"UPDATE builds SET {column} = datetime({column}, '-{days} days')")
                )
            connection.commit()

    return days_later


def set_state(build_id: str, state: str) -> None:
    with closing(create_engine(catalogue_url()).connect()) as connection:
        statement = text("UPDATE builds SET state = :state WHERE build_id = :build")
        connection.execute(statement, {"state": state, "build": build_id})
        connection.commit()


def snapshot(folder: Path) -> set[str]:
    files = {str(path) for path in folder.rglob("*") if path.is_file()}
    return {path for path in files if "catalogue.sqlite" not in path}


def work_folders() -> set[str]:
    return {path.name for path in file_path(work_area()).iterdir()}


@pytest.mark.slow
def test_what_is_kept_stays_whole_and_the_next_night_adds_to_it(
    three_nights: Nights,
    later: Callable[[int], None],
    small_dump: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    pin(three_nights.target, ONE, "cited")
    latest = three_nights.programs(THREE)
    later(30)
    before = snapshot(three_nights.folder)
    with caplog.at_level(logging.INFO):
        planned = three_nights.retain(1, dry_run=True)
    assert snapshot(three_nights.folder) == before
    assert (
        f"would remove {release_uri(three_nights.target, TWO)}: retention: older than"
        in caplog.text
    )
    done = three_nights.retain(1)
    assert done.removals == planned.removals
    assert done.counts()["release"] == 1 and done.counts()["work_area"] == 3
    freed = len(before) - len(snapshot(three_nights.folder)) + 1  # the tombstone is new
    assert sum(removal.files for removal in done.removals) == freed
    assert three_nights.retired() == [TWO] and work_folders() == set()
    known = Catalogue(catalogue_url()).releases(three_nights.target)
    assert [entry.version for entry in known if entry.retired] == [TWO]
    for version in (ONE, THREE):
        three_nights.check(version)
    assert three_nights.retain(1).removals == []

    shutil.copy(small_dump / "calendar.py", three_nights.dump)
    fourth = three_nights.build(23)
    manifest = read_manifest(release_uri(three_nights.target, fourth))
    assert (manifest.parent, manifest.build_number) == (THREE, 4)
    assert three_nights.programs(fourth) > latest
    three_nights.check(fourth)

    # The lists of objects of what was retired are gone: a new catalogue begins after it.
    Path(catalogue_url().removeprefix("sqlite:///")).unlink()
    with pytest.raises(NothingNew):
        three_nights.build(24)
    # It knows of no build, and leaves their work areas alone.
    assert three_nights.retain(1, dry_run=True).counts().keys() == {"release", "bytes"}


def test_all_releases_are_kept_unless_a_number_is_given(
    three_nights: Nights, later: Callable[[int], None]
) -> None:
    later(400)
    assert set(three_nights.retain(0).counts()) == {"work_area", "bytes"}
    assert set(three_nights.retain(3).counts()) == {"bytes"}
    assert three_nights.retired() == []


def test_withdrawn_releases_do_not_push_good_ones_out(three_nights: Nights) -> None:
    roll_back(three_nights.target, TWO)
    three_nights.retain(2)
    assert three_nights.retired() == []
    three_nights.retain(1)
    assert three_nights.retired() == [ONE]  # and not THREE, which is newer than what is kept
    three_nights.check(TWO)
    three_nights.build(25)
    three_nights.retain(1)
    assert three_nights.retired() == [ONE, TWO, THREE]


@pytest.mark.s3
def test_nothing_is_retired_where_conditional_writes_do_not_hold(
    in_s3: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    def careless(store: Any, uri: str, data: bytes, etag: str) -> Any:
        return store.write(uri, data)

    monkeypatch.setattr(type(store_for(in_s3.target)), "replace", careless)
    with pytest.raises(PublishError, match="ignores `If-Match`"):
        in_s3.retain(1)
    assert in_s3.retired() == []
    assert in_s3.retain(1, dry_run=True).counts()["release"] == 2
    assert in_s3.retain(1, conditional_writes="catalogue").counts()["release"] == 2


def test_a_stray_tombstone_takes_nothing_from_what_is_kept(
    three_nights: Nights, later: Callable[[int], None], caplog: pytest.LogCaptureFixture
) -> None:
    pin(three_nights.target, ONE)
    for version in (ONE, THREE):
        tombstone = Tombstone(version=version, reason="by hand", retired_at="2026-11-24")
        path = file_path(release_uri(three_nights.target, version)) / "retired.json"
        path.write_text(tombstone.model_dump_json())
    later(10)
    before = snapshot(file_path(three_nights.target))
    planned = three_nights.retain(dry_run=True).removals
    assert three_nights.retain().removals == planned
    assert snapshot(file_path(three_nights.target)) == before
    assert f"{release_uri(three_nights.target, THREE)}: kept, although" in caplog.text
    known = Catalogue(catalogue_url()).releases(three_nights.target)
    assert not any(entry.retired for entry in known)


def test_a_release_that_its_build_has_not_pointed_to_yet_is_kept(three_nights: Nights) -> None:
    roll_back(three_nights.target, ONE)
    pointer = read_pointer(three_nights.target)
    assert pointer is not None
    two = pointer.model_copy(update={"withdrawn": []})
    store_for(three_nights.target).write(f"{three_nights.target}/latest.json", two.to_json())
    assert "release" not in three_nights.retain(1).counts()


def test_builds_that_have_not_ended_keep_what_they_need(
    three_nights: Nights, later: Callable[[int], None]
) -> None:
    later(10)
    for build_id, state in (("night-22", "failed"), ("night-21", "running")):
        set_state(build_id, state)
    (file_path(work_area()) / "unknown").mkdir()
    (file_path(work_area()) / "unknown" / "file").touch()
    three_nights.retain(1)
    # They add to the other two releases.
    assert three_nights.retired() == []
    assert work_folders() == {"night-21", "night-22", "unknown"}
    later(15)
    assert three_nights.retain(1, keep_failed_days=20).counts()["bytes"] == 0
    three_nights.retain(1, keep_failed_days=14)
    assert three_nights.retired() == [ONE, TWO]
    assert work_folders() == {"unknown"}


def test_the_work_area_of_a_build_that_was_touched_again_stays(
    three_nights: Nights, later: Callable[[int], None]
) -> None:
    later(2)
    path = file_path(work_area()) / "night-20" / "plan" / "plan.json"
    tomorrow = time.time() + 2 * 86_400
    os.utime(path, (tomorrow, tomorrow))
    three_nights.retain()
    assert work_folders() == {"night-20"}


def test_the_work_area_of_a_build_that_goes_on_at_the_last_moment_stays(
    three_nights: Nights, later: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    later(2)
    remove = work_areas.WorkArea.remove

    def cleared_meanwhile(area: Any) -> Any:
        set_state("night-21", "running")
        return remove(area)

    monkeypatch.setattr(work_areas.WorkArea, "remove", cleared_meanwhile)
    three_nights.retain()
    assert work_folders() == {"night-21"}


def test_plans_and_reports_of_older_versions_stop_nothing(three_nights: Nights) -> None:
    set_state("night-22", "failed")
    area = file_path(work_area()) / "night-22"
    for name, drop in (
        ("plan/plan.json", ["order_of"]),
        ("audit/report.json", ["facts", "ledger"]),
    ):
        content = json.loads((area / name).read_text())
        *folders, last = drop
        for folder in folders:
            content[folder].pop(last)
        if not folders:
            del content[last]
        (area / name).write_text(json.dumps(content))
    (file_path(three_nights.target) / "ledger" / "old.parquet").touch()
    os.utime(file_path(three_nights.target) / "ledger" / "old.parquet", (1, 1))
    assert three_nights.retain(1).counts()["release"] == 1  # night-22 adds to TWO


def test_a_thing_that_is_no_claim_stops_nothing(
    three_nights: Nights, later: Callable[[int], None], caplog: pytest.LogCaptureFixture
) -> None:
    for version, claim in (("2026.11.18-1", ""), ("2026.11.19-1", '{"build_id": "gone"}')):
        folder = file_path(release_uri(three_nights.target, version))
        folder.mkdir()
        (folder / "claim.json").write_text(claim)
        (folder / "README.md").touch()
    later(30)
    removals = [r for r in three_nights.retain().removals if r.kind == "staged_release"]
    assert [removal.uri.rpartition("/")[2] for removal in removals] == ["2026.11.19-1"]
    assert "2026.11.18-1/claim.json: not a claim of a build" in caplog.text


def test_ledger_files_that_no_release_names_are_removed(
    three_nights: Nights, later: Callable[[int], None]
) -> None:
    ledger = file_path(three_nights.target) / "ledger"
    orphan = ledger / f"{'0' * 64}.parquet"
    orphan.write_bytes(b"rows of a build that failed")
    named = {path.name for path in ledger.iterdir()} - {orphan.name}
    later(6)
    assert "ledger_file" not in three_nights.retain().counts()
    later(8)
    result = three_nights.retain()
    assert [r.uri for r in result.removals if r.kind == "ledger_file"] == [orphan.as_uri()]
    assert {path.name for path in ledger.iterdir()} == named

    # Those that only withdrawn and retired releases name.
    roll_back(three_nights.target, ONE)
    for version in (TWO, THREE):
        retire(three_nights.target, version, "mistake")
    planned = three_nights.retain(dry_run=True)
    kinds = {removal.kind for removal in planned.removals}
    assert kinds == {"ledger_file"} and three_nights.retain().removals == planned.removals
    left = {f"ledger/{path.name}" for path in ledger.iterdir()}
    assert left == {e.path for e in read_manifest(release_uri(three_nights.target, ONE)).ledger}
    three_nights.check(ONE)
    three_nights.build(25)


def test_a_ledger_file_that_is_named_at_the_last_moment_stays(
    three_nights: Nights, later: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    later(8)
    manifest = file_path(release_uri(three_nights.target, THREE)) / "manifest.json"
    text = manifest.read_bytes()
    manifest.unlink()
    remove = old_releases.Ledger.remove

    def commit_first(self: Any, files: Any) -> Any:
        manifest.write_bytes(text)
        return remove(self, files)

    monkeypatch.setattr(old_releases.Ledger, "remove", commit_first)
    assert "ledger_file" not in three_nights.retain().counts()
    three_nights.check(THREE)


def test_many_ledger_files_are_removed_with_few_looks(
    three_nights: Nights, later: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    orphans = [file_path(three_nights.target) / "ledger" / f"{n}.parquet" for n in range(150)]
    for path in orphans:
        path.touch()
    later(8)
    kind = type(store_for(three_nights.target))
    head, asked = kind.head, []

    def counted(store: Any, uri: str) -> Any:
        asked.append(uri.rpartition("/")[2])
        return head(store, uri)

    monkeypatch.setattr(kind, "head", counted)
    assert three_nights.retain().counts()["ledger_file"] == 150
    assert not any(path.exists() for path in orphans)
    assert asked.count("manifest.json") == 6  # of each release at the start, and by the ledger


def test_a_build_that_waits_to_be_published_keeps_its_files(
    three_nights: Nights, later: Callable[[int], None]
) -> None:
    """It was audited, and then its publishing failed for days."""
    release = file_path(release_uri(three_nights.target, THREE))
    text = (release / "manifest.json").read_bytes()
    (release / "manifest.json").unlink()
    roll_back(three_nights.target, TWO)
    set_state("night-22", "failed")
    later(10)
    assert three_nights.retain().counts().keys() == {"work_area", "bytes"}
    (release / "manifest.json").write_bytes(text)
    three_nights.check(THREE)

    (release / "manifest.json").unlink()
    later(20)
    counts = three_nights.retain().counts()
    assert (counts["staged_release"], counts["work_area"], counts["ledger_file"]) == (1, 1, 1)
    assert {path.name for path in release.iterdir()} == {"claim.json"}
    assert claim_version(three_nights.target, "2026-11-22", "another") == "2026.11.22-2"
    assert three_nights.retain().removals == []


@pytest.mark.parametrize("at", range(0, 40, 3))
def test_a_run_that_is_cut_off_is_ended_by_the_next(
    three_nights: Nights, later: Callable[[int], None], at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    later(30)
    kind = type(store_for(three_nights.target))
    delete, calls = kind.delete, iter(range(1_000))

    class Killed(BaseException):
        pass

    def cut_off(self: Any, uri: str) -> None:
        if "/.clock-" not in uri and next(calls) >= at:
            raise Killed
        delete(self, uri)

    with monkeypatch.context() as patch:
        patch.setattr(kind, "delete", cut_off)
        with pytest.raises(Killed):
            three_nights.retain(1)
    three_nights.check(THREE)
    three_nights.retain(1)
    assert three_nights.retired() == [ONE, TWO] and work_folders() == set()
    kept = {"claim.json", "manifest.json", "retired.json"}
    for version in (ONE, TWO):
        folder = file_path(release_uri(three_nights.target, version))
        assert {path.name for path in folder.iterdir()} == kept
    assert three_nights.retain(1).removals == []


def test_a_retirement_that_was_only_decided_is_carried_out(three_nights: Nights) -> None:
    pointer = read_pointer(three_nights.target)
    assert pointer is not None
    marked = pointer.model_copy(update={"retiring": {ONE: "asked for"}})
    store_for(three_nights.target).write(f"{three_nights.target}/latest.json", marked.to_json())
    result = three_nights.retain()
    assert [(r.kind, r.reason) for r in result.removals] == [("release", "asked for")]
    assert three_nights.retired() == [ONE]
    assert read_pointer(three_nights.target) == pointer.model_copy(
        update={"changes": pointer.changes + 1}
    )


def test_writes_that_were_broken_off_are_removed(
    three_nights: Nights, later: Callable[[int], None]
) -> None:
    paths = [
        file_path(place) / "deep" / ".c2c-abcd" for place in (three_nights.target, work_area())
    ]
    for path in paths:
        path.parent.mkdir()
        path.write_bytes(b"half")
    assert three_nights.retain().removals == []
    later(2)
    removals = [r for r in three_nights.retain().removals if r.kind == "unfinished_write"]
    assert [removal.uri for removal in removals] == [path.as_uri() for path in paths]
    assert not any(path.exists() for path in paths)


def test_a_probe_of_the_clock_that_was_broken_off_is_removed(
    three_nights: Nights, later: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(work_areas, "delete_files", lambda uris, folder: None)
        three_nights.retain(dry_run=True)
    assert three_nights.retain().removals == []
    later(2)
    assert three_nights.retain().counts()["unfinished_write"] >= 2
    assert not list(three_nights.folder.rglob(".clock-*"))
    assert work_folders() == set()


def test_nothing_is_made_where_nothing_is(workspace: Path) -> None:
    assert Nights(workspace).retain(1).counts() == {"bytes": 0}
    assert not (workspace / "target").exists() and not (workspace / "work").exists()


@pytest.fixture
def in_s3(three_nights: Nights, s3_bucket: str) -> Iterator[Nights]:
    """The target of the three nights, in a bucket."""
    folder = file_path(three_nights.target)
    three_nights.target = f"{s3_bucket}/target"
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.startswith(".c2c-"):
            uri = f"{three_nights.target}/{path.relative_to(folder).as_posix()}"
            store_for(uri).upload(uri, path)
    yield three_nights


@pytest.mark.s3
def test_retention_in_s3(in_s3: Nights, later: Callable[[int], None]) -> None:
    target = in_s3.target
    store = store_for(target)
    pin(target, ONE)
    claim_version(target, "2026-11-19", "gone")
    store.write(f"{target}/releases/2026.11.19-1/README.md", b"half of a release")
    store.write(f"{target}/ledger/{'0' * 64}.parquet", b"rows")
    bucket = target.split("/")[2]
    client = boto3.client("s3")
    for key in ("target/releases/2026.11.22-1/x.parquet", "elsewhere/x.parquet"):
        client.create_multipart_upload(Bucket=bucket, Key=key)
    freed = sum(entry.bytes for entry in read_manifest(release_uri(target, TWO)).files)
    # This server says of every upload that it was begun in 2010.
    expected = {"release": 1, "unfinished_write": 1, "bytes": freed}
    assert in_s3.retain(1, dry_run=True).counts() == expected
    assert in_s3.retain(1).counts() == expected
    later(30)
    before = [info.uri for info in store.list(target)]
    planned = in_s3.retain(1, dry_run=True)
    assert [info.uri for info in store.list(target)] == before
    done = in_s3.retain(1)
    assert done.removals == planned.removals
    # The work areas are those of builds of another target.
    assert {removal.kind for removal in done.removals} == {
        *("staged_release", "ledger_file"),
    }
    (upload,) = client.list_multipart_uploads(Bucket=bucket)["Uploads"]
    assert upload["Key"] == "elsewhere/x.parquet"
    assert in_s3.retired() == [TWO]
    for version in (ONE, THREE):
        in_s3.check(version)
    assert in_s3.retain(1).removals == []
