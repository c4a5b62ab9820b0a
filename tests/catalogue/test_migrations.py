"""The catalogue's tables: made, upgraded, and the same as the code's."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, make_url, text

from c2c_tasks.catalogue import Catalogue, CatalogueError
from c2c_tasks.catalogue.database import MIGRATIONS
from c2c_tasks.catalogue.schema import REVISION, Base
from c2c_tasks.store import ObjectInfo

if TYPE_CHECKING:
    from pathlib import Path

    from tests.catalogue.conftest import MakeRelease

BEFORE_MIGRATIONS = """
CREATE TABLE releases (uri VARCHAR(1024) NOT NULL PRIMARY KEY, target VARCHAR(1024) NOT NULL,
    version VARCHAR(64) NOT NULL, parent VARCHAR(64), build_id VARCHAR(512) NOT NULL,
    config_digest VARCHAR(64) NOT NULL, programs BIGINT NOT NULL, config JSON NOT NULL,
    funnel JSON NOT NULL, indexed_at TIMESTAMP NOT NULL);
CREATE INDEX ix_releases_target ON releases (target);
CREATE INDEX ix_releases_build_id ON releases (build_id);
CREATE TABLE ingested_objects (release_uri VARCHAR(1024) NOT NULL, uri VARCHAR(1024) NOT NULL,
    etag VARCHAR(256) NOT NULL, size BIGINT NOT NULL, PRIMARY KEY (release_uri, uri));
INSERT INTO releases VALUES ('file:///t/releases/2026.11.24-1', 'file:///t', '2026.11.24-1', NULL,
    'b', 'd', 3, '{}', '[]', '2026-11-24 02:00:00');
INSERT INTO ingested_objects VALUES ('file:///t/releases/2026.11.24-1', 'file:///a', '1', 1)
"""


def run(url: str, statements: str) -> None:
    with create_engine(url).begin() as connection:
        for statement in statements.split(";"):
            connection.execute(text(statement))


def make_folder(url: str, tmp_path: Path) -> None:
    if make_url(url).get_backend_name() == "sqlite":
        (tmp_path / "folder").mkdir()


def test_the_migrations_make_the_tables_of_the_code(url: str) -> None:
    Catalogue(url)
    with create_engine(url).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
        assert context.get_current_revision() == REVISION
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [REVISION]


def test_a_catalogue_of_before_there_were_migrations_is_upgraded(
    url: str, tmp_path: Path, make_release: MakeRelease
) -> None:
    make_folder(url, tmp_path)
    run(url, BEFORE_MIGRATIONS)
    catalogue = Catalogue(url)
    assert [target.uri for target in catalogue.targets()] == ["file:///t"]
    # What a release lacks is in its manifest: it is indexed when it is next asked for.
    assert catalogue.releases() == []
    assert catalogue.ingested("file:///t", "file:///t/releases/2026.11.24-1") is None
    release = make_release("2026.11.24-1")
    assert catalogue.record_latest(release, [ObjectInfo("file:///a", "1", 1)], over=None)
    Catalogue(url)
    assert catalogue.ingested("file:///t", release.uri) == {"file:///a": ("1", 1)}


def test_newer_tables_are_left_alone(url: str) -> None:
    Catalogue(url)
    run(url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(CatalogueError, match=r"\(revision 9999\) are newer than this code \(000"):
        Catalogue(url)


def test_the_database_of_airflow_is_no_catalogue(url: str, tmp_path: Path) -> None:
    make_folder(url, tmp_path)
    run(
        url,
        """
        CREATE TABLE dag_run (id INTEGER);
        CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL);
        INSERT INTO alembic_version VALUES ('a1b2c3d4e5f6')
        """,
    )
    with pytest.raises(CatalogueError, match="is Airflow's own; give the catalogue one of its own"):
        Catalogue(url)
    with create_engine(url).connect() as connection:
        assert set(inspect(connection).get_table_names()) == {"dag_run", "alembic_version"}


def test_an_upgrade_that_fails_changes_nothing(url: str, tmp_path: Path) -> None:
    make_folder(url, tmp_path)
    run(url, f"{BEFORE_MIGRATIONS}; CREATE TABLE reports (other INTEGER)")
    with pytest.raises(CatalogueError, match="reports"):
        Catalogue(url)
    with create_engine(url).connect() as connection:
        tables = set(inspect(connection).get_table_names())
        assert tables == {"releases", "ingested_objects", "reports"}
        assert connection.scalar(text("SELECT count(*) FROM ingested_objects")) == 1


@pytest.mark.parametrize("old", [False, True], ids=["empty", "old"])
def test_many_may_open_it_at_once(url: str, tmp_path: Path, old: bool) -> None:
    if old:
        make_folder(url, tmp_path)
        run(url, BEFORE_MIGRATIONS)
    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(lambda _: Catalogue(url).name, range(16)))
    assert len(set(names)) == 1
    with create_engine(url).connect() as connection:
        assert connection.execute(text("SELECT * FROM alembic_version")).all() == [(REVISION,)]
