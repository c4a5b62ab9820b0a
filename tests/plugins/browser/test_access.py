"""Who may see what: every route, asked as every kind of user, of both auth managers."""

from __future__ import annotations

import json
import subprocess
import sys
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


@pytest.fixture(scope="module", params=["simple", "fab"])
def asked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What came of all questions, and which auth manager it was."""
    kind = request.param
    folder = tmp_path_factory.mktemp(kind)
    airflow = EmbeddedAirflow(folder / "airflow")
    airflow.environment |= SETTINGS[kind] | {
        "AIRFLOW__API_AUTH__JWT_SECRET": "s" * 64,
        "C2C_TARGET": str(folder / "target"),
        "C2C_CATALOGUE": f"sqlite:///{folder / 'catalogue.sqlite'}",
        "C2C_WORK": str(folder / "work"),
    }
    airflow.home.mkdir()
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("identities.py")), kind],
        env=airflow.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    return kind, json.loads(done.stdout.splitlines()[-1])


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
