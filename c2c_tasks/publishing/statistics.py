"""What the data files of a release hold, counted for its plots and its card.

The counts of each file are kept in the release, under the file's SHA-256. A release that takes
over files of an earlier one takes over their counts, and reads the files that are new alone.
"""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, Field

from c2c_tasks.publishing.counts import FileCounts, ProgramCounts, SampleCounts, count_file
from c2c_tasks.publishing.histograms import Histogram
from c2c_tasks.publishing.manifest import FileEntry, Manifest, read_manifest
from c2c_tasks.publishing.origins import ORIGINS, SCHEMA, aggregated, groups_by_file, origins_of
from c2c_tasks.publishing.tokens import TOKENIZER
from c2c_tasks.records import FORMATS, SampleFormat, Split
from c2c_tasks.store import ObjectNotFound, local_copy, read, sha256_of

COUNTS = "report/counts.json"
"""Path, in a release, of the counts of each of its data files."""

log = logging.getLogger(__name__)


class CountedFiles(BaseModel):
    """What `COUNTS` holds."""

    version: Literal[1] = 1
    """Of what is counted, and how."""
    tokenizer: str = TOKENIZER
    files: dict[str, FileCounts] = Field(default_factory=dict)
    """By the SHA-256 of the file."""


@dataclass(slots=True)
class Lengths:
    """Lengths of the samples of a format."""

    characters: Histogram
    tokens: Histogram
    """Of all samples, estimated where `counted` are fewer."""
    counted: int
    """Samples whose tokens were counted."""

    @property
    def is_estimated(self) -> bool:
        """Whether tokens are those of all samples by estimate."""
        return self.counted < self.characters.rows


@dataclass(slots=True)
class Statistics:
    """Counts over all splits of a release."""

    programs: ProgramCounts = field(default_factory=ProgramCounts)
    licences: Counter[str] = field(default_factory=Counter)
    """Programs by SPDX expression."""
    repositories: Counter[str] = field(default_factory=Counter)
    """Programs by repository."""
    lengths: dict[SampleFormat, Lengths] = field(default_factory=dict)
    memory_bytes: dict[tuple[str, Split], int] = field(default_factory=dict)
    """Bytes of the rows of a config and split in memory."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of data files before they are read, by their SHA-256."""

    counts: dict[str, FileCounts] = field(default_factory=dict)
    table: pq.ParquetFile | None = None
    """Origins, in these row groups of each file."""
    groups: dict[str, list[int]] = field(default_factory=dict)

    def origins(self, sha256: str) -> Iterator[pa.Table]:
        """Yield the origins of a file."""
        for group in self.groups.get(sha256, ()):
            if self.table is not None:
                yield self.table.read_row_group(group)


def measure(
    release: str, files: Iterable[FileEntry], folder: Path, *, earlier: str | None = None
) -> Statistics:
    """Count over the data files of a release, or of a local folder's URI.

    Writes the counts of each file and the table of origins into ``report/`` of a local folder.
    `earlier` is the URI of a release whose counts are taken over for files that it has as well.
    """
    data = [entry for entry in files if entry.config]
    (folder / ORIGINS).parent.mkdir(parents=True, exist_ok=True)
    counted = CountedFiles()
    with (
        pq.ParquetWriter(folder / ORIGINS, SCHEMA, compression="zstd") as origins,
        _known_of(earlier) as known,
    ):
        for entry in data:  # in their order, wherever counts come from: equal bytes
            if entry.sha256 in known.counts:
                counted.files[entry.sha256] = known.counts[entry.sha256]
                for table in known.origins(entry.sha256):
                    origins.write_table(table)
            else:
                counted.files[entry.sha256] = _count(release, entry, origins)
    (folder / COUNTS).write_text(f"{counted.model_dump_json()}\n")
    statistics = _added_up(data, counted)
    with aggregated(folder / ORIGINS) as database:
        for column, found in (
            ("licence", statistics.licences),
            ("repository", statistics.repositories),
        ):
            rows = database.execute(
                f"SELECT {column}, sum(programs)::BIGINT AS programs FROM files "
                f"GROUP BY {column} ORDER BY programs DESC, {column}"
            ).fetchall()
            found.update(dict(rows))
    return statistics


def _count(release: str, entry: FileEntry, origins: pq.ParquetWriter) -> FileCounts:
    with local_copy(f"{release}/{entry.path}") as path:
        if entry.config == "programs":
            origins.write_table(origins_of(path, entry.sha256))
        return count_file(path, entry.config or "", entry.sha256)


@contextmanager
def _known_of(earlier: str | None) -> Iterator[_Known]:
    """Give what an earlier release says of its files.

    Where it says nothing (it is older than this, or retired) or something damaged, nothing is
    known.
    """
    with ExitStack() as stack:
        known = _Known()
        try:
            if earlier:
                known = _read_known(earlier, stack)
        except ObjectNotFound:
            pass
        except (ValueError, pa.ArrowException) as error:
            log.warning("%s: its counts cannot be taken over: %s", earlier, error)
        yield known


def _read_known(earlier: str, stack: ExitStack) -> _Known:
    manifest = read_manifest(earlier)
    counts = read(f"{earlier}/{COUNTS}")
    if hashlib.sha256(counts).hexdigest() != _sha256_in(manifest, COUNTS):
        raise ValueError(f"{COUNTS} is not what the manifest names")
    counted = CountedFiles.model_validate_json(counts)
    if counted.tokenizer != TOKENIZER:
        return _Known()
    path = stack.enter_context(local_copy(f"{earlier}/{ORIGINS}"))
    if sha256_of(path) != _sha256_in(manifest, ORIGINS):
        raise ValueError(f"{ORIGINS} is not what the manifest names")
    table = stack.enter_context(pq.ParquetFile(path))
    return _Known(counted.files, table, groups_by_file(table))


def _sha256_in(manifest: Manifest, path: str) -> str | None:
    return next((entry.sha256 for entry in manifest.files if entry.path == path), None)


def _added_up(data: Sequence[FileEntry], counted: CountedFiles) -> Statistics:
    found = Statistics()
    samples: dict[str, list[SampleCounts]] = {}
    for entry in data:
        counts = counted.files[entry.sha256]
        if entry.config and entry.split:
            place = (entry.config, entry.split)
            found.memory_bytes[place] = found.memory_bytes.get(place, 0) + counts.memory_bytes
        if counts.programs:
            for name in ProgramCounts.model_fields:
                getattr(found.programs, name).update(getattr(counts.programs, name))
        if counts.samples and entry.config:
            samples.setdefault(entry.config, []).append(counts.samples)
    for format_ in FORMATS:
        if format_ in samples:
            found.lengths[format_] = _lengths(samples[format_])
    return found


def _lengths(parts: Sequence[SampleCounts]) -> Lengths:
    return Lengths(
        characters=Histogram.sum_of(part.characters for part in parts),
        tokens=Histogram.sum_of(map(_tokens, parts)),
        counted=int(sum(part.tokens.rows for part in parts)),
    )


def _tokens(part: SampleCounts) -> Histogram:
    """Return the tokens of all samples of a file: as many a character as those counted have."""
    if part.tokens.rows == part.characters.rows:
        return part.tokens
    ratio = part.tokens.total / max(part.counted_characters, 1)
    return part.tokens.scaled(rows=part.characters.rows, total=ratio * part.characters.total)
