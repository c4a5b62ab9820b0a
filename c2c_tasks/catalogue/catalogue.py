"""What is asked of the catalogue, and what is entered into it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from c2c_tasks.catalogue.database import Database
from c2c_tasks.catalogue.ingested import note_objects, replace_objects
from c2c_tasks.catalogue.schema import (
    BuildRecord,
    BuildState,
    IngestedObject,
    Release,
    ReportRecord,
    Target,
)
from c2c_tasks.shards import StepReport
from c2c_tasks.store import ObjectInfo

_ENDED: tuple[BuildState, ...] = ("published", "nothing_new", "failed")


class Catalogue:
    """The catalogue behind an SQLAlchemy URL. Any number of processes may use it at a time.

    Each method that writes is one transaction, which begins by locking the row of its target:
    two wait for each other, and never in a circle. Every method raises CatalogueError where the
    database cannot be used.
    """

    def __init__(self, url: str) -> None:
        """Open the catalogue; its tables are made or upgraded where they need to be."""
        self._database = Database(url)

    @property
    def name(self) -> str:
        """The catalogue's URL without its password."""
        return self._database.name

    def release(self, uri: str) -> Release | None:
        """Return what is known of the release at `uri`."""
        with self._database.reading() as session:
            return session.get(Release, uri)

    def releases(self, target: str | None = None) -> list[Release]:
        """Return the releases of a target, or of all, in the order that they were indexed in."""
        query = select(Release).order_by(Release.indexed_at, Release.uri)
        if target is not None:
            query = query.where(Release.target == target)
        with self._database.reading() as session:
            return list(session.scalars(query))

    def targets(self) -> list[Target]:
        """Return the targets in order of URI."""
        with self._database.reading() as session:
            return list(session.scalars(select(Target).order_by(Target.uri)))

    def target(self, uri: str) -> Target | None:
        """Return what is known of a target: above all, of which release the objects are known."""
        with self._database.reading() as session:
            return session.scalar(select(Target).where(Target.uri == uri))

    def ingested(self, target: str, release_uri: str) -> dict[str, tuple[str, int]] | None:
        """Return ETag and size by URI of the objects that a release was built from.

        None where the objects of that release are not those that are known of the target.
        """
        columns = (IngestedObject.uri, IngestedObject.etag, IngestedObject.size)
        with self._database.reading() as session:
            found = session.scalar(
                select(Target).where(Target.uri == target, Target.release_uri == release_uri)
            )
            if found is None:
                return None
            query = select(*columns).where(IngestedObject.target_id == found.target_id)
            return {uri: (etag, size) for uri, etag, size in session.execute(query)}

    def builds(self, target: str | None = None, limit: int | None = None) -> list[BuildRecord]:
        """Return the builds of a target, or of all, those that started last first."""
        query = select(BuildRecord).order_by(
            BuildRecord.started_at.desc().nulls_last(), BuildRecord.date.desc()
        )
        if target is not None:
            query = query.join(Target).where(Target.uri == target)
        with self._database.reading() as session:
            return list(session.scalars(query.limit(limit)))

    def builds_named(self, build_id: str) -> list[BuildRecord]:
        """Return the builds of an id, those that started last first: targets may share one."""
        query = select(BuildRecord).where(BuildRecord.build_id == build_id)
        with self._database.reading() as session:
            return list(session.scalars(query.order_by(BuildRecord.started_at.desc().nulls_last())))

    def reports(self, target: str, build_id: str) -> list[ReportRecord]:
        """Return the step reports of a build, in order of step and shard."""
        query = (
            select(ReportRecord)
            .join(Target, Target.target_id == ReportRecord.target_id)
            .where(Target.uri == target, ReportRecord.build_id == build_id)
            .order_by(ReportRecord.step, ReportRecord.shard)
        )
        with self._database.reading() as session:
            return list(session.scalars(query))

    def record_release(self, release: Release) -> None:
        """Index a release; one that is indexed already is indexed anew."""
        with self._database.writing() as session:
            _lock(session, release.target)
            _merge(session, release)

    def record_retired(self, target: str, reasons: Mapping[str, str]) -> None:
        """Enter which releases of a target are retired, by URI with the reason."""
        with self._database.writing() as session:
            _lock(session, target)
            for uri, reason in reasons.items():
                session.execute(update(Release).where(Release.uri == uri).values(retired=reason))

    def record_latest(
        self,
        release: Release,
        objects: Iterable[ObjectInfo],
        *,
        over: str | None,
        generation: int = 0,
    ) -> bool:
        """Index a release, and the dump objects that it was built from as those of its target.

        `over` is the URI of the release that it adds to, None where it was built from nothing;
        `generation` the pointer's, where it names this release. Returns False, with nothing
        changed, where the objects that are known are those of neither of the two releases.
        """
        with self._database.writing() as session:
            target = _lock(session, release.target)
            if over is not None and target.release_uri not in (over, release.uri):
                return False
            if over is None and target.release_uri != release.uri:
                # Since when an object is known is counted from the build that began anew.
                session.execute(
                    delete(IngestedObject).where(IngestedObject.target_id == target.target_id)
                )
            replace_objects(session, target.target_id, objects, release.version)
            target.release_uri, target.generation = release.uri, generation
            _merge(session, release)
            return True

    def add_ingested(self, target: str, release_uri: str, objects: Iterable[ObjectInfo]) -> bool:
        """Note that a release holds all that these objects hold: no build need read them.

        They are all that there are: what else was known of the target is gone. Returns False, with
        nothing changed, where the objects that are known are not those of that release.
        """
        with self._database.writing() as session:
            found = _lock(session, target)
            if found.release_uri != release_uri:
                return False
            note_objects(session, found.target_id, objects)
            return True

    def record_build(
        self,
        target: str,
        build_id: str,
        state: BuildState,
        *,
        date: str,
        mode: str,
        config: dict[str, Any],
        code_version: str,
        message: str | None = None,
        release_uri: str | None = None,
        timed: bool = True,
    ) -> None:
        """Enter how far a build has come; it starts with its first entry.

        A build that has published stays so, whatever is tried with it afterwards.
        `timed` is False for a build that is known from its release alone, so not when it ran;
        one that is known already stays as it is then.
        """
        now = datetime.now(UTC) if timed else None
        with self._database.writing() as session:
            target_id = _lock(session, target).target_id
            record = session.get(BuildRecord, (target_id, build_id))
            if record is None:
                record = BuildRecord(target_id=target_id, build_id=build_id, started_at=now)
                session.add(record)
            elif not timed or (record.state == "published" and state != "published"):
                return
            record.date, record.mode = date, mode
            record.config, record.code_version = config, code_version
            record.state, record.message = state, message
            record.ended_at = now if state in _ENDED else None
            record.release_uri = release_uri

    def record_reports(self, target: str, build_id: str, reports: Sequence[StepReport]) -> None:
        """Enter the step reports of a build, in place of those it had, where it is known."""
        with self._database.writing() as session:
            target_id = _lock(session, target).target_id
            if session.get(BuildRecord, (target_id, build_id)) is None:
                return
            session.execute(
                delete(ReportRecord).where(
                    ReportRecord.target_id == target_id, ReportRecord.build_id == build_id
                )
            )
            rows = [
                {
                    "target_id": target_id,
                    "build_id": build_id,
                    "step": report.step,
                    "shard": report.shard,
                    "stages": [asdict(stage) for stage in report.stages],
                    "counters": report.counters,
                    "seconds": report.seconds,
                }
                for report in reports
            ]
            if rows:
                session.execute(insert(ReportRecord), rows)

    def forget_releases(self, target: str) -> None:
        """Remove the releases of a target and its dump objects; builds and reports stay."""
        with self._database.writing() as session:
            found = _lock(session, target)
            session.execute(delete(Release).where(Release.target == target))
            session.execute(
                delete(IngestedObject).where(IngestedObject.target_id == found.target_id)
            )
            found.release_uri, found.generation = None, 0

    @contextmanager
    def locked(self, target: str) -> Iterator[Callable[[], object]]:
        """Hold the lock of a target, for which every other transaction on that target waits.

        SQLite has one lock, for all writers of the database. Gives a function that asks the
        database whether the lock is still held, and raises CatalogueError where it is not: the
        connection broke, or the server ended it. So does the end of the ``with``.
        """
        with self._database.writing() as session:
            _lock(session, target)
            yield lambda: session.execute(select(1))


def _lock(session: Session, uri: str) -> Target:
    """Return the row of a target, made where there is none, locked until the transaction ends."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    session.execute(dialect.insert(Target).values(uri=uri, generation=0).on_conflict_do_nothing())
    return session.scalars(select(Target).where(Target.uri == uri).with_for_update()).one()


def _merge(session: Session, release: Release) -> None:
    release.indexed_at = datetime.now(UTC)
    session.merge(release)
