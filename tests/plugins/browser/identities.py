"""Asks every route of the dataset browser as every kind of user; prints what came of it as JSON.

Run as a script, in a process of its own: which auth manager Airflow has is settled when it is
imported. Arguments: ``simple`` or ``fab``.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from airflow.api_fastapi.app import create_app, get_auth_manager
from airflow.utils.db import initdb
from fastapi.testclient import TestClient
from starlette.routing import Mount

COOKIE = "_token"
SAMPLES = {
    "version": "2026.11.24-1",
    "name": "funnel",
    "function_id": "0" * 64,
    "problem_set": "2026.11.24-1",
    "build_id": "manual__2026-11-24T02:00:00+00:00",
    "path": "app.js",
}


def main(kind: str) -> None:
    initdb()
    app = create_app(apps="core")
    client = TestClient(app, follow_redirects=False)
    tokens = simple_tokens() if kind == "simple" else fab_tokens()
    tokens["bad"] = "e30.e30.e30"
    found: dict[str, dict[str, list[Any]]] = {}
    for path in paths():
        found[path] = {"anonymous": ask(client, path)}
        for name, token in tokens.items():
            found[path][name] = ask(client, path, headers={"Authorization": f"Bearer {token}"})
            found[path][f"{name} by cookie"] = ask(client, path, cookies={COOKIE: token})
    mounted = [route.path for route in app.routes if isinstance(route, Mount)]
    print(json.dumps({"answers": found, "mounted": mounted}))


def paths() -> list[str]:
    """Return a path for each route that the app has, whatever they are."""
    from c2c_airflow.browser.app import app

    return [route.path.replace(":path", "").format(**SAMPLES) for route in app.routes]  # type: ignore[attr-defined]


def ask(client: TestClient, path: str, **options: Any) -> list[Any]:
    client.cookies.clear()
    cookies = options.pop("cookies", {})
    for name, value in cookies.items():
        client.cookies.set(name, value)
    answer = client.get(f"/case2code{path}?a=2026.11.24-1&b=2026.11.24-1", **options)
    return [answer.status_code, answer.headers["content-type"], answer.text[:300]]


def simple_tokens() -> dict[str, str]:
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    manager: Any = get_auth_manager()
    viewer = SimpleAuthManagerUser(username="viewer", role="viewer")
    return {
        "viewer": manager.generate_jwt(viewer),
        "without a role": manager.generate_jwt(SimpleAuthManagerUser(username="x", role=None)),
        "expired": manager.generate_jwt(viewer, expiration_time_in_seconds=-60),
    }


def fab_tokens() -> dict[str, str]:
    manager: Any = get_auth_manager()
    with manager.flask_app.app_context():
        security = manager.security_manager
        roles = {"viewer": security.find_role("Viewer"), "without permissions": None}
        for name, granted in (
            ("without permissions", []),
            ("of another DAG", [("can_read", "DAG:another"), ("can_read", "DAG Runs")]),
            ("of this DAG", [("can_read", "DAG:case2code_build")]),
        ):
            roles[name] = security.add_role(f"role {name}")
            for action, resource in granted:
                permission = security.create_permission(action, resource)
                security.add_permission_to_role(roles[name], permission)
        users = {
            name: security.add_user(name, "a", "b", f"{index}@example.org", role, password="x")
            for index, (name, role) in enumerate(roles.items())
        }
        tokens = {name: manager.generate_jwt(user) for name, user in users.items()}
        tokens["expired"] = manager.generate_jwt(users["viewer"], expiration_time_in_seconds=-60)
        return tokens


if __name__ == "__main__":
    main(sys.argv[1])
