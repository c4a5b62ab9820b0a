"""What a server refuses, and what is said of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from c2c_tasks.store import StoreError, StoreUnavailable
from c2c_tasks.store.s3_errors import store_errors

CASES = [
    ("ExpiredToken", 400, "GetObject", "credentials have expired; renew them", False),
    ("InvalidAccessKeyId", 403, "GetObject", "does not accept the credentials", False),
    ("AccessDenied", 403, "PutObject", r"denied.*s3:PutObject", False),
    ("NoSuchBucket", 404, "PutObject", "no such bucket; create it", False),
    ("RequestTimeTooSkewed", 403, "PutObject", "clock is 5 h 00 min ahead of the store", False),
    ("PermanentRedirect", 301, "GetObject", "the bucket is in region eu-west-1", False),
    ("NotImplemented", 501, "PutObject", "cannot do what is asked of it", False),
    ("InsufficientStorage", 507, "PutObject", "the store is full", False),
    ("SlowDown", 503, "PutObject", "too busy", True),
    ("InternalError", 500, "PutObject", "InternalError", True),
    ("BadDigest", 400, "PutObject", "damaged on the way", True),
]


@pytest.mark.parametrize(("code", "status", "operation", "message", "later"), CASES)
def test_a_refusal_says_what_to_do(
    code: str, status: int, operation: str, message: str, later: bool
) -> None:
    headers = {
        "date": format_datetime(datetime.now(UTC) - timedelta(hours=5), usegmt=True),
        "x-amz-bucket-region": "eu-west-1",
    }
    answer = {
        "Error": {"Code": code, "Message": "m"},
        "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": headers},
    }
    with (
        pytest.raises(StoreError, match=rf"s3://b/a: .*{message}") as raised,
        store_errors("s3://b/a"),
    ):
        raise ClientError(answer, operation)  # type: ignore[arg-type]
    assert isinstance(raised.value, StoreUnavailable) == later
    assert "\n" not in str(raised.value)


def test_no_credentials_are_told() -> None:
    match = r"s3://b/a: no credentials.*AWS_ACCESS_KEY_ID"
    with pytest.raises(StoreError, match=match), store_errors("s3://b/a"):
        raise NoCredentialsError
