"""Says by its exit status whether the service of this container is at work: a health check.

`airflow jobs check` and `celery inspect ping` say the same, and load all of Airflow to do so.

    python healthy.py api-server|scheduler|dag-processor|triggerer|worker
"""

from __future__ import annotations

import json
import os
import socket
import sys
from urllib.request import urlopen

SECONDS = 20
API = "http://api-server:8080/api/v2/monitor/health"


def is_healthy(service: str) -> bool:
    """Tell whether the service answers, or was heard of lately. Raises OSError where it is not."""
    if service == "worker":
        return _worker_answers()
    if service == "scheduler":
        return _get("http://127.0.0.1:8974/health") is not None
    if service == "api-server":
        return _get("http://127.0.0.1:8080/api/v2/monitor/health") is not None
    # These serve nothing: the API server tells when their last sign of life was.
    states = json.loads(_get(API))
    return bool(states[service.replace("-", "_")]["status"] == "healthy")


def _worker_answers() -> bool:
    from celery import Celery

    app = Celery(broker=os.environ["AIRFLOW__CELERY__BROKER_URL"])
    worker = f"celery@{socket.gethostname()}"
    return bool(app.control.ping(destination=[worker], timeout=SECONDS / 2, limit=1))


def _get(url: str) -> bytes:
    with urlopen(url, timeout=SECONDS) as answer:
        content: bytes = answer.read()
    return content


if __name__ == "__main__":
    try:
        sys.exit(not is_healthy(sys.argv[1]))
    except OSError as error:
        sys.exit(f"{sys.argv[1]}: {error}")
