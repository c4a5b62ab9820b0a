"""An S3 server behind a proxy that makes faults."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from c2c_tasks import store
from c2c_tasks.publishing import conditions
from tests.faults.proxy import FaultyProxy
from tests.faults.trials import Trials

Outcomes = Counter[str]


@pytest.fixture
def proxy(
    s3_bucket: str, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FaultyProxy]:
    """The proxy, which the environment names instead of the server."""
    proxy = FaultyProxy(s3_endpoint)
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
    store._s3.cache_clear()
    yield proxy
    proxy.stop()


@pytest.fixture
def trials(proxy: FaultyProxy, s3_endpoint: str, s3_bucket: str, tmp_path: Path) -> Trials:
    return Trials(proxy, s3_endpoint, s3_bucket, tmp_path)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries follow at once."""
    from botocore.retries.standard import ExponentialBackoff

    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda self, context: 0.0)
    monkeypatch.setattr(conditions, "PAUSES", (0.0, 0.0, 0.0))


@pytest.fixture
def outcomes(
    request: pytest.FixtureRequest, record_property: Callable[[str, object], None]
) -> Iterator[Outcomes]:
    """What came of the faults of a test: counts that the run prints at its end."""
    counts: Outcomes = Counter()
    yield counts
    record_property("outcomes", dict(counts))
