"""Extraction against what no extraction can do without: `ast.parse` of the same files.

The files are those of the standard library. One process; CPU seconds.
"""

from __future__ import annotations

import ast
import contextlib
import logging
import time
import warnings

from benchmarks.measuring import arguments, show, take_turns, verdict
from c2c_tasks.config import ExtractionOptions, SourceOptions
from c2c_tasks.curation.tokens import canonical_digest_of
from c2c_tasks.extraction import extract_functions
from c2c_tasks.records import Function, SourceFile
from c2c_tasks.shards import StepReport
from c2c_tasks.sources import list_dump, read_object

BAR = 1.35


def main() -> int:
    """Run the benchmark; return the exit status."""
    chosen = arguments(__doc__)
    logging.disable(logging.WARNING)
    files = list(_files())[:: 4 if chosen.quick else 1]

    def parse() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for file in files:
                with contextlib.suppress(SyntaxError):
                    ast.parse(file.content)

    def extract() -> list[Function]:
        report = StepReport("extract", "memory:")
        options = ExtractionOptions()
        return [
            function
            for file in files
            for function in extract_functions(file, options, report, identify=canonical_digest_of)
        ]

    timings = take_turns(
        {"ast.parse": parse, "extraction": extract},
        turns=3 if chosen.quick else 7,
        clock=time.process_time,
    )
    title = f"{len(files):,} files, {len(extract()):,} functions extracted"
    show(title, timings, "ast.parse", len(files), "files")
    return verdict(timings["extraction"].ratio(timings["ast.parse"])[1], BAR, chosen.check)


def _files() -> list[SourceFile]:
    options = SourceOptions(dump="stdlib:")
    report = StepReport("extract", "memory:")
    return [file for item in list_dump(options) for file in read_object(item.uri, options, report)]


if __name__ == "__main__":
    raise SystemExit(main())
