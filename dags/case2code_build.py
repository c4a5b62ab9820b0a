"""
### Case2Code: from a code dump to a published dataset

Extracts pure functions from a dump, has inputs written for them, runs them in a sandbox for
the true outputs, keeps what is sound, and publishes programs and training samples as an
immutable release.

| task | does | queue |
| --- | --- | --- |
| `turn` | waits until the builds of earlier dates have ended | `default` |
| `plan` | lists the dump; skips the run where nothing is new | `default` |
| `extract` | functions of a shard of dump objects | `default` |
| `merge_functions` | finds what is new in all shards, cuts function shards | `default` |
| `shard.write_inputs` | the writer proposes inputs | `gpu` |
| `shard.execute` | the sandbox runs them | `sandbox` |
| `shard.curate` | keeps sound cases and programs | `default` |
| `merge_programs` | drops programs that do what another one does | `default` |
| `compose` | makes training samples | `default` |
| `audit` | stages the release and checks it | `sandbox` |
| `publish` | writes the manifest, moves the pointer, emits `case2code_dataset` | `default` |
| `push_to_hub` | pushes the release to the Hugging Face Hub, where that is asked for | `default` |

Every task may be cleared and run again: finished shards are not made twice, and a release is
visible whole or not at all. When a run ends, its note says what came of it: the release with its
funnel, why there is none, or the error of the task that failed and what to do.

Triggered by hand, the form asks for a **preset** first: `demo`, `nightly` or `full`. Scheduled runs
and backfills take the one that `C2C_PRESET` names, `nightly` if none, with the options that
`C2C_OPTIONS` holds as JSON.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import CronPartitionTimetable, dag, get_current_context, task, task_group

from c2c_airflow.alerts import deadline, tell_failure
from c2c_airflow.announcing import announce, keep_latest
from c2c_airflow.assets import DATASET, tell
from c2c_airflow.context import run_step
from c2c_airflow.links import CardLink, ProgressLink, ReleaseLink
from c2c_airflow.params import add_build_params
from c2c_airflow.run_notes import leave
from c2c_airflow.sandbox_operator import SandboxOperator
from c2c_airflow.task_defaults import task_defaults
from c2c_airflow.turns import is_its_turn

LABEL = "{{ task.op_kwargs['shard']['shard'] }}"


def run_execute(shard: Any, **sandbox: Any) -> Any:
    """Run a shard of inputs, by the client and with the labels that the operator gives."""
    return run_step("execute", shard, **sandbox)


def run_audit(**sandbox: Any) -> Any:
    """Stage and audit the release, by the client and with the labels that the operator gives."""
    return run_step("audit", **sandbox)


@dag(
    dag_id="case2code_build",
    schedule=CronPartitionTimetable("0 2 * * *", timezone="UTC", key_format="%Y-%m-%d"),
    catchup=False,
    max_active_runs=1,
    deadline=deadline(),
    on_failure_callback=tell_failure,
    doc_md=__doc__,
    tags=["case2code"],
    default_args=task_defaults(),
)
def case2code_build() -> None:
    """From a code dump to a published release."""

    # A worker slot is taken for the moment of a look alone.
    @task.sensor(mode="reschedule", poke_interval=10, timeout=timedelta(days=2).total_seconds())
    def turn() -> bool:
        """Wait until the builds of earlier dates have ended: each adds to the one before."""
        context: Any = get_current_context()
        return is_its_turn(context["ti"], context.get("partition_key"))

    @task
    def plan() -> Any:
        """List the dump and cut what is new into shards."""
        return run_step("plan")

    # A mapped task does not take its docstring for its documentation.
    @task(
        map_index_template=LABEL,
        doc_md="Read a shard of the dump and write the functions found in it.",
    )
    def extract(shard: Any) -> Any:
        return run_step("extract", shard)

    @task
    def merge_functions(shards: Any) -> Any:
        """Find what is new in all shards and cut function shards."""
        return run_step("merge_functions", list(shards))

    @task_group(group_id="shard", tooltip="From a shard of functions to a shard of programs.")
    def function_shard(shard: Any) -> None:
        """From a shard of functions to a shard of programs."""

        @task(map_index_template=LABEL, queue="gpu", pool="gpu")
        def write_inputs(shard: Any) -> Any:
            """Have the writer propose inputs."""
            return run_step("write_inputs", shard)

        @task(map_index_template=LABEL)
        def curate(shard: Any) -> Any:
            """Keep sound cases, and the programs that have enough of them."""
            return run_step("curate", shard)

        execute = SandboxOperator(
            task_id="execute",
            python_callable=run_execute,
            op_kwargs={"shard": write_inputs(shard=shard)},
            map_index_template=LABEL,
            queue="sandbox",
            pool="sandbox",
            doc_md="Run the functions in the sandbox.",
        )
        execute.operator_extra_links = (ProgressLink(),)
        curate(shard=execute.output)

    # A shard that failed for good may be left out (`max_failed_shards`): these two decide.
    @task(trigger_rule="none_skipped")
    def merge_programs() -> Any:
        """Drop programs that do what another one does."""
        return run_step("merge_programs")

    @task(map_index_template=LABEL, doc_md="Turn programs into training samples.")
    def compose(shard: Any) -> Any:
        return run_step("compose", shard)

    @task(outlets=[DATASET])
    def publish(staged: Any) -> Any:
        """Write card and manifest, then move the pointer."""
        release = run_step("publish", staged)
        metadata, note = announce(release)
        context: Any = get_current_context()
        tell(context, DATASET, metadata, date=metadata["date"])
        keep_latest(context, DATASET, metadata)
        leave("published", note)
        return release

    @task
    def push_to_hub(published: Any) -> Any:
        """Push the release to the Hugging Face Hub; skipped where no option asks for it."""
        return run_step("push_to_hub", published)

    planned: Any = plan()
    turn() >> planned
    functions = merge_functions(extract.expand(shard=planned))
    audited = SandboxOperator(
        task_id="audit",
        python_callable=run_audit,
        trigger_rule="none_skipped",
        queue="sandbox",
        pool="sandbox",
        doc_md="Stage the release and check it; what is published is what was checked.",
    )
    programs = merge_programs()
    functions >> programs
    function_shard.expand(shard=functions) >> programs
    programs >> audited
    compose.expand(shard=programs) >> audited
    # The audit is skipped where there is nothing to audit; that the run failed shows here.
    published: Any = publish(audited.output)
    [functions, programs] >> published
    pushed: Any = push_to_hub(published)

    planned.operator.operator_extra_links = (ProgressLink(),)
    audited.operator_extra_links = (ReleaseLink(),)
    published.operator.operator_extra_links = (ReleaseLink(), CardLink())
    add_build_params(pushed.operator.dag)


case2code_build()
