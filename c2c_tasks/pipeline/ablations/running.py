"""Building the variants of an ablation, one after the other; what is there is not built again."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field

from c2c_tasks.catalogue import CatalogueError
from c2c_tasks.config import BuildConfig
from c2c_tasks.curation.benchmarks import BenchmarkError
from c2c_tasks.curation.opt_outs import OptOutError
from c2c_tasks.extraction.processes import ProcessesError
from c2c_tasks.inputs.errors import InputError
from c2c_tasks.pipeline.ablations.measuring import costs_of, costs_uri
from c2c_tasks.pipeline.ablations.variants import Ablation, AblationError
from c2c_tasks.pipeline.build import Build, BuildError, NothingNew
from c2c_tasks.pipeline.narrowing import differences
from c2c_tasks.pipeline.sequence import run_build
from c2c_tasks.publishing.audit import AuditError
from c2c_tasks.publishing.manifest import Manifest, read_manifest
from c2c_tasks.publishing.pointer import read_pointer
from c2c_tasks.publishing.release import PublishError, release_uri
from c2c_tasks.sandbox.launchers import RunnerError, SandboxError
from c2c_tasks.sources import SourceError
from c2c_tasks.store import StoreError, read, store_for

EXPECTED = (
    *(AblationError, AuditError, BenchmarkError, BuildError, CatalogueError, InputError),
    *(NothingNew, OptOutError, ProcessesError, PublishError, RunnerError, SandboxError),
    *(SourceError, StoreError),
)
"""What keeps one variant from being built, and is said in a line; the others go on."""
STARTED = "started.json"

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Built:
    """What came of the variants of an ablation."""

    releases: dict[str, str] = field(default_factory=dict)
    """URI of each dataset that is there, by variant in the file's order."""
    failures: dict[str, str] = field(default_factory=dict)
    """Why a variant that was asked for is not there."""


def build_variants(ablation: Ablation, into: str, date: str, names: Iterable[str] = ()) -> Built:
    """Build the variants of these names, or all, below a folder; return all that are there.

    `date` is that of the datasets' versions; once begun, an ablation keeps its first one. A
    variant that is there is not built again, one that was cut off goes on where it was.

    Raises AblationError where the folder holds another ablation, or there is no such variant.
    """
    asked = list(names) or list(ablation.variants)
    for name in asked:
        ablation.variant(name)
    date = _begin(ablation, into, date)
    built = Built()
    for name in ablation.variants:
        try:
            if name in asked:
                build = ablation.build(name, into, date)
                manifest = _finished(build) or _build(build)
            elif (there := _there(f"{into}/{name}")) is not None:
                manifest = there
            else:
                continue
            _keep_costs(f"{into}/{name}", manifest)
            built.releases[name] = release_uri(f"{into}/{name}", manifest.version)
        except EXPECTED as error:
            log.error("%s: %s", name, error)
            built.failures[name] = str(error)
    return built


def _begin(ablation: Ablation, into: str, date: str) -> str:
    """Return the date of the ablation that a folder holds, which may begin now."""
    uri = f"{into}/{STARTED}"
    text = json.dumps({"ablation": ablation.name, "date": date}).encode()
    if store_for(uri).create(uri, text) is None:
        text = read(uri)
    started: dict[str, str] = json.loads(text)
    if started["ablation"] != ablation.name:
        raise AblationError(
            f"{into}: holds the ablation {started['ablation']!r}; take another folder for "
            f"{ablation.name!r}"
        )
    return started["date"]


def _build(build: Build) -> Manifest:
    log.info("%s: building", build.config.publishing.target)
    return read_manifest(run_build(build)["uri"])


def _there(target: str) -> Manifest | None:
    """Return the manifest of the dataset that a target holds, by whatever it was built."""
    pointer = read_pointer(target)
    return None if pointer is None else read_manifest(release_uri(target, pointer.version))


def _finished(build: Build) -> Manifest | None:
    """Return the manifest of a variant that is there already.

    Raises AblationError where what is there has other options.
    """
    target = build.config.publishing.target
    manifest = _there(target)
    if manifest is None:
        return None
    config = BuildConfig.model_validate(manifest.config)
    narrower, others = differences(build.config.content_options(), config.content_options())
    if config.source.dump != build.config.source.dump:
        others.append("dump")
    if different := [*narrower, *others]:
        raise AblationError(
            f"{target}: holds a dataset of other options ({', '.join(different)}); take another "
            "folder, or remove that one"
        )
    log.info("%s: %s is there already", target, manifest.version)
    return manifest


def _keep_costs(target: str, manifest: Manifest) -> None:
    """Keep what a build cost beside its dataset: the work area does not last."""
    costs = costs_of(manifest)
    if costs is not None:
        uri = costs_uri(target)
        store_for(uri).write(uri, f"{costs.model_dump_json(indent=1)}\n".encode())
