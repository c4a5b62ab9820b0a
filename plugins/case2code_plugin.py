"""The one file that Airflow loads as a plugin: the dataset browser in its UI, and notes on runs.

Every process of Airflow executes it, schedulers and tasks too: nothing heavy is imported before
somebody opens the page.
"""

from __future__ import annotations

import asyncio
from typing import Any

from airflow.plugins_manager import AirflowPlugin

from c2c_airflow import run_notes


class _Browser:
    """The app of the dataset browser, imported by the first request."""

    def __init__(self) -> None:
        self._app: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request."""
        if self._app is None:
            self._app = await asyncio.to_thread(_import_app)
        await self._app(scope, receive, send)


def _import_app() -> Any:
    from c2c_airflow.browser.app import app

    return app


# Relative: Airflow may be mounted below a path. The UI encodes the run's id for the URL.
_ICONS = {
    "icon": "case2code/static/icon.svg",
    "icon_dark_mode": "case2code/static/icon-dark.svg",
}
_APPS = [{"app": _Browser(), "url_prefix": "/case2code", "name": "Case2Code dataset browser"}]
_VIEWS = [
    {
        "name": "Case2Code",
        "href": "case2code/",
        "destination": "nav",
        "url_route": "case2code",
        "nav_top_level": True,
        **_ICONS,
    },
    {
        "name": "Case2Code",
        "href": "case2code/#/builds/{RUN_ID}",
        "destination": "dag_run",
        "url_route": "case2code-build",
        **_ICONS,
    },
]
_LISTENERS: list[Any] = [run_notes]


class Case2CodePlugin(AirflowPlugin):
    """What this project adds to Airflow."""

    name = "case2code"
    fastapi_apps = _APPS
    external_views = _VIEWS
    listeners = _LISTENERS
