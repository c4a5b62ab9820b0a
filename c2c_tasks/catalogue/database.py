"""The catalogue's database: opening it, bringing it up to date, and its transactions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.orm import Session

from c2c_tasks.catalogue.schema import REVISION

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_SECONDS = 120
"""For which a process waits for another's transaction; recording a million objects takes about
ten."""
_UPGRADE_LOCK = 0xC2C
"""Key of PostgreSQL's advisory lock around an upgrade."""
_WRITES = "c2c_writes"


class CatalogueError(Exception):
    """The catalogue cannot be used, or does not know what it is asked for; the message says."""


class Database:
    """The database behind an SQLAlchemy URL, its tables as this code needs them."""

    def __init__(self, url: str) -> None:
        """Open the database, upgrading it. Raises CatalogueError where it cannot be used."""
        try:
            self._url = make_url(url)
        except ArgumentError:
            raise CatalogueError(
                f"catalogue {url!r}: not an SQLAlchemy URL, as sqlite:////data/catalogue.sqlite"
            ) from None
        # ImportError: of the driver.
        with self._errors(ImportError, OSError):
            self._engine = self._connect()
            self._upgrade()

    @property
    def name(self) -> str:
        """URL without the password."""
        return self._url.render_as_string(hide_password=True)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a session that sees one state of the database."""
        with self._errors(), Session(self._engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Give a session whose changes are made together, at its end, or not at all."""
        with (
            self._errors(),
            self._engine.connect().execution_options(**{_WRITES: True}) as connection,
            Session(connection, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    def _connect(self) -> Engine:
        if self._url.get_backend_name() != "sqlite":
            engine = create_engine(self._url, pool_pre_ping=True)
            event.listen(engine, "begin", _limit_waiting)
            return engine
        if self._url.database:
            Path(self._url.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(self._url, connect_args={"timeout": BUSY_SECONDS})
        event.listen(engine, "connect", _leave_transactions_to_us)
        event.listen(engine, "begin", _begin)
        return engine

    def _upgrade(self) -> None:
        with self._engine.connect() as connection:
            if _revision(connection) == REVISION:
                return
        if self._engine.dialect.name == "sqlite":
            self._let_readers_be()
        writing = self._engine.connect().execution_options(**{_WRITES: True})
        with writing as connection, connection.begin():
            if self._engine.dialect.name == "postgresql":
                lock = text("SELECT pg_advisory_xact_lock(:key)")
                connection.execute(lock, {"key": _UPGRADE_LOCK})
            self._migrate(connection)

    def _let_readers_be(self) -> None:
        """Have SQLite keep a write-ahead log: readers and a writer at a time.

        The file remembers it. Another process may be at it now, and says so by its lock.
        """
        with suppress(sqlite3.OperationalError):
            connection = self._engine.raw_connection()
            try:
                connection.cursor().execute("PRAGMA journal_mode = WAL")
            finally:
                connection.close()

    def _migrate(self, connection: Connection) -> None:
        from alembic import command
        from alembic.config import Config
        from alembic.script import ScriptDirectory

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        revision = _revision(connection)
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        tables = inspect(connection)
        if revision is None and tables.has_table("releases"):
            command.stamp(config, "0001")  # made before there were migrations
        elif revision not in known and tables.has_table("dag_run"):
            # Both would keep their revision in `alembic_version`.
            raise CatalogueError(
                f"catalogue {self.name}: this database is Airflow's own; give the catalogue one of "
                "its own"
            )
        elif revision is not None and revision not in known:
            raise CatalogueError(
                f"catalogue {self.name}: its tables (revision {revision}) are newer than this code "
                f"({REVISION}); use the version of case2code-etl that wrote it, or a new catalogue"
            )
        command.upgrade(config, "head")

    @contextmanager
    def _errors(self, *others: type[Exception]) -> Iterator[None]:
        """Turn the database's errors, and others that can only be its own, into ours."""
        expected: tuple[type[Exception], ...] = (SQLAlchemyError, *others)
        try:
            yield
        except expected as error:
            cause = getattr(error, "orig", None) or error
            first_line = str(cause).strip().partition("\n")[0]
            raise CatalogueError(f"catalogue {self.name}: {first_line}") from None


def _revision(connection: Connection) -> str | None:
    """Return the migration that the tables are at; None where there has been none."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def _leave_transactions_to_us(connection: Any, _: Any) -> None:
    """Stop Python's sqlite3 from beginning transactions late, and only before some statements."""
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = NORMAL")


def _limit_waiting(connection: Connection) -> None:
    """Have PostgreSQL wait for another's lock no longer than SQLite does."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{BUSY_SECONDS}s'")


def _begin(connection: Connection) -> None:
    """Begin: a writer takes the write lock at once, because two readers cannot both become it."""
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
