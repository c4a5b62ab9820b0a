"""What a build of some size needs, computed from rates: the tables of docs/scale.md.

Every figure is an option, so that other rates and prices can be put in their place:
`python -m benchmarks.scale --functions 1e6 --core-hour 0.03`. Nothing is measured here;
docs/scale.md says which figures were measured, and which are assumptions.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

WORKERS = (1, 8, 64)
MODELS = ("1.5B", "7B", "32B")


@dataclass(frozen=True)
class Inputs:
    """What the computation starts from. Rates are of one core, or of one GPU, in a second."""

    files: float = 1e8
    functions: float = 1e7
    objects: float = 10_000
    shards: float = 256
    release_files: float = 1_000
    # measured
    extracted_megabytes: float = 6.2
    signed: float = 1_520
    merged: float = 5_000
    written_to_ledger: float = 32_000
    executed: float = 18
    scanned: float = 436
    get_a_shard: float = 80
    put_a_shard: float = 12
    get_a_file: float = 8
    put_a_file: float = 1
    # assumed
    kilobytes_a_file: float = 5
    completion_tokens: float = 128
    tokens_1_5b: float = 20_000
    tokens_7b: float = 8_000
    tokens_32b: float = 2_000
    core_hour: float = 0.045
    gpu_hour: float = 3.0
    thousand_puts: float = 0.005
    thousand_gets: float = 0.0004


@dataclass(frozen=True)
class Step:
    """A step, the core hours that it takes, and whether it is cut into shards."""

    name: str
    core_hours: float
    parallel: bool

    def hours(self, workers: int) -> float:
        """Return the hours that it takes with so many workers of one core each."""
        return self.core_hours / (workers if self.parallel else 1)


def steps(given: Inputs) -> list[Step]:
    """Return the steps of a build whose inputs the synthesis writes."""
    megabytes = given.files * given.kilobytes_a_file / 1e3
    functions = given.functions
    seconds = [
        ("extract: read, parse, choose", megabytes / given.extracted_megabytes, True),
        ("extract: sign", functions / given.signed, True),
        ("merge_functions", functions / given.merged, False),
        ("write_inputs, execute", functions / given.executed, True),
        ("curate: scan programs", functions / given.scanned, True),
        ("audit: ledger", functions / given.written_to_ledger, False),
    ]
    return [Step(name, taken / 3_600, parallel) for name, taken, parallel in seconds]


def tables(given: Inputs) -> Iterator[str]:
    """Yield the lines of the tables, in Markdown."""
    found = steps(given)
    yield "| step | core hours | " + " | ".join(f"h with {n}" for n in WORKERS) + " | dollars |"
    yield "| --- | ---: | " + "---: | " * len(WORKERS) + "---: |"
    for step in found:
        name = step.name if step.parallel else f"{step.name} (one task)"
        yield _row(name, step.core_hours, [step.hours(n) for n in WORKERS], given.core_hour)
    totals = [sum(step.hours(n) for step in found) for n in WORKERS]
    yield _row("all", sum(step.core_hours for step in found), totals, given.core_hour)
    yield ""
    yield "| model | GPU hours | dollars |"
    yield "| --- | ---: | ---: |"
    rates = (given.tokens_1_5b, given.tokens_7b, given.tokens_32b)
    for model, rate in zip(MODELS, rates, strict=True):
        hours = given.functions * given.completion_tokens / rate / 3_600
        yield f"| {model} | {hours:,.0f} | {hours * given.gpu_hour:,.0f} |"
    yield ""
    gets = given.shards * given.get_a_shard + given.release_files * given.get_a_file
    gets += given.objects
    puts = given.shards * given.put_a_shard + given.release_files * given.put_a_file
    puts += given.objects / 1_000
    dollars = gets / 1e3 * given.thousand_gets + puts / 1e3 * given.thousand_puts
    yield "| S3 requests | number | dollars |"
    yield "| --- | ---: | ---: |"
    yield f"| GET and HEAD | {gets:,.0f} | |"
    yield f"| PUT, COPY and LIST | {puts:,.0f} | |"
    yield f"| all | {gets + puts:,.0f} | {dollars:,.2f} |"


def _row(name: str, core_hours: float, hours: Sequence[float], price: float) -> str:
    spent = " | ".join(f"{value:,.1f}" for value in hours)
    return f"| {name} | {core_hours:,.1f} | {spent} | {core_hours * price:,.1f} |"


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    for field in fields(Inputs):
        name = "--" + field.name.replace("_", "-")
        parser.add_argument(name, type=float, default=field.default)
    print("\n".join(tables(Inputs(**vars(parser.parse_args())))))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
