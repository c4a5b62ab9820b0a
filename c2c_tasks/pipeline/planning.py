"""Planning: which dump objects a build reads, and on top of which release."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, astuple, dataclass

from c2c_tasks.catalogue import Catalogue, CatalogueError
from c2c_tasks.config import MAX_SHARDS, BuildConfig, catalogue_url
from c2c_tasks.curation.benchmarks import read_benchmarks
from c2c_tasks.pipeline.build import Build, BuildError, NothingNew, ShardReference
from c2c_tasks.pipeline.indexing import index_latest, recording
from c2c_tasks.publishing.release import check_target, published_version
from c2c_tasks.shards import config_digest
from c2c_tasks.sources import list_dump
from c2c_tasks.store import ObjectInfo, ObjectNotFound, read, store_for

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a build was planned to do; the later tasks read it back."""

    parent: str | None
    """URI of the release that this build adds to; None where it builds from nothing."""
    objects: list[ObjectInfo]
    """Dump objects that the release will have been built from, its parent's included."""
    shards: int
    """Dump shards that are to be extracted."""

    @classmethod
    def of(cls, build: Build) -> Plan:
        """Return the plan that `plan` wrote."""
        fields = json.loads(read(_plan_uri(build)))
        objects = [ObjectInfo(*item) for item in fields["objects"]]
        return cls(fields["parent"], objects, fields["shards"])

    def release_date(self, build: Build) -> str:
        """Return the date of the release's version: the build's, or the parent's if it is later.

        So a build for an earlier date, as in a backfill, adds to the latest release and takes
        its place, and is not published unseen beside it.
        """
        return _release_date(build, self.parent)

    def write(self, build: Build) -> None:
        """Write the plan into the build's work area."""
        text = json.dumps(asdict(self) | {"objects": [astuple(item) for item in self.objects]})
        _write(_plan_uri(build), text.encode())


def plan(build: Build) -> list[ShardReference]:
    """List the dump, leave out what was ingested, and cut the rest into shards.

    Raises NothingNew where the latest release was built from every object as it is now,
    SourceError where the dump is missing or empty, PublishError where the target cannot be
    published to, CatalogueError where the catalogue cannot be used, BenchmarkError where the
    benchmarks cannot be read, BuildError where the latest release cannot be added to or the
    build has published one already.
    """
    with recording(build, "planned"):
        return _plan(build)


def _plan(build: Build) -> list[ShardReference]:
    source = build.source
    target = build.config.publishing.target
    objects = list(list_dump(source))
    check_target(target)
    catalogue = Catalogue(catalogue_url())
    for benchmark in build.config.functions.benchmarks:
        problems = sum(1 for _ in read_benchmarks(benchmark))
        log.info("plan: %s benchmark problems in %s", f"{problems:,}", benchmark)
    parent, ingested = _parent(build, catalogue)
    new = [item for item in objects if ingested.get(item.uri) != (item.etag, item.size)]
    if not new:
        raise NothingNew(
            f"nothing new: all {len(objects):,} objects of {source.dump} are in {parent} already"
        )
    if version := published_version(target, _release_date(build, parent), build.build_id):
        raise BuildError(
            f"build {build.build_id} has published {version} already, and a release never changes: "
            "start a new build"
        )
    shards = list(_bins(new, source.dump_shard_bytes))
    known = {uri: ObjectInfo(uri, *version) for uri, version in ingested.items()}
    known.update((item.uri, item) for item in new)
    Plan(parent, [known[uri] for uri in sorted(known)], len(shards)).write(build)
    references: list[ShardReference] = []
    for index, shard in enumerate(shards):
        uri = f"{build.folder('plan')}/part-{index:05d}.json"
        listing = json.dumps([[item.uri, item.etag] for item in shard]).encode()
        _write(uri, listing)
        label = f"{index + 1} of {len(shards)}"
        references.append({"shard": label, "index": index, "uri": uri, "rows": len(shard)})
    log.info(
        "plan: %s new of %s objects of %s, %.1f MB, in %d shards, %s",
        f"{len(new):,}",
        f"{len(objects):,}",
        source.dump,
        sum(item.size for item in new) / 1e6,
        len(shards),
        f"added to {parent}" if parent else "building from nothing",
    )
    return references


def _release_date(build: Build, parent: str | None) -> str:
    if parent is None:
        return build.date
    version = parent.rpartition("/")[2]
    return max(build.date, version.partition("-")[0].replace(".", "-"))


def _plan_uri(build: Build) -> str:
    return f"{build.folder('plan')}/plan.json"


def _write(uri: str, data: bytes) -> None:
    """Write an object, unless it is there: what was made of it would be made again."""
    with suppress(ObjectNotFound):
        if read(uri) == data:
            return
    store_for(uri).write(uri, data)


def _parent(build: Build, catalogue: Catalogue) -> tuple[str | None, dict[str, tuple[str, int]]]:
    """Return the release to add to, and the objects that it was built from."""
    target = build.config.publishing.target
    if build.config.source.mode == "full":
        return None, {}
    release = index_latest(catalogue, target)
    if release is None:
        return None, {}
    uri = release.uri
    mine = build.config.content_options()
    if release.config_digest != config_digest(mine):
        # A release holds rows made by one set of options; mixing two would make it unciteable.
        theirs = BuildConfig.model_validate(release.config).content_options()
        names = [n for s in mine for n in mine[s] if mine[s][n] != theirs[s][n]]
        raise BuildError(
            f"{uri}: was built with other options ({', '.join(names)}), so it cannot be added to; "
            "set mode to full to build anew, take the same options, or another target"
        )
    ingested = catalogue.ingested(target, uri)
    if ingested is None:
        raise CatalogueError(f"catalogue: {uri} is no longer the latest release; try again")
    return uri, ingested


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
