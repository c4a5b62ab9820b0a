"""From graded answers to the figures of a report: of each answer a few counts are kept, no text."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import get_args

from c2c_tasks.config.evaluation import EvaluationConfig, GradingOptions, Task
from c2c_tasks.evaluation.breakdown import Place, places
from c2c_tasks.evaluation.pass_at_k import estimate
from c2c_tasks.evaluation.records import Category, Grade, Problem
from c2c_tasks.evaluation.results import (
    BreakdownBy,
    EvaluationResult,
    FileSource,
    GradedOn,
    Group,
    PassRate,
    ReleaseSource,
    SolverFacts,
    TaskResult,
)
from c2c_tasks.publishing.facts import SandboxFacts, merged, pythons, sandbox_facts
from c2c_tasks.publishing.manifest import funnel_of
from c2c_tasks.shards import StepReport, code_version, funnel

CATEGORIES: tuple[Category, ...] = get_args(Category)

_PASSED: dict[GradedOn, Callable[[Grade], bool]] = {
    "held": attrgetter("passed_held"),
    "all": attrgetter("passed_all"),
    "differential": attrgetter("passed_differential"),
    "tests": attrgetter("passed_held"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Which evaluation it is, and what its problems are of."""

    evaluation_id: str
    name: str
    """Of its folder."""
    date: str
    """Logical date, ``YYYY-MM-DD``."""
    release: ReleaseSource | None = None
    case_file: FileSource | None = None
    mbpp_file: FileSource | None = None


@dataclass(slots=True)
class _Counts:
    """Of the answers to one problem."""

    answers: int = 0
    truncated: int = 0
    graded: int = 0
    passed: list[int] = field(default_factory=lambda: [0] * len(_PASSED))
    """In the order of `_PASSED`."""


@dataclass(slots=True)
class _Tally:
    """Of the problems of one task."""

    digests: list[bytes] = field(default_factory=list)
    unanswered: int = 0
    ungraded: int = 0
    answers: int = 0
    truncated: int = 0
    counts: list[_Counts] = field(default_factory=list)
    """Of each problem that counts."""
    groups: defaultdict[BreakdownBy, list[Place]] = field(default_factory=lambda: defaultdict(list))
    """Of each problem that counts, the group it is in."""

    def add(self, problem: Problem, counts: _Counts) -> None:
        self.digests.append(_digest(problem))
        self.truncated += counts.truncated
        self.answers += counts.graded
        if counts.answers and not counts.graded:
            self.ungraded += 1
            return
        self.unanswered += not counts.graded
        self.counts.append(counts)
        for by, place in places(problem).items():
            self.groups[by].append(place)


def summarise(
    problems: Iterable[Problem],
    answers: Iterable[tuple[str, bool]],
    grades: Iterable[Grade],
    config: EvaluationConfig,
    *,
    identity: Identity,
    reports: Iterable[StepReport],
) -> EvaluationResult:
    """Return what the answers to problems are worth.

    `answers` are problem id and whether the answer is truncated, of each answer: two columns of
    the shards of answers. None of the three needs an order. `reports` are those of all steps:
    their facts ``solver`` and ``sandbox``, counters ``prompt_tokens`` and ``completion_tokens``,
    stages, problems and seconds go into the result. A problem without an answer counts as one
    that was answered wrong; one whose answers could not be graded does not count.
    """
    counts: defaultdict[str, _Counts] = defaultdict(_Counts)
    categories: defaultdict[Task, Counter[Category]] = defaultdict(Counter)
    for problem_id, is_truncated in answers:
        counts[problem_id].answers += 1
        counts[problem_id].truncated += is_truncated
    for grade in grades:
        found = counts[grade.problem_id]
        found.graded += 1
        categories[grade.task][grade.category] += 1
        for place, has_passed in enumerate(_PASSED.values()):
            found.passed[place] += has_passed(grade)
    tallies: dict[Task, _Tally] = {task: _Tally() for task in config.problems.tasks}
    for problem in problems:
        tallies[problem.task].add(problem, counts[problem.problem_id])
        del counts[problem.problem_id]
    if counts:
        raise ValueError(f"{next(iter(counts))}: has answers, and is none of the problems")
    told = list(reports)
    solver = SolverFacts.model_validate(
        merged(r.facts["solver"] for r in told if "solver" in r.facts)
    )
    sandbox = sandbox_facts([r.facts["sandbox"] for r in told if "sandbox" in r.facts])
    return EvaluationResult(
        evaluation_id=identity.evaluation_id,
        name=identity.name,
        date=identity.date,
        model=_model_name(config, solver),
        code_version=code_version(),
        release=identity.release,
        case_file=identity.case_file,
        mbpp_file=identity.mbpp_file,
        config=config.model_dump(mode="json"),
        solver=solver,
        sandbox=sandbox,
        tasks=[_task(t, tally, categories[t], config.grading) for t, tally in tallies.items()],
        prompt_tokens=sum(report.counters.get("prompt_tokens", 0) for report in told),
        completion_tokens=sum(report.counters.get("completion_tokens", 0) for report in told),
        seconds=_seconds(told),
        funnel=funnel_of(funnel(told)),
        remarks=_remarks(identity.release, sandbox),
        problems=[problem for report in told for problem in report.problems],
    )


def _remarks(release: ReleaseSource | None, sandbox: SandboxFacts) -> list[str]:
    """Tell of what makes right answers fail: library functions differ between Python versions."""
    if release is None or not release.pythons:
        return []
    there, here = release.pythons, pythons(sandbox)
    if {_minor(version) for version in here} <= {_minor(version) for version in there}:
        return []
    return [
        f"Answers ran in Python {' and '.join(here)}, and the programs of release "
        f"{release.version} in {' and '.join(there)}: where the two differ, even the program "
        "itself is graded as wrong. The solver reference tells how often; the release's own "
        "launcher and image avoid it"
    ]


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _model_name(config: EvaluationConfig, solver: SolverFacts) -> str:
    served = solver.model if isinstance(solver.model, str) else None
    return config.report.model_name or served or config.model.model or config.model.solver


def _seconds(reports: Sequence[StepReport]) -> dict[str, float]:
    seconds: dict[str, float] = {}
    for report in reports:
        seconds[report.step] = round(seconds.get(report.step, 0.0) + report.seconds, 3)
    return seconds


def _digest(problem: Problem) -> bytes:
    """Return the digest of what is asked, and of what an answer is graded on."""
    digest = hashlib.sha256()
    held = [problem.cases[number] for number in problem.held_cases]
    for part in (
        *(problem.problem_id, problem.prompt, problem.tests),
        *(f"{case.arguments}{case.output}{case.exception_type}" for case in held),
    ):
        digest.update(f"{len(part)}:{part}".encode(errors="surrogatepass"))
    return digest.digest()


def _task(
    task: Task, tally: _Tally, categories: Counter[Category], options: GradingOptions
) -> TaskResult:
    samples = max((counts.graded for counts in tally.counts), default=0)
    return TaskResult(
        task=task,
        problems_sha256=hashlib.sha256(b"".join(sorted(tally.digests))).hexdigest(),
        problems=len(tally.counts),
        answers=tally.answers,
        samples=samples,
        unanswered=tally.unanswered,
        missing_answers=samples * len(tally.counts) - tally.answers,
        ungraded=tally.ungraded,
        truncated=tally.truncated,
        categories={category: categories[category] for category in CATEGORIES},
        pass_at=[
            rate
            for k in options.pass_at
            if k <= samples
            for rate in _rates(task, tally.counts, samples, k, options)
        ],
        breakdowns={
            by: groups
            for by, found in tally.groups.items()
            if samples and len(groups := list(_groups(task, tally, found, samples, options))) > 1
        },
    )


def _groups(
    task: Task, tally: _Tally, found: list[Place], samples: int, options: GradingOptions
) -> Iterator[Group]:
    members: defaultdict[Place, list[_Counts]] = defaultdict(list)
    for place, counts in zip(found, tally.counts, strict=True):
        members[place].append(counts)
    # Groups without an order of their own: the largest first.
    for place in sorted(members, key=lambda at: (at[0], -len(members[at]), at[1])):
        rates = list(_rates(task, members[place], samples, 1, options))
        yield Group(label=place[1], problems=len(members[place]), pass_at_1=rates)


def _rates(
    task: Task, counts: Sequence[_Counts], samples: int, k: int, options: GradingOptions
) -> Iterator[PassRate]:
    for place, graded_on in enumerate(_PASSED):
        if (graded_on == "tests") != (task != "induction"):
            continue
        if graded_on == "differential" and not options.differential_inputs:
            continue
        found = estimate(
            [(samples, one.passed[place]) for one in counts],
            k,
            resamples=options.bootstrap_resamples,
            confidence=options.confidence,
        )
        yield PassRate(
            graded_on=graded_on,
            k=k,
            value=round(found.value, 6),
            low=round(found.low, 6),
            high=round(found.high, 6),
        )
