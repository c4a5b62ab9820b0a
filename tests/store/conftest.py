"""S3 servers of two kinds: moto, which takes any checksum, and one that verifies them."""

from __future__ import annotations

import base64
import hashlib
import io
import threading
from collections.abc import Iterable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from c2c_tasks import store
from c2c_tasks.store.s3 import S3Store

PART_SIZE = 5 << 20
"""The least that S3 takes."""


def _verifying(application: Any) -> Any:
    """Refuse what does not have the SHA-256 that its header tells, as S3 itself does."""

    def verify(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if told := environ.get("HTTP_X_AMZ_CHECKSUM_SHA256"):
            body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
            if base64.b64encode(hashlib.sha256(body).digest()).decode() != told:
                start_response("400 Bad Request", [("Content-Type", "application/xml")])
                return [b"<Error><Code>BadDigest</Code><Message>other bytes</Message></Error>"]
            environ["wsgi.input"] = io.BytesIO(body)
        answer: Iterable[bytes] = application(environ, start_response)
        return answer

    return verify


@pytest.fixture(scope="session")
def verifying_endpoint() -> Iterator[str]:
    """The URL of an S3 server that verifies checksums."""
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    application = _verifying(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()


def bytes_of(body: Any) -> bytes:
    """Return what a request is about to send: botocore makes a stream of bytes."""
    return body.getvalue() if isinstance(body, io.BytesIO) else bytes(body)


class Wire:
    """A store with small parts in a bucket of its own, and the requests that it makes."""

    def __init__(self, endpoint: str, bucket: str) -> None:
        config = Config(retries={"total_max_attempts": 1}, s3={"payload_signing_enabled": False})
        self.client = boto3.client("s3", endpoint_url=endpoint, config=config)
        self.store = S3Store(self.client, self.client, PART_SIZE)
        self.place = f"s3://{bucket}"
        self.bucket = bucket
        self.requests: list[str] = []
        self._sent: list[int] = []
        self.client.meta.events.register("before-call.s3", self._note)

    def _note(self, model: Any, params: dict[str, Any], **_: object) -> None:
        self.requests.append(model.name)
        if model.name in ("PutObject", "UploadPart") and ".c2c-probe" not in params["url_path"]:
            self._sent.append(len(bytes_of(params["body"])))  # by several threads

    def count(self, name: str) -> int:
        return self.requests.count(name)

    def forget(self) -> None:
        self.requests.clear()
        self._sent.clear()

    @property
    def sent(self) -> int:
        """Bytes of content that were sent, probes aside."""
        return sum(self._sent)


@pytest.fixture(params=["trusting", "verifying"])
def wire(request: pytest.FixtureRequest, s3_bucket: str) -> Wire:
    bucket = s3_bucket.removeprefix("s3://")
    if request.param == "trusting":
        return Wire(request.getfixturevalue("s3_endpoint"), bucket)
    wire = Wire(request.getfixturevalue("verifying_endpoint"), bucket)
    store._s3.cache_clear()
    # All moto servers of a process have the same buckets.
    return wire


@pytest.fixture
def verifying(s3_bucket: str, verifying_endpoint: str) -> Wire:
    return Wire(verifying_endpoint, s3_bucket.removeprefix("s3://"))
