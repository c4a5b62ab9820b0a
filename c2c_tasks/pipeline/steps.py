"""The steps between plan and release: each makes one shard of another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

from c2c_tasks.curation.cases import Scanner
from c2c_tasks.curation.cases import curate as curate_cases
from c2c_tasks.curation.sensitive_data import findings_in_cases, findings_in_programs
from c2c_tasks.inputs.probing import Probing
from c2c_tasks.inputs.synthesis import refine
from c2c_tasks.inputs.writer import writer_for
from c2c_tasks.pipeline.build import Build
from c2c_tasks.pipeline.runs import ShardReference, follow, mapped_step
from c2c_tasks.records import Execution, Function, Inputs, Program, Sample
from c2c_tasks.samples import compose as compose_samples
from c2c_tasks.sandbox.choice import choose_launcher
from c2c_tasks.sandbox.execution import execute as execute_inputs
from c2c_tasks.shards import StepReport, read_shard, write_shard


def write_inputs(build: Build, shard: ShardReference) -> ShardReference:
    """Have the writer propose inputs for a shard of functions."""
    options = build.config.inputs
    answers = build.shard("write_inputs", shard["index"]).removesuffix(".parquet") + ".answers"

    def work(report: StepReport) -> None:
        if not shard["rows"]:  # nothing to ask a model for, which may be away
            report.stage("inputs", "functions")
            write_shard(report.shard, Inputs, ())
            return
        writer = writer_for(options, answers=answers)
        # Closed here, whatever ends the work: the requests under way, and the engine, go too.
        with closing(writer.write(read_shard(shard["uri"], Function), report)) as inputs:
            write_shard(report.shard, Inputs, follow(inputs, report, shard))

    return mapped_step(build, "write_inputs", shard, work, config=build.options_of("write_inputs"))


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
            execute_inputs(
                inputs,
                options,
                report,
                launcher=launcher,
                refine=refine,
                probing=Probing(options.probe_inputs) if options.probe_inputs else None,
            )
        ) as executions:
            write_shard(report.shard, Execution, follow(executions, report, shard))

    return mapped_step(build, "execute", shard, work, config=build.options_of("execute"))


def curate(build: Build, shard: ShardReference) -> ShardReference:
    """Keep the sound cases of a shard, and the programs that have enough of them."""
    options = build.config.cases
    scanner = (
        Scanner(findings_in_programs, findings_in_cases)
        if build.config.rights.scan_secrets
        else None
    )

    def programs(report: StepReport) -> Iterator[Program]:
        for execution in read_shard(shard["uri"], Execution):
            program = curate_cases(execution, options, report, scanner=scanner)
            if program is not None:
                yield program

    def work(report: StepReport) -> None:
        report.stage("cases", "cases")
        report.stage("programs", "programs")
        write_shard(report.shard, Program, programs(report))

    return mapped_step(build, "curate", shard, work, config=build.options_of("curate"))


def compose(build: Build, shard: ShardReference) -> ShardReference:
    """Turn a shard of programs into samples."""
    options = build.config.samples

    def samples(report: StepReport) -> Iterator[Sample]:
        for program in read_shard(shard["uri"], Program):
            yield from compose_samples(program, options, report)

    def work(report: StepReport) -> None:
        report.stage("samples", "samples")
        write_shard(report.shard, Sample, samples(report))

    return mapped_step(build, "compose", shard, work, config=build.options_of("compose"))
