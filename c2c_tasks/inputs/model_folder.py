"""Models that lie in a store, as folders of this machine: libraries load nothing else."""

from __future__ import annotations

import fcntl
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from c2c_tasks.config import cache_folder
from c2c_tasks.inputs.errors import InputError
from c2c_tasks.shards import config_digest
from c2c_tasks.store import ObjectInfo, file_path, read, sha256_of, store_for

CONFIG = "config.json"
"""In a model, as `transformers` and vLLM write and read it."""
TRAINING = "training.json"
"""In a checkpoint of `case2code_train`: what it is and how it was made. Written last."""
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")
"""What is needed of a model to count tokens as it does."""

log = logging.getLogger(__name__)


def local_model(model: str, names: Sequence[str] = ()) -> str:
    """Return what a library loads a model by: of one at a URI, its folder; any other as it is.

    A model at ``s3://`` is fetched into the cache (`cache_folder`), once for each state of its
    files; where `names` are given, of which the first must be there, these alone. Files whose
    SHA-256 its ``training.json`` tells are compared with it. Raises InputError where there is no
    model, StoreError where it cannot be had.
    """
    if "://" not in model:
        return model
    if model.startswith("file:"):
        return str(file_path(model))
    uri = model.rstrip("/")
    files = _files_at(uri)
    needed = names[0] if names else CONFIG
    if needed not in files:
        raise InputError(f"{model}: no model is there that can be loaded, for it has no {needed}")
    if names:
        files = {name: info for name, info in files.items() if name in names}
    state = config_digest([uri, [[name, info.etag, info.size] for name, info in files.items()]])
    folder = cache_folder() / "models" / state[:32]
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with folder.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # two tasks that want it fetch it once
            if not folder.is_dir():
                _fetch(uri, files, folder)
    except OSError as error:
        raise InputError(
            f"the model {model} cannot be kept at {error.filename or folder}: {error.strerror}; "
            "C2C_CACHE names another folder"
        ) from None
    return str(folder)


def _files_at(uri: str) -> dict[str, ObjectInfo]:
    """Return the files of a model, by name. Folders in it are none of its own."""
    listed = {info.uri.removeprefix(f"{uri}/"): info for info in store_for(uri).list(uri)}
    return {name: info for name, info in listed.items() if name and "/" not in name}


def _fetch(uri: str, files: dict[str, ObjectInfo], folder: Path) -> None:
    """Fetch files into a folder, which is there when all are; an attempt that was cut goes on."""
    log.info("fetching %s, %s bytes", uri, f"{sum(info.size for info in files.values()):,}")
    partial = folder.with_suffix(".part")
    partial.mkdir(exist_ok=True)
    digests = _digests(files)
    for name, info in files.items():
        path, digest = partial / name, digests.get(name)
        is_there = path.is_file() and path.stat().st_size == info.size
        if not (is_there and (digest is None or sha256_of(path) == digest)):
            store_for(uri).download(info.uri, path, sha256=digest)
    partial.rename(folder)


def _digests(files: dict[str, ObjectInfo]) -> dict[str, str]:
    """Return the SHA-256 of the files of a checkpoint, as far as it tells them."""
    if TRAINING not in files:
        return {}
    try:
        told: Any = json.loads(read(files[TRAINING].uri))
    except ValueError:
        return {}  # a file of this name that is another's
    return dict(told.get("files", {})) if isinstance(told, dict) else {}
