"""The whole build: the same bytes however it is cut, added to night by night, from S3 to S3."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from c2c_tasks.pipeline import (
    Build,
    BuildError,
    NothingNew,
    audit,
    compose,
    curate,
    execute,
    extract,
    merge_functions,
    merge_programs,
    plan,
    publish,
    run_build,
    write_inputs,
)
from c2c_tasks.publishing.data_files import read_programs
from c2c_tasks.publishing.manifest import read_manifest
from c2c_tasks.publishing.pointer import read_pointer
from c2c_tasks.store import file_path, normalise, read

if TYPE_CHECKING:
    from tests.pipeline.conftest import MakeBuild

DATA = ("programs/", "sft/", "instruct/", "pretrain/", "dump_objects")


def data_files(release: str) -> dict[str, str]:
    """Return the SHA-256 of each data file of a release."""
    entries = read_manifest(release).files
    return {entry.path: entry.sha256 for entry in entries if entry.path.startswith(DATA)}


def test_the_bytes_do_not_depend_on_how_a_build_is_cut(
    make_build: MakeBuild, small_dump: Path, workspace: Path
) -> None:
    size = sum(path.stat().st_size for path in small_dump.iterdir())
    shards: set[tuple[int, int]] = set()
    releases = []
    for number, (dump_shards, functions) in enumerate([(1, 1_000), (3, 40), (7, 13)]):
        target = normalise(str(workspace / f"target-{number}"))
        release = run_build(
            make_build(
                f"build-{number}",
                dump_shard_bytes=max(10_000, size // dump_shards),
                functions_per_shard=functions,
                target=target,
            )
        )
        work = workspace / "work" / f"build-{number}"
        shards.add(
            (
                len(list((work / "extract").glob("*.parquet"))),
                len(list((work / "compose").glob("*.parquet"))),
            )
        )
        releases.append(data_files(release["uri"]))
    assert len(shards) == 3, shards
    assert releases[0] == releases[1] == releases[2]
    assert any(path.startswith("programs/train") for path in releases[0])


def test_a_publication_that_is_tried_again_changes_nothing(make_build: MakeBuild) -> None:
    build = make_build()
    first = run_build(build)
    manifest = read(f"{first['uri']}/manifest.json")
    assert publish(build, audit(build)) == first
    assert read(f"{first['uri']}/manifest.json") == manifest


def test_a_build_publishes_once(make_build: MakeBuild) -> None:
    run_build(make_build("one"))
    with pytest.raises(BuildError, match=r"build one has published 2026\.11\.24-1 already"):
        run_build(make_build("one", max_cases=7, mode="full"))


@pytest.mark.nightly
def test_builds_that_cross_each_other_lose_nothing(
    make_build: MakeBuild, small_dump: Path, workspace: Path
) -> None:
    half = workspace / "half"
    shutil.copytree(small_dump, half)
    (half / "textwrap.py").unlink()
    slow = make_build("slow", dump=str(half))
    plan(slow)
    fast = run_build(make_build("fast"))
    with pytest.raises(BuildError, match=r"2026\.11\.24-1 was published since .*clear plan"):
        finish(slow)
    assert read_pointer(slow.config.publishing.target).version == fast["version"]


def finish(build: Build) -> None:
    """Go on with a build that was planned before."""
    listing = (file_path(build.folder("plan")) / "part-00000.json").as_uri()
    extracted = extract(build, {"shard": "1 of 1", "index": 0, "uri": listing, "rows": 0})
    for shard in merge_functions(build, [extracted]):
        for step in (write_inputs, execute, curate):
            shard = step(build, shard)
    for shard in merge_programs(build):
        compose(build, shard)
    publish(build, audit(build))


@pytest.mark.nightly
def test_nights_add_what_is_new_and_keep_what_is_there(
    make_build: MakeBuild, small_dump: Path, workspace: Path
) -> None:
    dump = workspace / "growing"
    shutil.copytree(small_dump, dump)
    late = dump / "textwrap.py"
    later = late.read_bytes()
    late.unlink()
    first = run_build(make_build("one", "2026-11-24", dump=str(dump)))
    with pytest.raises(NothingNew, match="nothing new"):
        run_build(make_build("two", "2026-11-25", dump=str(dump)))

    (dump / "renamed.py").write_bytes((dump / "colorsys.py").read_bytes())
    with pytest.raises(NothingNew, match="no function"):
        run_build(make_build("three", "2026-11-26", dump=str(dump)))
    with pytest.raises(NothingNew, match="no function"):  # the copy is noted by a release alone
        run_build(make_build("again", "2026-11-26", dump=str(dump)))
    (dump / "renamed.py").write_text("NOTHING = None\n")
    with pytest.raises(NothingNew, match="no function"):
        run_build(make_build("nothing", "2026-11-26", dump=str(dump)))
    with pytest.raises(NothingNew, match="nothing new"):  # it is not read again
        run_build(make_build("nothing again", "2026-11-26", dump=str(dump)))

    late.write_bytes(later)
    second = run_build(make_build("four", "2026-11-27", dump=str(dump)))
    old = {program.function_id: program for program in read_programs(first["uri"])}
    new = {program.function_id: program for program in read_programs(second["uri"])}
    assert second["version"] == "2026.11.27-1" and second["latest"]
    assert read_manifest(second["uri"]).parent == first["version"]
    assert old.items() <= new.items()
    assert {new[i].path for i in new.keys() - old.keys()} == {"textwrap.py"}

    whole = run_build(make_build("five", "2026-11-28", dump=str(dump), mode="full"))
    assert {program.function_id for program in read_programs(whole["uri"])} == new.keys()


def test_a_release_is_not_added_to_with_other_options(make_build: MakeBuild) -> None:
    run_build(make_build("one"))
    with pytest.raises(BuildError, match=r"built with other options \(max_cases\).* mode to full"):
        run_build(make_build("two", max_cases=7))
    other = run_build(make_build("two", max_cases=7, mode="full"))
    assert other["version"] == "2026.11.24-2"
    manifest = read_manifest(other["uri"])
    assert manifest.parent is None
    assert max(len(program.cases) for program in read_programs(other["uri"])) == 7


def test_an_older_date_is_published_beside_the_latest(make_build: MakeBuild) -> None:
    run_build(make_build("one", "2026-11-24"))
    backfilled = run_build(make_build("two", "2026-11-20", mode="full"))
    assert backfilled["version"] == "2026.11.20-1" and not backfilled["latest"]
    assert file_path(f"{backfilled['uri']}/manifest.json").is_file()


@pytest.mark.s3
def test_from_one_bucket_to_another_prefix(
    make_build: MakeBuild, small_dump: Path, s3_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import boto3

    client = boto3.client("s3")
    for path in small_dump.iterdir():
        client.upload_file(str(path), s3_bucket.removeprefix("s3://"), f"dump/{path.name}")
    monkeypatch.setenv("C2C_WORK", f"{s3_bucket}/work")
    release = run_build(make_build(dump=f"{s3_bucket}/dump", target=f"{s3_bucket}/target"))
    assert release["uri"] == f"{s3_bucket}/target/releases/2026.11.24-1"
    local = run_build(make_build("local"))

    def ids(uri: str) -> list[str]:
        return [program.function_id for program in read_programs(uri)]

    assert ids(release["uri"]) == ids(local["uri"])
