"""What a server or botocore says of a failure, as one line that names the object and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from c2c_tasks.store.objects import ObjectNotFound, StoreError, StoreUnavailable


class ConditionFailed(StoreError):
    """A condition of a write or a read does not hold: the object is not the version meant."""


class ChecksumRefused(StoreUnavailable):
    """The server got other bytes than the checksum is of."""


class NotImplementedByStore(StoreError):
    """The server does not know what it was asked to do."""


class Unexplained(StoreError):
    """The server refused to tell of an object: the answer to a HEAD says no more."""


class UploadGone(StoreError):
    """The upload in parts was finished or given up, by this process or another."""


_PERMISSIONS = {
    "PutObject": "write it (s3:PutObject)",
    "CreateMultipartUpload": "write it (s3:PutObject)",
    "UploadPart": "write it (s3:PutObject)",
    "CompleteMultipartUpload": "write it (s3:PutObject)",
    "CopyObject": "copy it (s3:GetObject and s3:PutObject)",
    "DeleteObject": "delete it (s3:DeleteObject)",
    "AbortMultipartUpload": "give up its upload (s3:AbortMultipartUpload)",
    "ListObjectsV2": "list what is below it (s3:ListBucket)",
    "ListMultipartUploads": "list its uploads (s3:ListBucketMultipartUploads)",
}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired"}
_NOT_ACCEPTED = {
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "InvalidToken",
    "InvalidClientTokenId",
}
_DAMAGED = {
    "BadDigest",
    "InvalidDigest",
    "XAmzContentChecksumMismatch",
    "XAmzContentSHA256Mismatch",
}
_ELSEWHERE = {
    "PermanentRedirect",
    "TemporaryRedirect",
    "AuthorizationHeaderMalformed",
    "IllegalLocationConstraintException",
    "IncorrectEndpoint",
    "301",
    "307",
}
_FULL = {"InsufficientStorage", "QuotaExceeded", "QuotaExceededException", "XMinioStorageFull"}
_BUSY = {"SlowDown", "Throttling", "TooManyRequests", "RequestLimitExceeded", "ServiceUnavailable"}


@contextmanager
def store_errors(uri: str) -> Iterator[None]:
    """Turn botocore's errors into ours, naming the object."""
    from boto3.exceptions import Boto3Error
    from botocore import exceptions as raised

    try:
        yield
    except raised.ClientError as error:
        raise _refusal(uri, error.response, error.operation_name, str(error)) from None
    except (
        raised.NoCredentialsError,
        raised.PartialCredentialsError,
        raised.CredentialRetrievalError,
        raised.TokenRetrievalError,
        raised.SSOError,
    ) as error:
        raise StoreError(
            f"{uri}: no credentials: {_line(error)}; set AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
        ) from None
    except (raised.FlexibleChecksumError, raised.IncompleteReadError) as error:
        raise StoreUnavailable(f"{uri}: came incomplete or damaged: {_line(error)}") from None
    except (raised.ConnectionError, raised.HTTPClientError) as error:
        raise StoreUnavailable(f"{uri}: the store does not answer: {_line(error)}") from None
    except (raised.BotoCoreError, Boto3Error) as error:
        raise StoreError(f"{uri}: {_line(error)}") from None
    except ValueError as error:  # of botocore, over a header that breaks off
        raise StoreUnavailable(f"{uri}: the store's answer is damaged: {_line(error)}") from None


def _refusal(uri: str, answer: Mapping[str, Any], operation: str, text: str) -> StoreError:
    """Return the error that a server's answer stands for."""
    code = str(answer.get("Error", {}).get("Code", ""))
    metadata = answer.get("ResponseMetadata", {})
    status: int = metadata.get("HTTPStatusCode") or 0
    headers: Mapping[str, str] = metadata.get("HTTPHeaders", {})
    if code == "NoSuchUpload":
        return UploadGone(f"{uri}: its upload was finished or given up by another process")
    if code == "NoSuchBucket":
        return StoreError(f"{uri}: no such bucket; create it first")
    if code in ("NoSuchKey", "NotFound", "404"):
        return ObjectNotFound(f"{uri}: no such object")
    if operation == "HeadObject" and status in (400, 403):
        return Unexplained(f"{uri}: refused ({status}); check the credentials and the clock")
    if status == 412 or code == "PreconditionFailed":
        return ConditionFailed(f"{uri}: the condition does not hold")
    if code in _DAMAGED:
        return ChecksumRefused(f"{uri}: damaged on the way: {code}; try again")
    if status == 507 or code in _FULL:
        return StoreError(f"{uri}: the store is full ({code}); free space there, then run it again")
    if status == 501 or code == "NotImplemented":
        return NotImplementedByStore(f"{uri}: the store cannot do what is asked of it: {text}")
    return (
        _not_allowed(uri, code, status, headers, operation)
        or _try_later(uri, code, status, text)
        or StoreError(f"{uri}: {text}")
    )


def _not_allowed(
    uri: str, code: str, status: int, headers: Mapping[str, str], operation: str
) -> StoreError | None:
    if code in _EXPIRED:
        return StoreError(f"{uri}: the credentials have expired; renew them, then run it again")
    if code in _NOT_ACCEPTED:
        return StoreError(
            f"{uri}: the store does not accept the credentials ({code}); check "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    if code == "RequestTimeTooSkewed":
        return StoreError(f"{uri}: {_skew(headers.get('date'))}; set the clock of this machine")
    if code in _ELSEWHERE or status in (301, 307):
        region = headers.get("x-amz-bucket-region")
        where = f"region {region}" if region else "another region or at another endpoint"
        return StoreError(
            f"{uri}: the bucket is in {where}; set AWS_DEFAULT_REGION, or AWS_ENDPOINT_URL"
        )
    if status in (401, 403):
        what = _PERMISSIONS.get(operation, "read it (s3:GetObject, s3:ListBucket)")
        return StoreError(
            f"{uri}: access denied; the credentials do not allow to {what}, or the bucket does not"
        )
    return None


def _try_later(uri: str, code: str, status: int, text: str) -> StoreError | None:
    if code in _BUSY or status in (429, 503):
        return StoreUnavailable(f"{uri}: the store is too busy ({code or status}); try again later")
    # 409: another conditional write to the object is under way.
    if status == 409 or status >= 500:
        return StoreUnavailable(f"{uri}: {text}")
    return None


def _skew(date: str | None) -> str:
    """Return by how much this machine's clock differs from the store's ``Date``."""
    try:
        theirs = parsedate_to_datetime(date or "")
    except ValueError:
        return "this machine's clock and the store's differ too much"
    seconds = round((datetime.now(UTC) - theirs).total_seconds())
    ahead = "ahead of" if seconds > 0 else "behind"
    hours, minutes = divmod(abs(seconds) // 60, 60)
    return f"this machine's clock is {hours} h {minutes:02} min {ahead} the store's"


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
