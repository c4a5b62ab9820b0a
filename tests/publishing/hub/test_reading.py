"""What was pushed, read from the Hub by `datasets`; and the command that pushes it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from c2c_tasks.publishing.hub import push_release
from c2c_tasks.publishing.manifest import read_manifest
from tests.publishing.hub.conftest import MakeRelease
from tests.publishing.hub.stand_in import StandIn

REPOSITORY = "org/case2code"
LOAD = """
import json, sys
from datasets import load_dataset

rows = {}
for revision in sys.argv[2:]:
    for config in ("programs", "sft"):
        splits = load_dataset(sys.argv[1], config, revision=revision)
        rows[f"{revision} {config}"] = {name: len(split) for name, split in splits.items()}
streamed = load_dataset(sys.argv[1], "sft", split="train", revision=sys.argv[2], streaming=True)
rows["streamed"] = len([*streamed])
print(json.dumps(rows))
"""
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(hub: StandIn, tmp_path: Path) -> Run:
    """Runs Python in a process of its own, for which the stand-in is the Hub."""
    environment = os.environ | {
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(tmp_path / "hf"),
        "HF_HUB_DISABLE_XET": "1",
    }

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True)

    return run


def test_every_release_is_read_by_its_tag(
    hub: StandIn, make_release: MakeRelease, run: Run
) -> None:
    first, second = make_release("2026-11-24", range(20)), make_release("2026-11-25", range(9))
    push_release(first, REPOSITORY)
    push_release(second, REPOSITORY)
    revisions = {"2026.11.24-1": first, "2026.11.25-1": second, "main": second}
    done = run("-c", LOAD, REPOSITORY, *revisions)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout.splitlines()[-1])
    assert rows.pop("streamed") == read_manifest(first).splits["sft"]["train"]
    assert rows == {
        f"{revision} {config}": read_manifest(release).splits[config]
        for revision, release in revisions.items()
        for config in ("programs", "sft")
    }


def test_the_command_pushes_and_says_how_to_load(
    hub: StandIn, make_release: MakeRelease, run: Run, tmp_path: Path
) -> None:
    push = ("-m", "c2c_tasks.cli", "release", "push")
    make_release("2026-11-24", range(9))
    release = str(tmp_path / "target" / "releases" / "2026.11.24-1")  # a path, as it is typed
    said = 'load_dataset("org/case2code", "sft", revision="2026.11.24-1")\n'
    done = run(*push, release, REPOSITORY, "--public")
    assert (done.returncode, done.stdout) == (0, said), done.stderr
    assert not hub.datasets[REPOSITORY].private
    done = run(*push, "latest", REPOSITORY, "--target", str(tmp_path / "target"))
    assert (done.returncode, done.stdout) == (0, said), done.stderr
    done = run(*push, release, "nobody/case2code")
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"c2c: nobody/case2code: the token may not write there .*\n", done.stderr)
