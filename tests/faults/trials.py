"""Publishing one small release on top of another, over and over, each time with other faults."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import boto3

from c2c_tasks.publishing.manifest import Manifest
from c2c_tasks.publishing.pointer import Pointer
from c2c_tasks.store import StoreError
from tests.faults.proxy import FaultyProxy, Request, Rule
from tests.faults.small_release import SmallRelease

STEP = int(os.environ.get("C2C_FAULT_STEP", "1"))
"""Every how many-th request has a fault of each kind: all, unless time is short."""


class Reader:
    """Somebody who reads the latest release of a target, past the proxy."""

    def __init__(self, endpoint: str, target: str) -> None:
        self.client = boto3.client("s3", endpoint_url=endpoint)
        self.bucket, _, self.prefix = target.removeprefix("s3://").partition("/")
        self.digests: dict[str, str] = {}
        """SHA-256 by ETag, which is a digest of the content too."""

    def read(self, path: str) -> bytes:
        answer = self.client.get_object(Bucket=self.bucket, Key=f"{self.prefix}/{path}")
        body: bytes = answer["Body"].read()
        return body

    def state(self, below: str = "") -> dict[str, str]:
        """ETags of all objects of the target, or of a folder of it, by path."""
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=f"{self.prefix}/{below}"
        )
        listed = (item for page in pages for item in page.get("Contents", ()))
        return {item["Key"].removeprefix(f"{self.prefix}/"): item["ETag"] for item in listed}

    def look(self) -> Pointer:
        """Return the pointer, its release checked."""
        pointer = Pointer.model_validate_json(self.read("latest.json"))
        self.check(pointer.version)
        return pointer

    def check(self, version: str) -> Manifest:
        """Return a release's manifest; the release is whole: all that it names, and no more."""
        release = f"releases/{version}"
        manifest = Manifest.model_validate_json(self.read(f"{release}/manifest.json"))
        there = self.state(f"{release}/")
        named = {f"{release}/{entry.path}": entry.sha256 for entry in manifest.files}
        assert there.keys() - named.keys() == {f"{release}/claim.json", f"{release}/manifest.json"}
        if manifest.ledger:
            there |= self.state("ledger/")
            named |= {entry.path: entry.sha256 for entry in manifest.ledger}
        for path, sha256 in named.items():
            assert self.digest(path, there[path]) == sha256, path
        return manifest

    def digest(self, path: str, etag: str) -> str:
        if etag not in self.digests:
            self.digests[etag] = hashlib.sha256(self.read(path)).hexdigest()
        return self.digests[etag]


class Trials:
    """A target with one release, to which another one is published through a proxy."""

    def __init__(self, proxy: FaultyProxy, endpoint: str, bucket: str, folder: Path) -> None:
        self.proxy = proxy
        self.target = f"{bucket}/target"
        self.reader = Reader(endpoint, self.target)
        self.old = SmallRelease("old", "2026-11-23", folder / "old").write()
        self.new = SmallRelease("new", "2026-11-24", folder / "new", self.old.version).write()
        proxy.set_up()
        self.old.publish(self.target)
        self.before, self.pointer = self.reader.state(), self.reader.read("latest.json")
        proxy.set_up()
        self.new.publish(self.target)
        self.requests = list(proxy.requests)
        """Of a publish without a fault."""
        assert self.reader.look().version == self.new.version
        self.expected = self.reader.state()
        self.seen: set[str] = set()
        """Versions that readers saw, and what they found amiss."""
        self.reset()

    def reset(self) -> None:
        """Take the target back to where it holds the old release alone."""
        self.proxy.set_up()
        reader = self.reader
        new = reader.state().keys() - self.before
        if new:
            keys = [{"Key": f"{reader.prefix}/{path}"} for path in new]
            reader.client.delete_objects(Bucket=reader.bucket, Delete={"Objects": keys})
        key = f"{reader.prefix}/latest.json"
        reader.client.put_object(Bucket=reader.bucket, Key=key, Body=self.pointer)

    def publish(self, *rules: Rule) -> StoreError | None:
        """Publish, readers looking after each write; return the error that it ends with."""
        self.proxy.set_up(*rules)
        self.proxy.after = self._look
        try:
            self.new.publish(self.target)
        except StoreError as error:
            return error
        finally:
            self.proxy.wait()
        return None

    def _look(self, request: Request) -> None:
        if request.writes:
            try:
                self.seen.add(self.reader.look().version)
            except Exception as fault:
                self.seen.add(f"after {request}: {fault!r}")

    def check(self) -> None:
        """Check that the target holds both releases, byte for byte as without a fault."""
        assert self.reader.state() == self.expected
        assert not self.seen - {self.old.version, self.new.version}
