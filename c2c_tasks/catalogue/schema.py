"""The tables of the catalogue. A change here needs a migration beside it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    String,
    Text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

REVISION = "0003"
"""The migration that makes these tables: the head of `migrations/versions`."""

BuildState = Literal["planned", "running", "published", "nothing_new", "failed"]


class Base(DeclarativeBase):
    """Declarative base of the catalogue's tables."""


class Target(Base):
    """A place that releases are published to, and the release whose dump objects are known."""

    __tablename__ = "targets"

    target_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    uri: Mapped[str] = mapped_column(Text, unique=True)
    release_uri: Mapped[str | None] = mapped_column(Text)
    """The release that `ingested_objects` holds the dump objects of; None: it holds none."""
    generation: Mapped[int] = mapped_column(BigInteger, default=0)
    """Of the pointer when it named that release; 0 for a release that it does not name now."""


class Release(Base):
    """A published release, and the build that made it."""

    __tablename__ = "releases"

    uri: Mapped[str] = mapped_column(Text, primary_key=True)
    target: Mapped[str] = mapped_column(Text, index=True)
    version: Mapped[str] = mapped_column(String(64))
    parent: Mapped[str | None] = mapped_column(String(64))
    number: Mapped[int] = mapped_column(Integer)
    """Counts the builds of the target; 0 where the release is from before they were counted."""
    build_id: Mapped[str] = mapped_column(Text, index=True)
    date: Mapped[str] = mapped_column(String(10))
    """Logical date of the build, ``YYYY-MM-DD``."""
    config_digest: Mapped[str] = mapped_column(String(64))
    """Of the options that decide what a release holds."""
    programs: Mapped[int] = mapped_column(BigInteger)
    samples: Mapped[int] = mapped_column(BigInteger)
    """Of all formats."""
    config: Mapped[dict[str, Any]] = mapped_column(JSON)
    funnel: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    indexed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    retired: Mapped[str | None] = mapped_column(Text)
    """Why its files were deleted; None where they are there, as far as is known."""


class IngestedObject(Base):
    """A dump object that the latest release of a target was built from, its parents included."""

    __tablename__ = "ingested_objects"

    target_id: Mapped[int] = mapped_column(ForeignKey("targets.target_id"), primary_key=True)
    uri: Mapped[str] = mapped_column(Text, primary_key=True)
    etag: Mapped[str] = mapped_column(Text)
    size: Mapped[int] = mapped_column(BigInteger)
    """Bytes."""
    since: Mapped[str | None] = mapped_column(String(64))
    """Version of the first release, of those that the latest one adds to, that was built from
    this ETag and size; None where the object held nothing new, so that no release came of it."""


class BuildRecord(Base):
    """A build and how far it came."""

    __tablename__ = "builds"

    target_id: Mapped[int] = mapped_column(ForeignKey("targets.target_id"), primary_key=True)
    build_id: Mapped[str] = mapped_column(Text, primary_key=True)
    date: Mapped[str] = mapped_column(String(10))
    """Logical date, ``YYYY-MM-DD``."""
    mode: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))
    """One of `BuildState`."""
    message: Mapped[str | None] = mapped_column(Text)
    """Why it failed, or why nothing is new."""
    config: Mapped[dict[str, Any]] = mapped_column(JSON)
    code_version: Mapped[str] = mapped_column(String(64))
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    release_uri: Mapped[str | None] = mapped_column(Text)


class ReportRecord(Base):
    """What a step of a build did to one shard: see `c2c_tasks.shards.StepReport`."""

    __tablename__ = "reports"
    __table_args__ = (
        ForeignKeyConstraint(
            ["target_id", "build_id"], ["builds.target_id", "builds.build_id"], ondelete="CASCADE"
        ),
    )

    target_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    build_id: Mapped[str] = mapped_column(Text, primary_key=True)
    step: Mapped[str] = mapped_column(String(64), primary_key=True)
    shard: Mapped[str] = mapped_column(Text, primary_key=True)
    """URI of the shard, or of the folder of shards, that the step wrote."""
    stages: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    counters: Mapped[dict[str, int]] = mapped_column(JSON)
    seconds: Mapped[float] = mapped_column(Double)
