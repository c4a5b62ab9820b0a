"""Objects in S3, or in any server of its protocol."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit

from c2c_tasks.store.objects import ObjectInfo, ObjectNotFound, StoreError, StoreUnavailable


class S3Store:
    """Objects in S3, or in any server of its protocol (``AWS_ENDPOINT_URL``)."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def head(self, uri: str) -> ObjectInfo | None:
        bucket, key = self._place(uri)
        try:
            with self._errors(uri):
                answer = self._client.head_object(Bucket=bucket, Key=key)
        except ObjectNotFound:
            return None
        return ObjectInfo(uri, answer["ETag"].strip('"'), answer["ContentLength"])

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        bucket, key = self._place(prefix)
        folder = f"{key.rstrip('/')}/" if key else ""
        with self._errors(prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=bucket, Prefix=folder
            )
            for page in pages:
                for item in page.get("Contents", ()):
                    uri = f"s3://{bucket}/{item['Key']}"
                    yield ObjectInfo(uri, item["ETag"].strip('"'), item["Size"])

    def names(self, folder: str) -> Iterator[str]:
        bucket, key = self._place(folder)
        prefix = f"{key.rstrip('/')}/" if key else ""
        found = []
        with self._errors(folder):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=bucket, Prefix=prefix, Delimiter="/"
            )
            for page in pages:
                found += [item["Key"] for item in page.get("Contents", ())]
                found += [item["Prefix"] for item in page.get("CommonPrefixes", ())]
        yield from sorted(name.removeprefix(prefix) for name in found if name != prefix)

    def open(self, uri: str) -> BinaryIO:
        bucket, key = self._place(uri)
        with self._errors(uri):
            return cast(BinaryIO, self._client.get_object(Bucket=bucket, Key=key)["Body"])

    def read_range(self, uri: str, start: int, length: int) -> bytes:
        bucket, key = self._place(uri)
        with self._errors(uri):
            answer = self._client.get_object(
                Bucket=bucket, Key=key, Range=f"bytes={start}-{start + length - 1}"
            )
            return cast(bytes, answer["Body"].read())

    def write(self, uri: str, data: bytes) -> ObjectInfo:
        return self._put(uri, data)

    def create(self, uri: str, data: bytes) -> ObjectInfo | None:
        try:
            return self._put(uri, data, IfNoneMatch="*")
        except _ConditionFailed:
            return None

    def replace(self, uri: str, data: bytes, etag: str) -> ObjectInfo | None:
        try:
            return self._put(uri, data, IfMatch=etag)
        except (_ConditionFailed, ObjectNotFound):
            return None

    def upload(self, uri: str, path: Path) -> ObjectInfo:
        bucket, key = self._place(uri)
        with self._errors(uri):
            self._client.upload_file(
                str(path), bucket, key, ExtraArgs={"ChecksumAlgorithm": "SHA256"}
            )
        info = self.head(uri)
        if info is None or info.size != path.stat().st_size:
            raise StoreError(f"{uri}: the store does not show the upload that it accepted")
        return info

    def copy(self, source: str, uri: str) -> ObjectInfo:
        from_bucket, from_key = self._place(source)
        bucket, key = self._place(uri)
        with self._errors(source):
            # In parts where the object is larger than one request may copy (5 GB).
            self._client.copy({"Bucket": from_bucket, "Key": from_key}, bucket, key)
        original, info = self.head(source), self.head(uri)
        if original is None or info is None or original.size != info.size:
            raise StoreError(f"{uri}: the store does not show the copy that it accepted")
        return info

    def delete(self, uri: str) -> None:
        bucket, key = self._place(uri)
        with self._errors(uri):
            self._client.delete_object(Bucket=bucket, Key=key)

    def _put(self, uri: str, data: bytes, **condition: str) -> ObjectInfo:
        bucket, key = self._place(uri)
        with self._errors(uri):
            answer = self._client.put_object(
                Bucket=bucket, Key=key, Body=data, ChecksumAlgorithm="SHA256", **condition
            )
        return ObjectInfo(uri, answer["ETag"].strip('"'), len(data))

    @staticmethod
    def _place(uri: str) -> tuple[str, str]:
        parts = urlsplit(uri)
        if not parts.netloc:
            raise StoreError(f"{uri}: names no bucket; write s3://BUCKET/PREFIX")
        # Keys may hold '?' and '#', which urlsplit would cut off.
        return parts.netloc, uri.split("/", 3)[3] if uri.count("/") > 2 else ""

    @staticmethod
    @contextmanager
    def _errors(uri: str) -> Iterator[None]:
        """Turn botocore's errors into ours, naming the object."""
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import (
            BotoCoreError,
            ClientError,
            HTTPClientError,
        )
        from botocore.exceptions import ConnectionError as NotConnected

        try:
            yield
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
            if code in ("NoSuchKey", "NotFound", "404"):
                raise ObjectNotFound(f"{uri}: no such object") from None
            if code == "NoSuchBucket":
                raise StoreError(f"{uri}: no such bucket; create it first") from None
            if status == 412 or code == "PreconditionFailed":
                raise _ConditionFailed(f"{uri}: the condition does not hold") from None
            if status == 403:
                raise StoreError(f"{uri}: access denied; check the credentials") from None
            # 409: another conditional write to the object is under way.
            if status in (409, 429) or ((status or 0) >= 500 and status != 501):
                raise StoreUnavailable(f"{uri}: {error}") from None
            raise StoreError(f"{uri}: {error}") from None
        except (NotConnected, HTTPClientError) as error:
            raise StoreUnavailable(f"{uri}: {error}") from None
        except (BotoCoreError, Boto3Error) as error:
            raise StoreError(f"{uri}: {error}") from None


class _ConditionFailed(StoreError):
    pass
