"""A deployment that the tests of a file share, and the release that an undisturbed build makes."""

from __future__ import annotations

import shutil
import sysconfig
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from c2c_tasks import store
from tests.conftest import unavailable
from tests.deployment.builds import Builds
from tests.deployment.deployment import Deployment, deployed
from tests.deployment.services import Postgres

MODULES = ("bisect", "calendar", "colorsys", "fnmatch", "heapq", "ntpath", "string", "textwrap")

NOTICED_SOON = {
    "AIRFLOW__SCHEDULER__JOB_HEARTBEAT_SEC": "2",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "10",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "5",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "15",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "40",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "5",
    "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "2",
    "C2C_RETRY_SECONDS": "2",
}
"""What a deployment takes minutes to notice, noticed in seconds."""


@pytest.fixture(scope="module")
def s3_target(s3_endpoint: str) -> Iterator[str]:
    """The URI of a new bucket, which the environment of this process and of services leads to."""
    import boto3

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", s3_endpoint)
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        store._s3.cache_clear()
        name = f"case2code-{uuid.uuid4().hex[:12]}"
        boto3.client("s3").create_bucket(Bucket=name)
        yield f"s3://{name}"
        store._s3.cache_clear()


@pytest.fixture(scope="module")
def deployment(s3_target: str) -> Iterator[Deployment]:
    if Postgres.programs() is None:
        unavailable("postgres", "it is not installed")
    if shutil.which("redis-server") is None:
        unavailable("redis", "it is not installed")
    with deployed(C2C_TARGET=s3_target, **NOTICED_SOON) as running:
        yield running


@pytest.fixture(scope="module")
def builds(deployment: Deployment, s3_target: str) -> Builds:
    """Builds of one small dump; the first of them, left alone, goes to S3."""
    dump = deployment.folder / "dump"
    dump.mkdir()
    for name in MODULES:
        source = Path(sysconfig.get_path("stdlib"), f"{name}.py")
        (dump / source.name).write_bytes(source.read_bytes())
    return Builds(deployment, str(dump), s3_target)
