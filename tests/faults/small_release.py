"""A release of few files, published as the pipeline does it: by some thirty requests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from c2c_tasks.pipeline.merging import KEY_SCHEMA
from c2c_tasks.publishing.conditions import STORE, Conditions
from c2c_tasks.publishing.ledger import write_ledger
from c2c_tasks.publishing.manifest import Dump, FileEntry, Manifest, read_manifest
from c2c_tasks.publishing.pointer import move_pointer
from c2c_tasks.publishing.release import (
    Copy,
    claim_version,
    commit_release,
    release_uri,
    stage_release,
)
from c2c_tasks.records import LedgerEntry, arrow_schema, to_row
from c2c_tasks.shards import write_parquet

TRAIN = "programs/train-00000-of-00001.parquet"
TEST = "programs/test-00000-of-00001.parquet"
README = "README.md"


@dataclass(frozen=True)
class SmallRelease:
    """What one build publishes: two files and one of the ledger, and a copy of its parent's."""

    build_id: str
    date: str
    folder: Path
    parent: str | None = None
    conditions: Conditions = STORE
    with_ledger: bool = True

    @property
    def version(self) -> str:
        """The one that it gets where no other build publishes on its date."""
        return f"{self.date.replace('-', '.')}-1"

    def write(self) -> SmallRelease:
        """Write the local files."""
        data = self.folder / "data"
        (data / "programs").mkdir(parents=True)
        (data / README).write_text(f"# Release of {self.build_id}\n")
        programs = [f"{self.build_id}, row {number}" for number in range(200)]
        pq.write_table(pa.table({"program": programs}), data / TRAIN)
        if self.parent is None and self.with_ledger:
            pq.write_table(pa.table({"program": ["of the first release"]}), data / TEST)
        pq.write_table(KEY_SCHEMA.empty_table(), self.folder / "replaced.parquet")
        rows = [to_row(_ledger_entry(self.build_id))]
        write_parquet(self.folder / "entries.parquet", arrow_schema(LedgerEntry), rows)
        return self

    def publish(self, target: str) -> str:
        """Publish to a target, from claim to pointer; return the version."""
        version = claim_version(target, self.date, self.build_id, self.conditions)
        parent = read_manifest(release_uri(target, self.parent)) if self.parent else None
        copies = []
        if parent is not None:
            source = f"{release_uri(target, parent.version)}/{TEST}"
            copies = [Copy(source, entry) for entry in parent.files if entry.path == TEST]
        files = stage_release(target, version, self.folder / "data", copies)
        manifest = Manifest(
            dataset_name="Case2Code",
            version=version,
            parent=self.parent,
            build_id=self.build_id,
            created_for=self.date,
            config={},
            code_version="0.1.0+test",
            dump=Dump(uri="file:///dump", objects=1),
            writer={},
            sandbox={},
            funnel=[],
            splits={},
            files=files,
            ledger=self._write_ledger(target, parent) if self.with_ledger else [],
        )
        commit_release(target, manifest, self.conditions)
        over = [self.parent] if self.parent else None
        move_pointer(
            target,
            version,
            build_id=self.build_id,
            date=self.date,
            over=over,
            conditions=self.conditions,
        )
        return version

    def _write_ledger(self, target: str, parent: Manifest | None) -> list[FileEntry]:
        folder = self.folder / "ledger"
        folder.mkdir(exist_ok=True)
        return write_ledger(
            target,
            parent.ledger if parent else [],
            folder,
            replaced=self.folder / "replaced.parquet",
            entries=self.folder / "entries.parquet",
            gave_way={},
            pending=set(),
        )


def _ledger_entry(name: str) -> LedgerEntry:
    return LedgerEntry(
        function_id=name,
        program="",
        entry_point="f",
        parameters=[],
        repository="r",
        path="a.py",
        first_line=1,
        last_line=1,
        licence=None,
        dump="d",
        source_sha256="",
        signature=b"",
        shingles=b"",
        ingested=1,
        standing="kept",
    )
