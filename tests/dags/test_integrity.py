"""Every DAG file: parses fast and alone, has no cycle, and documents what it asks for."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
DAG_FILES = sorted((ROOT / "dags").glob("*.py"))

PARSE = """
import json, sys, time
from airflow.sdk import CronPartitionTimetable, dag, task, task_group
from airflow.providers.docker.operators.docker import DockerOperator

@dag(schedule=CronPartitionTimetable("@daily", timezone="UTC"))
def smallest():  # Airflow loads the half of itself when the first DAG is made
    @task
    def one():
        return [1]
    @task.sensor(mode="reschedule")
    def wait():
        return True
    wait()
    @task_group
    def group(number):
        task(lambda value: value, task_id="two")(number)
    group.expand(number=one()) >> DockerOperator(task_id="three", image="image")

smallest()
opened = []
sys.addaudithook(
    lambda event, args: opened.append((event, str(args[0])))
    if event in ("open", "socket.connect", "subprocess.Popen", "sqlite3.connect") else None
)
started = time.process_time()
__import__(sys.argv[1])
seconds = time.process_time() - started
code = tuple(p for p in sys.path if p) + (sys.prefix, sys.base_prefix)
print(json.dumps({
    "seconds": seconds,
    "opened": [o for o in opened if not (o[0] == "open" and o[1].startswith(code))],
    "modules": sorted(sys.modules),
}))
"""


@pytest.fixture(scope="module", params=DAG_FILES, ids=lambda path: path.stem)
def parsed(request: pytest.FixtureRequest, airflow_home: Path) -> dict[str, Any]:
    """What parsing a DAG file did, in a fresh interpreter that has Airflow loaded."""
    results = []
    for _ in range(5):
        process = subprocess.run(
            [sys.executable, "-c", PARSE, request.param.stem],
            env=os.environ
            | {
                "AIRFLOW_HOME": str(airflow_home),
                "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "plugins", ROOT / "dags"))),
            },
            capture_output=True,
            text=True,
            check=True,
        )
        results.append(json.loads(process.stdout.splitlines()[-1]))
    return min(results, key=lambda result: float(result["seconds"]))


def test_parsing_opens_nothing(parsed: dict[str, Any]) -> None:
    assert parsed["opened"] == []


def test_parsing_is_quick_because_it_imports_little(parsed: dict[str, Any]) -> None:
    heavy = {"boto3", "pyarrow", "datasets", "matplotlib", "duckdb", "c2c_tasks.pipeline"}
    assert heavy.isdisjoint(parsed["modules"])
    # Seconds of this process's own CPU, the least of several: 0.05 on an idle machine.
    assert parsed["seconds"] < 0.1, parsed["seconds"]


@pytest.fixture(scope="module", params=DAG_FILES, ids=lambda path: path.stem)
def dag(request: pytest.FixtureRequest, airflow_home: Path) -> Any:
    """Each DAG. A DAG file is named as its DAG is, and the function that makes it."""
    name = request.param.stem
    dag = getattr(importlib.import_module(name), name)()
    assert dag.dag_id == name
    return dag


@pytest.fixture(scope="module")
def build(airflow_home: Path) -> Any:
    from case2code_build import case2code_build

    return case2code_build()


def test_every_param_is_documented_and_valid(dag: Any) -> None:
    for name, param in dag.params.items():
        param = dag.params.get_param(name)
        text = param.description or param.schema["description_md"]
        assert text and text.endswith("."), name
        assert param.schema["section"], name
        param.resolve()


@pytest.fixture(scope="module")
def evaluate(airflow_home: Path) -> Any:
    from case2code_evaluate import case2code_evaluate

    return case2code_evaluate()


def test_builds_and_evaluations_run_one_at_a_time(build: Any, evaluate: Any) -> None:
    assert build.max_active_runs == evaluate.max_active_runs == 1


def test_every_option_is_a_param(build: Any) -> None:
    from c2c_tasks.config import BuildConfig
    from c2c_tasks.presets import fill, presets

    options = {name for model in BuildConfig.sections().values() for name in model.model_fields}
    assert set(build.params) == {"preset", *options}
    values = {name: build.params.get_param(name).resolve() for name in build.params}
    for preset in presets():
        _, filled = fill(values | {"preset": preset})
        assert BuildConfig.from_flat(filled).content_options() == BuildConfig().content_options()


def test_every_option_of_an_evaluation_is_a_param(evaluate: Any) -> None:
    from c2c_tasks.config import EvaluationConfig

    options = {n for model in EvaluationConfig.sections().values() for n in model.model_fields}
    assert set(evaluate.params) == options
    values = {name: evaluate.params.get_param(name).resolve() for name in evaluate.params}
    assert EvaluationConfig.from_flat(values) == EvaluationConfig()


def test_tasks_have_no_copies_of_the_params(build: Any, evaluate: Any) -> None:
    assert [task.task_id for task in (*build.tasks, *evaluate.tasks) if task.params] == []


def test_tasks_link_to_where_their_work_is_seen(build: Any) -> None:
    links = {
        task.task_id: [link.name for link in task.operator_extra_links]
        for task in build.tasks
        if task.operator_extra_links
    }
    assert links == {
        "plan": ["Progress of the build"],
        "shard.execute": ["Progress of the build"],
        "audit": ["Release"],
        "publish": ["Release", "Dataset card"],
    }


def test_policies_for_the_one_on_call(dag: Any) -> None:
    assert dag.doc_md and dag.tags and dag.max_active_runs <= 2 and not dag.catchup
    for task in dag.tasks:
        assert task.owner == "case2code", task.task_id
        assert task.retries >= 2 and task.retry_exponential_backoff, task.task_id
        assert task.execution_timeout, task.task_id
        assert task.doc_md or task.doc, task.task_id
        assert f"| `{task.task_id}` | " in dag.doc_md and f"| `{task.queue}` |" in dag.doc_md


def test_tasks_that_reach_an_engine_are_the_sandbox_queue_s(dag: Any) -> None:
    from c2c_airflow.sandbox_operator import SandboxOperator

    for task in dag.tasks:
        assert (task.queue == "sandbox") == issubclass(
            getattr(task, "operator_class", type(task)), SandboxOperator
        ), task.task_id


def test_tasks_are_those_of_the_design(build: Any) -> None:
    assert build.topological_sort() is not None
    assert set(build.task_ids) == {
        "turn",
        "plan",
        "extract",
        "merge_functions",
        "shard.write_inputs",
        "shard.execute",
        "shard.curate",
        "merge_programs",
        "compose",
        "audit",
        "publish",
        "push_to_hub",
    }
    queues = {task.task_id: (task.queue, task.pool) for task in build.tasks}
    assert queues["shard.write_inputs"] == ("gpu", "gpu")
    assert queues["shard.execute"] == ("sandbox", "sandbox")


def test_evaluations_have_the_queues_of_builds(evaluate: Any) -> None:
    assert evaluate.topological_sort() is not None
    assert {task.task_id: (task.queue, task.pool) for task in evaluate.tasks} == {
        "prepare_problems": ("sandbox", "sandbox"),
        "shard.answer": ("gpu", "gpu"),
        "shard.grade": ("sandbox", "sandbox"),
        "report": ("default", "default_pool"),
    }
    links = [link.name for task in evaluate.tasks for link in task.operator_extra_links]
    assert links == ["Report"]


def test_the_sweep_is_on_from_the_start_and_waits_for_no_function(airflow_home: Path) -> None:
    from case2code_maintain import case2code_maintain

    dag = case2code_maintain()
    assert dag.is_paused_upon_creation is False and dag.timetable.can_be_scheduled
    assert set(dag.task_ids) == {"sweep_containers", "retain", "measure"}
    assert "sandbox" not in {task.pool for task in dag.tasks}  # its slots may be taken for hours
    assert dag.params["retention_dry_run"] is True and dag.params["keep_releases"] == 0
