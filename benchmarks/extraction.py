"""Extraction against what no extraction can do without: `ast.parse` of the same files.

The files are those of the standard library and, unless it is to be quick, every twentieth one
of the installed packages. The first table: one process, CPU seconds. The second: the same work
in child processes, by the clock, with their start.
"""

from __future__ import annotations

import ast
import contextlib
import gc
import logging
import os
import sysconfig
import time
import warnings
from functools import partial
from itertools import islice

from benchmarks.measuring import arguments, show, take_turns, verdict
from c2c_tasks.config import ExtractionOptions, SourceOptions
from c2c_tasks.extraction.processes import map_in_processes
from c2c_tasks.pipeline.steps import _extract_file
from c2c_tasks.records import Function, SourceFile
from c2c_tasks.shards import StepReport
from c2c_tasks.sources import list_dump, read_object

BAR = 1.35


def main() -> int:
    """Run the benchmark; return the exit status."""
    chosen = arguments(__doc__)
    logging.disable(logging.WARNING)
    files = _files("stdlib:", 4 if chosen.quick else 1)
    if not chosen.quick:
        files += _files(sysconfig.get_path("purelib"), 20)

    def parse() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for file in files:
                with contextlib.suppress(SyntaxError):
                    ast.parse(file.content)

    def parse_without_collector() -> None:
        gc.disable()
        parse()
        gc.enable()

    def extract() -> list[Function]:
        return [function for file in files for function in _extract_file(options, file)[0]]

    def extract_in(processes: int) -> None:
        for _ in map_in_processes(partial(_extract_file, options), files, processes, weigh=_size):
            pass

    options = ExtractionOptions()
    gc.collect()
    gc.freeze()  # what was imported would make the collector's work, and so the baseline, dearer
    timings = take_turns(
        {
            "ast.parse": parse,
            "ast.parse, collector off": parse_without_collector,
            "extraction": extract,
        },
        turns=3 if chosen.quick else 5,
        clock=time.process_time,
    )
    title = f"{len(files):,} files, {len(extract()):,} functions extracted"
    show(title, timings, "ast.parse", len(files), "files")
    if not chosen.quick:  # the start of the processes would be most of it
        counts = sorted({1, len(os.sched_getaffinity(0))})
        workers = take_turns(
            {"here": extract, **{f"in {count}": partial(extract_in, count) for count in counts}},
            turns=2,
        )
        show("extraction in child processes", workers, "here", len(files), "files")
    return verdict(timings["extraction"].ratio(timings["ast.parse"])[1], BAR, chosen.check)


def _files(dump: str, step: int) -> list[SourceFile]:
    """Return every `step`-th file of a dump."""
    options = SourceOptions(dump=dump)
    report = StepReport("extract", "memory:")
    objects = islice(list_dump(options), None, None, step)
    return [file for item in objects for file in read_object(item.uri, options, report)]


def _size(file: SourceFile) -> int:
    return len(file.content)


if __name__ == "__main__":
    raise SystemExit(main())
