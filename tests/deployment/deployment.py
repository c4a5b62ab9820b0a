"""A deployment as a team has one, of processes: PostgreSQL, Redis, and each service of Airflow.

Never `airflow standalone`, which runs tasks itself whatever the executor is. Services find each
other as containers would: by the environment.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.deployment.api import Api
from tests.deployment.services import Postgres, Redis, Service, free_port

ROOT = Path(__file__).resolve().parent.parent.parent
FAB = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
PRELOADED = "c2c_airflow.preloading"
PASSWORD = "a password of tests"
WORKERS = {"default": "default", "sandbox": "sandbox,gpu"}
"""Queues of each worker, by its name."""


class Deployment:
    """The services of a deployment, below one folder."""

    def __init__(self, folder: Path, executor: str = "CeleryExecutor", **variables: str) -> None:
        self.folder = folder
        self.logs = folder / "logs"
        for name in ("logs", "postgres", "redis", "airflow", "data"):
            (folder / name).mkdir()
        self.executor = executor
        self.postgres = Postgres(folder / "postgres", self.logs / "postgres.log")
        self.redis = Redis(folder / "redis", self.logs / "redis.log")
        self.port = free_port()
        self.api = Api(f"http://127.0.0.1:{self.port}", "admin", PASSWORD)
        self.environment = self._environment() | variables
        self.services = self._services()

    def start(self) -> None:
        """Start everything, and wait until it answers."""
        stores = [self.postgres, *([self.redis] if self.celery else [])]
        for store in stores:
            store.start()
        for store in stores:
            store.wait()
        self.postgres.make_databases("airflow", "catalogue")
        command = [sys.executable, "-m", "c2c_airflow.setting_up"]
        subprocess.run(command, env=self.environment, check=True, stdout=subprocess.DEVNULL)
        for service in self.services.values():
            service.start()
        for service in self.services.values():
            service.wait()
        self.api.unpause("case2code_maintain", paused=True)
        self.api.unpause("case2code_build")

    def stop(self) -> None:
        """Stop everything; what depends on another service goes first."""
        for service in reversed(self.services.values()):
            service.kill()
        self.redis.kill()
        self.postgres.kill()

    @property
    def celery(self) -> bool:
        return self.executor == "CeleryExecutor"

    def worker(self, queue: str) -> Service:
        """Return the worker of a queue."""
        name = next(name for name, queues in WORKERS.items() if queue in queues.split(","))
        return self.services[f"worker-{name}"]

    @contextmanager
    def kept_up(self) -> Iterator[None]:
        """Start services again that end meanwhile, as `restart: unless-stopped` does."""
        done = threading.Event()

        def keep() -> None:
            while not done.wait(1):
                for service in self.services.values():
                    if service.has_ended:
                        service.start()

        thread = threading.Thread(target=keep)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def finished_by(self, worker: str) -> int:
        """Return how many tasks a worker has finished, by its own log."""
        log = (self.logs / f"{worker}.log").read_text("utf-8")
        return len(re.findall(r"Task execute_workload\[[-0-9a-f]+\] succeeded in", log))

    def _environment(self) -> dict[str, str]:
        # What the embedded Airflow of the other tests is told is not for this one.
        kept = {key: value for key, value in os.environ.items() if not key.startswith("AIRFLOW")}
        path = [str(ROOT), str(ROOT / "plugins"), str(Path(__file__).parent)]
        return kept | {
            "PYTHONPATH": os.pathsep.join(path),
            "AIRFLOW_HOME": str(self.folder / "airflow"),
            "AIRFLOW__CORE__EXECUTOR": self.executor,
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__AUTH_MANAGER": FAB,
            "AIRFLOW__CORE__FERNET_KEY": base64.urlsafe_b64encode(b"tests" * 6 + b"xx").decode(),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{self.port}/execution/",
            "AIRFLOW__CORE__HOSTNAME_CALLABLE": "host_name.host_name",
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.port),
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API__SECRET_KEY": "a secret of tests",
            "AIRFLOW__API_AUTH__JWT_SECRET": "a secret of tests, which has to be a long one" * 2,
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": self.postgres.url("airflow"),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": self.postgres.url("airflow", "asyncpg"),
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(self.logs / "tasks"),
            "AIRFLOW__LOGGING__COLORED_CONSOLE_LOG": "False",
            "AIRFLOW__CELERY__BROKER_URL": self.redis.url,
            "AIRFLOW__CELERY__RESULT_BACKEND": f"db+{self.postgres.url('airflow')}",
            "AIRFLOW__CELERY__WORKER_CONCURRENCY": "2",
            "AIRFLOW__CELERY__EXTRA_CELERY_CONFIG": json.dumps({"imports": [PRELOADED]}),
            "AIRFLOW__CORE__PARALLELISM": "4",
            "C2C_TEST_HOST": "none",
            "C2C_ADMIN_PASSWORD": PASSWORD,
            "C2C_GPU_SLOTS": "2",
            "C2C_SANDBOX_SLOTS": "2",
            "C2C_WORK": str(self.folder / "data" / "work"),
            "C2C_TARGET": str(self.folder / "data" / "target"),
            "C2C_CATALOGUE": self.postgres.url("catalogue"),
            "C2C_DEPLOYMENT": str(self.folder),
        }

    def _services(self) -> dict[str, Service]:
        found = [
            self._airflow("api-server", self.api.is_healthy),
            self._airflow("dag-processor", partial(self.api.has_dag, "case2code_build")),
            self._airflow("scheduler", self.api.has_scheduler),
        ]
        if self.celery:
            for name, queues in WORKERS.items():
                command = ["celery", "worker", "--queues", queues, "--skip-serve-logs"]
                command += ["--without-mingle", "--without-gossip"]
                command += ["--celery-hostname", f"worker-{name}"]
                command += ["--pid", str(self.folder / f"worker-{name}.pid")]
                found.append(self._airflow(f"worker-{name}", partial(self._works, name), *command))
        return {service.name: service for service in found}

    def _airflow(self, name: str, ready: Callable[[], bool], *command: str) -> Service:
        return Service(
            name,
            [sys.executable, "-m", "airflow", *(command or [name])],
            self.logs / f"{name}.log",
            self.environment | {"C2C_TEST_HOST": name},
            ready,
        )

    def _works(self, name: str) -> bool:
        return f"worker-{name} ready" in (self.logs / f"worker-{name}.log").read_text("utf-8")


@contextmanager
def deployed(executor: str = "CeleryExecutor", **variables: str) -> Iterator[Deployment]:
    """Start a deployment in a folder of its own, and remove both at the end.

    The folder is kept where ``C2C_KEEP_DEPLOYMENT`` is set.
    """
    # Not below pytest's folder, which other users cannot enter; and sockets have short paths.
    folder = Path(tempfile.mkdtemp(prefix="c2c-deployment-"))
    folder.chmod(0o755)
    deployment = Deployment(folder, executor, **variables)
    try:
        deployment.start()
        yield deployment
    finally:
        deployment.stop()
        if not os.environ.get("C2C_KEEP_DEPLOYMENT"):
            shutil.rmtree(folder, ignore_errors=True)
