"""Near duplicates by `find_leaders` against `datasketch`'s MinHashLSH, and against brute force.

Speed: sets of shingle hashes are generated, three in ten of them a changed copy of one before.
Ours makes signatures, finds the near duplicates with exact Jaccard and applies the leader rule,
on disk beyond the memory that it is given. datasketch makes signatures, and looks each up
before it is added unless there is one alike, in memory, without verifying. It does so with a
part of the sets: its rate, shown for both halves of that part, does not rise with more, and
its memory would not do for all. Each runs in a process of its own. Wall-clock seconds.

Quality: all pairs of real functions, of the standard library and the installed packages, by
exact Jaccard, against the pairs that are found.
"""

from __future__ import annotations

import logging
import multiprocessing
import sysconfig
import tempfile
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from benchmarks.measuring import arguments, verdict
from c2c_tasks.config import ExtractionOptions, SourceOptions
from c2c_tasks.curation.leaders import find_leaders
from c2c_tasks.curation.near_duplicates import NearDuplicates
from c2c_tasks.curation.signatures import (
    PERMUTATIONS,
    Hashes,
    minhash,
    read_shingles,
    sign,
)
from c2c_tasks.curation.tokens import canonical_digest
from c2c_tasks.extraction import extract_functions
from c2c_tasks.records import Candidate, arrow_schema, to_row
from c2c_tasks.shards import StepReport, write_parquet
from c2c_tasks.sources import list_dump, read_object

BAR = 1.0
LEAST_RECALL = 0.999
THRESHOLD = 0.85
MEGABYTES = 500
SETS_IN_FILE = 50_000
CHANGED = 0.3
"""Share of the generated sets that are copies of an earlier one, with some members replaced."""


@dataclass(frozen=True)
class Run:
    """What a contestant took."""

    documents: int
    signing: float
    """Seconds."""
    searching: float
    dropped: int
    megabytes: float
    """Most memory that its process held."""
    halves: tuple[float, float]
    """Documents a second of the search, in the first half of the documents and the second."""

    @property
    def seconds(self) -> float:
        """Of a document."""
        return (self.signing + self.searching) / self.documents


def main() -> int:
    """Run the benchmark; return the exit status."""
    chosen = arguments(__doc__)
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    documents, part = (50_000, 10_000) if chosen.quick else (1_000_000, 100_000)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        signing, files = _alone(_generate, folder, documents)
        ours = _alone(_ours, folder, files, documents, signing)
        theirs = _alone(_datasketch, files, part)
        _show({"ours": ours, "datasketch": theirs})
        good = _quality(folder, 1_000 if chosen.quick else 5_000)
    bounded = ours.megabytes <= MEGABYTES
    print(f"peak memory {ours.megabytes:,.0f} MB, {'below' if bounded else 'above'} {MEGABYTES}")
    status = verdict(ours.seconds / theirs.seconds, BAR, chosen.check)
    return status if good and bounded else max(status, int(chosen.check))


def _alone(function, *given):  # type: ignore[no-untyped-def]
    """Return what a function returns in a new process."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as executor:
        return executor.submit(function, *given).result()


def _peak_megabytes() -> float:
    """Return the most memory that this process has held: VmHWM, which starts anew with it."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1_000


def _generate(folder: Path, documents: int) -> tuple[float, list[Path]]:
    """Write generated sets; return the seconds that their signatures took, and the files."""
    schema = pa.schema([arrow_schema(Candidate).field(name) for name in _COLUMNS])
    random = np.random.default_rng(0)
    earlier: list[Hashes] = []
    seconds = 0.0
    files = []
    for first in range(0, documents, SETS_IN_FILE):
        sets = [_set(random, earlier) for _ in range(min(SETS_IN_FILE, documents - first))]
        started = time.perf_counter()
        signatures = [minhash(members).astype("<u4").tobytes() for members in sets]
        seconds += time.perf_counter() - started
        files.append(folder / f"{first:08}.parquet")
        rows = zip(range(first, documents), signatures, sets, strict=False)
        write_parquet(
            files[-1],
            schema,
            (
                dict(zip(_COLUMNS, (f"{n:064}", s, m.astype("<u8").tobytes()), strict=True))
                for n, s, m in rows
            ),
        )
    return seconds, files


_COLUMNS = ("function_id", "signature", "shingles")


def _set(random: np.random.Generator, earlier: list[Hashes]) -> Hashes:
    """Return a new set, or a changed copy of one of the last new ones."""
    if earlier and random.random() < CHANGED:
        members = earlier[random.integers(len(earlier))].copy()
        changed = random.integers(0, max(1, len(members) // 8))
        members[:changed] = random.integers(0, 2**63, changed, dtype=np.uint64)
        return np.unique(members)
    members = random.integers(0, 2**63, random.integers(20, 140), dtype=np.uint64)
    # No more than some are kept, each in a place that is not foretold.
    if len(earlier) < SETS_IN_FILE:
        earlier.append(members)
    else:
        earlier[random.integers(SETS_IN_FILE)] = members
    return np.unique(members)


def _ours(folder: Path, files: list[Path], documents: int, signing: float) -> Run:
    started = time.perf_counter()
    found = find_leaders(files, [], THRESHOLD, memory_megabytes=MEGABYTES, folder=folder)
    dropped = sum(1 for _ in found)
    seconds = time.perf_counter() - started
    rate = documents / seconds
    return Run(documents, signing, seconds, dropped, _peak_megabytes(), (rate, rate))


def _datasketch(files: list[Path], documents: int) -> Run:
    from datasketch import MinHash, MinHashLSH  # not in the process, and the memory, of ours

    index = MinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS)
    dropped = 0
    signing = 0.0
    halves = [0.0, 0.0]
    for number, members in enumerate(_members(files, documents)):
        started = time.perf_counter()
        # The hashes are hashes already: datasketch is spared making its own.
        signature = MinHash(num_perm=PERMUTATIONS, hashfunc=_lower_half)
        signature.update_batch(members)
        signed = time.perf_counter()
        if index.query(signature):
            dropped += 1
        else:
            index.insert(number, signature)
        signing += signed - started
        halves[2 * number // documents] += time.perf_counter() - signed
    rates = (documents / 2 / halves[0], documents / 2 / halves[1])
    return Run(documents, signing, sum(halves), dropped, _peak_megabytes(), rates)


def _lower_half(value: int) -> int:
    return value & 0xFFFFFFFF


def _members(files: list[Path], documents: int) -> Iterator[list[int]]:
    number = 0
    for file in files:
        for batch in pq.ParquetFile(file).iter_batches(1_000, columns=["shingles"]):
            for stored in batch.column("shingles").to_pylist():
                if number == documents:
                    return
                number += 1
                yield read_shingles(stored).tolist()


def _show(runs: dict[str, Run]) -> None:
    table = Table(title=f"Near duplicates at {THRESHOLD}, documents/s", title_justify="left")
    for heading in (
        *("", "documents", "dropped", "signing", "searching", "both"),
        *("search by halves", "peak MB"),
    ):
        table.add_column(heading, justify="left" if not heading else "right")
    for name, run in runs.items():
        table.add_row(
            name,
            f"{run.documents:,}",
            f"{run.dropped / run.documents:.1%}",
            f"{run.documents / run.signing:,.0f}",
            f"{run.documents / run.searching:,.0f}",
            f"{1 / run.seconds:,.0f}",
            "; ".join(f"{half:,.0f}" for half in run.halves) if name != "ours" else "",
            f"{run.megabytes:,.0f}",
        )
    Console().print(table)


def _quality(folder: Path, wanted: int) -> bool:
    """Show recall and precision over all pairs of real functions; tell whether they hold."""
    candidates = list(_real_functions(wanted))
    file = folder / "real.parquet"
    write_parquet(file, arrow_schema(Candidate), map(to_row, candidates))
    sets = [read_shingles(candidate.shingles) for candidate in candidates]
    table = Table(title=f"Pairs of {len(sets):,} real functions", title_justify="left")
    for heading in ("threshold", "near pairs", "found", "recall", "precision"):
        table.add_column(heading, justify="right")
    held = True
    for threshold in (0.7, THRESHOLD):
        exact = set(_exact_pairs(sets, threshold))
        with NearDuplicates(
            [file], 0, threshold, memory_megabytes=MEGABYTES, folder=folder
        ) as near:
            found = {
                pair
                for pairs in near.within(0, near.rows)
                for pair in zip(pairs.earlier.tolist(), pairs.later.tolist(), strict=True)
            }
        recall = len(found & exact) / len(exact)
        precision = len(found & exact) / len(found)
        held = held and recall >= LEAST_RECALL and precision == 1.0
        table.add_row(
            f"{threshold}",
            f"{len(exact):,}",
            f"{len(found):,}",
            f"{recall:.4f}",
            f"{precision:.4f}",
        )
    Console().print(table)
    return held


def _exact_pairs(sets: list[Hashes], threshold: float) -> Iterator[tuple[int, int]]:
    """Yield the pairs whose Jaccard similarity reaches the threshold, of all there are."""
    members, places = np.unique(np.concatenate(sets), return_inverse=True)
    sizes = np.array([len(each) for each in sets])
    owners = np.repeat(np.arange(len(sets)), sizes)
    order = np.argsort(places, kind="stable")
    lists = np.split(owners[order], np.cumsum(np.bincount(places, minlength=len(members)))[:-1])
    ends = np.cumsum(sizes)
    for later, size in enumerate(sizes.tolist()):
        mine = places[ends[later] - size : ends[later]]
        common = np.bincount(np.concatenate([lists[place] for place in mine]), minlength=len(sets))
        alike = common / (size + sizes - common) >= threshold
        for earlier in np.flatnonzero(alike[:later]).tolist():
            yield earlier, later


def _real_functions(wanted: int) -> Iterator[Candidate]:
    """Yield signed functions of the standard library and the installed packages, each once."""
    report = StepReport("extract", "memory:")
    seen: set[str] = set()
    for dump in ("stdlib:", sysconfig.get_path("purelib")):
        options = SourceOptions(dump=dump)
        for item in list_dump(options):
            for file in read_object(item.uri, options, report):
                for function in extract_functions(
                    file, ExtractionOptions(), report, identify=canonical_digest
                ):
                    if function.function_id not in seen:
                        seen.add(function.function_id)
                        yield sign(function)
                    if len(seen) == wanted:
                        return


if __name__ == "__main__":
    raise SystemExit(main())
