"""Files to S3: in parts, in parallel, taken up where another attempt stopped, and verified."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from c2c_tasks.store.checksums import (
    Part,
    base64_sha256,
    composite,
    parts_of,
    read_part,
    stored_checksum,
)
from c2c_tasks.store.objects import ObjectInfo, ObjectNotFound, StoreError, StoreUnavailable
from c2c_tasks.store.ranges import CHUNK, ObjectStream
from c2c_tasks.store.s3_connection import S3Connection, place
from c2c_tasks.store.s3_errors import UploadGone

ATTEMPTS = 3
"""Uploads that are begun for one file, should others finish or give up the ones before."""


def upload(s3: S3Connection, uri: str, path: Path, sha256: str | None = None) -> ObjectInfo:
    """Write the object from a file, unless it is that already; return it when it is.

    `sha256` is the file's, where it is known.

    Two attempts at one upload may go on at a time. What a killed one leaves, the next takes up.
    """
    return _Upload(s3, uri, path, sha256=sha256).run()


def holds(s3: S3Connection, uri: str, path: Path) -> bool:
    """Tell whether the object is the file, byte for byte. Nothing is sent."""
    return _Upload(s3, uri, path, verifies=s3.known_to_verify).found() is not None


class _Upload:
    """One file and the object that it is, or is to be."""

    def __init__(
        self,
        s3: S3Connection,
        uri: str,
        path: Path,
        *,
        sha256: str | None = None,
        verifies: Callable[[str], bool] | None = None,
    ) -> None:
        self.s3 = s3
        self.verifies = verifies or s3.verifies
        self.uri = uri
        self.path = path
        self.size = path.stat().st_size
        self.parts = parts_of(self.size, s3.part_size)
        self.known = base64.b64encode(bytes.fromhex(sha256)).decode() if sha256 else None

    def run(self) -> ObjectInfo:
        for _ in range(ATTEMPTS):
            if there := self.found():
                return there
            try:
                answer, checksums = self._send()
            except UploadGone:
                continue  # it may be done: look
            if self.verifies(self.uri) and self._verified(answer, checksums):
                return ObjectInfo(self.uri, answer["ETag"].strip('"'), self.size)
            if there := self.found(checksums):
                return there
            raise StoreUnavailable(f"{self.uri}: the store holds other bytes than were sent")
        raise StoreUnavailable(f"{self.uri}: {ATTEMPTS} uploads of it were given up by others")

    def found(self, checksums: list[str] | None = None) -> ObjectInfo | None:
        """Return what is known of the object, where it is the file.

        Found by the checksum that the server has stored, where it lets none be stored that is
        wrong; otherwise by reading the object.
        """
        try:
            answer = self.s3.call(self.uri, "head_object", ChecksumMode="ENABLED")
        except ObjectNotFound:
            return None
        if answer["ContentLength"] != self.size:
            return None
        checksums = checksums or self.s3.in_parallel(self._checksum, self.parts)
        etag = str(answer["ETag"].strip('"'))
        right = self._verified(answer, checksums) if self.verifies(self.uri) else None
        if right is None:
            there = self.s3.in_parallel(lambda part: self._read_back(part, etag), self.parts)
            right = there == checksums
        return ObjectInfo(self.uri, etag, self.size) if right else None

    def _verified(self, answer: dict[str, Any], checksums: list[str]) -> bool | None:
        """Tell whether the stored checksum is that of these parts; None where it does not tell."""
        stored = stored_checksum(answer)
        if stored and not stored.parts:
            return stored.value == self._whole(checksums)
        if stored and stored.parts == len(self.parts):
            return stored.value == composite(checksums)
        return None

    def _whole(self, checksums: list[str]) -> str:
        if len(checksums) == 1:
            return checksums[0]
        if self.known:
            return self.known
        with self.path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").digest()
        return base64.b64encode(digest).decode()

    def _checksum(self, part: Part) -> str:
        if self.known and len(self.parts) == 1:
            return self.known
        return base64_sha256(read_part(self.path, part))

    def _read_back(self, part: Part, etag: str) -> str:
        """Return the checksum of a part of the object."""
        digest = hashlib.sha256()
        if part.size:
            stop = part.offset + part.size
            with ObjectStream(self.s3, self.uri, part.offset, stop, etag) as stream:
                while chunk := stream.read(CHUNK):
                    digest.update(chunk)
        return base64.b64encode(digest.digest()).decode()

    def _send(self) -> tuple[dict[str, Any], list[str]]:
        """Send the file; return the store's last answer, and the parts' checksums."""
        if len(self.parts) > 1:
            return self._send_parts()
        return self.s3.in_parallel(self._send_whole, self.parts)[0]

    def _send_whole(self, part: Part) -> tuple[dict[str, Any], list[str]]:
        data = read_part(self.path, part)
        checksum = self.known or base64_sha256(data)
        answer = self.s3.send(
            self.uri,
            "put_object",
            Body=data,
            ChecksumAlgorithm="SHA256",
            ChecksumSHA256=checksum,
        )
        return answer, [checksum]

    def _send_parts(self) -> tuple[dict[str, Any], list[str]]:
        upload_id, there = self._begun()

        def send(part: Part) -> dict[str, Any]:
            data = read_part(self.path, part)
            checksum = base64_sha256(data)
            sent = there.get(part.number)
            if sent is None or not self._is_sent(sent, data, checksum):
                sent = self.s3.send(
                    self.uri,
                    "upload_part",
                    UploadId=upload_id,
                    PartNumber=part.number,
                    Body=data,
                    ChecksumAlgorithm="SHA256",
                    ChecksumSHA256=checksum,
                )
            return {
                "PartNumber": part.number,
                "ETag": sent["ETag"],
                "ChecksumSHA256": checksum,
            }

        parts = self.s3.in_parallel(send, self.parts)
        answer = self.s3.call(
            self.uri,
            "complete_multipart_upload",
            UploadId=upload_id,
            MultipartUpload={"Parts": parts},
        )
        return answer, [part["ChecksumSHA256"] for part in parts]

    def _begun(self) -> tuple[str, dict[int, dict[str, Any]]]:
        """Return the id of the object's upload, begun now or before, and the parts it has."""
        _, key = place(self.uri)
        try:
            begun = [
                item
                for item in self.s3.pages(self.uri, "list_multipart_uploads", "Uploads", Prefix=key)
                if item["Key"] == key and item.get("ChecksumAlgorithm", "SHA256") == "SHA256"
            ]
            if begun:
                last = max(begun, key=lambda item: (item["Initiated"], item["UploadId"]))
                upload_id = last["UploadId"]
                parts = self.s3.pages(self.uri, "list_parts", "Parts", Key=key, UploadId=upload_id)
                return upload_id, {part["PartNumber"]: part for part in parts}
        except StoreUnavailable:
            raise
        except StoreError:
            pass  # finished since; or the store tells nobody: then a new one is begun
        answer = self.s3.call(self.uri, "create_multipart_upload", ChecksumAlgorithm="SHA256")
        return answer["UploadId"], {}

    def _is_sent(self, sent: dict[str, Any], data: bytearray, checksum: str) -> bool:
        """Tell whether a part that an upload has is this one.

        Of a checksum that the server may have taken unseen nothing follows; the ETag of a part
        is the MD5 of what has come, or nothing that a MD5 is equal to.
        """
        if sent["Size"] != len(data):
            return False
        if "ChecksumSHA256" in sent and self.verifies(self.uri):
            return bool(sent["ChecksumSHA256"] == checksum)
        return bool(sent["ETag"].strip('"') == hashlib.md5(data, usedforsecurity=False).hexdigest())
