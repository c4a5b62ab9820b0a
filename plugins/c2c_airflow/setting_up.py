"""Sets up a deployment: `python -m c2c_airflow.setting_up`, before its services start.

It brings the metadata database and the catalogue up to date, makes pools, the administrator and
the Connection to a language model, and asks the target whether it can be published to. It may
run again at any time, and several may at a time: what is there already is left, or brought to
what the environment says now.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

POOLS = {"gpu": "Requests of input writers", "sandbox": "Functions being run"}
"""What the slots of each pool stand for."""
SHORTEST_PASSWORD = 8
FAB = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
_SHARED = (("api_auth", "jwt_secret"), ("core", "fernet_key"))
"""Settings that every service of a deployment must have the same value of."""
_LOCK = 0xC2C_A1F
"""Key of PostgreSQL's advisory lock around a set-up."""


class SetUpError(Exception):
    """The deployment cannot be set up; the message says what to mend."""


def pool_slots() -> dict[str, int]:
    """Return the slots of each pool: ``C2C_GPU_SLOTS`` and ``C2C_SANDBOX_SLOTS``, or a slot for
    each CPU of this machine.

    Raises SetUpError where a variable is no whole number from 1.
    """
    return {name: _slots(f"C2C_{name.upper()}_SLOTS") for name in POOLS}


def set_up() -> None:
    """Set up what the environment describes, and print a line for each part.

    Raises SetUpError, ConfigError, CatalogueError, PublishError or StoreError, which name what
    is wrong.
    """
    from airflow.providers_manager import ProvidersManager

    manager: Any = ProvidersManager  # it has no types
    manager().initialize_providers_configuration()
    _check_shared_settings()
    slots, endpoint, password = pool_slots(), _endpoint(), _password()
    with _one_at_a_time() as database:
        _migrate()
        print(f"metadata database: {database}")
        _make_pools(slots)
        if endpoint:
            _make_connection(endpoint)
        if password:
            _make_administrator(password)
    _check_target()


def _slots(variable: str) -> int:
    given = os.environ.get(variable) or str(os.cpu_count() or 1)
    if not (given.isascii() and given.isdigit() and int(given)):
        raise SetUpError(f"{variable}: {given!r} is no whole number from 1")
    return int(given)


def _endpoint() -> str:
    """Return the endpoint that ``C2C_VLLM_ENDPOINT`` names; empty where it names none."""
    endpoint = os.environ.get("C2C_VLLM_ENDPOINT", "").rstrip("/")
    web = endpoint.startswith(("http://", "https://")) and endpoint.endswith("/v1")
    if endpoint and not web:
        raise SetUpError(f"C2C_VLLM_ENDPOINT: {endpoint!r} is no URL as http://host:8000/v1")
    return endpoint


def _password() -> str:
    """Return the administrator's password; empty where users are not kept by FAB."""
    from airflow.configuration import conf

    if conf.get("core", "auth_manager") != FAB:
        return ""
    password = os.environ.get("C2C_ADMIN_PASSWORD", "")
    if len(password) < SHORTEST_PASSWORD:
        raise SetUpError(f"C2C_ADMIN_PASSWORD: it needs {SHORTEST_PASSWORD} characters or more")
    return password


def _check_shared_settings() -> None:
    """Raise SetUpError where services would each make up a secret that they must share."""
    from airflow.configuration import conf

    if "LocalExecutor" in conf.get("core", "executor"):
        return
    for section, key in _SHARED:
        if not conf.get(section, key, fallback=""):
            raise SetUpError(
                f"AIRFLOW__{section.upper()}__{key.upper()} is not set; every service of a "
                "deployment needs the same one"
            )


@contextmanager
def _one_at_a_time() -> Iterator[str]:
    """Wait until no other set-up of the metadata database goes on, and give the database's URL.

    SQLite serves a single machine, whose set-up is `EmbeddedAirflow.prepare`. Raises SetUpError
    where the database does not answer.
    """
    from airflow.configuration import conf
    from sqlalchemy import NullPool, create_engine, text
    from sqlalchemy.exc import SQLAlchemyError

    url = conf.get("database", "sql_alchemy_conn")
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    name = engine.url.render_as_string(hide_password=True)
    try:
        connection = engine.connect()
    except SQLAlchemyError as error:
        reason = str(error.__cause__ or error).strip().splitlines()[0]
        raise SetUpError(f"metadata database {name}: cannot be reached: {reason}") from None
    with connection:
        if engine.dialect.name == "postgresql":
            # One that waited in the server would keep a snapshot, and migrations wait for those.
            while not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _LOCK}):
                time.sleep(1)
        yield name


def _migrate() -> None:
    from airflow.utils.db import upgradedb
    from alembic.util import CommandError
    from sqlalchemy.exc import SQLAlchemyError

    try:
        upgradedb()
    except SystemExit:  # its log says why
        raise SetUpError("metadata database: it cannot be migrated; see the lines above") from None
    except CommandError as error:
        raise SetUpError(
            f"metadata database: it cannot be migrated: {error}; its tables are those of another "
            "version of Airflow, or of another program"
        ) from None
    except SQLAlchemyError as error:
        reason = str(error.__cause__ or error).strip().splitlines()[0]
        raise SetUpError(f"metadata database: it cannot be migrated: {reason}") from None


def _make_pools(slots: dict[str, int]) -> None:
    """Make pools that are not there; those that are keep their slots, unless a variable says."""
    from airflow.models.pool import Pool

    for name, count in slots.items():
        pool = Pool.get_pool(name)
        if pool is None or os.environ.get(f"C2C_{name.upper()}_SLOTS"):
            Pool.create_or_update_pool(name, count, POOLS[name], include_deferred=False)
        else:
            count = pool.slots
        print(f"pool {name}: {count} slots")


def _make_connection(endpoint: str) -> None:
    """Make or change the Connection to an OpenAI-compatible endpoint."""
    from airflow.models import Connection
    from airflow.utils.session import create_session
    from sqlalchemy import select

    from c2c_airflow.context import VLLM_CONNECTION

    with create_session() as session:
        query = select(Connection).where(Connection.conn_id == VLLM_CONNECTION)
        connection = session.scalar(query) or Connection(conn_id=VLLM_CONNECTION)
        connection.conn_type = "http"
        connection.description = "OpenAI-compatible endpoint of the input writer"
        connection.host = endpoint.removesuffix("/v1")
        connection.schema, connection.port = None, None
        connection.set_password(os.environ.get("C2C_VLLM_API_KEY"))
        session.add(connection)
    print(f"connection {VLLM_CONNECTION}: {endpoint}")


def _make_administrator(password: str) -> None:
    """Make the administrator, or give the one that is there the password."""
    from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder
    from werkzeug.security import check_password_hash

    name = os.environ.get("C2C_ADMIN_USER") or "admin"
    with get_application_builder() as builder:
        manager: Any = builder.sm
        user = manager.find_user(username=name)
        if user is None:
            role = manager.find_role("Admin")
            manager.add_user(name, name, "", f"{name}@localhost", role, password)
        elif not check_password_hash(user.password, password):
            manager.reset_password(user.id, password)
    print(f"administrator: {name}")


def _check_target() -> None:
    from c2c_tasks.catalogue import Catalogue
    from c2c_tasks.config import catalogue_url, default_target
    from c2c_tasks.pipeline.locking import conditions_for
    from c2c_tasks.publishing.probing import check_target
    from c2c_tasks.publishing.release import PublishError

    print(f"catalogue: {Catalogue(catalogue_url()).name}")
    target = default_target()
    try:
        check_target(target)
    except PublishError as error:  # builds may say how they do without
        check_target(target, conditions_for(target, "catalogue"))
        print(f"warning: {error}")
    print(f"target: {target}")


def main() -> None:
    """Set up, or end with one line that says why not, and status 1."""
    from c2c_tasks.catalogue import CatalogueError
    from c2c_tasks.config import ConfigError
    from c2c_tasks.publishing.release import PublishError
    from c2c_tasks.store import StoreError

    # At its usual level, Airflow tells of each of some hundred permissions.
    os.environ.setdefault("AIRFLOW__LOGGING__LOGGING_LEVEL", "ERROR")
    try:
        set_up()
    except (CatalogueError, ConfigError, PublishError, SetUpError, StoreError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
