"""Functions to run, and both ways to run them."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from c2c_tasks.config import SandboxOptions
from c2c_tasks.records import Execution, Inputs
from c2c_tasks.sandbox.choice import choose_launcher
from c2c_tasks.sandbox.execution import Probing, Refine, execute
from c2c_tasks.shards import StepReport

GOOD = "def good(x):\n    return x + 1\n"


class _FullReport(StepReport):
    """A report that names every problem."""

    MAX_PROBLEMS = 10_000


class Sandbox:
    """Runs functions as child processes, with options of a test, and keeps the last report."""

    launcher = "process"

    def __init__(self) -> None:
        self.report = _FullReport("execute", "memory:")
        self._others = dict(_descendants())  # servers and a browser of other tests

    def run(
        self,
        *functions: Inputs,
        refine: Refine | None = None,
        probing: Probing | None = None,
        **options: Any,
    ) -> list[Execution]:
        self.report = _FullReport("execute", "memory:")
        chosen = SandboxOptions(**{"workers": 1, "launcher": self.launcher, **options})

        def run_execute(**sandbox: Any) -> list[Execution]:
            launcher = choose_launcher(chosen, **sandbox)
            rows = execute(
                functions, chosen, self.report, launcher=launcher, refine=refine, probing=probing
            )
            return list(rows)

        rows = self._perform(run_execute)
        for stage in self.report.stages:
            stage.check()
        return rows

    def _perform(self, run_execute: Callable[..., list[Execution]]) -> list[Execution]:
        return run_execute()

    def left_behind(self) -> list[str]:
        """Return what the runners left: here, processes that descend from this one, and are new."""
        found = dict(_descendants())
        return [f"process {pid}: {found[pid]}" for pid in found.keys() - self._others.keys()]

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
            source_sha256="",
            arguments=list(arguments),
            writer="test",
        )

    @property
    def dropped(self) -> dict[str, int]:
        (stage,) = self.report.stages
        return stage.dropped


class DockerSandbox(Sandbox):
    """Runs functions in containers, by the operator, as a task of the DAG does."""

    launcher = "docker"

    def __init__(self, client: Any) -> None:
        super().__init__()
        self._client = client
        names = {"dag_id": "tests", "run_id": uuid.uuid4().hex, "task_id": "execute"}
        ti = SimpleNamespace(**names, map_index=-1, try_number=1, xcom_pull=lambda **_: None)
        self._context: Any = {"ti": ti, "params": {"launcher": self.launcher}}

    def _perform(self, run_execute: Callable[..., list[Execution]]) -> list[Execution]:
        from c2c_airflow.sandbox_operator import SandboxOperator

        operator = SandboxOperator(task_id="execute", python_callable=run_execute)
        try:
            rows: list[Execution] = operator.execute(self._context)
            return rows
        finally:
            operator.cli.close()

    def left_behind(self) -> list[str]:
        """Return the containers of the operator's labels, dead ones too."""
        labels = [f"airflow.run_id={self._context['ti'].run_id}"]
        found = self._client.containers(all=True, filters={"label": labels})
        return [f"container {row['Id'][:12]}: {row['Status']}" for row in found]


def _descendants() -> Iterable[tuple[int, str]]:
    """Yield the living processes below this one, with their names."""
    children: dict[int, list[tuple[int, str, str]]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            before, _, after = path.read_text().rpartition(")")
        except OSError:  # it has just ended
            continue
        pid, _, name = before.partition(" (")
        state, parent, *_ = after.split()
        children.setdefault(int(parent), []).append((int(pid), state, name))
    ancestors = [os.getpid()]
    while ancestors:
        for pid, state, name in children.get(ancestors.pop(), ()):
            ancestors.append(pid)
            if state != "Z":
                yield pid, name


@pytest.fixture(scope="session")
def make_sandbox(request: pytest.FixtureRequest) -> Callable[[str], Sandbox]:
    """Make a sandbox by the name of its launcher; skip the test where there is no engine."""

    def make(launcher: str) -> Sandbox:
        if launcher == "process":
            return Sandbox()
        return DockerSandbox(request.getfixturevalue("docker_client"))

    return make


@pytest.fixture
def process_sandbox(make_sandbox: Callable[[str], Sandbox]) -> Sandbox:
    return make_sandbox("process")


@pytest.fixture
def docker_sandbox(make_sandbox: Callable[[str], Sandbox]) -> Iterator[Sandbox]:
    sandbox = make_sandbox("docker")
    yield sandbox
    assert sandbox.left_behind() == []


@pytest.fixture(params=["process", pytest.param("docker", marks=pytest.mark.docker)])
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    """The sandbox, by each launcher that the machine has."""
    found: Sandbox = request.getfixturevalue(f"{request.param}_sandbox")
    return found
