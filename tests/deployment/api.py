"""A client of Airflow's REST API, as a person with a password uses it."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import httpx

ENDED = {"success", "failed"}
Row = dict[str, Any]


class Api:
    """Asks the API server of a deployment; takes a new token where the old one is refused."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self.url = url
        self._login = {"username": user, "password": password}
        self._client = httpx.Client(base_url=url, timeout=30)

    def is_healthy(self) -> bool:
        """Tell whether the API server answers and lets the user in."""
        with suppress(httpx.HTTPError):
            health = self._client.get("/api/v2/monitor/health")
            return health.status_code == 200 and self._log_in()
        return False

    def has_scheduler(self) -> bool:
        with suppress(httpx.HTTPError):
            health = self._client.get("/api/v2/monitor/health").json()
            return bool(health["scheduler"]["status"] == "healthy")
        return False

    def has_dag(self, dag_id: str) -> bool:
        with suppress(httpx.HTTPError):
            return self.ask("GET", f"dags/{dag_id}").status_code == 200
        return False

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> httpx.Response:
        """Make a request of `/api/v2`."""
        for _ in range(2):
            answer = self._client.request(method, f"/api/v2/{path}", json=body, params=query)
            if answer.status_code != 401 or not self._log_in():
                break
        return answer

    def done(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """Make a request that has to succeed, however often it has to be made for a minute."""
        deadline = time.monotonic() + 60
        while True:
            try:
                answer = self.ask(method, path, body, **query)
                if answer.status_code < 500:
                    break
            except httpx.HTTPError:
                pass
            assert time.monotonic() < deadline, f"{method} {path} is not answered"
            time.sleep(0.5)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def unpause(self, dag_id: str, paused: bool = False) -> None:
        self.done("PATCH", f"dags/{dag_id}", {"is_paused": paused})

    def trigger(self, dag_id: str, run_id: str, conf: Row, date: str | None = None) -> None:
        body = {"dag_run_id": run_id, "logical_date": date, "conf": conf}
        self.done("POST", f"dags/{dag_id}/dagRuns", body)

    def run(self, dag_id: str, run_id: str) -> Row:
        return dict(self.done("GET", f"dags/{dag_id}/dagRuns/{quote(run_id)}"))

    def forget(self, dag_id: str, run_id: str) -> None:
        self.done("DELETE", f"dags/{dag_id}/dagRuns/{quote(run_id)}")

    def tasks(self, dag_id: str, run_id: str) -> list[Row]:
        """Return the task instances of a run."""
        found: list[Row] = []
        while True:
            page = self.done(
                "GET",
                f"dags/{dag_id}/dagRuns/{quote(run_id)}/taskInstances",
                limit=100,
                offset=len(found),
            )
            found += page["task_instances"]
            if len(found) >= page["total_entries"] or not page["task_instances"]:
                return found

    def clear(self, dag_id: str, run_id: str, **which: Any) -> int:
        """Clear task instances of a run, with all that follow; return how many."""
        body = {
            "dag_run_id": run_id,
            "dry_run": False,
            "reset_dag_runs": True,
            "only_failed": False,
            "include_downstream": True,
            **which,
        }
        return int(self.done("POST", f"dags/{dag_id}/clearTaskInstances", body)["total_entries"])

    def wait(self, dag_id: str, run_id: str, seconds: float = 300) -> str:
        """Wait until a run has ended; return its state."""
        deadline = time.monotonic() + seconds
        while (state := str(self.run(dag_id, run_id)["state"])) not in ENDED:
            assert time.monotonic() < deadline, f"{run_id} is {state} after {seconds} s"
            time.sleep(0.5)
        return state

    def _log_in(self) -> bool:
        answer = self._client.post("/auth/token", json=self._login)
        if not answer.is_success:
            return False
        self._client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return True
