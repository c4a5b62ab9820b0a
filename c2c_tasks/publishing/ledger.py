"""The ledger of a target: every candidate of its dump objects, and what became of it.

Its files lie beside the releases under the digest of their content. A release's manifest names
those that were its ledger; the next release names the same ones, but for those that hold a row
which is not true any more, and one with what is new.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from c2c_tasks.publishing.carrying import MAX_SMALL_FILES
from c2c_tasks.publishing.manifest import FileEntry, Manifest
from c2c_tasks.publishing.release import describe_file, published_file
from c2c_tasks.records import LEDGER_KEY, LedgerEntry, arrow_schema
from c2c_tasks.shards import ROW_GROUP, write_batches
from c2c_tasks.store import store_for

LEDGER = "ledger"
LEDGER_VERSION = 1
"""Of what rows are compared by: canonical form, shingles and signatures. Rows of two do not mix."""
ROWS_PER_FILE = 100_000
"""Some 100 MB. Files with less than a tenth of that are joined where they are many."""


@contextmanager
def ledger_files(target: str, manifest: Manifest) -> Iterator[list[Path]]:
    """Give the files of a release's ledger as local paths."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(published_file(f"{target}/{entry.path}", entry))
            for entry in manifest.ledger
        ]


def write_ledger(
    target: str,
    earlier: Sequence[FileEntry],
    folder: Path,
    *,
    replaced: Path,
    entries: Path,
    gave_way: Mapping[str, str],
    pending: Set[str],
) -> list[FileEntry]:
    """Write what is new in the ledger of a target; return the entries of all its files.

    `earlier` are the files of the release before. `replaced` are the keys of their rows that are
    not true any more, and `entries` are the new rows, both in Parquet. `gave_way` are functions
    that turned out to do what another one does, with the id of that one; those in `pending` were
    not run to their end, and are to be run by the next build.
    """
    gone = {tuple(row.values()) for batch in _batches(replaced) for row in batch.to_pylist()}
    schema = arrow_schema(LedgerEntry)
    kept: list[FileEntry] = []
    local: list[Path] = []
    for entry in earlier:
        with published_file(f"{target}/{entry.path}", entry) as path:
            if not _holds_any(path, gone):
                kept.append(entry)
                continue
            local.append(folder / f"revised-{len(local):05d}.parquet")
            write_batches(local[-1], schema, _without(path, gone))
    small = [entry for entry in kept if (entry.rows or 0) * 10 < ROWS_PER_FILE]
    if len(small) > MAX_SMALL_FILES:
        kept = [entry for entry in kept if entry not in small]
        local.append(folder / "joined.parquet")
        write_batches(
            local[-1], schema, (batch for entry in small for batch in _stored(target, entry))
        )
    for number, groups in enumerate(_runs(entries)):
        local.append(folder / f"new-{number:05d}.parquet")
        new = (_with_standing(batch, gave_way, pending) for batch in _batches(entries, groups))
        write_batches(local[-1], schema, new)
    written = [_put(target, path) for path in local if pq.read_metadata(path).num_rows]
    return sorted([*kept, *written], key=lambda entry: entry.path)


def _put(target: str, path: Path) -> FileEntry:
    """Store a file under its digest, unless it is there."""
    entry = describe_file(path, "")
    entry = entry.model_copy(update={"path": f"{LEDGER}/{entry.sha256}.parquet"})
    uri = f"{target}/{entry.path}"
    store_for(uri).upload(uri, path, sha256=entry.sha256)
    return entry


def _with_standing(
    batch: pa.RecordBatch, gave_way: Mapping[str, str], pending: Set[str]
) -> pa.RecordBatch:
    ids = _column(batch, "function_id")
    standings, leaders = _column(batch, "standing"), _column(batch, "leader")
    for position, identity in enumerate(map(str, ids)):
        if standings[position] != "kept":
            continue
        if identity in pending:
            standings[position] = "pending"
        elif identity in gave_way:
            standings[position] = "behavioural_duplicate"
            leaders[position] = gave_way[identity]
    for name, values in (("standing", standings), ("leader", leaders)):
        index = batch.schema.get_field_index(name)
        batch = batch.set_column(index, batch.schema.field(index), pa.array(values, pa.string()))
    return batch


def _without(path: Path, gone: Set[tuple[object, ...]]) -> Iterator[pa.RecordBatch]:
    for batch in _batches(path):
        yield _filtered(batch, lambda row: row not in gone)


def _holds_any(path: Path, gone: Set[tuple[object, ...]]) -> bool:
    if not gone:
        return False
    with pq.ParquetFile(path) as file:
        return any(
            not gone.isdisjoint(_keys(batch))
            for batch in file.iter_batches(columns=list(LEDGER_KEY))
        )


def _filtered(batch: pa.RecordBatch, stays: Callable[[tuple[object, ...]], bool]) -> pa.RecordBatch:
    return batch.filter(pa.array([stays(row) for row in _keys(batch)], pa.bool_()))


def _keys(batch: pa.RecordBatch) -> Iterator[tuple[object, ...]]:
    return zip(*(_column(batch, name) for name in LEDGER_KEY), strict=True)


def _column(batch: pa.RecordBatch, name: str) -> list[object]:
    values: list[object] = batch.column(name).to_pylist()
    return values


def _stored(target: str, entry: FileEntry) -> Iterator[pa.RecordBatch]:
    with published_file(f"{target}/{entry.path}", entry) as path:
        yield from _batches(path)


def _runs(path: Path) -> Iterator[range]:
    """Yield the row groups of a file, in runs of about `ROWS_PER_FILE` rows."""
    groups = range(pq.read_metadata(path).num_row_groups)
    at_once = ROWS_PER_FILE // ROW_GROUP
    yield from (groups[first : first + at_once] for first in groups[::at_once])


def _batches(path: Path, groups: Iterable[int] | None = None) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a file, of all of it or of these row groups.

    One row group at a time: over several, Arrow holds far more than one.
    """
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups) if groups is None else groups:
            yield from file.read_row_group(group).to_batches()
