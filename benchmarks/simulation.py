"""The steps that are single tasks, on a million generated functions: what they take, and leave.

A chain of builds goes through the reduce steps themselves, on one core and in bounded memory:

- a first build of all functions and their copies, three in ten near to an earlier one;
- a night after it, with 1 % of new dump objects;
- both again from nothing, in the order that the ledger recorded: the same functions must be kept;
- an opt-out of one repository in a thousand.

Between them the ledger is written, behavioural duplicates are found, and the data files of a
release as large as the build are carried over. Each step runs in a process of its own, whose peak
memory (VmHWM) starts anew. Disk is what the step's own folder held at most, looked at every
half second, and what it left to the next one. `--functions` sets another number.
"""

from __future__ import annotations

import hashlib
import json
import logging
import multiprocessing
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from benchmarks.generated import Dump, function_id, program_text
from benchmarks.measuring import arguments, verdict
from c2c_tasks.config import CaseOptions, FunctionOptions, RightsOptions
from c2c_tasks.curation.behaviour import Behaving, behavioural_duplicates
from c2c_tasks.curation.benchmarks import HUMANEVAL, protected_programs, read_benchmarks
from c2c_tasks.curation.ingestion import Ingestion
from c2c_tasks.curation.judging import judge
from c2c_tasks.curation.rights import Rights
from c2c_tasks.curation.splits import split_of
from c2c_tasks.pipeline.merging import KEY_SCHEMA, MOVED_SCHEMA
from c2c_tasks.publishing.carrying import Changes, carry_over
from c2c_tasks.publishing.ledger import write_ledger
from c2c_tasks.publishing.manifest import FileEntry, Manifest
from c2c_tasks.publishing.release import describe_file
from c2c_tasks.records import (
    Candidate,
    Case,
    Function,
    LedgerEntry,
    Parameter,
    Program,
    arrow_schema,
    to_row,
)
from c2c_tasks.shards import (
    StepReport,
    cut_batches,
    read_columns,
    write_batches,
)

FUNCTIONS = 1_000_000
MEGABYTES = 1_000
BOUND = 2.0
"""Peak memory of a merge over `merge_memory_megabytes`: interpreter, libraries, ids and what
DuckDB does not count are on top of it."""
NIGHT = 0.01
OPTED_OUT = 0.001
OBJECTS_PER_SHARD = 10
"""So many dump objects are read by one task of extraction."""
ROWS_PER_FILE = 50_000


@dataclass(frozen=True)
class Simulation:
    """Folders of a run, and its size."""

    folder: Path
    dump: Dump
    objects: int
    new_objects: int

    @property
    def target(self) -> Path:
        return self.folder / "target"

    def candidates(self, *, night: bool) -> list[Path]:
        return sorted((self.folder / ("night" if night else "first")).glob("*.parquet"))


@dataclass(frozen=True)
class Step:
    """What one step took."""

    name: str
    rows: int
    """That went in."""
    seconds: float
    cpu_seconds: float
    peak_megabytes: float
    scratch_megabytes: float
    result: dict[str, Any]


def main() -> int:
    """Run the simulation; return the exit status."""
    chosen = arguments(__doc__, numbers={"functions": "how many functions there are"})
    functions = chosen.functions or (30_000 if chosen.quick else FUNCTIONS)
    logging.disable(logging.WARNING)
    per_object = min(Dump.per_object, functions // 100)
    objects = functions // per_object
    protected = tuple(
        program.shingles
        for program in protected_programs(read_benchmarks(HUMANEVAL), StepReport("", ""))
    )
    with tempfile.TemporaryDirectory(prefix="simulation-") as name:
        simulation = Simulation(
            Path(name),
            Dump(per_object=per_object, protected=protected),
            objects,
            max(1, round(objects * NIGHT)),
        )
        started = time.perf_counter()
        rows = _generate(simulation)
        print(f"{rows:,} candidates generated in {time.perf_counter() - started:,.0f} s")
        steps = list(_chain(simulation, functions))
    _show(steps)
    merges = [step for step in steps if step.name.startswith("merge")]
    first, night = merges[0], merges[1]
    print(f"night to first build, CPU: {night.cpu_seconds / first.cpu_seconds:.3f}")
    peak = max(step.peak_megabytes for step in merges)
    print(f"peak memory of a merge, to merge_memory_megabytes = {MEGABYTES:,}:")
    return verdict(peak / MEGABYTES, BOUND, chosen.check)


def _chain(simulation: Simulation, functions: int) -> Iterator[Step]:
    """Run the builds one after the other, and yield what each step took."""
    ledger: list[FileEntry] = []
    for name, build in (
        ("first build", _Build(1, new=True, night=False)),
        ("night, 1 % new", _Build(2, new=True, night=True)),
        ("rebuilt from nothing", _Build(3, new=True, night=False, replay=True)),
        ("opt-out of 0.1 %", _Build(4, new=False, night=False)),
    ):
        merged = _alone(f"merge, {name}", simulation, partial(_merge, build, ledger))
        yield merged
        if build.replay:
            _compare(simulation, ledger)
            continue
        gave_way: dict[str, str] = {}
        if build.new:
            behaving = _alone(f"behaviour, {name}", simulation, partial(_behaviour, ledger))
            yield behaving
            gave_way = behaving.result["gave_way"]
        written = _alone(f"ledger, {name}", simulation, partial(_write_ledger, ledger, gave_way))
        yield written
        ledger = written.result["ledger"]
    files = _release(simulation, functions)
    leave = {function_id(number): "opted_out" for number in range(0, functions, 1_000)}
    for name, changes in (("nothing leaves", Changes()), ("0.1 % leave", Changes(removed=leave))):
        yield _alone(f"carry over, {name}", simulation, partial(_carry, changes, files))


def _alone(name: str, simulation: Simulation, work: Callable[..., Any]) -> Step:
    """Run a step in a new process and in a new folder, and watch what it takes."""
    context = multiprocessing.get_context("spawn")
    scratch = simulation.folder / "scratch"
    scratch.mkdir()
    most = [0]
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.5):
            most[0] = max(most[0], _bytes_below(scratch))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        with ProcessPoolExecutor(1, mp_context=context) as executor:
            step = executor.submit(_measured, name, simulation, scratch, work).result()
    finally:
        ended.set()
        watcher.join()
        shutil.rmtree(scratch)
    print(f"{name}: {step.seconds:,.0f} s, {step.peak_megabytes:,.0f} MB", flush=True)
    return replace(step, scratch_megabytes=most[0] / 1e6)


def _measured(
    name: str, simulation: Simulation, scratch: Path, work: Callable[..., tuple[int, Any]]
) -> Step:
    started, before = time.perf_counter(), os.times()
    rows, result = work(simulation, scratch)
    after = os.times()
    cpu = after.user - before.user + after.system - before.system
    status = Path("/proc/self/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1_000
    return Step(name, rows, time.perf_counter() - started, cpu, peak, 0.0, result)


def _bytes_below(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_blocks * 512
        except FileNotFoundError:  # deleted meanwhile
            continue
    return total


@dataclass(frozen=True)
class _Build:
    number: int
    new: bool
    """Whether dump objects are read; else rows are opted out."""
    night: bool
    """Whether those are the new ones alone."""
    replay: bool = False

    def candidates(self, simulation: Simulation) -> list[Path]:
        if not self.new:
            return []
        if self.replay:
            return simulation.candidates(night=False) + simulation.candidates(night=True)
        return simulation.candidates(night=self.night)


def _merge(
    build: _Build, ledger: list[FileEntry], simulation: Simulation, scratch: Path
) -> tuple[int, Any]:
    """Do what `merge_functions` does between its input and its results."""
    candidates = build.candidates(simulation)
    files = [simulation.target / entry.path for entry in ledger]
    report = StepReport("merge_functions", "")
    options = FunctionOptions(merge_memory_megabytes=MEGABYTES)
    with Ingestion(scratch, MEGABYTES, build.number) as ingestion:
        ingestion.read(candidates, files)
        if build.replay or build.number == 1:
            ingestion.replay()
        else:
            ingestion.supersede({})
            if not build.new:
                ingestion.refuse(_opted_out(simulation, ingestion))
            ingestion.settle()
        judge(
            ingestion,
            options,
            scratch,
            report,
            protected=protected_programs(read_benchmarks(HUMANEVAL), report),
            judge_kept=False,
            in_test=_is_in_test,
        )
        ingestion.conclude({})
        results = simulation.folder / f"results-{build.number}"
        results.mkdir()
        to_run = cut_batches(ingestion.to_run(), 1_000)
        for number, batches in enumerate(to_run):
            write_batches(results / f"part-{number}.parquet", arrow_schema(Function), batches)
        removed = ingestion.removed()
        (results / "removed.json").write_text(json.dumps(removed))
        write_batches(results / "moved.parquet", MOVED_SCHEMA, ingestion.moved())
        write_batches(results / "entries.parquet", arrow_schema(LedgerEntry), ingestion.entries())
        replaced = iter(()) if build.replay else ingestion.replaced()
        write_batches(results / "replaced.parquet", KEY_SCHEMA, replaced)
    rows = sum(pq.read_metadata(path).num_rows for path in candidates)
    result = {
        "build": build.number,
        "stages": [(stage.name, stage.rows_in, stage.dropped) for stage in report.stages],
        "removed": len(removed),
        "bytes": _bytes_below(results),
    }
    return rows, result


def _is_in_test(identity: str) -> bool:
    return split_of(identity, CaseOptions()) == "test"


def _opted_out(
    simulation: Simulation, ingestion: Ingestion
) -> Iterator[tuple[dict[str, Any], str]]:
    listing = simulation.folder / "opt-outs.txt"
    count = round(simulation.dump.repositories * OPTED_OUT)
    names = (f"repository owner{n % 997}/repository{n}" for n in range(count))
    listing.write_text("\n".join(names))
    rights = Rights.read(RightsOptions(opt_outs=str(listing)))
    for row in ingestion.old_rows():
        names = ("repository", "path", "licence", "source_sha256", "function_id")
        reason = rights.refusal(**{name: row[name] for name in names})
        if reason is not None:
            yield row, reason


def _behaviour(ledger: list[FileEntry], simulation: Simulation, scratch: Path) -> tuple[int, Any]:
    """Have one in eleven or so of the functions do what another one does."""
    buckets = 5 * simulation.objects * simulation.dump.per_object

    def behaviour(identity: str) -> str:
        bucket = int(identity[:12], 16) % buckets
        return hashlib.sha256(f"behaviour {bucket}".encode()).hexdigest()

    uris = [f"{simulation.target.as_uri()}/{entry.path}" for entry in ledger]
    released = {
        behaviour(identity): identity
        for identity, standing in chain.from_iterable(
            read_columns(uri, ("function_id", "standing")) for uri in uris
        )
        if standing == "kept"
    }
    last = max(simulation.folder.glob("results-*"))
    kept = [
        (identity, ingested)
        for identity, ingested, standing in read_columns(
            (last / "entries.parquet").as_uri(), ("function_id", "ingested", "standing")
        )
        if standing == "kept"
    ]
    programs = (Behaving(i, behaviour(i), ingested, int(i[-1], 16)) for i, ingested in kept)
    gave_way = behavioural_duplicates(programs, released)
    return len(kept), {"gave_way": gave_way, "bytes": len(json.dumps(gave_way))}


def _write_ledger(
    ledger: list[FileEntry], gave_way: Mapping[str, str], simulation: Simulation, scratch: Path
) -> tuple[int, Any]:
    results = max(simulation.folder.glob("results-*"))
    entries = results / "entries.parquet"
    written = write_ledger(
        simulation.target.as_uri(),
        ledger,
        scratch,
        replaced=results / "replaced.parquet",
        entries=entries,
        gave_way=gave_way,
        pending=frozenset(),
    )
    new = [entry for entry in written if entry not in ledger]
    rows = pq.read_metadata(entries).num_rows
    return rows, {"ledger": written, "bytes": sum(entry.bytes for entry in new)}


def _compare(simulation: Simulation, ledger: list[FileEntry]) -> None:
    """Raise RuntimeError unless the replay keeps what the chain before it kept."""

    def kept(uris: Iterable[str]) -> set[str]:
        rows = chain.from_iterable(read_columns(u, ("function_id", "standing")) for u in uris)
        # Behavioural duplicates are found after the merge, which the replay ends with.
        return {name for name, standing in rows if standing in ("kept", "behavioural_duplicate")}

    one = kept(f"{simulation.target.as_uri()}/{entry.path}" for entry in ledger)
    other = kept([(max(simulation.folder.glob("results-*")) / "entries.parquet").as_uri()])
    if one != other:
        raise RuntimeError(
            f"{len(one - other)} are kept by the chain alone, {len(other - one)} not"
        )
    print(f"the replay keeps the same {len(one):,} functions as the chain")


def _carry(
    changes: Changes, files: list[FileEntry], simulation: Simulation, scratch: Path
) -> tuple[int, Any]:
    """Carry the programs of a release over to the next one."""
    parts = carry_over(
        (simulation.folder / "release").as_uri(),
        Manifest.model_construct(files=files),
        "programs",
        "train",
        arrow_schema(Program),
        changes,
        scratch,
    )
    written = [part.path.stat().st_size for part in parts if part.path]
    return sum(entry.rows or 0 for entry in files), {"bytes": sum(written)}


def _release(simulation: Simulation, functions: int) -> list[FileEntry]:
    """Write the programs of a release; return its files."""
    release = simulation.folder / "release"
    (release / "programs").mkdir(parents=True)
    schema = arrow_schema(Program)
    table = pa.Table.from_pylist([to_row(_program(n)) for n in range(1_000)], schema)
    files = []
    for number, first in enumerate(range(0, functions, ROWS_PER_FILE)):
        path = release / f"programs/train-{number:05}.parquet"
        identities = pa.array(
            [function_id(n) for n in range(first, min(functions, first + ROWS_PER_FILE))]
        )
        with pq.ParquetWriter(path, schema, compression="zstd") as writer:
            for start in range(0, len(identities), len(table)):
                some = identities[start : start + len(table)]
                rows = table.slice(0, len(some)).set_column(0, schema.field(0), some)
                writer.write_table(rows)
        files.append(describe_file(path, str(path.relative_to(release))))
    return files


def _program(number: int) -> Program:
    """Return a program with twenty cases: how large its row is, is all that matters of it."""
    cases = [
        Case(
            arguments=f"{{'values': [{number}, {case}, 7], 'limit': {case}}}",
            outcome="returned",
            output=f"[{number * case}, {case}]",
            covered_lines=[*range(2, 12)],
        )
        for case in range(20)
    ]
    return Program(
        function_id=function_id(number),
        program=program_text(number, 80),
        entry_point="function",
        parameters=[Parameter("values", "positional_or_keyword", "list[int]")],
        repository=f"owner{number}/repository",
        path="source/module.py",
        first_line=number,
        last_line=number + 20,
        licence="MIT",
        dump="file:///dump/000000.parquet",
        source_sha256=function_id(number),
        writer="synthesis",
        cases=cases,
        coverage=1.0,
        cluster=function_id(number),
        split="train",
        behaviour=function_id(number),
        difficulty=0.5,
    )


def _generate(simulation: Simulation) -> int:
    """Write the candidates of the dump, and of the night after it; return the number of rows."""
    first = range(simulation.objects)
    night = range(simulation.objects, simulation.objects + simulation.new_objects)
    shards = [
        (simulation.folder / name / f"part-{start:06}.parquet", objects[start : start + size])
        for name, objects, size in (
            ("first", first, OBJECTS_PER_SHARD),
            ("night", night, OBJECTS_PER_SHARD),
        )
        for start in range(0, len(objects), size)
    ]
    for path, _ in shards:
        path.parent.mkdir(exist_ok=True)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context) as executor:
        return sum(executor.map(partial(_write_shard, simulation.dump), *zip(*shards, strict=True)))


def _write_shard(dump: Dump, path: Path, objects: range) -> int:
    return write_batches(path, arrow_schema(Candidate), map(dump.candidates, objects))


def _show(steps: list[Step]) -> None:
    table = Table(title="Reduce steps, each in a process of its own", title_justify="left")
    for heading in ("", "rows", "s", "CPU s", "rows/CPU s", "peak MB", "disk MB", "results MB"):
        table.add_column(heading, justify="left" if not heading else "right")
    for step in steps:
        table.add_row(
            step.name,
            f"{step.rows:,}",
            f"{step.seconds:,.1f}",
            f"{step.cpu_seconds:,.1f}",
            f"{step.rows / step.cpu_seconds:,.0f}" if step.cpu_seconds >= 1 else "",
            f"{step.peak_megabytes:,.0f}",
            f"{step.scratch_megabytes:,.0f}",
            f"{step.result['bytes'] / 1e6:,.1f}",
        )
    Console(width=110).print(table)


if __name__ == "__main__":
    raise SystemExit(main())
