"""The operator that runs untrusted functions: a Docker engine's containers, never their output."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.providers.docker.operators.docker import DockerOperator
from airflow.sdk.exceptions import AirflowException
from docker.errors import DockerException

if TYPE_CHECKING:
    from airflow.sdk import Context
    from docker.api import APIClient

IMAGE = "case2code-sandbox:latest"


class SandboxOperator(DockerOperator):
    """Call a function of ours that starts sandbox containers on a Docker engine.

    The engine is found as DockerOperator finds it (`docker_url`, TLS files, `docker_conn_id`),
    but no command is run and nothing that a container says is logged or pushed: the callable
    talks to the containers itself, by the client that it is given.

    :param python_callable: Called as ``python_callable(**op_kwargs, client=..., labels=...)``;
        what it returns is pushed as XCom. `client` is a ``docker.APIClient``, or None where
        the launcher needs no engine or none answers; `labels` mark DAG, run, task, map index
        and try: every container must carry them.
    :param op_kwargs: Keyword arguments of the callable (templated).
    :param launcher: ``auto``, ``docker`` or ``process`` (templated). None: the Param of that
        name, or ``auto``. With ``process``, no engine is contacted; with ``docker``, one must
        answer.
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
        image: str = IMAGE,
        **kwargs: Any,
    ) -> None:
        super().__init__(image=image, **kwargs)
        self.python_callable = python_callable
        self.op_kwargs = op_kwargs or {}
        self.launcher = launcher
        self._attempt: dict[str, str] | None = None

    def execute(self, context: Context) -> Any:
        """Call the callable and return what it returns."""
        launcher = self.launcher or context["params"].get("launcher", "auto")
        client = None if launcher == "process" else self._client(required=launcher == "docker")
        self._attempt = {**self._own_labels(), **attempt_labels(context)}
        return self.python_callable(**self.op_kwargs, client=client, labels=self._attempt)

    def on_kill(self) -> None:
        """Kill and remove this attempt's containers, at once.

        The supervisor of tasks leaves five seconds: no time for a container to stop by itself.
        """
        if self._attempt is None or not self.hook.client_created:
            return
        from c2c_tasks.sandbox.docker import remove_containers

        self.log.info("Removed %d sandbox containers", remove_containers(self.cli, self._attempt))

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


def attempt_labels(context: Context) -> dict[str, str]:
    """Return the labels that tell a task attempt's containers from all others."""
    ti = context["ti"]
    names = ("dag_id", "run_id", "task_id", "map_index", "try_number")
    return {f"airflow.{name}": str(getattr(ti, name)) for name in names}


def _may_answer(url: str | list[str]) -> bool:
    """Return False where the engine's socket is not even there: no reason for an error log."""
    urls = [url] if isinstance(url, str) else url
    sockets = [Path("/", u.removeprefix("unix://").lstrip("/")) for u in urls if u[:7] == "unix://"]
    return len(sockets) < len(urls) or any(path.exists() for path in sockets)
