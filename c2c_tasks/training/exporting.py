"""A release, or a mixture with it, as files that a trainer reads.

Two passes over the sources: the first counts tokens and keeps one number a row, the second writes
what is drawn, in batches. The same sources and options give the same bytes.
"""

from __future__ import annotations

import json
import logging
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import compress, islice
from pathlib import Path
from typing import Any, Literal, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from c2c_tasks import __version__
from c2c_tasks.config.training import DataOptions, RowFormat, Trainer
from c2c_tasks.consuming.citing import digest_of
from c2c_tasks.consuming.finding import FoundRelease
from c2c_tasks.records import SPLITS, Split
from c2c_tasks.shards import config_digest
from c2c_tasks.store import ObjectInfo, sha256_of
from c2c_tasks.training.counting import TokenCounter
from c2c_tasks.training.documents import (
    CONFIGS,
    Document,
    file_documents,
    files_at,
    release_documents,
)
from c2c_tasks.training.drawing import Draw, draw, interleave
from c2c_tasks.training.errors import TrainingError
from c2c_tasks.training.layouts import check_format, columns_of, descriptions, schema_of
from c2c_tasks.training.mixtures import RELEASE, Mixture, read_mixture
from c2c_tasks.training.packing import Packing, pack

EXPORT = "export.json"
"""What an export is and holds. Written last."""
BATCH = 1_000
"""Rows in memory at a time."""
FileFormat = Literal["jsonl", "parquet"]
Row = dict[str, Any]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What is exported, and how it is laid out."""

    data: DataOptions = field(default_factory=DataOptions)
    trainer: Trainer = "trl"
    format: RowFormat | None = None
    """Format of rows; None for the mixture's."""
    file_format: FileFormat = "jsonl"
    splits: tuple[Split, ...] = ("train", "validation")
    """Splits of the release. The test split is held out: it is exported where it is named."""


def export(found: FoundRelease, folder: Path, request: ExportRequest) -> dict[str, Any]:
    """Write the files into a folder, and return what ``export.json`` there says.

    A folder that holds this export already is left as it is. Raises TrainingError where the folder
    holds anything else, or the options or sources do not fit; PublishError and StoreError where the
    release does not have what is asked for, or it cannot be read.
    """
    plan = _Plan(found, request)
    if (done := _done(folder, plan.digest)) is not None:
        log.info("%s holds this export already", folder)
        return done
    written = {split: plan.write(split, folder) for split in plan.splits}
    files: dict[str, str] = {split: told["file"] for split, told in written.items()}
    for name, text in descriptions(
        request.trainer, plan.format, files, request.data.packing_tokens
    ).items():
        (folder / name).write_bytes(text)
    told = plan.told() | {"splits": written}
    partial = folder / f".{EXPORT}.part"
    partial.write_text(f"{json.dumps(told, indent=1, ensure_ascii=False)}\n")
    partial.rename(folder / EXPORT)
    return told


def _done(folder: Path, digest: str) -> dict[str, Any] | None:
    """Return what a finished export in a folder says; None where there is none. Make the folder."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(f"{folder}: {error.strerror}") from None
    there = sorted(item.name for item in folder.iterdir() if not item.name.endswith(".part"))
    if EXPORT in there:
        told: dict[str, Any] = json.loads((folder / EXPORT).read_text())
        if told.get("digest") == digest:
            return told
        raise TrainingError(f"{folder}: holds an export of other data or options; name another")
    if there and not (folder / f".{EXPORT}.part").exists():
        raise TrainingError(f"{folder}: is not empty ({there[0]} is there); name a new folder")
    (folder / f".{EXPORT}.part").touch()  # what another attempt has begun is this export's
    return None


class _Plan:
    """What an export is made of, looked up before anything is written."""

    def __init__(self, found: FoundRelease, request: ExportRequest) -> None:
        data = request.data
        self.found, self.request = found, request
        self.mixture: Mixture = read_mixture(data.mixture).with_sources(data.mixture_sources)
        self.format = request.format or self.mixture.format
        check_format(request.trainer, self.format)
        config = CONFIGS[self.format]
        rows = found.manifest.splits.get(config, {})
        # A small release may have no validation split, which nobody has asked for by name.
        self.splits = [
            split
            for split in SPLITS
            if split in request.splits and (split in rows or split != "validation")
        ]
        self.count = TokenCounter(data.tokenizer)
        self.files: dict[str, tuple[str, list[ObjectInfo]]] = {
            source.name: files_at(source.uri)
            for source in self.mixture.sources
            if source.uri != RELEASE
        }
        self.digest = config_digest({
            "version": __version__,
            "manifest": digest_of(found),
            "data": data.model_dump(mode="json"),
            "mixture": self.mixture.model_dump(mode="json"),
            "layout": [request.trainer, self.format, request.file_format, self.splits],
            "files": {
                name: [[item.uri, item.etag] for item in items]
                for name, (_, items) in self.files.items()
            },
        })  # fmt: skip

    def told(self) -> Row:
        """Return what ``export.json`` says of all splits."""
        manifest = self.found.manifest
        return {
            "exported_by": f"c2c-tasks {__version__}",
            "digest": self.digest,
            "release": {
                "version": manifest.version,
                "uri": self.found.uri,
                "manifest_sha256": digest_of(self.found),
                "config": CONFIGS[self.format],
            },
            "trainer": self.request.trainer,
            "format": self.format,
            "tokenizer": self.count.name,
            "counted": "as its chat template renders a row"
            if self.count.uses_template
            else "texts alone, and one token for the end of a row",
            "mixture": self.mixture.model_dump(mode="json"),
            "seed": self.request.data.mixture_seed,
            "options": self.request.data.model_dump(mode="json"),
        }

    def write(self, split: Split, folder: Path) -> Row:
        """Write the file of a split, and return what there is to tell of it.

        The training split is mixed; the others are of the release alone.
        """
        mixture = self.mixture
        if split != "train":
            own = [source for source in mixture.sources if source.uri == RELEASE]
            mixture = mixture.model_copy(update={"sources": tuple(own)})
        lengths = {
            source.name: self._lengths(source.name, source.uri, split) for source in mixture.sources
        }
        for name, found in lengths.items():
            if not found:
                raise TrainingError(f"source {name!r}: has no rows to train on")
        draws = draw(mixture, lengths, self.request.data.mixture_seed)
        path = folder / f"{split}.{self.request.file_format}"
        partial = folder / f".{path.name}.part"
        schema = schema_of(self.format)
        with _writer(partial, schema, self.request.file_format) as writer:
            rows = self._rows(mixture, draws, split)
            while batch := list(islice(rows, BATCH)):
                writer.write(batch)
        partial.rename(path)
        return self._told_of(path, mixture, draws)

    def _documents(self, name: str, uri: str, split: str) -> Iterator[Document]:
        if uri == RELEASE:
            return release_documents(self.found, self.format, split)
        return file_documents(*self.files[name])

    def _lengths(self, name: str, uri: str, split: str) -> array[int]:
        found: array[int] = array("I")
        documents = self._documents(name, uri, split)
        while batch := list(islice(documents, BATCH)):
            for document in batch:
                columns_of(document, self.format)  # raises where it does not fit
            found.extend(self.count(batch))
        log.info("%s: %s rows, %s tokens", name, f"{len(found):,}", f"{sum(found):,}")
        return found

    def _rows(self, mixture: Mixture, draws: dict[str, Draw], split: str) -> Iterator[Row]:
        taken = {
            source.name: zip(
                compress(self._documents(source.name, source.uri, split), draws[source.name].rows),
                draws[source.name].taken,
                strict=True,
            )
            for source in mixture.sources
        }
        for name in interleave(draws):
            document, length = next(taken[name])
            about = {"id": document.identity, "source": name, "length": length}
            yield columns_of(document, self.format) | about

    def _told_of(self, path: Path, mixture: Mixture, draws: dict[str, Draw]) -> Row:
        sources = {}
        for source in mixture.sources:
            drawn = draws[source.name]
            sources[source.name] = {
                "weight": source.weight,
                "rows": sum(drawn.rows),
                "tokens": sum(drawn.taken),
                "rows_there": len(drawn.lengths),
            }
        measure = mixture.weigh_by
        whole = sum(told[measure] for told in sources.values())
        for told in sources.values():
            told["share"] = round(told[measure] / whole, 4)
        packing: Packing | None = None
        if tokens := self.request.data.packing_tokens:
            packing = pack((n for drawn in draws.values() for n in drawn.taken), tokens)
        return {
            "file": path.name,
            "rows": sum(told["rows"] for told in sources.values()),
            "tokens": sum(told["tokens"] for told in sources.values()),
            "bytes": path.stat().st_size,
            "sha256": sha256_of(path),
            "sources": sources,
            "packing": asdict(packing) if packing else None,
        }


class _JsonLines:
    def __init__(self, path: Path) -> None:
        self._stream: TextIO = path.open("w", encoding="utf-8", newline="\n")

    def __enter__(self) -> _JsonLines:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def write(self, rows: Sequence[Row]) -> None:
        self._stream.writelines(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)


class _Parquet:
    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._schema = schema
        self._file = pq.ParquetWriter(path, schema, compression="zstd")

    def __enter__(self) -> _Parquet:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, rows: Sequence[Row]) -> None:
        self._file.write_table(pa.Table.from_pylist(list(rows), self._schema))


def _writer(path: Path, schema: pa.Schema, file_format: FileFormat) -> _JsonLines | _Parquet:
    return _JsonLines(path) if file_format == "jsonl" else _Parquet(path, schema)
