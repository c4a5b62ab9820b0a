"""A training in two steps: the data is exported, then the recipe trains on it.

Both leave what they make in the target: ``exports/NAME`` and ``models/NAME``, whose ``export.json``
and ``training.json`` are written last and make them complete. A step that finds its work complete
returns it at once.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

from c2c_tasks import __version__
from c2c_tasks.config import cache_folder
from c2c_tasks.config.training import DataOptions, TrainingConfig
from c2c_tasks.consuming.citing import digest_of
from c2c_tasks.consuming.finding import FoundRelease, find_release
from c2c_tasks.inputs.errors import InputError
from c2c_tasks.inputs.model_folder import TRAINING, local_model
from c2c_tasks.shards import config_digest
from c2c_tasks.store import ObjectNotFound, file_path, read, sha256_of, store_for
from c2c_tasks.training.documents import files_at
from c2c_tasks.training.errors import TrainingError
from c2c_tasks.training.exporting import EXPORT, ExportRequest
from c2c_tasks.training.exporting import export as write_export
from c2c_tasks.training.mixtures import RELEASE, read_mixture
from c2c_tasks.training.recipe import recipe_file, summary
from c2c_tasks.training.recipe import train as run_recipe

DIGEST = 10
"""Characters of a digest in a name."""

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
"""What no name of a checkpoint has: see the option `checkpoint_name`."""

log = logging.getLogger(__name__)


class ExportReference(TypedDict):
    """What the first step hands to the second."""

    uri: str
    release: str
    """URI of the release."""
    version: str
    rows: int
    tokens: int


@dataclass(frozen=True)
class Training:
    """One training: its options, and where on this machine it works."""

    config: TrainingConfig

    @property
    def scratch(self) -> Path:
        """Folder of this machine for what is under way, kept from one attempt to the next."""
        return cache_folder() / "training"


def export(training: Training) -> ExportReference:
    """Export the release, or the mixture with it, for TRL, into the target.

    Raises TrainingError, PublishError and StoreError as `c2c_tasks.training.exporting.export`.
    """
    config = training.config
    if not config.training.base_model:
        raise TrainingError("no model is named that is trained on (option base_model)")
    recipe_file(config.training)  # an unknown recipe is refused before hours of work
    target = config.checkpoint.target
    found = find_release(config.data.release, target)
    data = config.data.model_copy(
        update={"tokenizer": config.data.tokenizer or config.training.base_model}
    )
    # `c2c_tasks.publishing.withdrawal` finds what is of a release by this name.
    uri = f"{target}/exports/{found.manifest.version}-{_data_digest(found, data)}"
    told = _read(f"{uri}/{EXPORT}")
    if told is None:
        folder = training.scratch / "exports" / uri.rpartition("/")[2]
        told = write_export(found, folder, ExportRequest(data=data))
        names = [part["file"] for part in told["splits"].values()]
        _upload(folder, uri, [*names, EXPORT])
        shutil.rmtree(folder)
    else:
        log.info("%s is complete already", uri)
    train = told["splits"]["train"]
    log.info("%s: %s rows, %s tokens", uri, f"{train['rows']:,}", f"{train['tokens']:,}")
    return ExportReference(
        uri=uri,
        release=found.uri,
        version=found.manifest.version,
        rows=train["rows"],
        tokens=train["tokens"],
    )


def train(training: Training, exported: ExportReference) -> dict[str, Any]:
    """Train on an export; return the checkpoint's name, place and facts.

    Raises TrainingError and TrainerDown as `c2c_tasks.training.recipe.train`.
    """
    config = training.config
    told_of_data = _read(f"{exported['uri']}/{EXPORT}")
    if told_of_data is None:
        raise TrainingError(f"{exported['uri']}: has no {EXPORT}; run the step `export` again")
    recipe = recipe_file(config.training).read_text()
    digest = config_digest([
        told_of_data["digest"],
        config.training.model_dump(mode="json"),
        hashlib.sha256(recipe.encode()).hexdigest(),
    ])  # fmt: skip
    name = config.checkpoint.checkpoint_name or _name(config, digest)
    uri = f"{config.checkpoint.target}/models/{name}"
    told = _read(f"{uri}/{TRAINING}")
    if told is not None and told.get("digest") != digest:
        raise TrainingError(f"{uri}: holds a checkpoint of another training; name another")
    if told is None:
        told = _train(training, exported, told_of_data, uri, digest)
    else:
        log.info("%s is complete already", uri)
    log.info("%s: %s", uri, summary(told))
    return {
        "model": str(file_path(uri)) if uri.startswith("file:") else uri,
        "model_name": name,
        "prompt_style": "text" if told_of_data["format"] == "text" else "chat",
        "uri": uri,
        "release": exported["release"],
        "release_version": exported["version"],
        "release_manifest_sha256": told_of_data["release"]["manifest_sha256"],
        "base_model": config.training.base_model,
        "digest": digest,
        "steps": told["steps"],
        "loss": told["loss"][-1][1],
        "validation_loss": told["validation_loss"],
    }


def _train(
    training: Training, exported: ExportReference, told: dict[str, Any], uri: str, digest: str
) -> dict[str, Any]:
    data = training.scratch / "data" / exported["uri"].rpartition("/")[2]
    data.mkdir(parents=True, exist_ok=True)
    for part in told["splits"].values():
        path = data / part["file"]
        if not (path.is_file() and sha256_of(path) == part["sha256"]):
            source = f"{exported['uri']}/{part['file']}"
            store_for(source).download(source, path, sha256=part["sha256"])
    (data / EXPORT).write_text(json.dumps(told))
    options = training.config.training
    try:
        folder = local_model(options.base_model)
    except InputError as error:
        raise TrainingError(f"option base_model: {error}") from None
    # A base model that was put into a store anew has a new folder, and another's steps are no use.
    output = training.scratch / "models" / config_digest([digest, folder])[: 2 * DIGEST]
    made = run_recipe(data, output, options.model_copy(update={"base_model": folder}))
    names = sorted(item.name for item in output.iterdir() if item.is_file())
    names.remove(TRAINING)
    _upload(output, uri, names)
    # The script tells what it was given on this machine; the checkpoint, where that is from.
    made |= {
        "digest": digest,
        "uri": uri,
        "export": exported["uri"],
        "model": options.base_model,
        "files": {name: sha256_of(output / name) for name in names},
    }
    store_for(uri).write(f"{uri}/{TRAINING}", f"{json.dumps(made, indent=1)}\n".encode())
    shutil.rmtree(output)
    shutil.rmtree(data)
    return made


def _data_digest(found: FoundRelease, data: DataOptions) -> str:
    """Return what tells data apart: files that have changed since are other data."""
    mixture = read_mixture(data.mixture).with_sources(data.mixture_sources)
    files = [
        [item.uri, item.etag]
        for source in mixture.sources
        if source.uri != RELEASE
        for item in files_at(source.uri)[1]
    ]
    options = data.model_dump(mode="json", exclude={"release", "mixture"})
    told = [__version__, digest_of(found), mixture.model_dump(mode="json"), files, options]
    return config_digest(told)[:DIGEST]


def _name(config: TrainingConfig, digest: str) -> str:
    """Return a name for a checkpoint: of the base model, the recipe and the digest."""
    base = config.training.base_model.rstrip("/").rpartition("/")[2]
    name = _UNSAFE.sub("-", f"{base}-{Path(config.training.recipe).stem}").strip("-.")
    return f"{name[:80]}-{digest[:DIGEST]}"


def _upload(folder: Path, uri: str, names: list[str]) -> None:
    """Copy files, in this order: the last one says that all are there."""
    for name in names:
        store_for(uri).upload(f"{uri}/{name}", folder / name)


def _read(uri: str) -> dict[str, Any] | None:
    try:
        told: dict[str, Any] = json.loads(read(uri))
    except ObjectNotFound:
        return None
    return told
