"""Functions to run, and both ways to run them."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from c2c_tasks.config import SandboxOptions
from c2c_tasks.records import Execution, Inputs
from c2c_tasks.sandbox.execution import Refine, execute
from c2c_tasks.sandbox.launchers import Launcher
from c2c_tasks.sandbox.process import ProcessLauncher
from c2c_tasks.shards import StepReport

GOOD = "def good(x):\n    return x + 1\n"


class Sandbox:
    """Runs functions with options of a test and keeps the last report."""

    def __init__(self, launcher_of: Callable[[SandboxOptions], Launcher]) -> None:
        self._launcher_of = launcher_of
        self.report = StepReport("execute", "memory:")

    def run(
        self, *functions: Inputs, refine: Refine | None = None, **options: Any
    ) -> list[Execution]:
        self.report = StepReport("execute", "memory:")
        chosen = SandboxOptions(**{"workers": 1, **options})
        launcher = self._launcher_of(chosen)
        rows = list(execute(functions, chosen, self.report, launcher=launcher, refine=refine))
        for stage in self.report.stages:
            stage.check()
        return rows

    def run_program(self, program: str, *arguments: str, **options: Any) -> Execution:
        """Run one function, named ``f``, that is not dropped."""
        (row,) = self.run(self.function(program, *arguments), **options)
        return row

    def run_among_neighbours(
        self, program: str, *arguments: str, **options: Any
    ) -> Execution | None:
        """Run a hostile function between good ones, check those, and return its row, if any."""
        good = self.function(GOOD, "{'x': 1}", "{'x': 2}", name="good")
        hostile = self.function(program, *arguments)
        rows = self.run(good, hostile, good, hostile, good, **options)
        neighbours = [row for row in rows if row.entry_point == "good"]
        assert [[case.output for case in row.cases] for row in neighbours] == [["2", "3"]] * 3
        assert all(case.deterministic for row in neighbours for case in row.cases)
        twins = [row for row in rows if row.entry_point == "f"]
        assert len(rows) + sum(self.dropped.values()) == 5
        return twins[0] if twins else None

    @staticmethod
    def function(program: str, *arguments: str, name: str = "f") -> Inputs:
        """Return a function with inputs, ready to be run."""
        return Inputs(
            function_id=hashlib.sha256(program.encode()).hexdigest(),
            program=program,
            entry_point=name,
            parameters=[],
            repository="owner/name",
            path="module.py",
            first_line=1,
            last_line=program.count("\n") + 1,
            licence="MIT",
            dump="memory:",
            arguments=list(arguments),
            writer="test",
        )

    @property
    def dropped(self) -> dict[str, int]:
        (stage,) = self.report.stages
        return stage.dropped


@pytest.fixture
def process_sandbox() -> Sandbox:
    return Sandbox(ProcessLauncher)


@pytest.fixture
def docker_sandbox(docker_client: Any) -> Iterator[Sandbox]:
    from c2c_tasks.sandbox.docker import DockerLauncher, remove_containers

    labels = {"case2code.test": uuid.uuid4().hex}
    yield Sandbox(lambda options: DockerLauncher(docker_client, options, labels))
    assert remove_containers(docker_client, labels) == 0, "containers were left behind"


@pytest.fixture(params=["process", pytest.param("docker", marks=pytest.mark.docker)])
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    """The sandbox, by each launcher that the machine has."""
    found: Sandbox = request.getfixturevalue(f"{request.param}_sandbox")
    return found
