"""The catalogue: what was built, published and ingested, in SQL.

It is an index over the manifests, for planning and for people: nothing is published by
writing here, and it can be rebuilt from the releases.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, String, create_engine, delete, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from c2c_tasks.store import ObjectInfo


class CatalogueError(Exception):
    """The catalogue's database cannot be used; the message names it."""


class Base(DeclarativeBase):
    """Declarative base of the catalogue's tables."""


class Release(Base):
    """A published release, and the build that made it."""

    __tablename__ = "releases"

    uri: Mapped[str] = mapped_column(String(1024), primary_key=True)
    target: Mapped[str] = mapped_column(String(1024), index=True)
    version: Mapped[str] = mapped_column(String(64))
    parent: Mapped[str | None] = mapped_column(String(64))
    build_id: Mapped[str] = mapped_column(String(512), index=True)
    config_digest: Mapped[str] = mapped_column(String(64))
    """Of the options that decide what a release holds."""
    programs: Mapped[int] = mapped_column(BigInteger)
    config: Mapped[dict[str, Any]] = mapped_column(JSON)
    funnel: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    indexed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class IngestedObject(Base):
    """A dump object that a release, or one of its parents, was built from."""

    __tablename__ = "ingested_objects"

    release_uri: Mapped[str] = mapped_column(String(1024), primary_key=True)
    uri: Mapped[str] = mapped_column(String(1024), primary_key=True)
    etag: Mapped[str] = mapped_column(String(256))
    size: Mapped[int] = mapped_column(BigInteger)


class Catalogue:
    """The catalogue behind an SQLAlchemy URL; tables are made where they are missing."""

    def __init__(self, url: str) -> None:
        """Open the catalogue. Raises CatalogueError where its database cannot be used."""
        try:
            self.url = make_url(url)
        except ArgumentError:
            raise CatalogueError(
                f"catalogue {url!r}: not an SQLAlchemy URL, as sqlite:////data/catalogue.sqlite"
            ) from None
        with self._errors():
            if self.url.drivername.startswith("sqlite") and self.url.database:
                Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
            self._engine = create_engine(self.url)
            Base.metadata.create_all(self._engine)

    def release(self, uri: str) -> Release | None:
        """Return what is known of the release at `uri`."""
        with self._errors(), Session(self._engine, expire_on_commit=False) as session:
            return session.get(Release, uri)

    def ingested(self, release_uri: str) -> dict[str, tuple[str, int]]:
        """Return ETag and size by URI of the objects that a release was built from."""
        query = select(IngestedObject).where(IngestedObject.release_uri == release_uri)
        with self._errors(), Session(self._engine) as session:
            return {row.uri: (row.etag, row.size) for row in session.scalars(query)}

    def record(self, release: Release, objects: Iterable[ObjectInfo]) -> None:
        """Index a release; one that is indexed already is indexed anew."""
        release.indexed_at = datetime.now(UTC)
        with self._errors(), Session(self._engine) as session, session.begin():
            session.execute(delete(IngestedObject).where(IngestedObject.release_uri == release.uri))
            session.merge(release)
            session.add_all(
                IngestedObject(release_uri=release.uri, uri=o.uri, etag=o.etag, size=o.size)
                for o in objects
            )

    def add_ingested(self, release_uri: str, objects: Iterable[ObjectInfo]) -> None:
        """Note that objects hold nothing that a release does not hold: no build need read them."""
        with self._errors(), Session(self._engine) as session, session.begin():
            for item in objects:
                session.merge(
                    IngestedObject(
                        release_uri=release_uri, uri=item.uri, etag=item.etag, size=item.size
                    )
                )

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, ImportError, OSError) as error:  # ImportError: of the driver
            place = self.url.render_as_string(hide_password=True)
            cause = getattr(error, "orig", None) or error
            raise CatalogueError(f"catalogue {place}: {cause}") from None
