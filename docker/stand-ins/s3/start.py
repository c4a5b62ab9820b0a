"""Serve S3 on port 8333, as SeaweedFS does, whose arguments say nothing here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, run_simple

PORT = 8333
BUCKETS = DomainDispatcherApplication(create_backend_app)


class Quiet(WSGIRequestHandler):
    """A handler that logs no requests and keeps connections open."""

    protocol_version = "HTTP/1.1"

    def log_request(self, *_: Any) -> None:
        """Log nothing."""


def application(environment: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer SeaweedFS's health check, and hand all else to moto."""
    if environment["PATH_INFO"] == "/healthz":
        start_response("200 OK", [("Content-Length", "0")])
        return []
    answer: Iterable[bytes] = BUCKETS(environment, start_response)
    return answer


run_simple("0.0.0.0", PORT, application, threaded=True, request_handler=Quiet)
