"""Keeping the catalogue true to the manifests."""

from __future__ import annotations

from c2c_tasks.catalogue import Catalogue, Release
from c2c_tasks.config import BuildConfig
from c2c_tasks.publishing.data_files import read_dump_objects
from c2c_tasks.publishing.manifest import read_manifest
from c2c_tasks.shards import config_digest


def index_release(catalogue: Catalogue, target: str, uri: str) -> Release:
    """Enter a release into the catalogue, from its manifest alone, and return the entry.

    Raises ObjectNotFound where there is no manifest: the release is not complete.
    """
    manifest = read_manifest(uri)
    config = BuildConfig.model_validate(manifest.config)
    release = Release(
        uri=uri,
        target=target,
        version=manifest.version,
        parent=manifest.parent,
        build_id=manifest.build_id,
        config_digest=config_digest(config.content_options()),
        programs=sum(manifest.splits["programs"].values()),
        config=manifest.config,
        funnel=[stage.model_dump() for stage in manifest.funnel],
    )
    catalogue.record(release, read_dump_objects(uri))
    return release
