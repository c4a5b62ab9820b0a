"""A stand-in for Prometheus' statsd_exporter, of which no package was at hand to test with.

Does with `statsd-mapping.yaml` what its documentation says, as far as the file uses it: exact
names and the last rule's regular expression, tags in the InfluxDB style, counters that add up,
gauges, and timings in milliseconds as summaries in seconds.
"""

from __future__ import annotations

import re
import socket
import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

Series = tuple[str, tuple[tuple[str, str], ...]]


class Exporter:
    """Takes StatsD's lines by UDP and tells of them as Prometheus asks."""

    def __init__(self, mapping: Path) -> None:
        self.mappings = yaml.safe_load(mapping.read_text())["mappings"]
        self.values: dict[Series, float] = defaultdict(float)
        self.dropped: set[str] = set()
        exporter = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = exporter.text().encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.2)
        self.statsd_port = int(self._socket.getsockname()[1])
        self._open = True
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _listen(self) -> None:
        while self._open:
            try:
                data = self._socket.recv(65536)
            except TimeoutError:
                continue
            for line in data.decode().splitlines():
                self.take(line)

    def close(self) -> None:
        self._open = False
        self._listener.join()
        self._socket.close()
        self._server.shutdown()
        self._server.server_close()

    def take(self, line: str) -> None:
        """Count a line as its mapping says."""
        head, _, rest = line.partition(":")
        value, kind = rest.split("|")[:2]
        name, *tags = head.split(",")
        mapped = self._mapped(name)
        if mapped is None:
            self.dropped.add(name)
            return
        labels = tuple(sorted((k, v) for k, _, v in (tag.partition("=") for tag in tags)))
        if kind == "c":
            self.values[mapped, labels] += float(value)
        elif kind == "g":
            self.values[mapped, labels] = float(value)
        else:
            self.values[f"{mapped}_sum", labels] += float(value) / 1000
            self.values[f"{mapped}_count", labels] += 1

    def _mapped(self, name: str) -> str | None:
        for rule in self.mappings:
            regex = rule.get("match_type") == "regex"
            if re.fullmatch(rule["match"], name) if regex else rule["match"] == name:
                return None if rule.get("action") == "drop" else str(rule["name"])
        return None

    def text(self) -> str:
        """Return all series in Prometheus' format."""
        lines = []
        for (name, labels), value in sorted(self.values.items()):
            inside = ",".join(f'{key}="{text}"' for key, text in labels)
            lines.append(f"{name}{{{inside}}} {value}")
        return "\n".join(lines) + "\n"
