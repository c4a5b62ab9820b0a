"""Extracting: from a shard of dump objects to a shard of candidates."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from functools import partial

from c2c_tasks.config import ExtractionOptions
from c2c_tasks.curation.rights import Rights
from c2c_tasks.curation.signatures import sign
from c2c_tasks.curation.tokens import canonical_digest_of
from c2c_tasks.extraction import extract_functions
from c2c_tasks.extraction.processes import Crashed, map_in_processes
from c2c_tasks.pipeline.build import Build
from c2c_tasks.pipeline.planning import Plan
from c2c_tasks.pipeline.rules import check_rule
from c2c_tasks.pipeline.runs import ShardReference, reference
from c2c_tasks.records import Candidate, SourceFile
from c2c_tasks.shards import Stage, StepReport, run_step, write_shard
from c2c_tasks.sources import read_object
from c2c_tasks.store import read

_CRASHES = {"crashed": "crashed_parser", "timed_out": "parser_timed_out"}
"""Reasons for dropping a file, by what became of the process that extracted from it."""


def extract(build: Build, dump_shard: ShardReference) -> ShardReference:
    """Read a shard's dump objects and write the candidates found in them.

    Raises BuildError where the opt-outs are not those that the build was planned with.
    """
    rules = Plan.of(build).rules

    def work(report: StepReport) -> None:
        report.stage("source files", "files")
        report.stage("permitted files", "files")
        report.stage("parsed files", "files")
        report.stage("functions", "functions")
        rights = Rights.read(build.config.rights)
        check_rule("opt_outs", rights.opt_outs.digest, rules)
        files = _files(build, dump_shard, rights, report)
        candidates = _candidates(files, build.config.extraction, report)
        write_shard(report.shard, Candidate, _permitted(candidates, rights, report))

    report = run_step(
        "extract",
        inputs=[dump_shard["uri"]],
        output=build.shard("extract", dump_shard["index"]),
        config={
            "source": build.source.model_dump(mode="json"),
            "extraction": build.config.extraction.model_dump(mode="json"),
            "rights": [build.config.rights.licences, rules["opt_outs"]],
        },
        work=work,
    )
    return reference(dump_shard, report)


def _files(
    build: Build, dump_shard: ShardReference, rights: Rights, report: StepReport
) -> Iterator[SourceFile]:
    """Yield the files of a shard that may be used."""
    stage = report.stage("permitted files", "files")
    for uri, _ in json.loads(read(dump_shard["uri"])):
        for file in read_object(uri, build.source, report):
            reason = rights.refusal(
                repository=file.repository,
                path=file.path,
                licence=file.licence,
                source_sha256=file.sha256,
            )
            if reason is None:
                stage.keep()
                yield file
            else:
                stage.drop(reason)


def _candidates(
    files: Iterator[SourceFile], options: ExtractionOptions, report: StepReport
) -> Iterator[Candidate]:
    results = map_in_processes(
        partial(_extract_file, options),
        files,
        options.extraction_processes,
        weigh=lambda file: len(file.content),
    )
    with closing(results):
        for result in results:
            if isinstance(result, Crashed):
                reason = _CRASHES[result.reason]
                report.stage("parsed files", "files").drop(reason)
                report.problem(f"{result.item.dump}: {result.item.path}: {reason}")
            else:
                found, stages = result
                for stage in stages:
                    report.stage(stage.name, stage.unit).add(stage)
                yield from found


def _permitted(
    candidates: Iterator[Candidate], rights: Rights, report: StepReport
) -> Iterator[Candidate]:
    """Yield the candidates that nobody opted out by their function id."""
    stage = report.stage("permitted functions", "functions")
    for candidate in candidates:
        if rights.opt_outs.covers_function(candidate.function_id):
            stage.drop("opted_out")
        else:
            stage.keep()
            yield candidate


def _extract_file(
    options: ExtractionOptions, file: SourceFile
) -> tuple[list[Candidate], list[Stage]]:
    """Return the candidates of a file, and the stages that count what was dropped."""
    report = StepReport("extract", file.dump)
    found = extract_functions(file, options, report, identify=canonical_digest_of)
    return [*map(sign, found)], report.stages
