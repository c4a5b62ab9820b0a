"""Airflow embedded in the checkout: SQLite, no services, its home in `.airflow/`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from c2c_airflow.setting_up import POOLS, SetUpError, pool_slots
from c2c_tasks.config import project_root


class EmbeddedAirflow:
    """The embedded deployment of a checkout."""

    def __init__(self, home: Path | None = None) -> None:
        root = project_root()
        self.home = home or root / ".airflow"
        self.log = self.home / "airflow.log"
        # `airflow standalone` starts its services by the name of the command.
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        self.environment = os.environ | {
            "PATH": path,
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(root / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(root / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            # Workers are processes that import Airflow: as many as there is work for.
            "AIRFLOW__CORE__PARALLELISM": str(2 * (os.cpu_count() or 1)),
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__LOGGING__COLORED_CONSOLE_LOG": "False",
            "C2C_PRESET": os.environ.get("C2C_PRESET", "demo"),
            # None: nobody is on call here, and `airflow dags test` cannot end a DAG that has one.
            "C2C_DEADLINE_HOURS": os.environ.get("C2C_DEADLINE_HOURS", "0"),
            "PYTHONPATH": os.pathsep.join([str(root), str(root / "plugins")]),
        }

    def prepare(self) -> None:
        """Make or migrate the metadata database, and the pools that the DAGs use.

        Every `airflow` command takes seconds to start, so this is done once for each version.
        Raises SystemExit, saying why, where it cannot be done.
        """
        try:
            pools = {
                name: {"slots": slots, "description": POOLS[name], "include_deferred": False}
                for name, slots in pool_slots().items()
            }
        except SetUpError as error:
            raise SystemExit(f"error: {error}") from None
        prepared = self.home / "prepared.json"
        state = json.dumps({"airflow": version("apache-airflow"), "pools": pools}, indent=1)
        if prepared.is_file() and prepared.read_text() == state:
            return
        self.home.mkdir(parents=True, exist_ok=True)
        definitions = self.home / "pools.json"
        definitions.write_text(json.dumps(pools, indent=1))
        self.run("db", "migrate")
        self.run("pools", "import", str(definitions))
        prepared.write_text(state)

    def run(self, *command: str) -> None:
        """Run an `airflow` command; its output goes to the log file.

        Raises SystemExit, naming the log file, where the command fails.
        """
        with self.log.open("ab") as log:
            process = subprocess.run(
                self.command(*command), env=self.environment, stdout=log, stderr=log, check=False
            )
        if process.returncode:
            raise SystemExit(f"airflow {' '.join(command)} failed; see {self.log}")

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start an `airflow` command whose output is read through a pipe, line by line."""
        return subprocess.Popen(
            self.command(*command),
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )

    @staticmethod
    def command(*command: str) -> list[str]:
        """Return the command line of an `airflow` command in this environment."""
        return [sys.executable, "-m", "airflow", *command]
