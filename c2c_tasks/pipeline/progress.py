"""How far a build has come: which shards are complete, and what their reports say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from c2c_tasks.pipeline.build import Build, BuildError, MappedStep, NotReached
from c2c_tasks.pipeline.planning import Plan, plan_digest
from c2c_tasks.records import Function
from c2c_tasks.shards import StepReport, is_complete, read_report, read_shard
from c2c_tasks.store import ObjectNotFound


@dataclass(frozen=True, slots=True)
class Progress:
    """The function shards of a build: how far each has come."""

    build: Build
    shards: int
    """Number of function shards."""
    curated: list[int]
    """Shards with programs."""
    completed: list[int]
    """Shards with samples."""

    @classmethod
    def of(cls, build: Build) -> Progress:
        """Return how far a build has come. Raises NotReached before there are function shards."""
        merged = read_report(build.folder("merge_functions"))
        if merged is None or merged.facts["plan"] != plan_digest(build):
            raise NotReached("merge_functions has not finished: what failed before it says why")
        shards = len(merged.facts["shard_rows"])
        curated = [index for index in range(shards) if _is_curated(build, index)]
        completed = [index for index in curated if _is_composed(build, index)]
        return cls(build, shards, curated, completed)

    @property
    def failed(self) -> list[int]:
        """Shards without samples."""
        return [index for index in range(self.shards) if index not in self.completed]

    def sources_of_programs(self) -> list[str]:
        """Return the URIs of what programs are merged from."""
        shards = [self.build.shard("curate", index) for index in self.curated]
        return [*shards, self.build.folder("merge_functions")]

    def check_curated(self, max_failed: int) -> None:
        """Raise BuildError where more shards than may have no programs, or all of them."""
        self._check(self.curated, max_failed)

    def check_completed(self, max_failed: int) -> None:
        """Raise BuildError where more shards than may have no samples, or all of them.

        Raises NotReached where programs have not been merged.
        """
        if read_report(self.build.folder("merge_programs")) is None:
            raise NotReached("merge_programs has not finished: it says why, or what failed before")
        self._check(self.completed, max_failed)

    def _check(self, done: list[int], max_failed: int) -> None:
        failed = [index for index in range(self.shards) if index not in done]
        if len(failed) > max_failed or not done:
            numbers = ", ".join(str(index + 1) for index in failed[:20])
            raise BuildError(
                f"{len(failed)} of {self.shards} function shards failed (numbers {numbers}); "
                f"max_failed_shards allows {max_failed}. Clear the failed tasks to try again"
            )

    def audit(self) -> StepReport:
        """Return the report of the audit. Raises BuildError where there is none."""
        report = read_report(self.build.folder("audit"))
        if report is None:
            raise BuildError("the audit has not finished; clear it to try again")
        return report

    def reports(self) -> Iterator[StepReport]:
        """Yield the reports of the build in the order of the steps: they add up to the funnel."""
        build = self.build
        outputs = [build.shard("extract", index) for index in range(Plan.of(build).shards)]
        outputs.append(build.folder("merge_functions"))
        outputs += [build.shard(step, index) for step in _TO_PROGRAMS for index in self.completed]
        outputs.append(build.folder("merge_programs"))
        outputs += [build.shard("compose", index) for index in self.completed]
        for output in outputs:
            report = read_report(output)
            if report is None:
                raise BuildError(f"{output}: has no report; clear the task that makes it")
            yield report
        if self.failed:
            yield self._left_out()

    def _left_out(self) -> StepReport:
        """Return the line of the funnel for the functions of the failed shards."""
        report = StepReport("write_inputs", "")
        for index in self.failed:
            functions = sum(
                1 for _ in read_shard(self.build.shard("merge_functions", index), Function)
            )
            report.stage("inputs", "functions").drop("failed_shard", functions)
        return report


_TO_PROGRAMS: tuple[MappedStep, ...] = ("write_inputs", "execute", "curate")
"""The steps from functions to programs."""


def _is_curated(build: Build, index: int) -> bool:
    """Tell whether a shard's programs are there, made by this code of what is there now."""
    source = build.shard("merge_functions", index)
    for step in _TO_PROGRAMS:
        if not _is_made(build, step, index, source):
            return False
        source = build.shard(step, index)
    return True


def _is_composed(build: Build, index: int) -> bool:
    """Tell whether a shard's samples are there, made by this code of the programs that went on."""
    try:
        return _is_made(build, "compose", index, build.shard("merge_programs", index))
    except ObjectNotFound:
        return False


def _is_made(build: Build, step: MappedStep, index: int, source: str) -> bool:
    output = build.shard(step, index)
    return is_complete(step, inputs=[source], output=output, config=build.options_of(step))
