"""The operator that runs untrusted functions: a Docker engine's containers, never their output."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.providers.docker.operators.docker import DockerOperator
from airflow.sdk.exceptions import AirflowException
from docker.errors import DockerException

from c2c_airflow.attempts import attempt_labels, sweep_engine
from c2c_airflow.run_options import options_of

if TYPE_CHECKING:
    from airflow.sdk import Context
    from docker.api import APIClient

IMAGE = "case2code-sandbox:latest"
TLS_FILES = {"tls_ca_cert": "ca.pem", "tls_client_cert": "cert.pem", "tls_client_key": "key.pem"}
EXECUTION_TIMEOUT = timedelta(days=1)
"""Of tasks that are given none: without one, nothing says when a container is left behind."""


class SandboxOperator(DockerOperator):
    """Call a function of ours that starts sandbox containers on a Docker engine.

    The engine is found as DockerOperator finds it (`docker_url`, TLS files, `docker_conn_id`),
    or as Docker's own clients do (`DOCKER_HOST`, `DOCKER_TLS_VERIFY`, `DOCKER_CERT_PATH`), but
    no command is run and nothing that a container says is logged or pushed: the callable
    talks to the containers itself, by the client that it is given.

    Containers end with the task: when it returns or raises, is killed (`on_kill`) or times out,
    it removes them; when its process dies, their stream closes and they end by themselves. What
    a power cut or a restarted engine leaves is removed by the next task that starts here, and
    by the DAG `case2code_maintain`, by labels: DAG, run, task, map index and try, deployment,
    and the deadline that follows from `execution_timeout` (a day where there is none).

    :param python_callable: Called as ``python_callable(**op_kwargs, client=..., labels=...)``;
        what it returns is pushed as XCom. `client` is a ``docker.APIClient``, or None where
        the launcher needs no engine or none answers; every container must carry `labels`.
    :param op_kwargs: Keyword arguments of the callable (templated).
    :param launcher: ``auto``, ``docker`` or ``process`` (templated). None: the Param of that
        name, or what the run's preset says. With ``process``, no engine is contacted; with
        ``docker``, one must answer.
    :param sweep_first: Remove what others left behind on the engine before the call.
    :param image: Image of the sandbox; the callable decides which it uses.
    """

    template_fields: Sequence[str] = (
        *DockerOperator.template_fields,
        "op_kwargs",
        "labels",
        "launcher",
    )

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        op_kwargs: Mapping[str, Any] | None = None,
        launcher: str | None = None,
        sweep_first: bool = True,
        image: str = IMAGE,
        **kwargs: Any,
    ) -> None:
        if os.environ.get("DOCKER_TLS_VERIFY"):  # DockerOperator looks at DOCKER_HOST alone
            folder = Path(os.environ.get("DOCKER_CERT_PATH") or "~/.docker").expanduser()
            for option, file in TLS_FILES.items():
                kwargs.setdefault(option, str(folder / file))
        super().__init__(image=image, **kwargs)
        self.python_callable = python_callable
        self.op_kwargs = op_kwargs or {}
        self.launcher = launcher
        self.sweep_first = sweep_first
        self.execution_timeout = self.execution_timeout or EXECUTION_TIMEOUT
        self._attempt: dict[str, str] | None = None
        self._executing = False

    def execute(self, context: Context) -> Any:
        """Call the callable and return what it returns."""
        launcher = self.launcher or options_of(context).get("launcher", "auto")
        client = None if launcher == "process" else self._client(required=launcher == "docker")
        assert self.execution_timeout is not None
        self._attempt = {
            **self._own_labels(),
            **attempt_labels(context, self.execution_timeout),
        }
        self._executing = True
        try:
            if client is not None and self.sweep_first:
                self._sweep(client, context)
            return self.python_callable(**self.op_kwargs, client=client, labels=self._attempt)
        finally:
            self._executing = False

    def on_kill(self) -> None:
        """Kill and remove this attempt's containers at once, and end the attempt.

        The supervisor of tasks leaves five seconds: no time for a container to stop by itself.
        Airflow calls this from a signal handler, after which the task would go on, and start
        its containers again. Raises SystemExit where the task is at work: Airflow
        takes that for a failure with retries.
        """
        if self._attempt is not None and self.hook.client_created:
            from c2c_tasks.sandbox.docker import remove_containers

            try:
                removed = remove_containers(self.cli, self._attempt)
                self.log.info("Removed %d sandbox containers", removed)
            except (DockerException, OSError) as error:
                self.log.warning("Sandbox containers were not removed: %s", error)
        if self._executing:
            self._executing = False
            raise SystemExit("the task was killed")

    def _sweep(self, client: APIClient, context: Context) -> None:
        """Remove what others left on this engine, earlier tries of this task first of all."""
        try:
            sweep_engine(client, context)
        except (DockerException, OSError) as error:
            self.log.warning("Containers that were left behind are not removed: %s", error)

    def _client(self, required: bool) -> APIClient | None:
        if not required and not _may_answer(self.docker_url):
            return None
        try:
            return self.cli
        except (AirflowException, DockerException):
            if required:
                raise
            return None

    def _own_labels(self) -> dict[str, str]:
        if isinstance(self.labels, dict):
            return self.labels
        return dict.fromkeys(self.labels or (), "")


def _may_answer(url: str | list[str]) -> bool:
    """Return False where the engine's socket is not even there: no reason for an error log."""
    urls = [url] if isinstance(url, str) else url
    sockets = [Path("/", u.removeprefix("unix://").lstrip("/")) for u in urls if u[:7] == "unix://"]
    return len(sockets) < len(urls) or any(path.exists() for path in sockets)
