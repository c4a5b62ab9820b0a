"""A task's process in small: logging as Airflow sets it up, and a step. For test_log_fields."""

from __future__ import annotations

import logging
import sys
from typing import Any

from c2c_tasks.config import BuildConfig
from c2c_tasks.pipeline import Build, execute
from c2c_tasks.records import Inputs
from c2c_tasks.shards import write_shard
from tests.sandbox.conftest import Sandbox

POISON = "import os\ndef f(x):\n    os._exit(3)\n"
SOUND = "def f(x):\n    return [x, x]\n"


def refuse(*_: Any) -> Any:
    raise ValueError("a fault of the writer")


def main(how: str) -> None:
    if how == "airflow":
        from airflow.sdk.log import configure_logging

        configure_logging(json_output=True, output=sys.stdout.buffer)
    else:
        logging.basicConfig(level="INFO", stream=sys.stdout)
    from c2c_airflow.log_fields import log_fields
    from c2c_tasks.pipeline import steps

    steps.refine = refuse  # called in the sandbox's threads
    options = {"launcher": "process", "probe_inputs": 0, "determinism_runs": False}
    build = Build("run-1", "2026-11-24", BuildConfig.from_flat(options))
    rows = [
        Sandbox.function(program, "{'x': 1}", "{'x': 2}", "{'x': 3}") for program in (POISON, SOUND)
    ]
    write_shard(build.shard("write_inputs", 2), Inputs, rows)
    shard: Any = {"shard": "3 of 5", "index": 2, "uri": build.shard("write_inputs", 2), "rows": 2}
    with log_fields(build="run-1", step="execute", shard="3 of 5"):
        execute(build, shard)
    logging.getLogger("c2c_tasks").info("after")
    print([row.function_id for row in rows])


if __name__ == "__main__":
    main(sys.argv[1])
