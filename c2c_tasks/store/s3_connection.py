"""One S3 server: requests to it by URI, and whether it verifies the checksums it is given."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import urlsplit

from c2c_tasks.store.checksums import PART_SIZE, base64_sha256
from c2c_tasks.store.objects import ObjectNotFound, StoreError, StoreUnavailable
from c2c_tasks.store.s3_errors import ChecksumRefused, Unexplained, store_errors

THREADS = 4
"""Parts of one file that are sent or fetched at a time."""
SLOTS = 6
"""Parts of all files that are sent or fetched at a time: each is in memory while it is sent."""

T = TypeVar("T")
R = TypeVar("R")


class S3Connection:
    """Requests to one S3 server, from any number of threads."""

    def __init__(
        self, client: Any, bulk: Any, part_size: int = PART_SIZE, range_size: int = 0
    ) -> None:
        """Take two clients of one server.

        `bulk` sends files. It need not sign what it sends, as each request is signed together
        with the checksum of what it sends. Parts are held in memory and ranges are not, so what
        is asked for at a time may be larger: `range_size`; 0: as large as a part.
        """
        self.client = client
        self.bulk = bulk
        for operation in ("PutObject", "UploadPart"):
            bulk.meta.events.register(f"before-call.s3.{operation}", _ask_first)
        self.part_size = part_size
        self.range_size = range_size or part_size
        self._slots = threading.BoundedSemaphore(SLOTS)
        self._verifying: dict[str, bool] = {}
        self._probing = threading.Lock()

    def call(self, uri: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """Return the answer to a request about an object. Raises StoreError."""
        try:
            return self._call(self.client, uri, operation, parameters)
        except (Unexplained, ObjectNotFound):
            # The answer to a HEAD has no body that would say why, or that it is the bucket that
            # is missing; that to a GET has one.
            if operation == "head_object":
                self._call(self.client, uri, "get_object", {"Range": "bytes=0-0"})["Body"].close()
            raise

    def send(self, uri: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """Return the answer to a request that sends bytes whose checksum is among its headers."""
        return self._call(self.bulk, uri, operation, parameters)

    def pages(
        self, uri: str, operation: str, items: str, **parameters: Any
    ) -> Iterator[dict[str, Any]]:
        """Yield the items of a listing in a bucket, of all its pages."""
        with store_errors(uri):
            pages = self.client.get_paginator(operation).paginate(
                Bucket=place(uri)[0], **parameters
            )
            for page in pages:
                yield from page.get(items, ())

    def known_to_verify(self, uri: str) -> bool:
        """Tell whether `verifies` has found that the server does: who only reads sends nothing."""
        return self._verifying.get(place(uri)[0], False)

    def verifies(self, uri: str) -> bool:
        """Tell whether the server refuses bytes that are not those of their SHA-256.

        Found by sending it some, once a bucket, beside the object: for who is to write it. Some
        servers take any checksum, and a few show it as that of what they store. Raises
        StoreUnavailable.
        """
        bucket, key = place(uri)
        with self._probing:
            if bucket not in self._verifying:
                name = f".c2c-probe-{uuid.uuid4().hex}"
                probe = f"s3://{bucket}/{key.rpartition('/')[0]}/{name}".replace("//.", "/.")
                try:
                    self.call(probe, "put_object", Body=b"1", ChecksumSHA256=base64_sha256(b"2"))
                except ChecksumRefused:
                    self._verifying[bucket] = True
                except StoreUnavailable:
                    raise
                except StoreError:
                    # Nothing may be written here: what is read back is sure, and asks for nothing.
                    self._verifying[bucket] = False
                else:
                    self._verifying[bucket] = False
                    with suppress(StoreError):  # at worst a probe of one byte is left
                        self.call(probe, "delete_object")
            return self._verifying[bucket]

    def in_parallel(self, function: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """Return what a function makes of each item; the first error ends what has not begun.

        Each begins after those before it: some servers answer to a part of an upload only when
        they have all parts before it, which must not wait for what that one holds.
        """
        begun: list[Future[R]] = []
        failed = threading.Event()
        threads = threading.Semaphore(THREADS)

        def end(future: Future[R]) -> None:
            if not future.cancelled() and future.exception():
                failed.set()
            self._slots.release()
            threads.release()

        pool = ThreadPoolExecutor(min(THREADS, len(items) or 1), "transfer")
        try:
            for item in items:
                threads.acquire()
                self._slots.acquire()
                begun.append(pool.submit(function, item))
                begun[-1].add_done_callback(end)
                if failed.is_set():
                    break
            return [future.result() for future in begun]
        finally:
            pool.shutdown(cancel_futures=True)

    @staticmethod
    def _call(client: Any, uri: str, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        bucket, key = place(uri)
        with store_errors(uri):
            answer: dict[str, Any] = getattr(client, operation)(
                Bucket=bucket, Key=key, **parameters
            )
        # An answer that breaks off in its headers is taken for whole.
        if operation in ("head_object", "get_object", "put_object") and "ETag" not in answer:
            raise StoreUnavailable(f"{uri}: the store's answer came incomplete")
        return answer


def _ask_first(params: dict[str, Any], **_: object) -> None:
    """Have a refusal read before all is sent: botocore asks so of streams, and not of bytes."""
    params["headers"]["Expect"] = "100-continue"


def place(uri: str) -> tuple[str, str]:
    """Return the bucket and the key of a URI. Raises StoreError where it names no bucket."""
    parts = urlsplit(uri)
    if not parts.netloc:
        raise StoreError(f"{uri}: names no bucket; write s3://BUCKET/PREFIX")
    # Keys may hold '?' and '#', which urlsplit would cut off.
    return parts.netloc, uri.split("/", 3)[3] if uri.count("/") > 2 else ""
