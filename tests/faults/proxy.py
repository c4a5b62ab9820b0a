"""A proxy before an S3 server that does to requests what networks and servers do."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import urlsplit

Fault = Literal[
    "dropped",  # the connection breaks before the server sees the request
    "lost",  # the server does it, and the answer is lost
    "truncated",  # the answer breaks off in its middle
    "late",  # the server gets it late
    "internal_error",
    "slow_down",
    "conflict",  # of a conditional write with another one
    "expired",
    "skewed",
    "denied",
    "no_bucket",
    "full",
]
ERRORS = {
    "internal_error": (500, "InternalError"),
    "slow_down": (503, "SlowDown"),
    "conflict": (409, "ConditionalRequestConflict"),
    "expired": (400, "ExpiredToken"),
    "skewed": (403, "RequestTimeTooSkewed"),
    "denied": (403, "AccessDenied"),
    "no_bucket": (404, "NoSuchBucket"),
    "full": (507, "InsufficientStorage"),
}
WRITES = "PUT|POST|DELETE"


@dataclass(frozen=True, slots=True)
class Request:
    """A request that the proxy got."""

    number: int
    """Counts from 1 since the proxy was last set up."""
    method: str
    path: str
    conditional: bool

    @property
    def writes(self) -> bool:
        return re.fullmatch(WRITES, self.method) is not None


@dataclass(slots=True)
class Rule:
    """Requests, and what happens to them: from the `first` that matches on, so many `times`."""

    fault: Fault
    first: int = 1
    times: int | None = 1
    method: str = ".*"
    path: str = ".*"
    seconds: float = 0.05
    """Of a late one."""
    matched: int = 0
    fired: int = 0

    def takes(self, request: Request) -> bool:
        if self.fault == "conflict" and not (request.conditional and request.writes):
            return False
        if not re.fullmatch(self.method, request.method) or not re.search(self.path, request.path):
            return False
        self.matched += 1
        taken = self.matched >= self.first and (self.times is None or self.fired < self.times)
        self.fired += taken
        return taken


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    proxy: FaultyProxy

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away, killed ones too, are what the tests are about."""


class FaultyProxy:
    """Passes requests on to a server, but for those that a rule takes."""

    def __init__(self, upstream: str) -> None:
        self.upstream = urlsplit(upstream).netloc
        self.rules: list[Rule] = []
        self.requests: list[Request] = []
        self.before: Callable[[Request], object] = lambda _: None
        """Called with a request that the server has not seen."""
        self.after: Callable[[Request], object] = lambda _: None
        """Called with a request that the server has answered, before the answer is passed on."""
        self.lock = threading.Lock()
        self.idle = threading.Condition(self.lock)
        self.under_way = 0
        self.server = _Server(("127.0.0.1", 0), _Handler)
        self.server.proxy = self
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def set_up(self, *rules: Rule) -> None:
        """Begin anew with these rules, once no request is under way."""
        self.wait()
        self.rules, self.requests = list(rules), []
        self.before = self.after = lambda _: None

    def wait(self) -> None:
        """Wait until no request is under way: those of clients that gave up may be."""
        with self.lock:
            assert self.idle.wait_for(lambda: not self.under_way, timeout=30)

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def begin(self, method: str, path: str, conditional: bool) -> tuple[Request, Rule | None]:
        with self.lock:
            request = Request(len(self.requests) + 1, method, path, conditional)
            self.requests.append(request)
            self.under_way += 1
            taken = [rule for rule in self.rules if rule.takes(request)]
            return request, taken[0] if taken else None

    def end(self) -> None:
        with self.lock:
            self.under_way -= 1
            self.idle.notify_all()


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    @property
    def proxy(self) -> FaultyProxy:
        return self.server.proxy

    def handle_request(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        conditional = "If-Match" in self.headers or "If-None-Match" in self.headers
        request, rule = self.proxy.begin(self.command, self.path, conditional)
        try:
            self.serve(request, rule, body)
        finally:
            self.proxy.end()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_request

    def serve(self, request: Request, rule: Rule | None, body: bytes) -> None:
        self.proxy.before(request)
        fault = rule.fault if rule else None
        if fault == "dropped":
            return self.hang_up()
        if fault in ERRORS:
            return self.reply(*error(fault, request), {"Content-Type": "application/xml"})
        if fault == "late" and rule:
            time.sleep(rule.seconds)
        status, content, headers = self.forward(body)
        self.proxy.after(request)
        if fault == "lost":
            return self.hang_up()
        return self.reply(status, content, headers, truncated=fault == "truncated")

    def forward(self, body: bytes) -> tuple[int, bytes, dict[str, str]]:
        headers = {k: v for k, v in self.headers.items() if k.lower() != "expect"}
        server = HTTPConnection(self.proxy.upstream, timeout=60)
        try:
            server.request(self.command, self.path, body, headers)
            answer = server.getresponse()
            return answer.status, answer.read(), dict(answer.getheaders())
        finally:
            server.close()

    def reply(
        self, status: int, body: bytes, headers: dict[str, str], *, truncated: bool = False
    ) -> None:
        kept = {
            name: value
            for name, value in headers.items()
            if name.lower() not in ("connection", "transfer-encoding", "content-length")
        }
        length = str(len(body))
        if self.command == "HEAD":
            length = headers.get("Content-Length", "0")
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {length}"]
        lines += [f"{name}: {value}" for name, value in kept.items()]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        if not truncated:
            self.wfile.write(head + body)
            return
        # In its middle, or of an answer without a body in the middle of its headers.
        self.wfile.write(head + body[: len(body) // 2] if body else head[: len(head) // 2])
        self.hang_up()

    def hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: object) -> None:
        pass


def error(fault: str, request: Request) -> tuple[int, bytes]:
    """The status and the body of an error; a HEAD gets the status alone."""
    status, code = ERRORS[fault]
    text = f"<Error><Code>{code}</Code><Message>injected</Message></Error>"
    return status, b"" if request.method == "HEAD" else text.encode()
