"""
### Case2Code: how well a model infers programs from cases

Asks a language model for the programs behind the cases of a release's test split (or of HumanEval
and MBPP), grades its answers in a sandbox on cases that it was not shown, and writes a report
beside the release: pass@k with intervals, what came of the answers, plots, and every answer with
its grade.

| task | does | queue |
| --- | --- | --- |
| `prepare_problems` | decides on the release, cuts its problems into shards | `sandbox` |
| `shard.answer` | the model answers | `gpu` |
| `shard.grade` | the sandbox runs the answers | `sandbox` |
| `report` | joins all shards, writes the report below `evaluations/` of the target | `default` |

**By hand**, the form asks for the release, the model and what to ask. **By itself**, it runs for
each new release, by the event of the Asset `case2code_dataset`, where `C2C_EVALUATION_OPTIONS` says
which model to ask (options as JSON, as `{"model": "name"}`; where it says nothing, the run is
skipped), and for each model that was trained, by the event of the Asset `case2code_model`.

Every task may be cleared and run again: `latest` stays the release that it was when the run began,
answers that a model has given are not asked for again, and the report of a run is written once.
The run's note has pass@k and a link to the report.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import PartitionedAssetTimetable, dag, task, task_group

from c2c_airflow.alerts import deadline, tell_failure
from c2c_airflow.announcing import evaluation_note
from c2c_airflow.assets import DATASET, MODEL
from c2c_airflow.context import run_step
from c2c_airflow.links import EvaluationLink
from c2c_airflow.params import add_evaluation_params
from c2c_airflow.run_notes import leave
from c2c_airflow.sandbox_operator import SandboxOperator
from c2c_airflow.task_defaults import task_defaults

LABEL = "{{ task.op_kwargs['shard']['shard'] }}"


def run_prepare_problems(**sandbox: Any) -> Any:
    """Make the problems, by the client and with the labels that the operator gives."""
    return run_step("prepare_problems", **sandbox)


def run_grade(shard: Any, **sandbox: Any) -> Any:
    """Grade a shard of answers, by the client and with the labels that the operator gives."""
    return run_step("grade", shard, **sandbox)


@dag(
    dag_id="case2code_evaluate",
    # Events of both have partition keys (c2c_airflow.assets), which a plain schedule does not see.
    schedule=PartitionedAssetTimetable(assets=DATASET | MODEL),
    catchup=False,
    max_active_runs=1,
    deadline=deadline("evaluation"),
    on_failure_callback=tell_failure,
    doc_md=__doc__,
    tags=["case2code"],
    default_args=task_defaults(),
)
def case2code_evaluate() -> None:
    """From a release and a model to a report."""
    prepared = SandboxOperator(
        task_id="prepare_problems",
        python_callable=run_prepare_problems,
        queue="sandbox",
        pool="sandbox",
        doc_md="Decide on the release, make the problems and cut them into shards.",
    )

    @task_group(group_id="shard", tooltip="From a shard of problems to a shard of grades.")
    def problem_shard(shard: Any) -> None:
        """From a shard of problems to a shard of grades."""

        @task(map_index_template=LABEL, queue="gpu", pool="gpu")
        def answer(shard: Any) -> Any:
            """Have the model answer."""
            return run_step("answer", shard)

        SandboxOperator(
            task_id="grade",
            python_callable=run_grade,
            op_kwargs={"shard": answer(shard=shard)},
            map_index_template=LABEL,
            queue="sandbox",
            pool="sandbox",
            doc_md="Run the answers in the sandbox, and grade them.",
        )

    @task
    def report() -> Any:
        """Join all shards in one report, and write it beside the release."""
        written = run_step("report")
        leave("evaluated", evaluation_note(written))
        return written

    reported: Any = report()
    problem_shard.expand(shard=prepared.output) >> reported
    reported.operator.operator_extra_links = (EvaluationLink(),)
    add_evaluation_params(reported.operator.dag)


case2code_evaluate()
