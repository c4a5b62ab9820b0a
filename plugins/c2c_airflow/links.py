"""Links from tasks and notes to the Case2Code page, and to the card of a release.

They are paths on Airflow's own server, the path that it may be mounted below (`[api] base_url`)
included. The page opens inside of Airflow's frame: Airflow hands what follows ``/plugin/case2code``
to the frame, as the path of a page and its hash.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from airflow.sdk import BaseOperatorLink

from c2c_tasks.config import ConfigError, default_target
from c2c_tasks.presets import fill
from c2c_tasks.store import normalise

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey

APP = "/case2code/"


def release_page(uri: str) -> str:
    """Return the path of the page of a release, by its URI: ``TARGET/releases/VERSION``."""
    target, version = parts_of(uri)
    return f"{_framed()}#/releases/{quote(version, safe='')}{_query(target)}"


def release_card(uri: str) -> str:
    """Return the path of the dataset card of a release, as text."""
    target, version = parts_of(uri)
    return f"{_base()}{APP}api/releases/{quote(version, safe='')}/card{_query(target)}"


def progress_page(run_id: str, options: Mapping[str, Any]) -> str:
    """Return the path of the page that shows how far a build has come, of a run and its options."""
    return f"{_framed()}#/builds/{quote(run_id, safe='')}{_query(_target(options))}"


def evaluation_page(written: Mapping[str, Any]) -> str:
    """Return the path of the page of an evaluation, by what the step `report` returned."""
    parts = (quote(written[name], safe="") for name in ("problem_set", "name"))
    return f"{_framed()}#/evaluations/{'/'.join(parts)}{_query(written['target'])}"


class ReleaseLink(BaseOperatorLink):
    """To the page of the release that the task came to."""

    name = "Release"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """Return the path; empty where the task came to none."""
        return _of_release(release_page, operator, ti_key)


class CardLink(BaseOperatorLink):
    """To the dataset card of the release that the task came to."""

    name = "Dataset card"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """Return the path; empty where the task came to none."""
        return _of_release(release_card, operator, ti_key)


class ProgressLink(BaseOperatorLink):
    """To the progress of the build."""

    name = "Progress of the build"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """Return the path."""
        ti: Any = ti_key
        return progress_page(ti.run_id, dict(ti.get_template_context()["params"]))


class EvaluationLink(BaseOperatorLink):
    """To the page of the evaluation whose report the task has written."""

    name = "Report"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """Return the path; empty where the task has written none."""
        ti: Any = ti_key
        written = ti.xcom_pull(task_ids=operator.task_id)
        return evaluation_page(written) if written else ""


def _of_release(page: Any, operator: BaseOperator, ti: Any) -> str:
    # Airflow asks in the worker, when the task has ended, with the task instance as the key.
    release = ti.xcom_pull(task_ids=operator.task_id)
    return page(release["uri"]) if release else ""


def _target(options: Mapping[str, Any]) -> str:
    try:
        _, filled = fill(options)
    except ConfigError:  # the run has failed at it, and its page says so
        filled = {}
    return normalise(filled.get("target") or default_target())


def parts_of(uri: str) -> tuple[str, str]:
    """Return the target and the version of a release's URI."""
    target, _, version = uri.rpartition("/releases/")
    return target, version


def _query(target: str) -> str:
    return "" if target == default_target() else f"?target={quote(target, safe='')}"


def _framed() -> str:
    return f"{_base()}/plugin/case2code{_base()}{APP}"


def _base() -> str:
    from airflow.configuration import conf

    return urlsplit(conf.get("api", "base_url", fallback="") or "").path.rstrip("/")
