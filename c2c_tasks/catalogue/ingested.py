"""The dump objects of a target's latest release: compared as tables, a million at a time.

What comes in goes into a temporary table, and three statements then change only what differs.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from sqlalchemy import text
from sqlalchemy.orm import Session

from c2c_tasks.store import ObjectInfo

CHUNK = 10_000
"""Objects that travel to the database in one statement."""

# SQLite finds rows by an index alone; PostgreSQL joins by hashing, and is quicker without one.
_CREATE = {
    "sqlite": "CREATE TEMPORARY TABLE incoming_objects "
    "(uri TEXT NOT NULL PRIMARY KEY, etag TEXT NOT NULL, size BIGINT NOT NULL)",
    "postgresql": "CREATE TEMPORARY TABLE incoming_objects "
    "(uri TEXT NOT NULL, etag TEXT NOT NULL, size BIGINT NOT NULL)",
}
_LOAD = {
    "sqlite": "INSERT INTO incoming_objects VALUES (?, ?, ?)",
    "postgresql": "INSERT INTO incoming_objects "
    "SELECT * FROM unnest(%s::text[], %s::text[], %s::bigint[])",
}
_DELETE_GONE = """
    DELETE FROM ingested_objects WHERE target_id = :target AND NOT EXISTS (
        SELECT 1 FROM incoming_objects WHERE incoming_objects.uri = ingested_objects.uri
    )
"""
_WRITE_CHANGED = """
    INSERT INTO ingested_objects (target_id, uri, etag, size, since)
    SELECT :target, uri, etag, size, :version FROM incoming_objects WHERE NOT EXISTS (
        SELECT 1 FROM ingested_objects AS known
        WHERE known.target_id = :target AND known.uri = incoming_objects.uri
        AND known.etag = incoming_objects.etag AND known.size = incoming_objects.size
        AND known.since IS NOT NULL
    )
    ON CONFLICT (target_id, uri) DO UPDATE
    SET etag = excluded.etag, size = excluded.size, since = excluded.since
"""
_NOTE = """
    INSERT INTO ingested_objects (target_id, uri, etag, size, since)
    SELECT :target, uri, etag, size, NULL FROM incoming_objects WHERE NOT EXISTS (
        SELECT 1 FROM ingested_objects AS known
        WHERE known.target_id = :target AND known.uri = incoming_objects.uri
        AND known.etag = incoming_objects.etag AND known.size = incoming_objects.size
    )
    ON CONFLICT (target_id, uri) DO UPDATE
    SET etag = excluded.etag, size = excluded.size, since = NULL
"""


def replace_objects(
    session: Session, target_id: int, objects: Iterable[ObjectInfo], version: str
) -> None:
    """Make the objects of a target these; those that changed or are new are so since `version`."""
    _load(session, objects)
    session.execute(text(_DELETE_GONE), {"target": target_id})
    session.execute(text(_WRITE_CHANGED), {"target": target_id, "version": version})
    session.execute(text("DROP TABLE incoming_objects"))


def note_objects(session: Session, target_id: int, objects: Iterable[ObjectInfo]) -> None:
    """Make the objects of a target these, of which none holds anything new."""
    _load(session, objects)
    session.execute(text(_DELETE_GONE), {"target": target_id})
    session.execute(text(_NOTE), {"target": target_id})
    session.execute(text("DROP TABLE incoming_objects"))


def _load(session: Session, objects: Iterable[ObjectInfo]) -> None:
    connection = session.connection()
    dialect = connection.dialect.name
    connection.exec_driver_sql(_CREATE[dialect])
    remaining = iter(objects)
    while chunk := list(islice(remaining, CHUNK)):
        rows = [(item.uri, item.etag, item.size) for item in chunk]
        if dialect == "postgresql":  # one statement with three arrays, not one for each row
            connection.exec_driver_sql(_LOAD[dialect], tuple(map(list, zip(*rows, strict=True))))
        else:
            connection.exec_driver_sql(_LOAD[dialect], rows)
    if dialect == "postgresql":
        connection.exec_driver_sql("ANALYZE incoming_objects")
