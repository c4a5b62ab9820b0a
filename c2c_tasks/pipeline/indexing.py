"""Keeping the catalogue true to the manifests, and telling it how far builds have come."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from c2c_tasks.catalogue import BuildState, Catalogue, CatalogueError, Release, Target
from c2c_tasks.config import BuildConfig, catalogue_url
from c2c_tasks.pipeline.build import Build, NothingNew
from c2c_tasks.publishing.data_files import read_dump_objects
from c2c_tasks.publishing.manifest import DATA_CONFIGS, Manifest, read_manifest
from c2c_tasks.publishing.pointer import Pointer, read_pointer
from c2c_tasks.publishing.release import PublishError, release_uri
from c2c_tasks.publishing.retired import read_tombstone
from c2c_tasks.publishing.versions import complete_versions
from c2c_tasks.shards import StepReport, code_version, config_digest
from c2c_tasks.store import ObjectNotFound


@contextmanager
def recording(build: Build, state: BuildState, *, release: str | None = None) -> Iterator[None]:
    """Enter into the catalogue that a build came to `state`, or why it did not.

    Wraps a step. `release` is the URI of the release that the build has come to. The catalogue
    is an index: where an error cannot be entered, the error alone is raised.
    """
    try:
        yield
    except NothingNew as reason:
        _record(build, "nothing_new", message=str(reason))
        raise
    except Exception as error:
        with suppress(CatalogueError):
            _record(build, "failed", message=str(error))
        raise
    _record(build, state, release=release)


def _record(
    build: Build, state: BuildState, *, message: str | None = None, release: str | None = None
) -> None:
    Catalogue(catalogue_url()).record_build(
        build.config.publishing.target,
        build.build_id,
        state,
        date=build.date,
        mode=build.config.source.mode,
        config=build.config.model_dump(mode="json"),
        code_version=code_version(),
        message=message,
        release_uri=release,
    )


def record_reports(build: Build, reports: list[StepReport]) -> None:
    """Enter the reports of a build's steps into the catalogue, in place of those it had."""
    Catalogue(catalogue_url()).record_reports(
        build.config.publishing.target, build.build_id, reports
    )


def index_release(catalogue: Catalogue, target: str, version: str) -> Release:
    """Enter a release into the catalogue, from its manifest alone, and return the entry.

    Raises ObjectNotFound where there is no manifest: the release is not complete.
    """
    uri = release_uri(target, version)
    entry = catalogue.release(uri)
    if entry is None:
        entry = _entry(target, read_manifest(uri))
        catalogue.record_release(entry)
    return entry


def index_latest(catalogue: Catalogue, target: str) -> Release | None:
    """Enter the release that the pointer names, with its dump objects; return its entry.

    Returns None where nothing has been published. Objects are read from the releases whose
    objects the catalogue does not know yet: from one, as a rule, and from the whole chain of
    releases that each add to the one before where the catalogue is new.
    """
    while True:
        pointer = read_pointer(target)
        if pointer is None:
            return None
        known = _known(catalogue, target)
        if known is not None and _is_named(known, catalogue.target(target), pointer):
            return known
        if entry := _index_chain(catalogue, target, pointer, known):
            return entry


def _known(catalogue: Catalogue, target: str) -> Release | None:
    """Return the release whose dump objects the catalogue knows."""
    state = catalogue.target(target)
    return catalogue.release(state.release_uri) if state and state.release_uri else None


def _is_named(known: Release, state: Target | None, pointer: Pointer) -> bool:
    """Tell whether a pointer names a release; its URI alone may be that of a target made anew."""
    return (known.version, known.build_id, state and (state.release_uri, state.generation)) == (
        pointer.version,
        pointer.build_id,
        (known.uri, pointer.generation),
    )


def _index_chain(
    catalogue: Catalogue, target: str, pointer: Pointer, known: Release | None
) -> Release | None:
    """Enter the releases after `known` up to the pointer's; None where another did meanwhile."""
    chain = [read_manifest(release_uri(target, pointer.version))]
    over: str | None = None
    while (parent := chain[-1].parent) is not None:
        uri = release_uri(target, parent)
        try:
            manifest = read_manifest(uri)
        except ObjectNotFound:
            break  # removed: what is known begins after it
        if known is not None and (known.uri, known.build_id) == (uri, manifest.build_id):
            over = uri
            break
        if read_tombstone(uri):
            break  # retired, and its list of objects with it
        chain.append(manifest)
    entry: Release | None = None
    for manifest in reversed(chain):
        entry = _entry(target, manifest)
        named = manifest.version == pointer.version
        if not catalogue.record_latest(
            entry,
            read_dump_objects(entry.uri),
            over=over,
            generation=pointer.generation if named else 0,
        ):
            return None
        over = entry.uri
    return entry


def rebuild(catalogue: Catalogue, target: str) -> list[Release]:
    """Forget the releases of a target and enter those that are there; return their entries.

    Builds that published nothing, step reports and objects that held nothing new cannot be read
    from releases: of those, builds and reports that are known stay, and the objects are read
    again by the next build. Raises PublishError where the target holds no release.
    """
    versions = complete_versions(target)
    if not versions:
        raise PublishError(f"{target}: no release is published here; give the target of builds")
    catalogue.forget_releases(target)
    for version in versions:
        entry = index_release(catalogue, target, version)
        manifest = read_manifest(entry.uri)
        catalogue.record_build(
            target,
            manifest.build_id,
            "published",
            date=manifest.created_for,
            mode=str(manifest.config["source"]["mode"]),
            config=manifest.config,
            code_version=manifest.code_version,
            release_uri=entry.uri,
            timed=False,
        )
    index_latest(catalogue, target)
    return catalogue.releases(target)


def _entry(target: str, manifest: Manifest) -> Release:
    config = BuildConfig.model_validate(manifest.config)
    uri = release_uri(target, manifest.version)
    tombstone = read_tombstone(uri)
    return Release(
        uri=uri,
        target=target,
        version=manifest.version,
        parent=manifest.parent,
        number=manifest.build_number,
        build_id=manifest.build_id,
        date=manifest.created_for,
        config_digest=config_digest(config.content_options()),
        programs=sum(manifest.splits["programs"].values()),
        samples=sum(
            sum(manifest.splits.get(config, {}).values())
            for config in DATA_CONFIGS
            if config != "programs"
        ),
        config=manifest.config,
        funnel=[stage.model_dump() for stage in manifest.funnel],
        retired=tombstone.reason if tombstone else None,
    )
