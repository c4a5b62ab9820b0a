"""One attempt of the task `execute`, as SandboxOperator makes it, in a process that can be killed.

Run as a program, with what it works on as JSON in its only argument. Airflow itself takes
seconds to start, so the operator's two lines are repeated here.
"""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from c2c_airflow.attempts import attempt_labels, sweep_engine
from c2c_tasks.config import BuildConfig
from c2c_tasks.pipeline import Build, execute


def main() -> None:
    given = json.loads(sys.argv[1])
    names = {"dag_id": "killed", "run_id": "r", "task_id": "execute", "map_index": 0}
    ti = SimpleNamespace(**names, try_number=given["try_number"], get_task_states=no_states)
    context: Any = {"ti": ti}
    client = None
    if given["options"]["launcher"] == "docker":
        from c2c_tasks.sandbox.docker import connect

        client = connect()
        sweep_engine(client, context)
    build = Build("killed", "2026-11-24", BuildConfig.from_flat(given["options"]))
    labels = attempt_labels(context, timedelta(minutes=5))
    execute(build, given["shard"], client=client, labels=labels)


def no_states(dag_id: str, *, task_ids: list[str], run_ids: list[str]) -> dict[str, Any]:
    return {}


if __name__ == "__main__":
    main()
