"""A catalogue beside a model of it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from sqlalchemy import create_engine, text

from c2c_tasks.catalogue import Catalogue, Release
from c2c_tasks.store import ObjectInfo

TARGET = "file:///t"


class History:
    """Takes releases and notes, and knows what the catalogue has to say after them."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._url = f"sqlite:///{Path(self._folder.name)}/c.sqlite"
        self._catalogue = Catalogue(self._url)
        self._release: str | None = None
        self._releases = 0
        self.expected: dict[str, tuple[str, str | None]] = {}

    def take(self, kind: str, objects: dict[str, str]) -> None:
        infos = [ObjectInfo(uri, etag, 1) for uri, etag in objects.items()]
        if kind == "note":
            noted = self._catalogue.add_ingested(TARGET, self._release or "none", infos)
            assert noted is (self._release is not None)
            if noted:
                before = self.expected
                self.expected = {
                    uri: before[uri] if before.get(uri, ("", None))[0] == etag else (etag, None)
                    for uri, etag in objects.items()
                }
            return
        self._releases += 1
        version = f"2026.11.24-{self._releases}"
        release = Release(
            uri=f"{TARGET}/releases/{version}", target=TARGET, version=version, number=1,
            build_id="b", date="2026-11-24", config_digest="", programs=0, samples=0,
            config={}, funnel=[],
        )  # fmt: skip
        over = self._release if kind == "release" else None
        assert self._catalogue.record_latest(release, infos, over=over)
        before = self.expected if over else {}
        self.expected = {
            uri: (etag, known[1])
            if (known := before.get(uri, ("", None)))[0] == etag and known[1]
            else (etag, version)
            for uri, etag in objects.items()
        }
        self._release = release.uri

    def check(self) -> None:
        query = text("SELECT uri, etag, since FROM ingested_objects")
        with create_engine(self._url).connect() as connection:
            found = {uri: (etag, since) for uri, etag, since in connection.execute(query)}
        assert found == self.expected
