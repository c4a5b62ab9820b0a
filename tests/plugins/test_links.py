"""Links to the Case2Code page: paths on Airflow's own server."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import BaseOperator

from c2c_airflow.links import (
    CardLink,
    EvaluationLink,
    ProgressLink,
    ReleaseLink,
    evaluation_page,
    progress_page,
    release_card,
    release_page,
)

RUN = "manual__2026-11-24T02:00:00+00:00"
RELEASE = "s3://bucket/case2code/releases/2026.11.24-1"


@pytest.fixture(autouse=True)
def deployment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A deployment with a target, at the root of its server."""
    monkeypatch.setenv("C2C_TARGET", "s3://bucket/case2code")
    monkeypatch.setenv("C2C_PRESET", "nightly")
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "http://127.0.0.1:8080")


def test_pages_open_in_airflow_s_frame() -> None:
    assert release_page(RELEASE) == "/plugin/case2code/case2code/#/releases/2026.11.24-1"
    assert release_card(RELEASE) == "/case2code/api/releases/2026.11.24-1/card"
    encoded = "manual__2026-11-24T02%3A00%3A00%2B00%3A00"
    assert progress_page(RUN, {}) == f"/plugin/case2code/case2code/#/builds/{encoded}"


def test_a_path_that_airflow_is_mounted_below_counts_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://example.org/airflow/")
    path = "/airflow/plugin/case2code/airflow/case2code/#/releases/2026.11.24-1"
    assert release_page(RELEASE) == path
    assert release_card(RELEASE) == "/airflow/case2code/api/releases/2026.11.24-1/card"


@pytest.mark.parametrize(
    ("options", "query"),
    [
        ({}, ""),
        ({"target": "s3://bucket/case2code/"}, ""),
        ({"target": None, "preset": "demo"}, "?target=s3%3A%2F%2Fbucket%2Fcase2code-demo"),
        ({"target": "s3://other", "preset": "demo"}, "?target=s3%3A%2F%2Fother"),
        ({"preset": "daily"}, ""),
    ],
)
def test_a_target_that_is_not_the_deployment_s_is_named(
    options: dict[str, Any], query: str
) -> None:
    assert progress_page("run", options) == f"/plugin/case2code/case2code/#/builds/run{query}"


def test_the_link_of_a_task_is_to_the_release_that_it_returned() -> None:
    operator = BaseOperator(task_id="publish")
    results: dict[str, Any] = {"publish": {"uri": "s3://other/releases/2026.11.24-1"}}
    ti: Any = SimpleNamespace(
        run_id=RUN,
        xcom_pull=lambda task_ids: results[task_ids],
        get_template_context=lambda: {"params": {"target": "s3://other"}},
    )
    for link in (ReleaseLink(), CardLink(), ProgressLink()):
        assert link.get_link(operator, ti_key=ti).endswith("?target=s3%3A%2F%2Fother")
    results["publish"] = None
    assert ReleaseLink().get_link(operator, ti_key=ti) == ""


def test_the_page_of_an_evaluation_is_named_by_its_folder() -> None:
    written = {"target": "s3://bucket/case2code", "problem_set": "2026.11.24-1", "name": "qwen-1"}
    page = "/plugin/case2code/case2code/#/evaluations/2026.11.24-1/qwen-1"
    assert evaluation_page(written) == page
    assert evaluation_page(written | {"target": "s3://o"}) == f"{page}?target=s3%3A%2F%2Fo"
    results: dict[str, Any] = {"report": written}
    ti: Any = SimpleNamespace(xcom_pull=lambda task_ids: results[task_ids])
    operator = BaseOperator(task_id="report")
    assert EvaluationLink().get_link(operator, ti_key=ti) == page
    results["report"] = None
    assert EvaluationLink().get_link(operator, ti_key=ti) == ""
