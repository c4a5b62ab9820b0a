"""A small S3 server of one folder that verifies what it is given, as S3 itself does.

Content is compared with the SHA-256 or CRC32 among the headers, and with the SHA-256 that a
request was signed with; the signature itself is not. What was sent in parts stays so on disk
and is sent from there. Whatever is not needed to compare transfers is missing.

``python -m benchmarks.s3_server FOLDER PORT``
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
import sys
import zlib
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

CHUNK = 1 << 20
SHA256, CRC32, SIGNED = "x-amz-checksum-sha256", "x-amz-checksum-crc32", "x-amz-content-sha256"


@dataclass
class Stored:
    """An object, or a part of one: pieces on disk, in order."""

    pieces: list[tuple[Path, int]]
    etag: str
    sha256: str | None
    """As the header has it."""

    @property
    def size(self) -> int:
        return sum(size for _, size in self.pieces)


@dataclass
class Upload:
    """An upload in parts that is not done."""

    key: str
    parts: dict[int, Stored] = field(default_factory=dict)


class Server(ThreadingHTTPServer):
    """Objects by path, ``/BUCKET/KEY``, and uploads by id."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, folder: Path, port: int) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.folder = folder
        self.objects: dict[str, Stored] = {}
        self.uploads: dict[str, Upload] = {}
        self.numbers = itertools.count(1)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    @property
    def key(self) -> str:
        return unquote(urlsplit(self.path).path)

    @property
    def query(self) -> dict[str, str]:
        asked = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        return {name: values[0] for name, values in asked.items()}

    def do_PUT(self) -> None:
        stored = self._received()
        if stored is None:
            self._answer(400, "<Error><Code>BadDigest</Code><Message>other bytes</Message></Error>")
            return
        if upload := self.query.get("uploadId"):
            self.server.uploads[upload].parts[int(self.query["partNumber"])] = stored
        elif self.key.count("/") > 1:
            self._keep(stored)
        self._answer(200, ETag=f'"{stored.etag}"')

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if "uploads" in self.query:
            name = f"upload-{next(self.server.numbers)}"
            self.server.uploads[name] = Upload(self.key)
            self._answer(200, f"<R><UploadId>{name}</UploadId></R>")
            return
        upload = self.server.uploads.pop(self.query["uploadId"])
        numbers = map(int, re.findall(r"<PartNumber>(\d+)</PartNumber>", body))
        parts = [upload.parts[number] for number in numbers]
        stored = Stored(
            [piece for part in parts for piece in part.pieces],
            f"{next(self.server.numbers):032x}-{len(parts)}",
            _composite([part.sha256 for part in parts]),
        )
        self._keep(stored)
        self._answer(200, f'<R><ETag>"{stored.etag}"</ETag></R>')

    def do_HEAD(self) -> None:
        self._send(body=False)

    def do_GET(self) -> None:
        query = self.query
        if "list-type" in query or "uploads" in query:
            start = f"{self.key.rstrip('/')}/{query.get('prefix', '')}"
            bucket = len(self.key.rstrip("/")) + 1
            if "uploads" in query:
                found = {upload.key: name for name, upload in self.server.uploads.items()}
            else:
                found = {key: stored.etag for key, stored in self.server.objects.items()}
            self._list(start, bucket, found, "Upload" if "uploads" in query else "Contents")
        else:
            self._send(body=True)

    def do_DELETE(self) -> None:
        self._drop(self.server.objects.pop(self.key, None))
        self._answer(204)

    def _received(self) -> Stored | None:
        """Return what the request brings, on disk; None where it is not what it is said to be."""
        told = {name: self.headers[name] for name in (SHA256, CRC32) if name in self.headers}
        signed = self.headers.get(SIGNED, "")
        sha256 = hashlib.sha256() if SHA256 in told or len(signed) == 64 else None
        number = next(self.server.numbers)
        path, left, crc32 = self.server.folder / str(number), int(self.headers["Content-Length"]), 0
        piece = (path, left)
        buffer = memoryview(bytearray(CHUNK))
        with path.open("wb", buffering=0) as stream:
            while left:
                chunk = buffer[: self.rfile.readinto(buffer[:left])]  # type: ignore[attr-defined]
                if not chunk:
                    raise ConnectionError("ended before its end")
                if sha256:
                    sha256.update(chunk)
                if CRC32 in told:
                    crc32 = zlib.crc32(chunk, crc32)
                stream.write(chunk)
                left -= len(chunk)
        found = {CRC32: base64.b64encode(crc32.to_bytes(4, "big")).decode()}
        if sha256:
            found[SHA256] = base64.b64encode(sha256.digest()).decode()
        stored = Stored([piece], f"{number:032x}", told.get(SHA256))
        right = all(found[name] == value for name, value in told.items())
        if right and (len(signed) != 64 or (sha256 and sha256.hexdigest() == signed)):
            return stored
        self._drop(stored)
        return None

    def _keep(self, stored: Stored) -> None:
        before = self.server.objects.get(self.key)
        self.server.objects[self.key] = stored
        self._drop(before)

    @staticmethod
    def _drop(stored: Stored | None) -> None:
        for path, _ in stored.pieces if stored else ():
            path.unlink()

    def _send(self, body: bool) -> None:
        """Send an object, a range of it, or what is known of it."""
        stored = self.server.objects.get(self.key)
        if stored is None:
            self._answer(404, "<Error><Code>NoSuchKey</Code></Error>" if body else "")
            return
        start, stop, status = 0, stored.size, 200
        if asked := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            start, status = int(asked[1]), 206
            stop = min(stop, int(asked[2]) + 1) if asked[2] else stop
        headers = {"ETag": f'"{stored.etag}"', "Last-Modified": formatdate(usegmt=True)}
        if status == 206:
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{stored.size}"
        elif stored.sha256 and self.headers.get("x-amz-checksum-mode") == "ENABLED":
            headers[SHA256] = stored.sha256
        self._begin(status, stop - start, headers)
        self.wfile.flush()
        for path, size in stored.pieces if body else ():
            if start < size and stop > 0:
                with path.open("rb") as stream:
                    first = max(start, 0)
                    self.connection.sendfile(stream, first, min(stop, size) - first)
            start, stop = start - size, stop - size

    def _list(self, start: str, bucket: int, found: dict[str, str], item: str) -> None:
        items = "".join(
            f"<{item}><Key>{escape(key[bucket:])}</Key><Initiated>2026-01-01T00:00:00Z</Initiated>"
            f"<UploadId>{value}</UploadId><ETag>{value}</ETag><Size>0</Size></{item}>"
            for key, value in sorted(found.items())
            if key.startswith(start)
        )
        self._answer(200, f"<R><IsTruncated>false</IsTruncated>{items}</R>")

    def _answer(self, status: int, text: str = "", **headers: str) -> None:
        body = text.encode()
        self._begin(status, len(body), headers)
        self.wfile.write(body)

    def _begin(self, status: int, length: int, headers: dict[str, Any]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()


def _composite(checksums: list[str | None]) -> str | None:
    """Return the checksum of parts' checksums, where all have one."""
    if None in checksums:
        return None
    digests = b"".join(base64.b64decode(checksum or "") for checksum in checksums)
    digest = base64.b64encode(hashlib.sha256(digests).digest()).decode()
    return f"{digest}-{len(checksums)}"


if __name__ == "__main__":
    Server(Path(sys.argv[1]), int(sys.argv[2])).serve_forever()
