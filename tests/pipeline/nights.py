"""Nights of a dump that grows by a module a night, each with a release."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from c2c_tasks.config import BuildConfig, RetentionOptions
from c2c_tasks.consuming.finding import find_release
from c2c_tasks.consuming.verifying import verify
from c2c_tasks.pipeline import Build, run_build
from c2c_tasks.pipeline.retention import Retention, retain
from c2c_tasks.publishing.data_files import read_programs
from c2c_tasks.publishing.release import release_uri
from c2c_tasks.publishing.retired import read_tombstone

MODULES = ("colorsys", "bisect", "textwrap")
ONE, TWO, THREE = VERSIONS = [f"2026.11.{day}-1" for day in (20, 21, 22)]


class Nights:
    """Three nights of a growing dump, and those that a test adds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.dump = folder / "dump"
        self.target = (folder / "target").as_uri()

    def build(self, day: int) -> str:
        options = {
            "dump": str(self.dump),
            "target": self.target,
            "launcher": "process",
            "inputs_per_function": 10,
            "refine_rounds": 0,
            "audit_programs": 1,
            "benchmarks": [],
            "licences": "any",
        }
        build = Build(f"night-{day}", f"2026-11-{day}", BuildConfig.from_flat(options))
        return run_build(build)["version"]

    def retain(self, keep: int = 0, *, dry_run: bool = False, **options: Any) -> Retention:
        return retain(
            RetentionOptions(
                target=self.target, keep_releases=keep, retention_dry_run=dry_run, **options
            )
        )

    def retired(self) -> list[str]:
        return [v for v in VERSIONS if read_tombstone(release_uri(self.target, v))]

    def programs(self, version: str) -> set[str]:
        return {p.function_id for p in read_programs(release_uri(self.target, version))}

    def check(self, version: str) -> None:
        """Assert that every byte of a release is there, its ledger's, too."""
        assert verify(find_release(version, self.target)).faults == []
        assert self.programs(version)


def environment(folder: Path) -> dict[str, str]:
    return {
        "C2C_WORK": str(folder / "work"),
        "C2C_CATALOGUE": f"sqlite:///{folder / 'catalogue.sqlite'}",
        "C2C_TARGET": str(folder / "target"),
    }
