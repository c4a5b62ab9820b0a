"""Who may see what: every route, asked as every kind of user, of both auth managers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from c2c_airflow.embedded import EmbeddedAirflow

FAB = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
SETTINGS = {
    "simple": {"AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "False"},
    "fab": {"AIRFLOW__CORE__AUTH_MANAGER": FAB},
}
pytestmark = pytest.mark.slow  # two whole API servers are made
REFUSED = {
    "simple": {"without a role": 403},
    "fab": {"without permissions": 403, "of another DAG": 403},
}


@pytest.fixture(scope="module")
def processes(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, tuple[subprocess.Popen[str], Path]]]:
    """A process for each auth manager, which asks, and its folder; they go side by side."""
    started = {}
    for kind, settings in SETTINGS.items():
        folder = tmp_path_factory.mktemp(kind)
        environment = EmbeddedAirflow(folder / "airflow").environment | settings
        environment |= {
            "AIRFLOW__API_AUTH__JWT_SECRET": "s" * 64,
            "C2C_TARGET": str(folder / "target"),
            "C2C_CATALOGUE": f"sqlite:///{folder / 'catalogue.sqlite'}",
            "C2C_WORK": str(folder / "work"),
        }
        with (folder / "errors").open("w") as errors, (folder / "answers").open("w") as answers:
            process = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("identities.py")), kind],
                env=environment,
                cwd=folder,
                stdout=answers,
                stderr=errors,
                text=True,
            )
        started[kind] = (process, folder)
    yield started
    for process, _ in started.values():
        process.kill()
        process.wait()


@pytest.fixture(params=list(SETTINGS))
def asked(request: pytest.FixtureRequest, processes: Any) -> Any:
    """What came of all questions, and which auth manager it was."""
    kind = request.param
    process, folder = processes[kind]
    assert process.wait(280) == 0, (folder / "errors").read_text()[-3_000:]
    return kind, json.loads((folder / "answers").read_text().splitlines()[-1])


def test_who_may_not_read_the_dag_sees_nothing(asked: Any) -> None:
    kind, found = asked
    assert "/case2code" in found["mounted"]
    answers = found["answers"]
    assert len(answers) >= 12
    expected = {"anonymous": 401, "expired": 401, "bad": 403, **REFUSED[kind]}
    for path, of_path in answers.items():
        for who, status in expected.items():
            for name in (who, f"{who} by cookie"):
                if name in of_path:
                    code, media_type, text = of_path[name]
                    # A cookie that is no good is that of somebody who is not logged in.
                    assert code == status or (code, who) == (401, "bad"), (path, name, text)
                    page = path == "/"
                    assert media_type.startswith("text/html" if page else "application/json")
                    assert page or set(json.loads(text)) == {"detail"}


def test_who_may_read_the_dag_sees_all(asked: Any) -> None:
    _, found = asked
    for path, answers in found["answers"].items():
        for who in ("viewer", "viewer by cookie"):
            # Nothing is published here, and some routes ask for what is.
            assert answers[who][0] in (200, 404), (path, answers[who])
    assert found["answers"]["/api/targets"]["viewer"][0] == 200
    assert found["answers"]["/api/builds"]["viewer"][0] == 200


def test_runs_have_a_permission_of_their_own(asked: Any) -> None:
    kind, found = asked
    if kind == "fab":
        statuses = {path: of["of this DAG"][0] for path, of in found["answers"].items()}
        assert statuses["/api/targets"] == statuses["/api/releases"] == 200
        assert {code for path, code in statuses.items() if "/api/builds" in path} == {403}


def test_a_page_that_is_refused_says_what_to_do(asked: Any) -> None:
    _, found = asked
    assert "api/v2/auth/login" in found["answers"]["/"]["anonymous"][2]
