"""An evaluation after its problems are there: answers, grades and the report."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, cast

from c2c_tasks.evaluation.answering import solver_for
from c2c_tasks.evaluation.differential import search
from c2c_tasks.evaluation.grading import grade as grade_answers
from c2c_tasks.evaluation.prompting import Shot
from c2c_tasks.evaluation.records import Answer, Grade, Problem
from c2c_tasks.evaluation.report import write_report
from c2c_tasks.evaluation.results import REPORT, EvaluationResult, evaluation_uri
from c2c_tasks.evaluation.summarising import Identity, summarise
from c2c_tasks.pipeline.evaluation import PREPARE, Evaluation, EvaluationError, Sources
from c2c_tasks.pipeline.locking import conditions_for
from c2c_tasks.pipeline.runs import ShardReference, follow, mapped_step
from c2c_tasks.publishing.retired import read_tombstone
from c2c_tasks.sandbox.choice import choose_launcher
from c2c_tasks.shards import (
    StepReport,
    is_complete,
    read_columns,
    read_report,
    read_shard,
    write_shard,
)
from c2c_tasks.store import normalise, store_for

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

R = TypeVar("R", bound="DataclassInstance")
_Truncated = Iterator[tuple[str, bool]]
"""Problem id of each answer, and whether it was cut off."""


class Score(TypedDict):
    """A pass rate, as it is told in notes and tables."""

    task: str
    graded_on: str
    k: int
    value: float
    low: float
    high: float


class WrittenReport(TypedDict):
    """What an evaluation came to, as it travels between tasks."""

    uri: str
    target: str
    problem_set: str
    """Version of the release, stem of the case file, or ``benchmarks``."""
    name: str
    model: str
    problems: int
    answers: int
    scores: list[Score]


def answer(evaluation: Evaluation, shard: ShardReference) -> ShardReference:
    """Have the solver answer a shard of problems.

    Answers of a model are kept beside the shard as they come: another attempt asks for the rest.
    """
    options = evaluation.config.model
    kept = evaluation.shard("answer", shard["index"]).removesuffix(".parquet") + ".answers"
    expected = ShardReference({**shard, "rows": shard["rows"] * options.samples_per_problem})

    def work(report: StepReport) -> None:
        shots = list(read_shard(evaluation.shots, Shot))
        solver = solver_for(options, shots, answers=kept)
        problems = read_shard(shard["uri"], Problem)
        # Closed here, whatever ends the work: the requests under way, and the engine, go too.
        with closing(solver.answer(problems, report)) as answers:
            write_shard(report.shard, Answer, follow(answers, report, expected))

    inputs = [evaluation.shots]
    if options.solver == "answers":
        inputs.append(normalise(options.answers_file))
    return mapped_step(
        evaluation, "answer", shard, work, config=options.model_dump(mode="json"), inputs=inputs
    )


def grade(
    evaluation: Evaluation,
    shard: ShardReference,
    *,
    client: Any = None,
    labels: dict[str, str] | None = None,
) -> ShardReference:
    """Grade a shard of answers in the sandbox.

    `client` is a `docker.APIClient` where the caller has one; `labels` mark the containers.
    """
    options, sandbox = evaluation.config.grading, evaluation.config.sandbox
    asked = evaluation.shard(PREPARE, shard["index"])

    def grades(report: StepReport) -> Generator[Grade, None, None]:
        launcher = choose_launcher(sandbox, client, labels or {})
        problems = list(read_shard(asked, Problem))
        answers = read_shard(shard["uri"], Answer)
        found = grade_answers(problems, answers, options, sandbox, report, launcher=launcher)
        if options.differential_inputs:
            found = search(problems, found, options, sandbox, report, launcher=launcher)
        yield from found

    def work(report: StepReport) -> None:
        # Closed here, whatever ends the work: so are the runners.
        with closing(grades(report)) as found:
            write_shard(report.shard, Grade, follow(found, report, shard))

    return mapped_step(
        evaluation, "grade", shard, work, config=_grading_config(evaluation), inputs=[asked]
    )


def report(evaluation: Evaluation) -> WrittenReport:
    """Join all shards in one report, and write it below the target.

    A second time it finds what it has written. Raises EvaluationError where shards are not
    graded, were answered by different models, or the release was retired meanwhile;
    EvaluationExists where a report of another content is there; CatalogueError where the
    catalogue cannot be used.
    """
    prepared = evaluation.prepared()
    shards = evaluation.problem_shards(prepared)
    _check_graded(evaluation, shards)
    answered = [_report_of(evaluation, "answer", shard) for shard in shards]
    graded = [_report_of(evaluation, "grade", shard) for shard in shards]
    _check_one_model(answered)
    sources = Sources.model_validate(prepared.facts["sources"])
    identity = Identity(
        evaluation_id=evaluation.evaluation_id,
        name="",  # is made of the model's, which is known when all is summed up
        date=evaluation.date,
        release=sources.release,
        case_file=sources.case_file,
        mbpp_file=sources.mbpp_file,
    )
    answers = [evaluation.shard("answer", shard["index"]) for shard in shards]
    grades = [evaluation.shard("grade", shard["index"]) for shard in shards]
    result = summarise(
        _rows(Problem, [shard["uri"] for shard in shards]),
        _truncated(answers),
        _rows(Grade, grades),
        evaluation.config,
        identity=identity,
        reports=[prepared, *answered, *graded],
    )
    result = result.model_copy(update={"name": evaluation.name(result.model)})
    target = evaluation.config.report.target
    uri = evaluation_uri(target, result.problem_set, result.name)
    _check_not_retired(sources, uri)
    conditions = conditions_for(target, evaluation.config.report.conditional_writes)
    write_report(uri, result, answers=answers, grades=grades, conditions=conditions)
    return _written(uri, target, result)


def _grading_config(evaluation: Evaluation) -> dict[str, Any]:
    """Return the options that decide what grades are: others, as of pass@k, change none."""
    options = evaluation.config.grading
    return {
        "float_tolerance": options.float_tolerance,
        "differential_inputs": options.differential_inputs,
        "sandbox": evaluation.config.sandbox.model_dump(mode="json"),
    }


def _check_graded(evaluation: Evaluation, shards: list[ShardReference]) -> None:
    """Raise EvaluationError unless the answers to each shard of problems, as it is, are graded."""
    missing = [
        shard["shard"]
        for shard in shards
        if not is_complete(
            "grade",
            inputs=[evaluation.shard("answer", shard["index"]), shard["uri"]],
            output=evaluation.shard("grade", shard["index"]),
            config=_grading_config(evaluation),
        )
    ]
    if missing:
        raise EvaluationError(
            f"{len(missing)} of {len(shards)} shards are not graded ({', '.join(missing[:10])}); "
            "clear their failed tasks to try again"
        )


def _check_one_model(answered: list[StepReport]) -> None:
    """Raise EvaluationError where another model was served while the evaluation was under way."""
    models = {str(report.facts.get("solver", {}).get("model")) for report in answered}
    if len(models) > 1:
        raise EvaluationError(
            f"different models have answered: {', '.join(sorted(models))}. Name one by the option "
            "model, and start a new evaluation"
        )


def _check_not_retired(sources: Sources, evaluation: str) -> None:
    """Raise EvaluationError where text of a release that was retired would be published again."""
    release = sources.release
    if release is None or store_for(evaluation).head(f"{evaluation}/{REPORT}") is not None:
        return
    if tombstone := read_tombstone(release.uri):
        raise EvaluationError(
            f"{release.uri}: was retired on {tombstone.retired_at} while its programs were asked "
            "for; start a new evaluation about another release"
        )


def _report_of(evaluation: Evaluation, step: str, shard: ShardReference) -> StepReport:
    found = read_report(evaluation.shard(step, shard["index"]))
    assert found is not None, f"{step} {shard['shard']}: was complete a moment ago"
    return found


def _rows(cls: type[R], shards: Iterable[str]) -> Iterator[R]:
    for uri in shards:
        yield from read_shard(uri, cls)


def _truncated(shards: Iterable[str]) -> _Truncated:
    for uri in shards:
        yield from cast(_Truncated, read_columns(uri, ["problem_id", "truncated"]))


def _written(uri: str, target: str, result: EvaluationResult) -> WrittenReport:
    return {
        "uri": uri,
        "target": target,
        "problem_set": result.problem_set,
        "name": result.name,
        "model": result.model,
        "problems": sum(task.problems for task in result.tasks),
        "answers": sum(task.answers for task in result.tasks),
        "scores": [
            {
                "task": task.task,
                "graded_on": rate.graded_on,
                "k": rate.k,
                "value": rate.value,
                "low": rate.low,
                "high": rate.high,
            }
            for task in result.tasks
            for rate in task.pass_at
        ],
    }
