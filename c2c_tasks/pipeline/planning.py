"""Planning: which dump objects a build reads, and on top of which release."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field

from c2c_tasks.catalogue import Catalogue, CatalogueError
from c2c_tasks.config import MAX_SHARDS, BuildConfig, catalogue_url
from c2c_tasks.pipeline.build import Build, BuildError, NothingNew
from c2c_tasks.pipeline.indexing import index_latest, recording
from c2c_tasks.pipeline.locking import conditions_for
from c2c_tasks.pipeline.narrowing import differences
from c2c_tasks.pipeline.rules import digests_of_rules
from c2c_tasks.pipeline.runs import ShardReference
from c2c_tasks.publishing.ledger import LEDGER_VERSION
from c2c_tasks.publishing.manifest import read_manifest
from c2c_tasks.publishing.pointer import POINTER
from c2c_tasks.publishing.probing import check_target
from c2c_tasks.publishing.release import published_version
from c2c_tasks.publishing.versions import complete_versions
from c2c_tasks.shards import read_shard, write_shard
from c2c_tasks.sources import is_in_dump, list_dump
from c2c_tasks.store import ObjectInfo, ObjectNotFound, read, store_for

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a build was planned to do; the later tasks read it back."""

    parent: str | None
    """URI of the release that this build adds to; None where it builds from nothing."""
    order_of: str | None
    """URI of the release by whose order of ingestion functions are judged: the parent, or for a
    build from nothing the latest release; None where there is none."""
    build_number: int
    """Counts the builds of the target."""
    date: str
    """Date of the release's version: the build's, or its parent's where that is later."""
    shards: int
    """Dump shards that are to be extracted."""
    superseded: dict[str, str]
    """Dump objects of the parent that are gone, or are read again, by URI with the reason."""
    listing: str
    """SHA-256 of the dump objects that the release will have been built from."""
    rules: dict[str, str]
    """SHA-256 of the lists that options name."""
    tightened: list[str]
    """Options and lists that ask for less than the parent's, or may do so."""

    @classmethod
    def of(cls, build: Build) -> Plan:
        """Return the plan that `plan` wrote."""
        return cls(**json.loads(read(plan_uri(build))))

    def write(self, build: Build) -> None:
        """Write the plan into the build's work area."""
        _write(plan_uri(build), json.dumps(asdict(self)).encode())


def plan_digest(build: Build) -> str:
    """Return the SHA-256 of a build's plan: another one where it was planned anew."""
    return hashlib.sha256(read(plan_uri(build))).hexdigest()


def plan_objects(build: Build) -> Iterator[ObjectInfo]:
    """Yield the dump objects that the release will have been built from, its parent's included."""
    return read_shard(_objects_uri(build), ObjectInfo)


def plan(build: Build) -> list[ShardReference]:
    """List the dump, leave out what was ingested, and cut the rest into shards.

    Where there is nothing to read, but rows of the parent leave, there is one shard of no object.

    Raises NothingNew where the latest release was built from every object as it is now, and
    under the same rules; SourceError where the dump is missing or empty, PublishError where the
    target cannot be published to, CatalogueError where the catalogue cannot be used,
    BenchmarkError and OptOutError where a list cannot be read, BuildError where the latest
    release cannot be added to, too much of its dump is gone, or the build has published one
    already.
    """
    with recording(build, "planned"):
        return _plan(build)


def _plan(build: Build) -> list[ShardReference]:
    source = build.source
    target = build.config.publishing.target
    objects = list(list_dump(source))
    check_target(target, conditions_for(target, build.config.publishing.conditional_writes))
    if repository := build.config.publishing.hub_repository:
        from c2c_tasks.publishing.hub_errors import check_repository

        check_repository(repository)
    rules = digests_of_rules(build.config)
    base = _base(build, Catalogue(catalogue_url()), rules)
    new = [item for item in objects if base.ingested.get(item.uri) != (item.etag, item.size)]
    gone = _gone(build, objects, base.ingested)
    if not (new or gone or base.tightened or base.pending):
        raise NothingNew(
            f"nothing new: all {len(objects):,} objects of {source.dump} are in {base.parent} "
            "already"
        )
    date = max(build.date, base.date)
    if version := published_version(target, date, build.build_id):
        raise BuildError(
            f"build {build.build_id} has published {version} already, and a release never changes: "
            "start a new build"
        )
    shards = list(_bins(new, source.dump_shard_bytes)) if new else [[]]
    known = {
        uri: ObjectInfo(uri, *version) for uri, version in base.ingested.items() if uri not in gone
    }
    known.update((item.uri, item) for item in new)
    write_shard(_objects_uri(build), ObjectInfo, (known[uri] for uri in sorted(known)))
    Plan(
        parent=base.parent,
        order_of=base.order_of,
        build_number=base.build_number,
        date=date,
        shards=len(shards),
        listing=_listing_digest(known),
        superseded={item.uri: "source_changed" for item in new} | dict.fromkeys(gone, "source_gone")
        if base.parent
        else {},
        rules=rules,
        tightened=base.tightened,
    ).write(build)
    references: list[ShardReference] = []
    for index, shard in enumerate(shards):
        uri = f"{build.folder('plan')}/part-{index:05d}.json"
        listing = json.dumps([[item.uri, item.etag] for item in shard]).encode()
        _write(uri, listing)
        label = f"{index + 1} of {len(shards)}"
        references.append({"shard": label, "index": index, "uri": uri, "rows": len(shard)})
    log.info(
        "plan: %s new or changed of %s objects of %s, %.1f MB, in %d shards; %s gone; %s",
        f"{len(new):,}",
        f"{len(objects):,}",
        source.dump,
        sum(item.size for item in new) / 1e6,
        len(shards),
        f"{len(gone):,}",
        f"added to {base.parent}" if base.parent else "building from nothing",
    )
    return references


@dataclass(frozen=True, slots=True)
class _Base:
    """What a build starts from."""

    parent: str | None = None
    order_of: str | None = None
    build_number: int = 1
    date: str = ""
    tightened: list[str] = field(default_factory=list)
    pending: bool = False
    """Whether it lacks functions of shards that failed."""
    ingested: dict[str, tuple[str, int]] = field(default_factory=dict)
    """ETag and size, by URI, of the dump objects that the parent was built from."""


def _base(build: Build, catalogue: Catalogue, rules: dict[str, str]) -> _Base:
    """Return what a build starts from. Raises BuildError where it is not to be added to."""
    target = build.config.publishing.target
    release = index_latest(catalogue, target)
    if release is None:
        if build.config.source.mode == "incremental":
            _check_not_lost(target)
        return _Base()
    manifest = read_manifest(release.uri)
    number = manifest.build_number + 1
    if build.config.source.mode == "full":
        known = manifest.ledger and manifest.ledger_version == LEDGER_VERSION
        _warn_of_other_dumps(build, catalogue.ingested(target, release.uri) or {})
        return _Base(order_of=release.uri if known else None, build_number=number)
    mine = build.config.content_options()
    theirs = BuildConfig.model_validate(manifest.config).content_options()
    tightened, others = differences(mine, theirs)
    if others or not manifest.ledger or manifest.ledger_version != LEDGER_VERSION:
        why = (
            f"was built with other options ({', '.join(others)})"
            if others
            else "has no ledger of its functions that this version can add to"
        )
        raise BuildError(
            f"{release.uri}: {why}, so it cannot be added to; "
            "set mode to full to build anew, take the same options, or another target"
        )
    tightened += [name for name in rules if rules[name] != manifest.rules.get(name)]
    ingested = catalogue.ingested(target, release.uri)
    if ingested is None:
        raise CatalogueError(f"catalogue: {release.uri} is no longer the latest release; try again")
    date = manifest.version.partition("-")[0].replace(".", "-")
    return _Base(
        parent=release.uri,
        order_of=release.uri,
        build_number=number,
        date=date,
        tightened=tightened,
        pending=bool(manifest.failed_shards),
        ingested=ingested,
    )


def _check_not_lost(target: str) -> None:
    """Raise BuildError where releases are there that no pointer leads to.

    A build from nothing would become the latest release in place of all that they hold.
    """
    if there := complete_versions(target):
        raise BuildError(
            f"{target}/{POINTER}: missing, though release {there[-1]} is there. If its build is "
            "still to move the pointer, clear its publish; if the pointer was lost, put it back "
            "(docs/runbook.md); or set mode to full to build anew"
        )


def _warn_of_other_dumps(build: Build, ingested: Mapping[str, tuple[str, int]]) -> None:
    others = [uri for uri in ingested if not is_in_dump(uri, build.source)]
    if others:
        log.warning(
            "%s objects of other dumps, as %s, are in the latest release, and will not be in this "
            "one: mode=full builds from %s alone",
            f"{len(others):,}",
            min(others),
            build.source.dump,
        )


def _gone(
    build: Build, objects: Sequence[ObjectInfo], ingested: Mapping[str, tuple[str, int]]
) -> set[str]:
    """Return the URIs of ingested objects that this dump had and has no more.

    Raises BuildError where they are more than may be.
    """
    source = build.source
    before = {uri for uri in ingested if is_in_dump(uri, source)}
    gone = before - {item.uri for item in objects}
    if len(gone) > source.max_gone_share * len(before):
        raise BuildError(
            f"{source.dump}: {len(gone):,} of the {len(before):,} objects read before are gone, as "
            f"{min(gone)}; max_gone_share allows {source.max_gone_share:.0%}. If they are to leave "
            "the release, raise it; if not, see whether the dump is there as a whole"
        )
    return gone


def _listing_digest(objects: Mapping[str, ObjectInfo]) -> str:
    digest = hashlib.sha256()
    for uri in sorted(objects):
        digest.update(repr(objects[uri]).encode())
    return digest.hexdigest()


def plan_uri(build: Build) -> str:
    """Return the URI of a build's plan."""
    return f"{build.folder('plan')}/plan.json"


def _objects_uri(build: Build) -> str:
    return f"{build.folder('plan')}/objects.parquet"


def _write(uri: str, data: bytes) -> None:
    """Write an object, unless it is there: what was made of it would be made again."""
    with suppress(ObjectNotFound):
        if read(uri) == data:
            return
    store_for(uri).write(uri, data)


def _bins(objects: Sequence[ObjectInfo], shard_bytes: int) -> Iterator[list[ObjectInfo]]:
    """Cut the objects, in order, into at most `MAX_SHARDS` runs of about `shard_bytes`."""
    limit = max(shard_bytes, -(-sum(item.size for item in objects) // (MAX_SHARDS // 2)))
    run: list[ObjectInfo] = []
    size = 0
    for item in objects:
        if run and size + item.size > limit:
            yield run
            run, size = [], 0
        run.append(item)
        size += item.size
    yield run
