from __future__ import annotations

import json
import subprocess
import sys
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.conftest import AIRFLOW

LOAD = """
import json, sys, time
import airflow.plugins_manager
before = set(sys.modules)
started = time.process_time()
import case2code_plugin
seconds = time.process_time() - started
plugins, errors = airflow.plugins_manager._get_plugins()
print(json.dumps({
    "seconds": seconds,
    "imported": sorted(name for name in set(sys.modules) - before),
    "names": [plugin.name for plugin in plugins],
    "errors": list(map(str, errors)),
    "views": case2code_plugin.Case2CodePlugin.external_views,
}))
"""


@pytest.fixture(scope="module")
def loaded() -> Any:
    """What Airflow, in a process of its own, makes of the plugin."""
    command = [sys.executable, "-c", LOAD]
    done = subprocess.run(command, env=AIRFLOW.environment, capture_output=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def test_airflow_finds_it_and_no_other_file(loaded: Any) -> None:
    assert loaded["names"].count("case2code") == 1
    assert loaded["errors"] == []


def test_a_scheduler_pays_nothing_for_it(loaded: Any) -> None:
    heavy = ("fastapi", "pyarrow", "duckdb", "boto3", "c2c_tasks.browsing", "c2c_airflow.browser")
    assert [n for n in loaded["imported"] if n.startswith(heavy)] == []
    assert loaded["seconds"] < 0.25


def test_links_are_relative_and_name_what_the_ui_fills_in(loaded: Any) -> None:
    views = {view["destination"]: view for view in loaded["views"]}
    assert set(views) == {"nav", "dag_run"}
    for view in views.values():
        for name in ("href", "icon", "icon_dark_mode"):
            parts = urlsplit(view[name])
            assert not parts.scheme
            assert not parts.netloc
            assert not parts.path.startswith("/")
    assert views["nav"]["href"] == "case2code/"
    assert views["dag_run"]["href"] == "case2code/#/builds/{RUN_ID}"
    assert len({view["url_route"] for view in views.values()}) == 2
