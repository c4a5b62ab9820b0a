"""`make demo`: the whole build on real input, with nothing else installed.

Runs the `case2code_build` DAG with `airflow dags test` on the standard library of the running
interpreter, and shows what came of it. Airflow's full log goes to a file; what is shown of it
is what the steps say.
"""

from __future__ import annotations

import json
import re
import sys
import time

from c2c_airflow.embedded import EmbeddedAirflow
from c2c_tasks.config import default_target

LINE = re.compile(
    r"^\S+Z? \[(?P<level>\w+)\s*\] (?P<message>.*?)\s+\[(?P<logger>[\w.]+)\](?P<rest>.*)$"
)


STAND_INS = """\
Embedded: SQLite stands in for a database server, the folder `out` for S3, the synthesis writer
for a language model. Functions run in containers where a Docker engine has the sandbox image,
else in child processes; a line below says which.
"""


def main() -> int:
    """Run the demo; return the exit status."""
    started = time.monotonic()
    airflow = EmbeddedAirflow()
    print(STAND_INS)
    _say(started, f"preparing the embedded Airflow in {airflow.home}")
    airflow.environment["C2C_DEADLINE_HOURS"] = "0"  # see `alerts.deadline`
    airflow.prepare()
    conf = {"preset": "demo", "target": default_target()}
    _say(started, f"airflow dags test case2code_build --conf '{json.dumps(conf)}'")
    status = _build(airflow, started, conf)
    if status:
        print(f"\nThe build failed; Airflow's whole log is in {airflow.log}", file=sys.stderr)
        return status

    from rich.console import Console

    from c2c_tasks.consuming.finding import find_release
    from c2c_tasks.consuming.summary import print_release

    print_release(
        find_release(default_target()), Console(width=None if sys.stdout.isatty() else 100)
    )
    _say(started, "done")
    return 0


def _build(airflow: EmbeddedAirflow, started: float, conf: dict[str, str]) -> int:
    with (
        airflow.log.open("a") as log,
        airflow.start("dags", "test", "case2code_build", "--conf", json.dumps(conf)) as process,
    ):
        assert process.stdout is not None
        for line in process.stdout:
            log.write(line)
            match = LINE.match(line)
            if match and match["logger"].startswith(("c2c_tasks", "c2c_airflow")):
                _say(started, match["message"])
    return process.returncode


def _say(started: float, message: str) -> None:
    print(f"[{time.monotonic() - started:6.1f} s] {message}", flush=True)


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except KeyboardInterrupt:  # the terminal has told Airflow as well
        raise SystemExit("\ninterrupted") from None
