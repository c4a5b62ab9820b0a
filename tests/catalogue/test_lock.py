"""The lock of a target: one holds it at a time, and whoever loses it is told."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, text

from c2c_tasks.catalogue import Catalogue, CatalogueError, database

ROOT = Path(__file__).resolve().parents[2]
TARGET = "file:///t"

# Each turn reads a number, and writes the next one a little later.
COUNT = """
import sys, time
from pathlib import Path
from c2c_tasks.catalogue import Catalogue
catalogue, file = Catalogue(sys.argv[1]), Path(sys.argv[2])
for _ in range(20):
    with catalogue.locked("file:///t") as still_held:
        number = int(file.read_text())
        time.sleep(0.002)
        still_held()
        file.write_text(str(number + 1))
"""


def test_one_holds_it_at_a_time(url: str, tmp_path: Path) -> None:
    file = tmp_path / "count"
    file.write_text("0")
    command = [sys.executable, "-c", COUNT, url, str(file)]
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: subprocess.run(command, cwd=ROOT, timeout=120), range(4)))
    assert [process.returncode for process in done] == [0] * 4
    assert file.read_text() == "80"


def test_a_holder_that_fails_lets_go(url: str) -> None:
    catalogue = Catalogue(url)
    with pytest.raises(ZeroDivisionError), catalogue.locked(TARGET):
        raise ZeroDivisionError
    with catalogue.locked(TARGET) as still_held:
        still_held()


def test_an_error_of_the_holder_is_not_the_catalogues(url: str) -> None:
    with pytest.raises(PermissionError), Catalogue(url).locked(TARGET):
        raise PermissionError


def test_nobody_waits_for_ever(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 1)
    waiting = Catalogue(url)
    with (
        Catalogue(url).locked(TARGET),
        pytest.raises(CatalogueError, match="lock"),
        waiting.locked(TARGET),
    ):
        pass


@pytest.mark.postgres
def test_locks_of_two_targets_do_not_wait_for_each_other(postgres_url: str) -> None:
    catalogue = Catalogue(postgres_url)
    with catalogue.locked(TARGET), catalogue.locked("file:///other") as still_held:
        still_held()


@pytest.mark.postgres
@pytest.mark.parametrize("at_the_end", [False, True])
def test_a_lost_connection_is_noticed(postgres_url: str, at_the_end: bool) -> None:
    catalogue = Catalogue(postgres_url)
    with pytest.raises(CatalogueError, match="terminat"), catalogue.locked(TARGET) as still_held:
        still_held()
        _end_connections(postgres_url)
        with Catalogue(postgres_url).locked(TARGET):
            pass  # nobody has it any more
        if not at_the_end:
            still_held()
            pytest.fail("the loss was not noticed")
    with catalogue.locked(TARGET) as still_held:
        still_held()


def _end_connections(url: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
