"""A proxy before a real endpoint that spoils answers, as a bad network or a bad model would."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

TRANSPORT = ("busy", "failing", "dropped", "cut", "garbled", "late")
"""Faults of the network and of the server: asking again helps."""
FREE_FORM = ("prose", "lambda", "fence", "unclosed", "empty")
"""What models write where nothing holds them to a grammar."""
LATE_SECONDS = 15.0


class QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone away, or a server, is what the tests are about."""


class FaultyProxy:
    """Does to each request what is next in `faults`, over and over; `pass` passes it on."""

    def __init__(self, upstream: str, faults: Sequence[str] = ("pass",)) -> None:
        self.upstream = upstream
        self.faults = faults
        self.seen: Counter[str] = Counter()
        self.prompts: Counter[str] = Counter()
        """Prompts that were answered whole, by their text."""
        self.lock = threading.Lock()
        self.client = httpx.Client(timeout=120, limits=httpx.Limits(max_connections=None))
        self.server = QuietServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.client.close()

    def next_fault(self) -> str:
        with self.lock:
            fault = self.faults[self.seen.total() % len(self.faults)]
            self.seen[fault] += 1
            return fault

    def note(self, messages: list[dict[str, str]]) -> None:
        """Count a prompt that was answered; the trial of grammars, without examples, is none."""
        if len(messages) > 1:
            with self.lock:
                self.prompts[str(messages[-1])] += 1

    def _handler(proxy) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                path = self.path.removeprefix("/v1")
                url = proxy.upstream + path if path != self.path else proxy.upstream[:-3] + path
                answer = proxy.client.get(url)
                self.reply(answer.status_code, answer.content)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                fault = proxy.next_fault()
                if fault == "busy":
                    return self.reply(429, b"busy", {"Retry-After": "0.1"})
                if fault == "failing":
                    return self.reply(503, b"out of order")
                if fault == "dropped":
                    self.close_connection = True
                    return self.connection.close()
                if fault == "late":
                    time.sleep(LATE_SECONDS)
                answer = proxy.client.post(
                    proxy.upstream + self.path.removeprefix("/v1"),
                    content=body,
                    headers={"Content-Type": "application/json"},
                )
                if fault == "cut":
                    return self.reply(200, answer.content[: len(answer.content) // 2], cut=True)
                if fault == "garbled":
                    return self.reply(200, answer.content[: len(answer.content) // 2])
                proxy.note(json.loads(body)["messages"])
                return self.reply(answer.status_code, said(fault, answer.content))

            def reply(
                self,
                status: int,
                body: bytes,
                headers: dict[str, str] | None = None,
                *,
                cut: bool = False,
            ) -> None:
                self.send_response(status)
                length = 2 * len(body) if cut else len(body)
                for name, value in {**(headers or {}), "Content-Length": str(length)}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
                self.close_connection = cut

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler


def said(fault: str, answer: bytes) -> bytes:
    """The endpoint's answer, with what a model that nothing holds might have written in it."""
    if fault not in FREE_FORM:
        return answer
    completion: dict[str, Any] = json.loads(answer)
    for choice in completion["choices"]:
        text = choice["message"]["content"] or ""
        choice["message"]["content"] = {
            "prose": "I am sorry, but I cannot run programs.",
            "lambda": f"{text}\n" + text.replace("=", "=lambda: ", 1),
            "fence": f"Sure! Here they are:\n```python\nexamples = {text}\n```\nHope it helps.",
            "unclosed": f"```python\nexamples = {text[: 2 * len(text) // 3]}",
            "empty": "",
        }[fault]
    return json.dumps(completion).encode()
