from __future__ import annotations

import logging
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from c2c_tasks.browsing import programs, releases
from c2c_tasks.evaluation.records import Grade
from c2c_tasks.evaluation.report import write_report
from c2c_tasks.shards import write_shard
from c2c_tasks.store import StoreUnavailable
from tests.evaluation.evaluations import judged, make_problem, make_result

BUILD = "manual__2026-11-24T02%3A00%3A00%2B00%3A00"


def paths(app: Any, version: str, function_id: str = "0" * 64) -> dict[str, str]:
    """Return a path of each route that the app has, by its template."""
    values = {
        "version": version, "name": "funnel", "function_id": function_id,
        "build_id": BUILD, "path": "nothing.js", "problem_set": version,
    }  # fmt: skip
    return {route.path: route.path.replace(":path", "").format(**values) for route in app.routes}


def test_every_route_reads_and_depends_on_access(browser: Any) -> None:
    from c2c_airflow.browser.access import may_read_builds, may_read_releases

    for route in browser.routes:
        assert isinstance(route, APIRoute), route  # no mount, which no dependency would protect
        assert route.methods == {"GET"}
        calls = [dependency.call for dependency in route.dependant.dependencies]
        assert may_read_releases in calls
        assert (may_read_builds in calls) == ("/api/builds" in route.path)


def test_every_answer_tells_browsers_what_to_heed(
    browser: Any, client: TestClient, release: str
) -> None:
    asked = [*paths(browser, release).values(), "/no/such/route", "/static/../app.py", "/api/diff"]
    for path in asked:
        answer = client.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'self'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        caching = answer.headers["cache-control"]
        files = ("/static", "/plots", "/card")
        if answer.status_code == 200 and (path == "/" or any(name in path for name in files)):
            assert "private" in caching
        else:
            assert caching == "no-store"


def test_what_is_there_is_answered(client: TestClient, release: str) -> None:
    target = os.environ["C2C_TARGET"]
    assert client.get("/api/targets").json()["items"] == [
        {"uri": target, "default": True, "latest": release}
    ]
    listed = client.get("/api/releases", params={"target": target, "page_size": 5}).json()
    assert [item["version"] for item in listed["items"]] == [release]
    assert client.get(f"/api/releases/{release}").json()["build"] == "build-1"
    plot = client.get(f"/api/releases/{release}/plots/funnel")
    assert plot.headers["content-type"] == "image/png"
    assert plot.content.startswith(b"\x89PNG")
    card = client.get(f"/api/releases/{release}/card")
    assert card.headers["content-type"] == "text/markdown; charset=utf-8"
    found = client.get(f"/api/releases/{release}/programs", params={"search": "DIVIDE"}).json()
    assert len(found["items"]) == 20
    more = client.get(
        f"/api/releases/{release}/programs",
        params={"search": "DIVIDE", "cursor": found["next_cursor"]},
    ).json()
    assert len(more["items"]) == 10
    identity = found["items"][0]["function_id"]
    shown = client.get(f"/api/releases/{release}/programs/{identity}").json()
    assert len(shown["samples"]) == 3
    same = client.get("/api/diff", params={"a": release, "b": release}).json()
    assert same["counts"]["same"] == 30
    builds = client.get("/api/builds").json()["items"]
    assert client.get(f"/api/builds/{BUILD}").json()["build"] == builds[0]
    assert client.get("/api/builds/nothing").json() is None


def test_evaluations_are_answered(
    client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("C2C_TARGET", tmp_path.as_uri())
    monkeypatch.setenv("C2C_CATALOGUE", f"sqlite:///{tmp_path / 'catalogue.sqlite'}")
    assert client.get("/api/evaluations").json()["boards"] == []
    problem = make_problem(1)
    grades = judged([problem], lambda *_: ("raised", False), 1)
    result = make_result([problem], grades)
    write_shard(f"{tmp_path.as_uri()}/grades.parquet", Grade, grades)
    place = f"{result.problem_set}/{result.name}"
    write_report(
        f"{tmp_path.as_uri()}/evaluations/{place}",
        result,
        answers=[],
        grades=[f"{tmp_path.as_uri()}/grades.parquet"],
    )
    (board,) = client.get("/api/evaluations").json()["boards"]
    assert board["standings"][0]["name"] == result.name
    shown = client.get(f"/api/evaluations/{place}").json()
    assert shown["result"]["tasks"][0]["categories"]["raised"] == 1
    found = client.get(f"/api/evaluations/{place}/answers", params={"category": "raised"}).json()
    assert found["items"][0]["code"] == grades[0].code
    page = client.get(f"/api/evaluations/{place}/card")
    assert page.headers["content-type"] == "text/markdown; charset=utf-8"
    assert page.text.startswith("# tiny on 2026.11.24-1")


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/api/releases?page=0", 400, "page: input should be greater than or equal to 1"),
        ("/api/releases?page=x", 400, "page: input should be a valid integer"),
        ("/api/releases?page_size=1000", 400, "page_size"),
        ("/api/releases?target=file:///etc", 404, "no such target"),
        ("/api/releases/latest", 400, "not a version"),
        ("/api/releases/2020.01.01-1", 404, "has no release 2020.01.01-1"),
        ("/api/releases/{}/plots/nothing", 404, "has no such plot"),
        ("/api/releases/{}/plots/..%2f..%2fREADME", 404, ""),
        ("/api/releases/..%2f..%2f/card", 404, ""),
        ("/api/releases/{}/programs?cursor=zzzz", 400, "none of this search"),
        ("/api/releases/{}/programs?split=all", 400, "split: one of"),
        ("/api/releases/{}/programs?search=" + "x" * 201, 400, "search"),
        ("/api/releases/{}/programs/xyz", 400, "64 hexadecimal digits"),
        ("/api/releases/{}/programs/" + "0" * 64, 404, "has no program"),
        ("/api/diff?a={}", 400, "b: field required"),
        ("/api/builds?limit=0", 400, "limit"),
        ("/api/evaluations?target=file:///etc", 404, "no such target"),
        ("/api/evaluations/{}/nothing", 404, "there is no evaluation nothing of {}"),
        ("/api/evaluations/{}/..%2f..%2fsecret", 404, ""),
        ("/api/evaluations/{}/.hidden", 400, "not a name of an evaluation"),
        ("/api/evaluations/{}/nothing/card", 404, "there is no evaluation"),
        ("/api/evaluations/{}/nothing/answers?category=x", 400, "category: failed, or one of"),
        ("/api/evaluations/{}/nothing/answers?limit=1000", 400, "limit"),
        ("/static/..%2fapp.py", 404, ""),
        ("/static/%2e%2e/%2e%2e/params.py", 404, ""),
        ("/static//etc/passwd", 404, ""),
        ("/no/such/route", 404, ""),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(
    client: TestClient, release: str, path: str, status: int, said: str
) -> None:
    answer = client.get(path.replace("{}", release))
    assert answer.status_code == status
    assert list(answer.json()) == ["detail"]
    assert said.replace("{}", release) in answer.json()["detail"]
    assert "\n" not in answer.json()["detail"]


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_can_be_changed(browser: Any, client: TestClient, method: str) -> None:
    for path in paths(browser, "2026.11.24-1").values():
        assert getattr(client, method)(path).status_code == 405


def test_a_store_that_is_down_is_a_sentence(
    browser: Any,
    client: TestClient,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    from c2c_tasks import store

    monkeypatch.setenv("C2C_TARGET", "s3://bucket/prefix")
    monkeypatch.setenv("C2C_CATALOGUE", "postgresql+psycopg://me:hunter2@127.0.0.1:1/c2c")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "me")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter3")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    store._s3.cache_clear()
    with caplog.at_level(logging.WARNING):
        for template, path in paths(browser, "2026.11.24-1").items():
            if template in ("/", "/static/{path:path}", "/api/targets"):
                continue
            answer = client.get(f"{path}?a=2026.11.24-1&b=2026.11.24-1")
            assert answer.status_code == 502, path
            assert list(answer.json()) == ["detail"]
            assert "hunter" not in answer.text
            assert "Traceback" not in answer.text
        targets = client.get("/api/targets")  # it says of each target what it can
        assert targets.json()["items"][0]["latest"] is None
        assert targets.json()["note"]
    assert "hunter" not in caplog.text
    store._s3.cache_clear()


def test_a_fault_of_ours_is_no_traceback(
    client: TestClient, release: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(releases, "list_releases", fail)
    answer = client.get("/api/releases")
    assert answer.status_code == 500
    assert answer.json() == {"detail": "this failed; the log of Airflow's API server says why"}
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_path_that_no_file_can_have_is_not_there(client: TestClient) -> None:
    for path in ("%00", "..%2f..%2fapp.py", "%2fetc%2fpasswd", "icon.svg%00", "x" * 300, "."):
        assert client.get(f"/static/{path}").status_code == 404, path


def test_a_slow_store_holds_up_nobody_else(
    browser: Any, client: TestClient, release: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More searches than there are threads, all stuck: other routes answer, and some are told."""
    go_on = threading.Event()

    def stuck(*_: Any, **__: Any) -> Any:
        go_on.wait(30)
        raise StoreUnavailable("the store is away")

    monkeypatch.setattr(programs, "search_programs", stuck)
    path = f"/api/releases/{release}/programs"
    with TestClient(browser) as shared, ThreadPoolExecutor(16) as pool:
        searches = [pool.submit(shared.get, path) for _ in range(16)]
        deadline = time.monotonic() + 10
        while sum(search.done() for search in searches) < 6 and time.monotonic() < deadline:
            time.sleep(0.01)
        started = time.monotonic()
        assert shared.get("/api/releases").status_code == 200
        assert time.monotonic() - started < 5
        go_on.set()
        answers = [search.result() for search in searches]
    assert sorted(answer.status_code for answer in answers) == [502] * 10 + [503] * 6
    busy = next(answer for answer in answers if answer.status_code == 503)
    assert int(busy.headers["retry-after"]) > 0


def test_a_store_that_never_answers_is_given_up(
    client: TestClient, release: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from c2c_airflow.browser import app as module

    go_on = threading.Event()
    monkeypatch.setattr(module.quick, "_seconds", 0.1)
    monkeypatch.setattr(releases, "list_releases", lambda *_: go_on.wait(30))
    answer = client.get("/api/releases")
    go_on.set()
    assert answer.status_code == 502
    assert "does not answer in time" in answer.json()["detail"]
