"""Catalogues in both kinds of database."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from c2c_tasks.catalogue import Release

MakeRelease = Callable[..., Release]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path}/folder/c.sqlite"


@pytest.fixture
def make_release() -> MakeRelease:
    """Makes releases of one target; fields by name."""

    def make(version: str, target: str = "file:///t", **fields: Any) -> Release:
        defaults = {
            "uri": f"{target}/releases/{version}",
            "target": target,
            "version": version,
            "parent": None,
            "number": 1,
            "build_id": "b",
            "date": "2026-11-24",
            "config_digest": "d",
            "programs": 3,
            "samples": 9,
            "config": {"a": 1},
            "funnel": [],
        }
        return Release(**defaults | fields)

    return make
