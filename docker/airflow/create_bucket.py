"""Makes the buckets of the target and the work area where they are missing, once S3 answers."""

from __future__ import annotations

import os
import sys
import time
from typing import Any
from urllib.parse import urlsplit

PATIENCE_SECONDS = 120


def create_buckets(uris: list[str], patience: float = PATIENCE_SECONDS) -> list[str]:
    """Make the buckets of S3 URIs that are not there; return their names.

    Waits `patience` seconds for the server. Raises botocore's errors where it does not answer or
    refuses.
    """
    import boto3

    buckets = sorted({urlsplit(uri).netloc for uri in uris if uri.startswith("s3://")})
    client = boto3.client("s3")
    return [bucket for bucket in buckets if _create(client, bucket, time.monotonic() + patience)]


def _create(client: Any, bucket: str, deadline: float) -> bool:
    from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError

    while True:
        try:
            return _create_once(client, bucket)
        except (ConnectTimeoutError, EndpointConnectionError):
            if time.monotonic() > deadline:
                raise
        except ClientError as error:
            # One that is still starting answers so.
            its_own = error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500
            if not its_own or time.monotonic() > deadline:
                raise
        time.sleep(1)


def _create_once(client: Any, bucket: str) -> bool:
    from botocore.exceptions import ClientError

    try:
        client.head_bucket(Bucket=bucket)
        return False
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"404", "NoSuchBucket"}:
            raise
    region = client.meta.region_name
    # The one region that must not be named.
    place = {} if region == "us-east-1" else {"LocationConstraint": region}
    client.create_bucket(Bucket=bucket, **({"CreateBucketConfiguration": place} if place else {}))
    return True


def main() -> None:
    """Make what is missing, or end with one line that says why not, and status 1."""
    from botocore.exceptions import BotoCoreError, ClientError

    uris = [os.environ["C2C_TARGET"], os.environ["C2C_WORK"]]
    try:
        made = create_buckets(uris)
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"error: {os.environ.get('AWS_ENDPOINT_URL', 'S3')}: {error}")
    print(f"buckets made: {', '.join(made) or 'none, they are there'}")


if __name__ == "__main__":
    main()
