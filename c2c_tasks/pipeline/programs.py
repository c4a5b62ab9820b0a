"""Merging programs: of those that do the same, over all shards, one goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator

from c2c_tasks.curation.behaviour import Behaving, behavioural_duplicates
from c2c_tasks.curation.documentation import documentation
from c2c_tasks.pipeline.build import Build
from c2c_tasks.pipeline.planning import Plan
from c2c_tasks.pipeline.progress import Progress
from c2c_tasks.pipeline.runs import ShardReference, tell
from c2c_tasks.publishing.data_files import read_program_columns
from c2c_tasks.records import Program
from c2c_tasks.shards import StepReport, read_columns, read_shard, run_step, write_shard
from c2c_tasks.store import read, store_for


def merge_programs(build: Build) -> list[ShardReference]:
    """Drop programs that do what another one does; return the shards of what is left.

    Raises BuildError where more shards failed than may, NotReached where none was made.
    """
    progress = Progress.of(build)
    plan = Plan.of(build)
    progress.check_curated(build.config.publishing.max_failed_shards)

    def work(report: StepReport) -> None:
        stage = report.stage("behavioural duplicates", "programs")
        gave_way: dict[str, str] = {}
        released: dict[str, str] = {}
        if build.config.cases.drop_behavioural_duplicates:
            released = _released(build, plan)
            gave_way = behavioural_duplicates(_rows(build, progress), released)
        earlier = set(released.values())
        sizes: dict[str, int] = {}
        for index in progress.curated:
            programs = read_shard(build.shard("curate", index), Program)
            kept = (program for program in programs if program.function_id not in gave_way)
            sizes[str(index)] = write_shard(build.shard("merge_programs", index), Program, kept)
        stage.keep(sum(sizes.values()))
        for leader in gave_way.values():
            known = leader in earlier
            stage.drop("behavioural_duplicate" + "_of_earlier_release" * known)
        uri = f"{build.folder('merge_programs')}/gave_way.json"
        store_for(uri).write(uri, json.dumps(gave_way).encode())
        report.facts["shard_rows"] = sizes

    report = run_step(
        "merge_programs",
        inputs=progress.sources_of_programs(),
        output=build.folder("merge_programs"),
        config=build.config.cases,
        work=work,
    )
    tell(report, "merge_programs")
    return [
        {
            "shard": f"{int(index) + 1} of {progress.shards}",
            "index": int(index),
            "uri": build.shard("merge_programs", int(index)),
            "rows": rows,
        }
        for index, rows in report.facts["shard_rows"].items()
    ]


def removed_programs(build: Build) -> dict[str, str]:
    """Return the functions that leave the release, by id with the reason."""
    reasons: dict[str, str] = json.loads(read(f"{build.folder('merge_functions')}/removed.json"))
    return reasons


def programs_that_gave_way(build: Build) -> dict[str, str]:
    """Return the functions that do what another one does, with the id of that one."""
    leaders: dict[str, str] = json.loads(read(f"{build.folder('merge_programs')}/gave_way.json"))
    return leaders


def _released(build: Build, plan: Plan) -> dict[str, str]:
    """Return the program that is carried over, by the behaviour that it has."""
    if plan.parent is None:
        return {}
    removed = removed_programs(build)
    return {
        behaviour: function_id
        for function_id, behaviour in read_program_columns(
            plan.parent, ("function_id", "behaviour")
        )
        if behaviour is not None and function_id not in removed
    }


def _rows(build: Build, progress: Progress) -> Iterator[Behaving]:
    entries = f"{build.folder('merge_functions')}/entries.parquet"
    ingested = {
        function_id: number
        for function_id, number, standing in read_columns(
            entries, ("function_id", "ingested", "standing")
        )
        if standing == "kept"
    }
    for index in progress.curated:
        for program in read_shard(build.shard("curate", index), Program):
            if program.behaviour is not None:
                yield Behaving(
                    program.function_id,
                    program.behaviour,
                    ingested[program.function_id],
                    documentation(program.program, program.entry_point),
                )
