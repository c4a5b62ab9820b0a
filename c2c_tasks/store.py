"""Objects by URI: ``file://`` and ``s3://``, with atomic and conditional writes.

A reader of either sees an object whole or not at all. Conditions are those of HTTP
(RFC 9110, section 13): `create` writes only where nothing is (``If-None-Match: *``),
`replace` only over the version that was read (``If-Match``).
"""

from __future__ import annotations

import fcntl
import filecmp
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast
from urllib.parse import unquote_to_bytes, urlsplit


class StoreError(Exception):
    """An object cannot be read or written; the message names it and says what to do."""


class ObjectNotFound(StoreError):
    """There is no object at the URI."""


class StoreUnavailable(StoreError):
    """The store does not answer, or is too busy: trying again later may help."""


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What a listing tells of an object."""

    uri: str
    etag: str
    """Changes when the content does: S3's ETag; of a file its size and time of change."""
    size: int
    """Bytes."""


class Store(Protocol):
    """One kind of object store. URIs are whole: scheme, place and path."""

    def head(self, uri: str) -> ObjectInfo | None:
        """Return what is known of the object, or None where there is none."""

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield every object below the prefix (a folder), in order of URI."""

    def names(self, folder: str) -> Iterator[str]:
        """Yield the names right below a folder, in order; those of folders end with a slash."""

    def open(self, uri: str) -> BinaryIO:
        """Return the object's bytes as a stream. Raises ObjectNotFound."""

    def write(self, uri: str, data: bytes) -> ObjectInfo:
        """Write the object, whatever was there."""

    def create(self, uri: str, data: bytes) -> ObjectInfo | None:
        """Write the object where there is none; return None where there is one."""

    def replace(self, uri: str, data: bytes, etag: str) -> ObjectInfo | None:
        """Write the object over the version `etag`; return None where that is gone."""

    def upload(self, uri: str, path: Path) -> ObjectInfo:
        """Write the object from a local file, whatever was there."""

    def copy(self, source: str, uri: str) -> ObjectInfo:
        """Write the object as a copy of another one of this store, which does the copying."""

    def delete(self, uri: str) -> None:
        """Remove the object, if it is there."""


def store_for(uri: str) -> Store:
    """Return the store that holds `uri`. Raises StoreError for a scheme that none does."""
    scheme = urlsplit(uri).scheme
    if scheme == "file":
        return _FILES
    if scheme == "s3":
        return _s3()
    raise StoreError(f"{uri}: the scheme must be file:// or s3://")


def normalise(uri: str) -> str:
    """Return a URI without a trailing slash; a plain path becomes an absolute ``file://`` URI."""
    if "://" not in uri:
        uri = Path(uri).expanduser().absolute().as_uri()
    return uri if uri.endswith("://") else uri.rstrip("/")


def read(uri: str) -> bytes:
    """Return an object's bytes. Raises ObjectNotFound."""
    with store_for(uri).open(uri) as stream:
        return stream.read()


@contextmanager
def local_copy(uri: str) -> Iterator[Path]:
    """Give a local path to the object's content: the file itself, or a temporary copy."""
    if urlsplit(uri).scheme == "file":
        path = file_path(uri)
        if not path.is_file():
            raise ObjectNotFound(f"{uri}: no such object")
        yield path
        return
    with tempfile.NamedTemporaryFile(prefix="c2c-") as copy:
        with store_for(uri).open(uri) as stream:
            shutil.copyfileobj(stream, copy, 1 << 20)
        copy.flush()
        yield Path(copy.name)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a local file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def file_path(uri: str) -> Path:
    """Return the path of a ``file://`` URI."""
    return Path(os.fsdecode(unquote_to_bytes(urlsplit(uri).path)))


class FileStore:
    """Objects as files. Writes go to a temporary name and are renamed into place."""

    def head(self, uri: str) -> ObjectInfo | None:
        path = file_path(uri)
        try:
            status = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return self._info(path, status) if path.is_file() else None

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        for folder, folders, names in os.walk(file_path(prefix)):
            folders.sort()
            for name in sorted(names):
                path = Path(folder, name)
                if name.startswith(".c2c-") or not path.is_file():
                    continue
                yield self._info(path, path.stat())

    def names(self, folder: str) -> Iterator[str]:
        try:
            with os.scandir(file_path(folder)) as entries:
                yield from sorted(
                    f"{entry.name}/" if entry.is_dir() else entry.name
                    for entry in entries
                    if entry.is_dir() or entry.is_file()
                )
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise StoreError(f"{folder}: cannot be listed: {error.strerror}") from None

    def open(self, uri: str) -> BinaryIO:
        try:
            return file_path(uri).open("rb")
        except (FileNotFoundError, NotADirectoryError):
            raise ObjectNotFound(f"{uri}: no such object") from None
        except OSError as error:
            raise StoreError(f"{uri}: cannot be read: {error.strerror}") from None

    def write(self, uri: str, data: bytes) -> ObjectInfo:
        with self._staged(uri, data) as (temporary, path):
            temporary.replace(path)
        return self._info(path, path.stat())

    def create(self, uri: str, data: bytes) -> ObjectInfo | None:
        with self._staged(uri, data) as (temporary, path):
            try:
                os.link(temporary, path)
            except FileExistsError:
                return None
        return self._info(path, path.stat())

    def replace(self, uri: str, data: bytes, etag: str) -> ObjectInfo | None:
        path = file_path(uri)
        lock_file = path.with_name(".c2c-lock")
        with self._staged(uri, data) as (temporary, _), lock_file.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            current = self.head(uri)
            if current is None or current.etag != etag:
                return None
            # Clocks tick slower than files are written: no two versions share a time of change.
            after = max(temporary.stat().st_mtime_ns, path.stat().st_mtime_ns + 1)
            os.utime(temporary, ns=(after, after))
            temporary.replace(path)
            return self._info(path, path.stat())

    def upload(self, uri: str, path: Path) -> ObjectInfo:
        target = file_path(uri)
        # What is there already stays, with its time of change: so a second attempt at a shard
        # changes nothing for what was made of the first.
        if not (target.is_file() and filecmp.cmp(path, target, shallow=False)):
            with self._staged(uri, path) as (temporary, target):
                temporary.replace(target)
        return self._info(target, target.stat())

    def copy(self, source: str, uri: str) -> ObjectInfo:
        with local_copy(source) as path:
            return self.upload(uri, path)

    def delete(self, uri: str) -> None:
        file_path(uri).unlink(missing_ok=True)

    @staticmethod
    @contextmanager
    def _staged(uri: str, content: bytes | Path) -> Iterator[tuple[Path, Path]]:
        """Write `content` under a temporary name beside its place; remove what is left of it."""
        target = file_path(uri)
        temporary: Path | None = None
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=".c2c-", dir=target.parent)
            temporary = Path(name)
            with os.fdopen(handle, "wb") as stream:
                if isinstance(content, Path):
                    with content.open("rb") as source:
                        shutil.copyfileobj(source, stream, 1 << 20)
                else:
                    stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.chmod(0o644)
            yield temporary, target
        except OSError as error:
            raise StoreError(f"{uri}: cannot be written: {error.strerror}") from None
        finally:
            if temporary is not None:
                temporary.unlink(missing_ok=True)

    @staticmethod
    def _info(path: Path, status: os.stat_result) -> ObjectInfo:
        etag = f"{status.st_size}-{status.st_mtime_ns}"
        return ObjectInfo(path.as_uri(), etag, status.st_size)


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


_FILES = FileStore()


@cache
def _s3() -> S3Store:
    import boto3
    from botocore.config import Config

    # The environment says where and who (AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, ...).
    return S3Store(boto3.client("s3", config=Config(retries={"mode": "standard"})))
