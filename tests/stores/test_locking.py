"""Stores without conditional writes are refused, or locked through the catalogue by option."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from c2c_tasks.pipeline.locking import conditions_for
from c2c_tasks.publishing.probing import check_target
from c2c_tasks.publishing.release import PublishError, claim_version
from c2c_tasks.store import store_for
from tests.faults.rounds import publish_in_rounds
from tests.faults.trials import Reader

if TYPE_CHECKING:
    from tests.stores.conftest import Server

PUBLISHERS = 8


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def catalogue(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path}/c.sqlite"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
    monkeypatch.setenv("C2C_CATALOGUE", url)


def test_the_probe_refuses_it_and_names_the_option(bucket: str) -> None:
    with pytest.raises(PublishError, match=r"the store .*set conditional_writes to catalogue"):
        check_target(f"{bucket}/target")
    assert list(store_for(bucket).list(bucket)) == []


@pytest.mark.usefixtures("catalogue")
def test_the_probe_takes_it_with_the_option(bucket: str) -> None:
    target = f"{bucket}/target"
    check_target(target, conditions_for(target, "catalogue"))
    assert list(store_for(bucket).list(bucket)) == []


def test_builds_that_claim_at_once_without_the_option_collide(bucket: str) -> None:
    """What the probe keeps from happening."""
    for day in range(1, 21):
        with ThreadPoolExecutor(PUBLISHERS) as pool:
            claims = pool.map(
                lambda n, day=day: claim_version(f"{bucket}/t", f"2026-11-{day:02}", f"build-{n}"),
                range(PUBLISHERS),
            )
            if len(set(claims)) < PUBLISHERS:
                return
    pytest.fail("every build got a version of its own")


@pytest.mark.usefixtures("catalogue")
def test_publishers_at_once_with_the_option(bucket: str, server: Server, tmp_path: Path) -> None:
    target = f"{bucket}/target"
    publish_in_rounds(
        Reader(server.url, target),
        target,
        tmp_path,
        publishers=PUBLISHERS,
        rounds=server.rounds,
        watched=server.replaces_whole,
        conditions=conditions_for(target, "catalogue"),
    )
