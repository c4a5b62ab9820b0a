"""A small server that speaks the OpenAI API, and does what a test tells it to."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, dict[str, Any] | str, dict[str, str]]
"""Status, body and headers."""


class QuietServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone away is what some tests are about."""


class StandIn:
    """A model that writes the inputs 1 and 2, unless `answers` holds something else to say."""

    def __init__(self) -> None:
        self.models: Any = {"data": [{"id": "small", "max_model_len": 4096}, {"id": "large"}]}
        self.models_status = 200
        self.version: Any = {"version": "0.0"}
        self.answers: list[Answer] = []
        self.answer: Callable[[dict[str, Any]], Answer] = lambda _: completion("f(1)\nf(2)")
        self.requests: list[dict[str, Any]] = []
        self.keys: set[str | None] = set()
        self.seconds = 0.0
        self.under_way = 0
        self.most_under_way = 0
        self.lock = threading.Lock()
        self.port = 0
        self.start()

    def start(self) -> None:
        """Listen, on the same port as before."""
        self.server = QuietServer(("127.0.0.1", self.port), self._handler())
        self.port = self.server.server_port
        self.url = f"http://127.0.0.1:{self.port}/v1"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                stand_in.keys.add(self.headers["Authorization"])
                if self.path == "/version":
                    self.reply(200, stand_in.version, {})
                else:
                    assert self.path == "/v1/models"
                    self.reply(stand_in.models_status, stand_in.models, {})

            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                request["path"] = self.path
                with stand_in.lock:
                    stand_in.requests.append(request)
                    stand_in.under_way += 1
                    stand_in.most_under_way = max(stand_in.most_under_way, stand_in.under_way)
                    stand_in.keys.add(self.headers["Authorization"])
                    queued = stand_in.answers.pop(0) if stand_in.answers else None
                time.sleep(stand_in.seconds)
                answer = queued or stand_in.answer(request)
                with stand_in.lock:
                    stand_in.under_way -= 1
                self.reply(*answer)

            def reply(self, status: int, body: Any, headers: dict[str, str]) -> None:
                data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(data))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler


def completion(
    *contents: str | None, prompt_tokens: int = 7, tokens: int = 5, reason: str = "stop"
) -> Answer:
    """An answer of a chat with these choices."""
    usage = {"prompt_tokens": prompt_tokens, "completion_tokens": tokens}
    choices = [{"message": {"content": text}, "finish_reason": reason} for text in contents]
    return 200, {"choices": choices, "usage": usage}, {}


def asked(request: dict[str, Any]) -> str:
    """The last message of a request: what is different from one function to another."""
    return str(request["messages"][-1]["content"])
