"""A registry of images in memory: as much of the protocol as a push needs."""

from __future__ import annotations

import hashlib
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class _Handler(BaseHTTPRequestHandler):
    objects: dict[str, bytes]
    """Blobs and manifests by digest, uploads by name."""

    def do_GET(self) -> None:
        self._answer(200)

    def do_HEAD(self) -> None:
        digest = self.path.rpartition("/")[2]
        self._answer(200 if digest in self.objects else 404, digest)

    def do_POST(self) -> None:
        upload = uuid.uuid4().hex
        self.objects[upload] = b""
        self._answer(202, location=f"{self.path.rstrip('/')}/{upload}")

    def do_PATCH(self) -> None:
        upload = self.path.rpartition("/")[2]
        self.objects[upload] += self._body()
        self._answer(202, location=self.path, length=len(self.objects[upload]))

    def do_PUT(self) -> None:
        url = urlsplit(self.path)
        content = self._body()
        if "/blobs/" in url.path:
            content = self.objects.pop(url.path.rpartition("/")[2]) + content
            assert parse_qs(url.query)["digest"] == [_digest(content)]
        self.objects[_digest(content)] = content
        self._answer(201, _digest(content), location=url.path)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        pieces = []
        while size := int(self.rfile.readline(), 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def _answer(self, status: int, digest: str = "", location: str = "", length: int = 0) -> None:
        self.send_response(status)
        content = len(self.objects.get(digest, b"")) if self.command == "HEAD" else 0
        headers = {
            "Content-Length": str(content),
            "Range": f"0-{max(length - 1, 0)}",
            "Docker-Distribution-Api-Version": "registry/2.0",
            "Docker-Content-Digest": digest,
            "Location": location,
        }
        for name, value in headers.items():
            if value:
                self.send_header(name, value)
        self.end_headers()


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@contextmanager
def running_registry() -> Iterator[str]:
    """Run a registry on the loopback interface; give its ``host:port``."""
    handler = type("Handler", (_Handler,), {"objects": {}, "protocol_version": "HTTP/1.1"})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
