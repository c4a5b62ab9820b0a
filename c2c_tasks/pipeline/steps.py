"""The steps between plan and release: each makes one shard of another."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from typing import Any

from c2c_tasks.catalogue import Catalogue
from c2c_tasks.config import MAX_SHARDS, Section, catalogue_url
from c2c_tasks.curation.benchmarks import benchmark_objects, read_benchmarks
from c2c_tasks.curation.cases import curate as curate_cases
from c2c_tasks.curation.functions import unique_functions
from c2c_tasks.curation.tokens import canonical_digest
from c2c_tasks.extraction import extract_functions
from c2c_tasks.inputs.synthesis import refine
from c2c_tasks.inputs.writer import writer_for
from c2c_tasks.pipeline.build import (
    Build,
    BuildError,
    NothingNew,
    ShardReference,
    follow,
    reference,
    tell,
)
from c2c_tasks.pipeline.indexing import record_reports, recording
from c2c_tasks.pipeline.planning import Plan
from c2c_tasks.publishing.data_files import read_programs
from c2c_tasks.records import Execution, Function, Inputs, Program, Sample
from c2c_tasks.samples import compose as compose_samples
from c2c_tasks.sandbox.choice import choose_launcher
from c2c_tasks.sandbox.execution import execute as execute_inputs
from c2c_tasks.shards import StepReport, read_report, read_shard, run_step, write_shard
from c2c_tasks.sources import read_object
from c2c_tasks.store import read


def extract(build: Build, dump_shard: ShardReference) -> ShardReference:
    """Read a shard's dump objects and write the functions found in them."""
    options = build.config.source

    def functions(report: StepReport) -> Iterator[Function]:
        for uri, _ in json.loads(read(dump_shard["uri"])):
            for file in read_object(uri, options, report):
                yield from extract_functions(
                    file, build.config.extraction, report, identify=canonical_digest
                )

    def work(report: StepReport) -> None:
        report.stage("source files", "files")
        report.stage("parsed files", "files")
        report.stage("functions", "functions")
        write_shard(report.shard, Function, functions(report))

    report = run_step(
        "extract",
        inputs=[dump_shard["uri"]],
        output=build.shard("extract", dump_shard["index"]),
        config={"source": options.model_dump(), "extraction": build.config.extraction.model_dump()},
        work=work,
    )
    return reference(dump_shard, report)


def merge_functions(build: Build, extracted: list[ShardReference]) -> list[ShardReference]:
    """Drop duplicates over all shards and cut what is left into function shards.

    Raises NothingNew where no function is left; BuildError where that is so and there is no
    earlier release either.
    """
    with recording(build, "running"):
        return _merge_functions(build, extracted)


def _merge_functions(build: Build, extracted: list[ShardReference]) -> list[ShardReference]:
    options = build.config.functions
    plan = Plan.of(build)
    parent = plan.parent
    sources = [shard["uri"] for shard in extracted]

    def work(report: StepReport) -> None:
        functions = list(
            unique_functions(
                (function for uri in sources for function in read_shard(uri, Function)),
                options,
                report,
                earlier=read_programs(parent) if parent else (),
                benchmarks=(text for uri in options.benchmarks for text in read_benchmarks(uri)),
            )
        )
        rows = max(options.functions_per_shard, -(-len(functions) // MAX_SHARDS))
        remaining = iter(functions)
        sizes: list[int] = []
        while chunk := list(islice(remaining, rows)):
            write_shard(build.shard("merge_functions", len(sizes)), Function, chunk)
            sizes.append(len(chunk))
        report.facts["shard_rows"] = sizes

    report = run_step(
        "merge_functions",
        inputs=[
            *sources,
            *([f"{parent}/manifest.json"] if parent else []),
            *(item for uri in options.benchmarks for item in benchmark_objects(uri)),
        ],
        output=build.folder("merge_functions"),
        config=options,
        work=work,
    )
    tell(report, "merge_functions")
    record_reports(build, [*filter(None, map(read_report, sources)), report])
    sizes = report.facts["shard_rows"]
    if not sizes and parent:
        target = build.config.publishing.target
        Catalogue(catalogue_url()).add_ingested(target, parent, plan.objects)
        raise NothingNew(f"no function in the new dump objects that {parent} does not hold")
    if not sizes:
        raise BuildError(
            f"{build.source.dump}: no usable function in it; "
            "the log lines of `extract` above say what was dropped and why"
        )
    return [
        {
            "shard": f"{index + 1} of {len(sizes)}",
            "index": index,
            "uri": build.shard("merge_functions", index),
            "rows": rows,
        }
        for index, rows in enumerate(sizes)
    ]


def write_inputs(build: Build, shard: ShardReference) -> ShardReference:
    """Have the writer propose inputs for a shard of functions."""
    options = build.config.inputs
    answers = build.shard("write_inputs", shard["index"]).removesuffix(".parquet") + ".answers"

    def work(report: StepReport) -> None:
        writer = writer_for(options, answers=answers)
        # Closed here, whatever ends the work: the requests under way, and the engine, go too.
        with closing(writer.write(read_shard(shard["uri"], Function), report)) as inputs:
            write_shard(report.shard, Inputs, follow(inputs, report, shard))

    return _mapped(build, "write_inputs", shard, options, work)


def execute(
    build: Build,
    shard: ShardReference,
    *,
    client: Any = None,
    labels: dict[str, str] | None = None,
) -> ShardReference:
    """Run a shard of inputs in the sandbox.

    `client` is a `docker.APIClient` where the caller has one; `labels` mark the containers.
    """
    options = build.config.sandbox

    def work(report: StepReport) -> None:
        launcher = choose_launcher(options, client, labels or {})
        inputs = read_shard(shard["uri"], Inputs)
        # Closed here, whatever ends the work: a task that was killed must not leave it to the
        # collector to end the runners.
        with closing(
            execute_inputs(inputs, options, report, launcher=launcher, refine=refine)
        ) as executions:
            write_shard(report.shard, Execution, follow(executions, report, shard))

    return _mapped(build, "execute", shard, options, work)


def curate(build: Build, shard: ShardReference) -> ShardReference:
    """Keep the sound cases of a shard, and the programs that have enough of them."""
    options = build.config.cases

    def programs(report: StepReport) -> Iterator[Program]:
        for execution in read_shard(shard["uri"], Execution):
            program = curate_cases(execution, options, report)
            if program is not None:
                yield program

    def work(report: StepReport) -> None:
        report.stage("cases", "cases")
        report.stage("programs", "programs")
        write_shard(report.shard, Program, programs(report))

    return _mapped(build, "curate", shard, options, work)


def compose(build: Build, shard: ShardReference) -> ShardReference:
    """Turn a shard of programs into samples."""
    options = build.config.samples

    def samples(report: StepReport) -> Iterator[Sample]:
        for program in read_shard(shard["uri"], Program):
            yield from compose_samples(program, options, report)

    def work(report: StepReport) -> None:
        report.stage("samples", "samples")
        write_shard(report.shard, Sample, samples(report))

    return _mapped(build, "compose", shard, options, work)


def _mapped(
    build: Build,
    step: str,
    shard: ShardReference,
    options: Section,
    work: Callable[[StepReport], None],
) -> ShardReference:
    report = run_step(
        step,
        inputs=[shard["uri"]],
        output=build.shard(step, shard["index"]),
        config=options,
        work=work,
    )
    return reference(shard, report)
