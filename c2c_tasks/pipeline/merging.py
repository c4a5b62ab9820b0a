"""Merging: what all shards of candidates together change in what the target has seen."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa

from c2c_tasks.catalogue import Catalogue
from c2c_tasks.config import MAX_SHARDS, CaseOptions, catalogue_url
from c2c_tasks.curation.benchmarks import Problem, protected_programs, read_benchmarks
from c2c_tasks.curation.cases import weakness
from c2c_tasks.curation.ingestion import Ingestion
from c2c_tasks.curation.judging import count_those_run_again, judge
from c2c_tasks.curation.overlap import Contamination
from c2c_tasks.curation.rights import Rights
from c2c_tasks.curation.splits import split_of
from c2c_tasks.pipeline.build import Build, BuildError, NothingNew
from c2c_tasks.pipeline.indexing import record_reports, recording
from c2c_tasks.pipeline.planning import Plan, plan_digest, plan_objects, plan_uri
from c2c_tasks.pipeline.rules import check_rules
from c2c_tasks.pipeline.runs import ShardReference, tell
from c2c_tasks.publishing.data_files import read_program_columns, read_programs
from c2c_tasks.publishing.ledger import ledger_files
from c2c_tasks.publishing.manifest import DECONTAMINATION, MANIFEST, read_manifest
from c2c_tasks.records import LEDGER_KEY, PLACE, Function, LedgerEntry, arrow_schema
from c2c_tasks.shards import (
    CARRIED_OVER,
    StepReport,
    cut_batches,
    read_report,
    read_shard,
    run_step,
    write_batch_shard,
    write_batches,
    write_shard,
)
from c2c_tasks.store import local_copy, store_for

KEY_SCHEMA = pa.schema([arrow_schema(LedgerEntry).field(name) for name in LEDGER_KEY])
MOVED_SCHEMA = pa.schema([arrow_schema(Function).field(name) for name in ("function_id", *PLACE)])


def merge_functions(build: Build, extracted: list[ShardReference]) -> list[ShardReference]:
    """Find out which candidates are new over all shards, and cut function shards of them.

    Where nothing is to be run, but rows of the parent leave or have moved, there is one shard
    without functions.

    Raises NothingNew where the release would be its parent again; BuildError where no function
    is left and there is no earlier release either.
    """
    with recording(build, "running"):
        return _merge_functions(build, extracted)


def _merge_functions(build: Build, extracted: list[ShardReference]) -> list[ShardReference]:
    plan = Plan.of(build)

    def work(report: StepReport) -> None:
        check_rules(build.config, plan.rules)
        report.facts["plan"] = plan_digest(build)
        with tempfile.TemporaryDirectory(prefix="c2c-merge-") as name, ExitStack() as stack:
            folder = Path(name)
            options = build.config.functions
            ingestion = stack.enter_context(
                Ingestion(folder, options.merge_memory_megabytes, plan.build_number)
            )
            candidates = [stack.enter_context(local_copy(s["uri"])) for s in extracted]
            ledger = stack.enter_context(_ledger(plan, build.config.publishing.target))
            ingestion.read(candidates, ledger)
            if plan.parent:
                ingestion.supersede(plan.superseded)
                report.facts["refused"] = ingestion.refuse(_refused(build, plan, ingestion))
                ingestion.settle()
            else:
                ingestion.replay()
            judge(
                ingestion,
                options,
                folder,
                report,
                protected=protected_programs(_problems(build), report),
                judge_kept="benchmarks" in plan.tightened,
                in_test=partial(_is_in_test, build),
            )
            ingestion.conclude(_withdrawn(build, plan))
            count_those_run_again(ingestion, report)
            _write_results(build, plan, ingestion, folder, report)

    report = run_step(
        "merge_functions",
        inputs=[
            *(shard["uri"] for shard in extracted),
            *([f"{plan.order_of}/{MANIFEST}"] if plan.order_of else []),
            plan_uri(build),
        ],
        output=build.folder("merge_functions"),
        config={
            section: getattr(build.config, section).model_dump(mode="json")
            for section in ("rights", "functions", "cases")
        },
        work=work,
    )
    tell(report, "merge_functions")
    reports = map(read_report, (shard["uri"] for shard in extracted))
    record_reports(build, [*filter(None, reports), report])
    _check(build, plan, report)
    return build.references("merge_functions", report.facts["shard_rows"])


def problems_uri(build: Build) -> str:
    """Return the URI of the problems of benchmarks that functions are compared with."""
    return f"{build.folder('merge_functions')}/benchmarks.parquet"


def _write_results(
    build: Build, plan: Plan, ingestion: Ingestion, folder: Path, report: StepReport
) -> None:
    removed = ingestion.removed()
    if plan.parent:
        programs = report.stage(CARRIED_OVER, "programs")
        ids = read_program_columns(plan.parent, ["function_id"])
        reasons = Counter(removed.get(identity, "") for (identity,) in ids)
        programs.keep(reasons.pop("", 0))
        for reason, rows in reasons.items():
            programs.drop(reason, rows)
    report.facts["shard_rows"] = _write_function_shards(build, ingestion)
    place = build.folder("merge_functions")
    store_for(place).write(f"{place}/removed.json", json.dumps(removed).encode())
    report.facts["removed"] = len(removed)
    moved = folder / "moved.parquet"
    report.facts["moved"] = write_batches(moved, MOVED_SCHEMA, ingestion.moved())
    store_for(place).upload(f"{place}/moved.parquet", moved)
    write_batch_shard(f"{place}/{DECONTAMINATION}", Contamination, ingestion.overlaps())
    report.facts["entries"] = write_batch_shard(
        f"{place}/entries.parquet", LedgerEntry, ingestion.entries()
    )
    replaced = folder / "replaced.parquet"
    # A build from nothing writes a ledger of its own.
    batches = ingestion.replaced() if plan.parent else iter(())
    report.facts["replaced"] = write_batches(replaced, KEY_SCHEMA, batches)
    store_for(place).upload(f"{place}/replaced.parquet", replaced)


def _write_function_shards(build: Build, ingestion: Ingestion) -> list[int]:
    """Write the functions that are to be run in shards; return the rows of each."""
    total = ingestion.number_to_run()
    rows = max(build.config.functions.functions_per_shard, -(-total // MAX_SHARDS))
    sizes: list[int] = []
    for batches in chain(cut_batches(ingestion.to_run(), rows), [[]]):
        if batches or not sizes:
            uri = build.shard("merge_functions", len(sizes))
            sizes.append(write_batch_shard(uri, Function, batches))
    return sizes


@contextmanager
def _ledger(plan: Plan, target: str) -> Iterator[list[Path]]:
    """Give the files of the ledger that the build goes by; none where there is no release yet."""
    if plan.order_of is None:
        yield []
        return
    with ledger_files(target, read_manifest(plan.order_of)) as paths:
        yield paths


def _problems(build: Build) -> Iterator[Problem]:
    """Read the problems of the benchmarks, and keep them for the audit."""
    problems = (p for uri in build.config.functions.benchmarks for p in read_benchmarks(uri))
    write_shard(problems_uri(build), Problem, problems)
    return read_shard(problems_uri(build), Problem)


def _is_in_test(build: Build, function_id: str) -> bool:
    return split_of(function_id, build.config.cases) == "test"


def _refused(
    build: Build, plan: Plan, ingestion: Ingestion
) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the rows of the ledger that may not be used any more, each with the reason."""
    if {"licences", "opt_outs"}.isdisjoint(plan.tightened):
        return
    rights = Rights.read(build.config.rights)
    for row in ingestion.old_rows():
        reason = rights.refusal(
            **{name: row[name] for name in ("repository", "path", "licence", "source_sha256")},
            function_id=row["function_id"],
        )
        if reason is not None:
            yield row, reason


def _withdrawn(build: Build, plan: Plan) -> dict[str, str]:
    """Return the parent's programs that rules made tighter since do not let pass, by id."""
    if not plan.parent or not any(name in CaseOptions.model_fields for name in plan.tightened):
        return {}
    judged = (
        (program.function_id, weakness(program.cases, build.config.cases))
        for program in read_programs(plan.parent)
    )
    return {function_id: reason for function_id, reason in judged if reason is not None}


def _check(build: Build, plan: Plan, report: StepReport) -> None:
    """Raise NothingNew or BuildError where a release would have nothing that is new to say."""
    facts = report.facts
    # What may not be used any more is to be nowhere, be it published or not.
    if any(facts["shard_rows"]) or any(facts.get(n) for n in ("removed", "moved", "refused")):
        return
    if plan.parent is None:
        raise BuildError(
            f"{build.source.dump}: no usable function in it; "
            "the log lines of `extract` above say what was dropped and why"
        )
    if not facts["entries"] and not facts["replaced"]:
        target = build.config.publishing.target
        Catalogue(catalogue_url()).add_ingested(target, plan.parent, plan_objects(build))
    raise NothingNew(
        f"no function in the new dump objects that {plan.parent} does not hold; "
        "copies are noted by the next release"
    )
