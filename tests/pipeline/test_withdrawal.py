"""Builds go on from the release that a rollback went to."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from c2c_tasks.catalogue import Catalogue
from c2c_tasks.config import catalogue_url
from c2c_tasks.pipeline import NothingNew, run_build
from c2c_tasks.publishing.data_files import read_programs
from c2c_tasks.publishing.manifest import read_manifest
from c2c_tasks.publishing.pointer import read_pointer
from c2c_tasks.publishing.withdrawal import roll_back

if TYPE_CHECKING:
    from tests.pipeline.conftest import MakeBuild

MODULES = ("colorsys", "bisect", "textwrap")
QUICK: dict[str, Any] = {"inputs_per_function": 10, "refine_rounds": 0, "audit_programs": 1}


def programs(release: str) -> dict[str, Any]:
    return {program.function_id: program for program in read_programs(release)}


def version_of(release: str) -> str:
    return release.rpartition("/")[2]


def test_rows_that_only_a_withdrawn_release_had_are_found_again(
    make_build: MakeBuild, small_dump: Path, workspace: Path
) -> None:
    dump = workspace / "growing"
    dump.mkdir()

    def night(day: int) -> str:
        build = make_build(f"night-{day}", f"2026-11-{day}", dump=str(dump), **QUICK)
        return run_build(build)["uri"]

    releases = []
    for day, module in enumerate(MODULES, start=20):
        shutil.copy(small_dump / f"{module}.py", dump)
        releases.append(night(day))
    target = make_build().config.publishing.target
    roll_back(target, version_of(releases[0]))

    again = night(23)
    manifest = read_manifest(again)
    assert manifest.parent == version_of(releases[0])
    assert programs(again) == programs(releases[2])
    assert len(programs(again)) > len(programs(releases[0]))
    assert set(manifest.ledger) > set(read_manifest(releases[0]).ledger)
    objects = Catalogue(catalogue_url()).ingested(target, again)
    assert objects is not None and len(objects) == len(MODULES)
    with pytest.raises(NothingNew):
        night(24)
    pointer = read_pointer(target)
    assert pointer is not None
    assert (pointer.uri, pointer.generation) == (again, 5)
    assert pointer.withdrawn == [version_of(release) for release in releases[1:]]

    # And forward again: what the withdrawn release knew is known once more.
    roll_back(target, version_of(releases[2]))
    with pytest.raises(NothingNew, match=version_of(releases[2])):
        night(25)
