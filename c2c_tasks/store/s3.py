"""Objects in S3, or in any server of its protocol."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

from c2c_tasks.store import downloads, uploads
from c2c_tasks.store.checksums import PART_SIZE, stored_checksum
from c2c_tasks.store.objects import (
    ObjectInfo,
    ObjectNotFound,
    StoreError,
    StoreUnavailable,
    Unfinished,
)
from c2c_tasks.store.ranges import CHUNK, ObjectStream
from c2c_tasks.store.s3_connection import S3Connection, place
from c2c_tasks.store.s3_errors import (
    ConditionFailed,
    NotImplementedByStore,
    UploadGone,
    store_errors,
)

MAX_COPIED = 1 << 30
"""Bytes that one request copies; S3 allows five times that."""


class S3Store:
    """Objects in S3, or in any server of its protocol (``AWS_ENDPOINT_URL``)."""

    def __init__(
        self, client: Any, bulk: Any, part_size: int = PART_SIZE, range_size: int = 0
    ) -> None:
        """See `S3Connection`."""
        self.connection = S3Connection(client, bulk, part_size, range_size)

    def head(self, uri: str) -> ObjectInfo | None:
        try:
            answer = self.connection.call(uri, "head_object")
        except ObjectNotFound:
            return None
        return ObjectInfo(uri, answer["ETag"].strip('"'), answer["ContentLength"])

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        for uri, item in self._below(prefix, "list_objects_v2", "Contents"):
            yield ObjectInfo(uri, item["ETag"].strip('"'), item["Size"])

    def names(self, folder: str) -> Iterator[str]:
        bucket, key = place(folder)
        prefix = f"{key.rstrip('/')}/" if key else ""
        found = []
        with store_errors(folder):
            pages = self.connection.client.get_paginator("list_objects_v2").paginate(
                Bucket=bucket, Prefix=prefix, Delimiter="/"
            )
            for page in pages:
                found += [item["Key"] for item in page.get("Contents", ())]
                found += [item["Prefix"] for item in page.get("CommonPrefixes", ())]
        yield from sorted(name.removeprefix(prefix) for name in found if name != prefix)

    def open(self, uri: str) -> BinaryIO:
        return cast(BinaryIO, io.BufferedReader(ObjectStream(self.connection, uri), CHUNK))

    def read_range(self, uri: str, start: int, length: int) -> bytes:
        with ObjectStream(self.connection, uri, start, start + length) as stream:
            return stream.readall()

    def write(self, uri: str, data: bytes) -> ObjectInfo:
        return self._put(uri, data)

    def create(self, uri: str, data: bytes) -> ObjectInfo | None:
        try:
            return self._put(uri, data, IfNoneMatch="*")
        except ConditionFailed:
            return None

    def replace(self, uri: str, data: bytes, etag: str) -> ObjectInfo | None:
        try:
            return self._put(uri, data, IfMatch=etag)
        except (ConditionFailed, ObjectNotFound):
            return None

    def upload(self, uri: str, path: Path, *, sha256: str | None = None) -> ObjectInfo:
        return uploads.upload(self.connection, uri, path, sha256)

    def holds(self, uri: str, path: Path) -> bool:
        return uploads.holds(self.connection, uri, path)

    def sha256(self, uri: str) -> str:
        stored = stored_checksum(self.connection.call(uri, "head_object", ChecksumMode="ENABLED"))
        if stored and not stored.parts and self.connection.known_to_verify(uri):
            return base64.b64decode(stored.value).hex()
        digest = hashlib.sha256()
        with ObjectStream(self.connection, uri) as stream:
            while chunk := stream.read(CHUNK):
                digest.update(chunk)
        return digest.hexdigest()

    def download(
        self,
        uri: str,
        path: Path,
        *,
        sha256: str | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        info = self.head(uri)
        if info is None:
            raise ObjectNotFound(f"{uri}: no such object")
        downloads.download(self.connection, info, path, sha256=sha256, progress=progress)

    def copy(self, source: str, uri: str) -> ObjectInfo:
        original = self.head(source)
        if original is None:
            raise ObjectNotFound(f"{source}: no such object")
        bucket, key = place(source)
        copied = {"CopySource": {"Bucket": bucket, "Key": key}}
        if original.size <= MAX_COPIED:
            # One request: the copy's checksum is that of the content, however it was sent.
            self.connection.call(uri, "copy_object", ChecksumAlgorithm="SHA256", **copied)
        else:
            self.connection.call(uri, "copy", **copied)
        info = self.head(uri)
        if info is None or info.size != original.size:
            raise StoreUnavailable(f"{uri}: the store does not show the copy that it made")
        return info

    def delete(self, uri: str) -> None:
        self.connection.call(uri, "delete_object")

    def changed(self, prefix: str) -> Iterator[tuple[str, datetime]]:
        for uri, item in self._below(prefix, "list_objects_v2", "Contents"):
            yield uri, item["LastModified"].astimezone(UTC)

    def unfinished(self, prefix: str) -> Iterator[Unfinished]:
        for uri, item in self._below(prefix, "list_multipart_uploads", "Uploads"):
            yield Unfinished(uri, item["Initiated"].astimezone(UTC), item["UploadId"])

    def discard(self, unfinished: Unfinished) -> None:
        with suppress(UploadGone):
            self.connection.call(
                unfinished.uri, "abort_multipart_upload", UploadId=unfinished.token
            )

    def _below(
        self, prefix: str, operation: str, items: str
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield what a listing tells of each object below a folder, with the object's URI."""
        bucket, key = place(prefix)
        folder = f"{key.rstrip('/')}/" if key else ""
        for item in self.connection.pages(prefix, operation, items, Prefix=folder):
            yield f"s3://{bucket}/{item['Key']}", item

    def _put(self, uri: str, data: bytes, **condition: str) -> ObjectInfo:
        try:
            answer = self.connection.call(
                uri, "put_object", Body=data, ChecksumAlgorithm="SHA256", **condition
            )
        except NotImplementedByStore:
            if not condition:
                raise
            raise StoreError(
                f"{uri}: the store has no conditional writes ({', '.join(condition)})"
            ) from None
        return ObjectInfo(uri, answer["ETag"].strip('"'), len(data))
