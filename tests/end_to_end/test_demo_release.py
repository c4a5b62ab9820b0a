"""The release that `make demo` makes: every program stands alone and does what is recorded."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from c2c_tasks.config import BuildConfig
from c2c_tasks.pipeline import Build, run_build
from c2c_tasks.publishing.data_files import read_programs
from c2c_tasks.publishing.manifest import read_manifest
from c2c_tasks.records import Program, to_row
from c2c_tasks.shards import read_report
from c2c_tasks.store import file_path

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent.parent
CALLER = Path(__file__).with_name("call_program.py")


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Build]:
    """A build of the standard library with the demo's options, in a place of its own."""
    folder = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("C2C_WORK", str(folder / "work"))
        patch.setenv("C2C_CATALOGUE", f"sqlite:///{folder / 'catalogue.sqlite'}")
        options = {"dump": "stdlib:", "target": (folder / "out").as_uri(), "launcher": "process"}
        yield Build("demo", "2026-11-24", BuildConfig.from_flat(options))


@pytest.fixture(scope="module")
def release(build: Build) -> str:
    """The URI of the release of the build."""
    return run_build(build)["uri"]


def test_at_least_300_programs(release: str) -> None:
    manifest = read_manifest(release)
    assert sum(manifest.splits["programs"].values()) >= 300
    assert all(min(splits.values()) > 0 for splits in manifest.splits.values())


def test_no_fault_of_the_writer_was_passed_over(build: Build, release: str) -> None:
    report = read_report(build.shard("execute", 0))
    assert report is not None and "refinements_failed" not in report.counters


@pytest.mark.nightly
def test_every_program_does_what_is_recorded_in_a_fresh_interpreter(release: str) -> None:
    programs = list(read_programs(release))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        faults = [fault for found in pool.map(_faults, programs) for fault in found]
    assert faults == []


def test_datasets_loads_it_by_the_line_that_the_demo_prints(release: str, tmp_path: Path) -> None:
    from datasets import load_dataset

    path = str(file_path(release))
    cache = str(tmp_path)
    dataset = load_dataset(path, "sft", split="train", cache_dir=cache)
    assert len(dataset) == read_manifest(release).splits["sft"]["train"]
    assert [message["role"] for message in dataset[0]["messages"]] == ["user", "assistant"]


def test_the_python_of_the_readme_runs(release: str, small_dump: Path, tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len(blocks) >= 4
    (tmp_path / "out").symlink_to(file_path(release).parent.parent)
    (tmp_path / "checkouts").symlink_to(small_dump)
    environment = os.environ | {
        "C2C_WORK": str(tmp_path / "work"),
        "C2C_CATALOGUE": f"sqlite:///{tmp_path / 'catalogue.sqlite'}",
        "HF_HOME": str(tmp_path / "cache"),
    }
    for block in blocks:
        process = subprocess.run(
            [sys.executable, "-c", block],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert process.returncode == 0, f"{block}\n{process.stderr[-2_000:]}"
        assert process.stdout.strip()


def _faults(program: Program) -> list[Any]:
    """Return how the program's cases, called in an interpreter of its own, differ."""
    process = subprocess.run(
        [sys.executable, "-s", "-P", str(CALLER)],
        input=json.dumps(to_row(program)),
        capture_output=True,
        text=True,
        timeout=60,
        env={"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "77", "TZ": "Asia/Tokyo"},
        check=False,
    )
    if process.returncode:
        return [(program.entry_point, process.stderr[-2_000:])]
    return [(program.entry_point, fault) for fault in json.loads(process.stdout)]
