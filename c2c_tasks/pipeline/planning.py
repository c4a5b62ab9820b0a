"""Planning: which dump objects a build reads, and on top of which release."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from c2c_tasks.catalogue import Catalogue
from c2c_tasks.config import MAX_SHARDS, catalogue_url, config_digest
from c2c_tasks.pipeline.build import Build, NothingNew, ShardReference
from c2c_tasks.publishing.pointer import read_pointer
from c2c_tasks.pipeline.indexing import index_release
from c2c_tasks.sources import list_dump
from c2c_tasks.store import ObjectInfo, normalise, read, store_for

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a build was planned to do; the later tasks read it back."""

    parent: str | None
    """URI of the release that this build adds to; None where it builds from nothing."""
    objects: list[ObjectInfo]
    """Dump objects that the release will have been built from, its parent's included."""

    @classmethod
    def of(cls, build: Build) -> Plan:
        """Return the plan that `plan` wrote."""
        fields = json.loads(read(f"{build.folder('plan')}/plan.json"))
        return cls(fields["parent"], [ObjectInfo(*item) for item in fields["objects"]])


def plan(build: Build) -> list[ShardReference]:
    """List the dump, leave out what was ingested, and cut the rest into shards.

    Raises NothingNew where the latest release was built from every object as it is now;
    SourceError where the dump is missing or empty; PublishError where the target cannot be
    published to.
    """
    ...
