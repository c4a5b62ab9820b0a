"""Parquet shards, step reports, and steps that may run twice.

A shard is one Parquet object of records; beside it lies its report, written last: a shard
with a report is complete. The report holds the digest of what the step was given (inputs,
config, code), so a step that is run again on the same returns at once.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from c2c_tasks import __version__
from c2c_tasks.records import arrow_schema, from_row, to_row
from c2c_tasks.store import ObjectNotFound, StoreError, local_copy, read, store_for

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

ROW_GROUP = 1_000
"""Rows of a row group. Fixed, so that a file's bytes depend on its rows alone."""

log = logging.getLogger(__name__)
R = TypeVar("R", bound="DataclassInstance")


_watcher: ContextVar[Callable[[StepReport], None] | None] = ContextVar("watcher", default=None)

CARRIED_OVER = "programs carried over"
"""The stage of the funnel that counts the parent's programs: rows out are those that stay."""


def storable(text: str) -> str:
    """Return text that a shard can hold: lone surrogates, as of file names, are replaced."""
    return text.encode("utf-8", "replace").decode()


@dataclass(slots=True)
class Stage:
    """One line of the funnel: what came in, what went on, and why the rest did not."""

    name: str
    unit: str
    """What a row is: ``files``, ``functions``, ``cases``, ``programs``, ``samples``."""
    rows_in: int = 0
    rows_out: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    """Rows dropped, by reason."""

    def keep(self, rows: int = 1) -> None:
        """Count rows that came in and go on."""
        self.rows_in += rows
        self.rows_out += rows

    def drop(self, reason: str, rows: int = 1) -> None:
        """Count rows that came in and do not go on."""
        self.rows_in += rows
        self.dropped[reason] = self.dropped.get(reason, 0) + rows

    def add(self, other: Stage) -> None:
        """Count the rows of another stage, too."""
        self.keep(other.rows_out)
        for reason, rows in other.dropped.items():
            self.drop(reason, rows)

    def check(self) -> None:
        """Raise ValueError unless every row that came in went on or was dropped."""
        if self.rows_in != self.rows_out + sum(self.dropped.values()):
            raise ValueError(f"stage {self.name}: rows do not add up: {self}")


@dataclass(slots=True)
class StepReport:
    """What a step did to one shard."""

    step: str
    shard: str
    """URI of the shard, or of the folder of shards, that the step wrote."""
    digest: str = ""
    """SHA-256 over inputs, config and code: equal digests mean equal work."""
    stages: list[Stage] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)
    """Other sums worth showing: tokens, functions killed, containers started."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What the manifest records of how it was done: model, image digest, runtime."""
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)
    """Objects and records that were skipped, named, up to `MAX_PROBLEMS`."""

    MAX_PROBLEMS = 20

    def stage(self, name: str, unit: str) -> Stage:
        """Return the stage of that name, made where there is none yet."""
        for stage in self.stages:
            if stage.name == name:
                return stage
        self.stages.append(Stage(name, unit))
        return self.stages[-1]

    def count(self, counter: str, amount: int = 1) -> None:
        """Add to a counter."""
        self.counters[counter] = self.counters.get(counter, 0) + amount

    def problem(self, message: str, **fields: str) -> None:
        """Name something that was skipped, in the log and in the report, up to `MAX_PROBLEMS`.

        `fields` become attributes of the log record, as ``function_id``.
        """
        if len(self.problems) < self.MAX_PROBLEMS:
            log.warning("%s", message, extra=fields)
            self.problems.append(message)

    def to_json(self) -> bytes:
        """Return the report as JSON text."""
        return json.dumps(dataclasses.asdict(self), indent=1).encode()

    @classmethod
    def from_json(cls, data: bytes) -> StepReport:
        """Return the report of a JSON text."""
        fields = json.loads(data)
        fields["stages"] = [Stage(**stage) for stage in fields["stages"]]
        return cls(**fields)


def funnel(reports: Iterable[StepReport]) -> list[Stage]:
    """Add reports up, stage by stage, in order of first appearance."""
    total = StepReport("funnel", "")
    for report in reports:
        for stage in report.stages:
            stage.check()
            total.stage(stage.name, stage.unit).add(stage)
    return total.stages


def shard_uri(work: str, step: str, index: int) -> str:
    """Return the URI of a step's shard below a build's work area."""
    return f"{work}/{step}/part-{index:05d}.parquet"


def report_uri(shard: str) -> str:
    """Return the URI of the report beside a shard, or inside a folder of shards."""
    if shard.endswith(".parquet"):
        return shard.removesuffix(".parquet") + ".report.json"
    return f"{shard}/report.json"


def read_report(shard: str) -> StepReport | None:
    """Return the report of a shard, or None where the shard is not complete."""
    try:
        return StepReport.from_json(read(report_uri(shard)))
    except ObjectNotFound:
        return None


@contextmanager
def watching(watcher: Callable[[StepReport], None]) -> Iterator[None]:
    """Have `watcher` given the report of each step that is worked and finished meanwhile.

    A step whose work was found done is not told of: the sum over all calls is the work done.
    """
    token = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(token)


def run_step(
    step: str,
    *,
    inputs: Sequence[str],
    output: str,
    config: object,
    work: Callable[[StepReport], None],
) -> StepReport:
    """Run `work`, which writes `output`, unless a report says that the same was done.

    `inputs` are URIs of shards or objects; `config` is anything that JSON can hold, a
    pydantic model included. `work` fills the report it is given. Two attempts at a time
    write the same bytes, so either may win.
    """
    digest = _digest_of(step, inputs, config)
    done = read_report(output)
    if done is not None and done.digest == digest:
        log.info("%s: %s is complete already", step, output)
        return done
    if done is not None:  # of other inputs: what it tells of is about to be written over
        store_for(output).delete(report_uri(output))
    report = StepReport(step, output, digest)
    started = time.monotonic()
    work(report)
    report.seconds = round(time.monotonic() - started, 3)
    for stage in report.stages:
        stage.check()
    store_for(output).write(report_uri(output), report.to_json())
    if watcher := _watcher.get():
        watcher(report)
    return report


def is_complete(step: str, *, inputs: Sequence[str], output: str, config: object) -> bool:
    """Tell whether `run_step`, called with these, would find its work done."""
    done = read_report(output)
    return done is not None and done.digest == _digest_of(step, inputs, config)


def write_shard(uri: str, cls: type[R], records: Iterable[R]) -> int:
    """Write records as one Parquet object, whole or not at all; return their number."""
    with tempfile.TemporaryDirectory(prefix="c2c-") as folder:
        path = Path(folder, "shard.parquet")
        rows = write_parquet(path, arrow_schema(cls), (to_row(record) for record in records))
        store_for(uri).upload(uri, path)
    return rows


def write_parquet(path: Path, schema: pa.Schema, rows: Iterable[dict[str, Any]]) -> int:
    """Write rows to a local Parquet file, `ROW_GROUP` at a time; return their number."""
    remaining = iter(rows)
    count = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        while chunk := list(islice(remaining, ROW_GROUP)):
            writer.write_table(pa.Table.from_pylist(chunk, schema), row_group_size=ROW_GROUP)
            count += len(chunk)
    return count


def write_batches(path: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> int:
    """Write batches to a local Parquet file, `ROW_GROUP` rows at a time; return their number.

    Columns are cast to those of `schema`: databases do not know which may be null.
    """
    waiting: list[pa.RecordBatch] = []
    count = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:

        def flush(least: int) -> None:
            nonlocal waiting
            while waiting and sum(batch.num_rows for batch in waiting) >= least:
                table = pa.Table.from_batches(waiting)
                writer.write_table(table.slice(0, ROW_GROUP), row_group_size=ROW_GROUP)
                waiting = [b for b in table.slice(ROW_GROUP).to_batches() if b.num_rows]

        for batch in batches:
            count += batch.num_rows
            waiting += pa.Table.from_batches([batch]).cast(schema).to_batches()
            flush(ROW_GROUP)
        flush(1)
    return count


def cut_batches(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[list[pa.RecordBatch]]:
    """Yield the batches in lists of so many rows each, the last one of what is left."""
    held: list[pa.RecordBatch] = []
    missing = rows
    for batch in batches:
        while batch.num_rows >= missing:
            yield [*held, batch.slice(0, missing)]
            batch = batch.slice(missing)
            held, missing = [], rows
        if batch.num_rows:
            held.append(batch)
            missing -= batch.num_rows
    if held:
        yield held


def write_batch_shard(uri: str, cls: type, batches: Iterable[pa.RecordBatch]) -> int:
    """Write batches as a shard of `cls`, whole or not at all; return the number of rows."""
    with tempfile.TemporaryDirectory(prefix="c2c-") as folder:
        path = Path(folder, "shard.parquet")
        rows = write_batches(path, arrow_schema(cls), batches)
        store_for(uri).upload(uri, path)
    return rows


def read_shard(uri: str, cls: type[R]) -> Iterator[R]:
    """Yield the records of a shard, holding one row group at a time.

    Raises StoreError where the object is missing or is not a whole Parquet file.
    """
    with local_copy(uri) as path:
        try:
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(batch_size=ROW_GROUP):
                    for row in batch.to_pylist():
                        yield from_row(cls, row)
        except pa.ArrowInvalid as error:
            raise StoreError(f"{uri}: not a whole Parquet file: {error}") from None


def read_columns(uri: str, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Yield these columns of a Parquet object, row by row. Raises StoreError, as `read_shard`."""
    with local_copy(uri) as path:
        try:
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(columns=list(columns)):
                    values = [batch.column(name).to_pylist() for name in columns]
                    yield from zip(*values, strict=True)
        except pa.ArrowInvalid as error:
            raise StoreError(f"{uri}: not a whole Parquet file: {error}") from None


@cache
def code_version() -> str:
    """Return the version of this package with a digest of its source."""
    digest = hashlib.sha256()
    root = Path(__file__).parent
    for path in sorted(root.rglob("*.py")):
        digest.update(str(path.relative_to(root)).encode())
        digest.update(path.read_bytes())
    return f"{__version__}+{digest.hexdigest()[:12]}"


def config_digest(config: object) -> str:
    """Return the SHA-256 of a config's JSON text, in hexadecimal."""
    return _digest(_plain(config))


def _digest_of(step: str, inputs: Sequence[str], config: object) -> str:
    return _digest([step, code_version(), _plain(config), [_identity(uri) for uri in inputs]])


def _plain(config: object) -> object:
    dump = getattr(config, "model_dump", None)
    return dump(mode="json") if dump else config


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _identity(uri: str) -> list[object]:
    """Return what tells one content of an input from another."""
    report = read_report(uri)
    if report is not None:
        return [uri, report.digest]
    info = store_for(uri).head(uri)
    if info is None:
        raise ObjectNotFound(f"{uri}: no such object; the step before has not finished")
    return [uri, info.etag, info.size]
