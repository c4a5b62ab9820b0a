"""Two whole builds into one target at the same time, in processes of their own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from c2c_tasks.catalogue import Catalogue
from c2c_tasks.config import catalogue_url
from c2c_tasks.publishing.data_files import read_programs
from c2c_tasks.publishing.manifest import read_manifest
from c2c_tasks.publishing.pointer import read_pointer

if TYPE_CHECKING:
    from tests.pipeline.conftest import MakeBuild

ROOT = Path(__file__).resolve().parents[2]
MODULES = {"left": ("colorsys", "bisect"), "right": ("textwrap", "calendar")}

# Waits on a line of input, so that both begin at once.
BUILD = """
import json, sys
from c2c_tasks.config import BuildConfig
from c2c_tasks.pipeline import Build, BuildError, NothingNew, run_build
from c2c_tasks.publishing.release import PublishError
build_id, options = sys.argv[1], json.loads(sys.argv[2])
build = Build(build_id, "2026-11-24", BuildConfig.model_validate(options))
print("ready", flush=True)
sys.stdin.readline()
try:
    print(run_build(build)["version"])
except (BuildError, PublishError, NothingNew) as error:
    print(f"{type(error).__name__}: {error}")
"""


@pytest.mark.parametrize(
    "database", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
)
def test_two_builds_at_a_time_lose_nothing(
    database: str,
    make_build: MakeBuild,
    small_dump: Path,
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    if database == "postgres":
        monkeypatch.setenv("C2C_CATALOGUE", request.getfixturevalue("postgres_url"))
    options: dict[str, Any] = {"inputs_per_function": 10, "refine_rounds": 0, "audit_programs": 1}
    builds = {}
    for name, modules in MODULES.items():
        folder = workspace / name
        folder.mkdir()
        for module in modules:
            shutil.copy(small_dump / f"{module}.py", folder)
        builds[name] = make_build(name, dump=str(folder), **options)
    target = builds["left"].config.publishing.target

    # Who comes second is told to start anew, and does: nights do the same.
    waiting = dict(builds)
    outcomes: list[str] = []
    for attempt in range(3):
        processes = {
            name: subprocess.Popen(
                [
                    *(sys.executable, "-c", BUILD, f"{name}-{attempt}"),
                    json.dumps(build.config.model_dump(mode="json")),
                ],
                cwd=ROOT,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for name, build in waiting.items()
        }
        for process in processes.values():
            assert process.stdout and process.stdout.readline() == "ready\n", process.stderr
        for process in processes.values():
            assert process.stdin
            process.stdin.write("\n")
            process.stdin.flush()
        for name, process in processes.items():
            output, errors = process.communicate(timeout=120)
            assert process.returncode == 0, errors
            outcomes.append(output.strip().splitlines()[-1])
            if outcomes[-1].startswith("2026.11.24-"):
                del waiting[name]
        if not waiting:
            break
    assert not waiting, outcomes
    for outcome in outcomes:
        assert outcome.startswith("2026.11.24-") or "start a new build" in outcome, outcomes

    pointer = read_pointer(target)
    assert pointer is not None and read_manifest(pointer.uri).parent is not None
    paths = {program.path for program in read_programs(pointer.uri)}
    assert paths == {f"{module}.py" for modules in MODULES.values() for module in modules}
    catalogue = Catalogue(catalogue_url())
    objects = catalogue.ingested(target, pointer.uri)
    assert objects is not None and len(objects) == 4
    states = [build.state for build in catalogue.builds(target)]
    assert states.count("published") == 2 and len(states) == len(outcomes)
    published = {build.release_uri for build in catalogue.builds(target)} - {None}
    assert published == {release.uri for release in catalogue.releases(target)}
