"""Setting a deployment up: once, again, twice at a time, and what it says where it cannot."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import NullPool, create_engine, text

pytestmark = pytest.mark.postgres

FAB = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"


class Deployment:
    """A deployment to set up: an empty database and an empty target."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.engine = create_engine(url, poolclass=NullPool)
        self.environment = os.environ | {
            "AIRFLOW_HOME": str(folder / "airflow"),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": url,
            "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
            "AIRFLOW__CORE__AUTH_MANAGER": FAB,
            "AIRFLOW__CORE__FERNET_KEY": "0" * 43 + "=",
            "AIRFLOW__API_AUTH__JWT_SECRET": "a secret of tests",
            "C2C_ADMIN_PASSWORD": "a password of tests",
            "C2C_GPU_SLOTS": "3",
            "C2C_TARGET": str(folder / "target"),
            "C2C_CATALOGUE": f"sqlite:///{folder / 'catalogue.sqlite'}",
        }

    def start(self, **variables: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "c2c_airflow.setting_up"],
            env=self.environment | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def set_up(self, **variables: str) -> str:
        with self.start(**variables) as process:
            output, errors = process.communicate()
        assert process.returncode == 0, errors
        return output

    def complaint(self, **variables: str) -> str:
        with self.start(**variables) as process:
            errors = process.communicate()[1].strip().splitlines()
        assert process.returncode == 1
        return errors[-1].removeprefix("error: ")

    def rows(self, query: str) -> list[Any]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]


@pytest.fixture
def deployment(tmp_path: Path, postgres_url: str) -> Deployment:
    return Deployment(tmp_path, postgres_url)


POOLS = "SELECT pool, slots FROM slot_pool WHERE pool <> 'default_pool' ORDER BY pool"
USERS = (
    "SELECT username, name, password FROM ab_user JOIN ab_user_role ON user_id = ab_user.id "
    "JOIN ab_role ON role_id = ab_role.id"
)


@pytest.mark.slow
@pytest.mark.nightly
def test_two_at_a_time_and_one_more_make_everything_once(deployment: Deployment) -> None:
    with ThreadPoolExecutor() as pool:
        both = [pool.submit(deployment.set_up) for _ in range(2)]
    assert both[0].result() == both[1].result(), "a line for each part, and no other"
    cpus = os.cpu_count() or 1
    assert deployment.rows(POOLS) == [("gpu", 3), ("sandbox", cpus)]
    ((name, role, password),) = deployment.rows(USERS)
    assert (name, role) == ("admin", "Admin")
    assert deployment.rows("SELECT conn_id FROM connection") == []
    assert (deployment.folder / "catalogue.sqlite").is_file()
    assert {path.name for path in (deployment.folder / "target").iterdir()} <= {".c2c-lock"}

    # What somebody set in the UI stays, unless a variable says otherwise.
    with deployment.engine.begin() as connection:
        connection.execute(text("UPDATE slot_pool SET slots = 7"))
    output = deployment.set_up(
        C2C_VLLM_ENDPOINT="http://vllm:8000/v1", C2C_VLLM_API_KEY="a key of tests"
    )
    assert "pool gpu: 3 slots" in output
    assert "pool sandbox: 7 slots" in output
    assert "administrator: admin" in output
    assert f"target: file://{deployment.folder / 'target'}" in output
    assert deployment.rows(POOLS) == [("gpu", 3), ("sandbox", 7)]
    assert deployment.rows(USERS) == [(name, role, password)]
    ((connection_id, host, secret),) = deployment.rows(
        "SELECT conn_id, host, password FROM connection"
    )
    assert (connection_id, host) == ("case2code_vllm", "http://vllm:8000")
    assert secret and "a key of tests" not in secret, "the key is encrypted"

    deployment.set_up(C2C_ADMIN_PASSWORD="another password")
    assert deployment.rows(USERS)[0][2] != password


@pytest.mark.parametrize(
    ("variables", "complaint"),
    [
        (
            {"AIRFLOW__API_AUTH__JWT_SECRET": ""},
            "AIRFLOW__API_AUTH__JWT_SECRET is not set; every service of a deployment needs the "
            "same one",
        ),
        ({"C2C_SANDBOX_SLOTS": "many"}, "C2C_SANDBOX_SLOTS: 'many' is no whole number from 1"),
        ({"C2C_ADMIN_PASSWORD": "short"}, "C2C_ADMIN_PASSWORD: it needs 8 characters or more"),
        (
            {"C2C_VLLM_ENDPOINT": "vllm:8000"},
            "C2C_VLLM_ENDPOINT: 'vllm:8000' is no URL as http://host:8000/v1",
        ),
        ({"C2C_GPU_SLOTS": "0"}, "C2C_GPU_SLOTS: '0' is no whole number from 1"),
    ],
)
def test_a_wrong_setting_is_named_before_anything_is_done(
    deployment: Deployment, variables: dict[str, str], complaint: str
) -> None:
    assert deployment.complaint(**variables) == complaint
    assert deployment.rows("SELECT 1 FROM information_schema.tables WHERE table_name = 'dag'") == []


def test_a_database_that_does_not_answer_is_named_without_its_password(
    deployment: Deployment,
) -> None:
    url = "postgresql+psycopg://airflow:secret@127.0.0.1:1/airflow"
    complaint = deployment.complaint(AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=url)
    assert complaint.startswith(
        "metadata database postgresql+psycopg://airflow:***@127.0.0.1:1/airflow: cannot be reached"
    )
    assert "refused" in complaint


def test_tables_of_another_version_of_airflow_are_named_in_one_line(
    deployment: Deployment,
) -> None:
    with deployment.engine.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('ffffffffffff')"))
    with deployment.start() as process:
        _, errors = process.communicate()
    assert process.returncode == 1
    assert errors.startswith("error: metadata database: it cannot be migrated: ")
    assert "Can't locate revision identified by 'ffffffffffff'" in errors
    assert len(errors.splitlines()) == 1


@pytest.mark.slow
def test_a_target_that_cannot_be_written_to_is_named(deployment: Deployment) -> None:
    (deployment.folder / "file").touch()
    complaint = deployment.complaint(C2C_TARGET=str(deployment.folder / "file"))
    assert complaint.startswith(f"target file://{deployment.folder / 'file'}: not writable")
