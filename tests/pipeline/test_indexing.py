"""The catalogue and the manifests: what is entered, when, and from nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import create_engine, inspect, text
from typer.testing import CliRunner

from c2c_tasks.catalogue import Catalogue
from c2c_tasks.cli import app
from c2c_tasks.config import catalogue_url
from c2c_tasks.pipeline import Build, BuildError, NothingNew, run_build
from c2c_tasks.pipeline.indexing import index_latest, rebuild
from c2c_tasks.publishing.manifest import read_manifest
from c2c_tasks.store import StoreError, file_path, store_for

if TYPE_CHECKING:
    from tests.pipeline.conftest import MakeBuild

QUICK = {"inputs_per_function": 10, "refine_rounds": 0, "audit_programs": 1}
Tables = dict[str, list[dict[str, Any]]]


def tables(url: str) -> Tables:
    """Return every row of a catalogue but for its times, by table, in order."""
    engine = create_engine(url)
    found = {}
    with engine.connect() as connection:
        for name in sorted(inspect(connection).get_table_names()):
            rows = connection.execute(text(f"SELECT * FROM {name}")).mappings()
            found[name] = sorted(
                ({k: v for k, v in row.items() if not k.endswith("_at")} for row in rows),
                key=str,
            )
    return found


@pytest.fixture
def nights(make_build: MakeBuild, small_dump: Path, workspace: Path) -> Build:
    """Five nights: two that add, one without anything new, one that fails, one built anew."""
    dump = workspace / "growing"
    dump.mkdir()
    for name in ("colorsys", "bisect"):
        shutil.copy(small_dump / f"{name}.py", dump)

    def night(build_id: str, day: int, **more: Any) -> Build:
        return make_build(build_id, f"2026-11-{day}", dump=str(dump), **QUICK | more)

    run_build(night("one", 20))
    (dump / "renamed.py").write_bytes((dump / "colorsys.py").read_bytes())
    with pytest.raises(NothingNew):
        run_build(night("two", 21))
    with pytest.raises(BuildError):
        run_build(night("three", 22, max_cases=7))
    shutil.copy(small_dump / "textwrap.py", dump)
    run_build(night("four", 23))
    return night("five", 24, mode="full")


def test_builds_are_entered_with_what_came_of_them(nights: Build) -> None:
    catalogue = Catalogue(catalogue_url())
    target = nights.config.publishing.target
    builds = {build.build_id: build for build in catalogue.builds(target)}
    assert {name: build.state for name, build in builds.items()} == {
        "one": "published",
        "two": "nothing_new",
        "three": "failed",
        "four": "published",
    }
    assert "other options (max_cases)" in str(builds["three"].message)
    assert builds["four"].release_uri == f"{target}/releases/2026.11.23-1"
    assert all(build.started_at and build.ended_at for build in builds.values())
    # Reports add up to the funnel of the manifest, and are there of builds without a release.
    funnel = read_manifest(str(builds["one"].release_uri)).funnel
    rows: dict[str, int] = {}
    for report in catalogue.reports(target, "one"):
        for stage in report.stages:
            rows[stage["name"]] = rows.get(stage["name"], 0) + stage["rows_out"]
    assert rows == {stage.name: stage.rows_out for stage in funnel}
    assert {r.step for r in catalogue.reports(target, "two")} == {"extract", "merge_functions"}
    numbers = [(r.version, r.parent, r.number) for r in catalogue.releases(target)]
    assert numbers == [("2026.11.20-1", None, 1), ("2026.11.23-1", "2026.11.20-1", 2)]


@pytest.mark.parametrize("anew", [False, True], ids=["a chain", "built anew"])
def test_a_catalogue_that_is_rebuilt_is_what_it_was(
    nights: Build, workspace: Path, monkeypatch: pytest.MonkeyPatch, anew: bool
) -> None:
    if anew:
        run_build(nights)
    target = nights.config.publishing.target
    before = tables(catalogue_url())
    since = {row["uri"].rpartition("/")[2]: row["since"] for row in before["ingested_objects"]}
    assert since == dict.fromkeys(since, "2026.11.24-1") | ({} if anew else {
        "bisect.py": "2026.11.20-1", "colorsys.py": "2026.11.20-1",
        "renamed.py": "2026.11.23-1", "textwrap.py": "2026.11.23-1",
    })  # fmt: skip
    rebuild(Catalogue(catalogue_url()), target)
    assert tables(catalogue_url()) == before

    # From nothing, what releases do not tell is missing, and nothing else.
    monkeypatch.setenv("C2C_CATALOGUE", f"sqlite:///{workspace / 'other.sqlite'}")
    result = CliRunner().invoke(app, ["catalogue", "rebuild", target])
    assert result.exit_code == 0, result.output
    assert f"{3 if anew else 2} releases of {target}" in result.output
    assert "step reports" in result.output
    expected = before | {"reports": []}
    expected["builds"] = [row for row in before["builds"] if row["state"] == "published"]
    assert tables(catalogue_url()) == expected


@pytest.mark.s3
def test_a_catalogue_is_rebuilt_from_releases_in_s3(
    nights: Build, s3_bucket: str, workspace: Path
) -> None:
    here = nights.config.publishing.target
    there = f"{s3_bucket}/target"
    folder = file_path(here)
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            uri = f"{there}/{path.relative_to(folder).as_posix()}"
            store_for(uri).upload(uri, path)
    catalogue = Catalogue(f"sqlite:///{workspace / 'other.sqlite'}")
    rebuild(catalogue, there)
    known = Catalogue(catalogue_url())
    entries = [(r.version, r.number, r.programs, r.funnel) for r in catalogue.releases(there)]
    assert entries == [(r.version, r.number, r.programs, r.funnel) for r in known.releases(here)]
    version = entries[-1][0]
    objects = catalogue.ingested(there, f"{there}/releases/{version}")
    assert objects and objects == known.ingested(here, f"{here}/releases/{version}")


def test_a_lost_catalogue_is_filled_by_the_next_plan(nights: Build) -> None:
    before = tables(catalogue_url())
    (target,) = {row["uri"] for row in before["targets"]}
    Path(catalogue_url().removeprefix("sqlite:///")).unlink()
    index_latest(Catalogue(catalogue_url()), target)
    after = tables(catalogue_url())
    assert after["ingested_objects"] == before["ingested_objects"]
    assert after["releases"] == before["releases"]


@pytest.mark.slow
def test_a_target_whose_pointer_was_lost_is_not_begun_anew(nights: Build) -> None:
    target = nights.config.publishing.target
    pointer = file_path(f"{target}/latest.json")
    was = pointer.read_bytes()
    pointer.unlink()
    source = nights.config.source.model_copy(update={"mode": "incremental"})
    config = nights.config.model_copy(update={"source": source})
    with pytest.raises(
        BuildError, match=r"latest\.json: missing, though release 2026\.11\.23-1 is"
    ):
        run_build(Build("six", "2026-11-25", config))
    pointer.write_bytes(was)
    with pytest.raises(NothingNew):
        run_build(Build("seven", "2026-11-25", config))


def test_the_objects_of_a_target_that_was_made_anew_are_not_those_of_the_old(
    make_build: MakeBuild, small_dump: Path, workspace: Path
) -> None:
    for build_id, module in (("old", "colorsys"), ("new", "bisect")):
        run_build(make_build(build_id, dump=str(small_dump / f"{module}.py"), **QUICK))
        target = make_build().config.publishing.target
        entry = index_latest(Catalogue(catalogue_url()), target)
        assert entry is not None
        assert (entry.version, entry.build_id) == ("2026.11.24-1", build_id)
        objects = Catalogue(catalogue_url()).ingested(target, entry.uri)
        assert objects is not None
        assert [uri.rpartition("/")[2] for uri in objects] == [f"{module}.py"]
        shutil.rmtree(file_path(target))


def test_builds_and_releases_are_listed(nights: Build) -> None:
    target = nights.config.publishing.target

    def listed(*arguments: str) -> list[dict[str, Any]]:
        result = CliRunner().invoke(app, ["catalogue", *arguments, "--json"])
        assert result.exit_code == 0, result.output
        return [json.loads(line) for line in result.output.splitlines()]

    builds = listed("builds", target)
    assert [row["build"] for row in builds] == ["four", "three", "two", "one"]
    assert [row["release"] for row in builds] == ["2026.11.23-1", None, None, "2026.11.20-1"]
    assert builds[0]["programs"] > builds[3]["programs"] > 0 and builds[0]["seconds"] >= 0
    assert listed("builds", "--limit", "1") == builds[:1]
    assert [row["latest"] for row in listed("releases")] == [True, False]
    table = CliRunner().invoke(app, ["catalogue", "builds"], env={"COLUMNS": "300"}).output
    assert "nothing_new" in table and "other options" in table and "2026-11-23" in table
    assert listed("builds", "/nowhere") == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rebuild", "/nowhere"], "/nowhere: no release is published here"),
        (["rebuild", "http://a/b"], "scheme must be file:// or s3://"),
        (["rebuild", "s3://"], "names no bucket"),
    ],
)
def test_a_wrong_target_gives_one_line(arguments: list[str], message: str, workspace: Path) -> None:
    result = CliRunner().invoke(app, ["catalogue", *arguments])
    assert result.exit_code == 1
    (line,) = str(result.exception or result.output).splitlines()
    assert line.startswith("c2c: ") and message in line
    assert not isinstance(result.exception, StoreError)
