"""Objects by URI: ``file://`` and ``s3://``, with atomic and conditional writes.

A reader of either sees an object whole or not at all. Conditions are those of HTTP
(RFC 9110, section 13): `create` writes only where nothing is (``If-None-Match: *``),
`replace` only over the version that was read (``If-Match``).
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from c2c_tasks.store.files import FileStore, file_path
from c2c_tasks.store.objects import (
    ObjectInfo,
    ObjectNotFound,
    Store,
    StoreError,
    StoreUnavailable,
    Unfinished,
)
from c2c_tasks.store.s3 import S3Store
from c2c_tasks.store.s3_errors import store_errors

__all__ = [
    "ObjectInfo",
    "ObjectNotFound",
    "Store",
    "StoreError",
    "StoreUnavailable",
    "Unfinished",
    "file_path",
    "local_copy",
    "normalise",
    "read",
    "sha256_of",
    "store_for",
]

ATTEMPTS = 6
"""Times that a request is made of an S3 server that is too busy: in some twenty seconds."""

RANGE_SIZE = 32 << 20
"""Bytes of a large object that one request reads."""

_FILES = FileStore()


def store_for(uri: str) -> Store:
    """Return the store that holds `uri`. Raises StoreError for a scheme that none does."""
    scheme = urlsplit(uri).scheme
    if scheme == "file":
        return _FILES
    if scheme == "s3":
        with store_errors(uri):
            try:
                return _s3()
            except ValueError as error:
                raise StoreError(f"{uri}: AWS_* in the environment: {error}") from None
    raise StoreError(f"{uri}: the scheme must be file:// or s3://")


def normalise(uri: str) -> str:
    """Return a URI without a trailing slash; a plain path becomes an absolute ``file://`` URI."""
    if "://" not in uri:
        uri = Path(uri).expanduser().absolute().as_uri()
    elif urlsplit(uri).scheme == "file":
        if urlsplit(uri).netloc not in ("", "localhost"):
            raise StoreError(f"{uri}: write file:///, with three slashes, before a path")
        uri = file_path(uri).as_uri()
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
    with tempfile.TemporaryDirectory(prefix="c2c-") as folder:
        copy = Path(folder, "copy")
        store_for(uri).download(uri, copy)
        yield copy


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a local file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@cache
def _s3() -> S3Store:
    import boto3
    from botocore.config import Config

    # The environment says where and who (AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, ...).
    attempts = int(os.environ.get("AWS_MAX_ATTEMPTS", ATTEMPTS))
    config = Config(
        retries={"mode": "standard", "total_max_attempts": attempts},
        max_pool_connections=32,
        tcp_keepalive=True,
        # What is read is verified by SHA-256 where it counts; and botocore, asked to verify it too,
        # fails over an error of the server (5xx) that comes with a checksum.
        response_checksum_validation="when_required",
    )
    unsigned = config.merge(Config(s3={"payload_signing_enabled": False}))
    clients = (boto3.client("s3", config=config), boto3.client("s3", config=unsigned))
    return S3Store(*clients, range_size=RANGE_SIZE)
