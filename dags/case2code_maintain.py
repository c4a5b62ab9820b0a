"""
### Case2Code: what builds leave behind

| task | does | queue |
| --- | --- | --- |
| `sweep_containers` | removes sandbox containers that nobody can need | `sandbox` |
| `retain` | removes old releases, work areas and what was never finished | `default` |
| `measure` | tells the metrics when a build last came to its end | `default` |

**Containers.** A task removes its own containers, and they end by themselves when its process dies.
What a power cut, a restarted engine or a kill at the wrong moment leaves is found here by its
labels: the task attempt that made it has ended, its deadline has passed, or it has not been running
for ten minutes. A container of a running attempt is never touched. Only containers of this
deployment (`C2C_DEPLOYMENT`) are looked at, on the engine of the worker that runs the task; workers
with engines of their own also sweep theirs whenever a sandbox task starts.

The task returns the numbers by reason, and names each container in its log. Trigger it with
`dry_run` to see what it would remove.

**Retention.** Works once a day, on the first run from 04:00 UTC, on the next one again where it
failed, and on every run that is triggered by hand. It is a **dry run** unless `retention_dry_run`
is off (`C2C_RETENTION=apply` for all runs): the log then says line by line what it would remove.
The latest `keep_releases` releases stay (`C2C_KEEP_RELEASES`; 0: all), those that are pinned (`c2c
release pin`), and the one that the pointer names; others are retired. Removed are also the work
areas of builds that have ended (after `keep_failed_days` where they failed), files that were staged
and never published, ledger files that no release names, and writes that were broken off. The task
returns counts and bytes.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import Param, dag, task

from c2c_airflow.maintenance import MINUTES, measure_builds, retain_releases, sweep_containers
from c2c_airflow.params import retention_params
from c2c_airflow.sandbox_operator import SandboxOperator


@dag(
    dag_id="case2code_maintain",
    schedule=f"*/{MINUTES} * * * *",
    catchup=False,
    max_active_runs=2,  # containers are swept while retention is at work
    is_paused_upon_creation=False,
    params={
        "dry_run": Param(
            False,
            type="boolean",
            section="Sandbox",
            description="Name and count what would be removed, and remove nothing.",
        ),
        **retention_params(),
    },
    doc_md=__doc__,
    tags=["case2code"],
    default_args={
        "owner": "case2code",
        "retries": 2,
        "retry_delay": timedelta(seconds=30),
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": timedelta(minutes=2),
        "execution_timeout": timedelta(minutes=10),
    },
)
def case2code_maintain() -> None:
    """Remove what builds leave behind."""
    SandboxOperator(
        task_id="sweep_containers",
        python_callable=sweep_containers,
        launcher="auto",
        sweep_first=False,  # this is what the task itself does, or with `dry_run` does not
        queue="sandbox",
        doc_md="Remove sandbox containers that nobody can need.",
    )

    @task(queue="default", execution_timeout=timedelta(hours=2))
    def retain() -> dict[str, int]:
        """Retire old releases; remove work areas and what was never finished."""
        return retain_releases()

    @task(queue="default")
    def measure() -> None:
        """Tell the metrics when a build last came to its end."""
        measure_builds()

    retain()
    measure()


case2code_maintain()
