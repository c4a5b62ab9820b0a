"""`load`: a release as a dataset of Hugging Face's `datasets`, from any store."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, overload

import pyarrow.parquet as pq

from c2c_tasks.config import cache_folder
from c2c_tasks.consuming.caching import cache_errors, local_file, passing_file
from c2c_tasks.consuming.citing import cite, describe
from c2c_tasks.consuming.copies import check_held, files_of, part_of, parts_of
from c2c_tasks.consuming.finding import LATEST, FoundRelease, find_release
from c2c_tasks.consuming.parallel import NoMeter, in_parallel
from c2c_tasks.publishing.manifest import FileEntry
from c2c_tasks.publishing.release import PublishError

if TYPE_CHECKING:
    from datasets import Dataset, IterableDataset

log = logging.getLogger(__name__)


@overload
def load(
    release: str = ...,
    config: str = ...,
    split: str = ...,
    *,
    target: str = ...,
    streaming: Literal[False] = ...,
) -> Dataset: ...


@overload
def load(
    release: str = ...,
    config: str = ...,
    split: str = ...,
    *,
    target: str = ...,
    streaming: Literal[True],
) -> IterableDataset: ...


def load(
    release: str = LATEST,
    config: str = "sft",
    split: str = "train",
    *,
    target: str = "",
    streaming: bool = False,
) -> Dataset | IterableDataset:
    """Load one split of one config of a release.

    `release` is a version (``2026.11.24-1``), ``latest``, or the path or URI of a release or
    target. `target` is the path or URI where a version is looked up; empty for ``C2C_TARGET``.
    Every file is compared with the SHA-256 in the manifest. Files of S3 are kept in the folder
    ``C2C_CACHE`` (``~/.cache/case2code``), once for all releases that have them.

    With `streaming`, rows come file by file, and files of S3 are not kept; each file is a shard,
    for `num_workers` and `split_dataset_by_node`.

    `info` of what is returned tells version, description and citation. Raises PublishError where
    there is no such release, config or split, and StoreError where files are missing or damaged.
    """
    found = find_release(release, target)
    entries = _entries(found, config, split)
    version = found.manifest.version
    rows = sum(entry.rows or 0 for entry in entries)
    log.info("loading %s/%s of release %s, %s rows", config, split, version, f"{rows:,}")
    dataset = (_stream if streaming else _load)(found, entries, split)
    _tell(dataset, found)
    return dataset


def _entries(release: FoundRelease, config: str, split: str) -> list[FileEntry]:
    manifest = release.manifest
    parts = parts_of(manifest, [config], [split])
    if not parts:
        there = ", ".join(manifest.splits[config])
        raise PublishError(
            f"release {manifest.version} has no split {split!r} of {config}; it has {there}"
        )
    check_held(release.uri, manifest, parts)
    return [entry for entry in files_of(manifest, parts) if part_of(entry) in parts]


def _load(release: FoundRelease, entries: Sequence[FileEntry], split: str) -> Dataset:
    from datasets import Dataset

    done = in_parallel(
        lambda entry, tick: (entry.path, local_file(release.uri, entry, tick)), entries, NoMeter()
    )
    paths = dict(done)
    with cache_errors():
        return Dataset.from_parquet(
            [str(paths[entry.path]) for entry in entries],
            split=split,
            cache_dir=str(cache_folder() / "datasets"),
        )


def _stream(release: FoundRelease, entries: Sequence[FileEntry], split: str) -> IterableDataset:
    from datasets import Features, IterableDataset

    # All files of a config have the same columns.
    smallest = min(entries, key=lambda entry: entry.bytes)
    with passing_file(release.uri, smallest) as path:
        features = Features.from_arrow_schema(pq.read_schema(path))
    return IterableDataset.from_generator(
        _rows,
        features=features,
        gen_kwargs={"folder": release.uri, "files": [entry.model_dump() for entry in entries]},
        split=split,
    )


def _rows(folder: str, files: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the rows of files, in order, holding one row group of one file."""
    for fields in files:
        with (
            passing_file(folder, FileEntry.model_validate(fields)) as path,
            pq.ParquetFile(path) as file,
        ):
            for group in range(file.num_row_groups):
                yield from file.read_row_group(group).to_pylist()


def _tell(dataset: Dataset | IterableDataset, release: FoundRelease) -> None:
    """Say in the dataset's `info` what it is, so that it can be cited."""
    from datasets import Version

    manifest = release.manifest
    # Hugging Face's versions have three numbers.
    dataset.info.version = Version(
        manifest.version.partition("-")[0], description=f"release {manifest.version}"
    )
    dataset.info.dataset_name = manifest.dataset_name
    dataset.info.description = describe(release)
    dataset.info.citation = cite(release)
    dataset.info.license = "each row names its own"
