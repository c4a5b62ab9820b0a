"""The app of the dataset browser, asked by somebody who may."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from c2c_tasks.browsing.targets import catalogue
from tests.publishing.conftest import make_program, publish

__all__ = ["make_program", "publish"]

BUILD_ID = "manual__2026-11-24T02:00:00+00:00"


@pytest.fixture
def browser() -> Iterator[Any]:
    """The app, without a login; `test_access` has what logins do."""
    from c2c_airflow.browser.access import may_read_builds, may_read_releases
    from c2c_airflow.browser.app import app

    app.dependency_overrides |= dict.fromkeys((may_read_releases, may_read_builds), lambda: None)
    yield app
    app.dependency_overrides.clear()


@pytest.fixture
def client(browser: Any) -> TestClient:
    return TestClient(browser, raise_server_exceptions=False)


@pytest.fixture(scope="session")
def published(
    tmp_path_factory: pytest.TempPathFactory, publish: Any, make_program: Any
) -> tuple[dict[str, str], str]:
    """The environment of a deployment with a release and a build, and the release's version."""
    folder = tmp_path_factory.mktemp("deployment")
    target = (folder / "target").as_uri()
    environment = {
        "C2C_TARGET": target,
        "C2C_CATALOGUE": f"sqlite:///{folder / 'catalogue.sqlite'}",
        "C2C_WORK": str(folder / "work"),
    }
    uri = publish(target, [make_program(number) for number in range(30)], plots=True)
    fields: dict[str, Any] = {"date": "2026-11-24", "mode": "full", "config": {}}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        catalogue().record_build(
            target, BUILD_ID, "published", code_version="1", release_uri=uri, **fields
        )
    return environment, str(uri).rpartition("/")[2]


@pytest.fixture
def release(published: tuple[dict[str, str], str], monkeypatch: pytest.MonkeyPatch) -> str:
    """The version of a release, with plots, in the default target; a build is known, too."""
    environment, version = published
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return version
