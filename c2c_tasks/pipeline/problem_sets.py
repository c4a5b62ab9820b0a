"""The problems of an evaluation: what they are of is decided once; they are cut into shards."""

from __future__ import annotations

import hashlib
import logging
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from c2c_tasks.config import MAX_SHARDS, ProblemOptions, SandboxOptions
from c2c_tasks.consuming.citing import digest_of
from c2c_tasks.consuming.finding import FoundRelease, find_release
from c2c_tasks.evaluation.answers_file import AnswersFile
from c2c_tasks.evaluation.case_file import inputs_of_case_file, problems_of_executions
from c2c_tasks.evaluation.problems import problems_of_programs, shot_split, shots_of_programs
from c2c_tasks.evaluation.prompting import Shot
from c2c_tasks.evaluation.records import Problem
from c2c_tasks.evaluation.results import FileSource, ReleaseSource
from c2c_tasks.pipeline.evaluation import (
    PREPARE,
    SOURCES,
    Evaluation,
    EvaluationError,
    Sources,
)
from c2c_tasks.pipeline.locking import conditions_for
from c2c_tasks.pipeline.runs import ShardReference, tell
from c2c_tasks.publishing.facts import pythons
from c2c_tasks.publishing.manifest import MANIFEST
from c2c_tasks.publishing.probing import check_target
from c2c_tasks.records import Program, Split
from c2c_tasks.sandbox.choice import choose_launcher
from c2c_tasks.sandbox.execution import execute
from c2c_tasks.sandbox.launchers import Launcher
from c2c_tasks.shards import StepReport, read_columns, read_shard, run_step, write_shard
from c2c_tasks.store import ObjectNotFound, local_copy, normalise, read, store_for

_PLAIN_RUN = {"refine_rounds": 0, "probe_inputs": 0, "coverage": False}
"""Options by which inputs of a case file are run: as they are, without more of them."""

log = logging.getLogger(__name__)


def prepare_problems(
    evaluation: Evaluation, *, client: Any = None, labels: dict[str, str] | None = None
) -> list[ShardReference]:
    """Decide which release or file the problems are of, make them, and cut them into shards.

    The programs of a case file are run in the sandbox; `client` is a `docker.APIClient` where the
    caller has one, and `labels` mark the containers.

    Raises PublishError where there is no such release, it was retired, or the report could not be
    published; ObjectNotFound where a file is missing; ProblemError where it cannot be read, holds
    too little for solved examples, or answers none of the problems; CatalogueError where the
    catalogue cannot be used; EvaluationError where there is no problem.
    """
    options = evaluation.config.problems
    sources = _decided(evaluation)
    launch = partial(choose_launcher, client=client, labels=labels or {})

    def work(report: StepReport) -> None:
        place = evaluation.config.report
        check_target(place.target, conditions_for(place.target, place.conditional_writes))
        report.facts["sources"] = sources.model_dump(mode="json")
        for file in filter(None, (sources.case_file, sources.mbpp_file)):
            if _file(file.uri) != file:
                raise EvaluationError(f"{file.uri}: has changed since; start a new evaluation")
        shots: list[Shot] = []
        with (
            tempfile.TemporaryDirectory(prefix="c2c-problems-") as folder,
            closing(_problems(evaluation, sources, shots, report, launch)) as problems,
        ):
            uncut = (Path(folder) / "problems.parquet").as_uri()
            count = write_shard(uncut, Problem, problems)
            if not count:
                raise EvaluationError(_why_none(report, sources, options))
            if answers := _answers_file(evaluation):
                ids = (problem_id for (problem_id,) in read_columns(uncut, ["problem_id"]))
                AnswersFile(answers, evaluation.config.model.samples_per_problem).check(ids, report)
            report.facts["shard_rows"] = _cut(evaluation, read_shard(uncut, Problem), count)
        write_shard(evaluation.shots, Shot, shots)

    made = run_step(
        PREPARE,
        inputs=[*_objects(sources), *filter(None, [_answers_file(evaluation)])],
        output=evaluation.folder(PREPARE),
        config={
            "problems": options.model_dump(mode="json"),
            "sandbox": evaluation.config.sandbox.model_dump(mode="json")
            if sources.case_file
            else None,
        },
        work=work,
    )
    tell(made, PREPARE)
    return evaluation.problem_shards(made)


def _decided(evaluation: Evaluation) -> Sources:
    """Return what the problems are of: what an earlier attempt has decided, where there is one.

    So `latest` is the same release in all tasks of a run, and in one that is cleared later.
    """
    uri = f"{evaluation.folder(PREPARE)}/{SOURCES}"
    options = evaluation.config.problems
    asked = options.model_dump(
        mode="json", include={"tasks", "release", "split", "case_file", "mbpp_file"}
    ) | {"target": evaluation.config.report.target}
    known = _recorded(uri)
    if known is not None and known.asked == asked:
        return known
    # With other options, as of a run that was cleared, what it has made until now is of no use.
    found = _look_up(evaluation, asked)
    data = found.model_dump_json().encode()
    if known is not None:
        store_for(uri).write(uri, data)
        return found
    store_for(uri).create(uri, data)
    return _recorded(uri) or found  # of two attempts at a time, the first one's word counts


def _recorded(uri: str) -> Sources | None:
    try:
        return Sources.model_validate_json(read(uri))
    except ObjectNotFound:
        return None


def _look_up(evaluation: Evaluation, asked: dict[str, Any]) -> Sources:
    options = evaluation.config.problems
    release = case_file = None
    if "induction" in options.tasks:
        if options.case_file:
            case_file = _file(options.case_file)
        else:
            found = find_release(options.release, evaluation.config.report.target)
            log.info("%s: problems are of release %s", options.release, found.uri)
            release = ReleaseSource(
                version=found.manifest.version,
                uri=found.uri,
                manifest_sha256=digest_of(found),
                split=options.split,
                pythons=pythons(found.manifest.sandbox),
            )
    mbpp_file = _file(options.mbpp_file) if "mbpp" in options.tasks else None
    return Sources(asked=asked, release=release, case_file=case_file, mbpp_file=mbpp_file)


def _file(place: str) -> FileSource:
    uri = normalise(place)
    with local_copy(uri) as path, path.open("rb") as file:
        return FileSource(uri=uri, sha256=hashlib.file_digest(file, "sha256").hexdigest())


def _objects(sources: Sources) -> list[str]:
    """Return the URIs of the objects that tell whether the sources are what they were."""
    release = [f"{sources.release.uri}/{MANIFEST}"] if sources.release else []
    return release + [file.uri for file in (sources.case_file, sources.mbpp_file) if file]


def _answers_file(evaluation: Evaluation) -> str | None:
    """Return the URI of the file that answers are read from, where a file answers."""
    options = evaluation.config.model
    return normalise(options.answers_file) if options.solver == "answers" else None


def _problems(
    evaluation: Evaluation,
    sources: Sources,
    shots: list[Shot],
    report: StepReport,
    launch: Callable[[SandboxOptions], Launcher],
) -> Generator[Problem, None, None]:
    """Yield the problems of all tasks; put the solved examples of induction into `shots`."""
    options = evaluation.config.problems
    for task in options.tasks:
        match task:
            case "humaneval":
                from c2c_tasks.evaluation.humaneval import humaneval_problems

                yield from humaneval_problems(options, report)
            case "mbpp":
                from c2c_tasks.evaluation.mbpp import mbpp_problems

                assert sources.mbpp_file is not None
                yield from mbpp_problems(sources.mbpp_file.uri, options, report)
            case "induction" if sources.release:
                release = find_release(sources.release.uri)
                yield from problems_of_programs(_programs(release, options.split), options, report)
                shots += shots_of_programs(_programs(release, shot_split(options)), options)
            case "induction":
                assert sources.case_file is not None
                sandbox = evaluation.config.sandbox.model_copy(update=_PLAIN_RUN)
                inputs = inputs_of_case_file(sources.case_file.uri)
                with closing(
                    execute(inputs, sandbox, report, launcher=launch(sandbox))
                ) as executions:
                    problems, solved = problems_of_executions(executions, options, report)
                shots += solved
                yield from problems


def _programs(release: FoundRelease, split: Split) -> Iterator[Program]:
    for entry in release.manifest.files:
        if (entry.config, entry.split) == ("programs", split):
            yield from read_shard(f"{release.uri}/{entry.path}", Program)


def _cut(evaluation: Evaluation, problems: Iterable[Problem], count: int) -> list[int]:
    """Write the problems as shards, `MAX_SHARDS` at most; return the rows of each."""
    size = max(evaluation.config.problems.problems_per_shard, -(-count // MAX_SHARDS))
    rows: list[int] = []
    remaining = iter(problems)
    for index in range(-(-count // size)):
        rows.append(write_shard(evaluation.shard(PREPARE, index), Problem, islice(remaining, size)))
    return rows


def _why_none(report: StepReport, sources: Sources, options: ProblemOptions) -> str:
    """Say why there is no problem, and what to do."""
    stage = report.stage("problems", "problems")
    if sources.release and not stage.rows_in:
        rows = find_release(sources.release.uri).manifest.splits.get("programs", {})
        there = ", ".join(f"{name} {count:,}" for name, count in rows.items()) or "none at all"
        return (
            f"{sources.release.uri}: has no program in the split {options.split} (programs: "
            f"{there}); set the option split, or another release"
        )
    why = ", ".join(f"{reason} {rows:,}" for reason, rows in stage.dropped.items())
    return (
        f"none of {stage.rows_in:,} programs makes a problem ({why}); set a smaller "
        "problem_held_cases, or ask about something else"
    )
