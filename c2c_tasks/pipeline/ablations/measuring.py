"""What a variant's dataset came to: read from its release, and from the reports of its build."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from c2c_tasks.config import BuildConfig
from c2c_tasks.pipeline.build import Build, BuildError
from c2c_tasks.pipeline.progress import Progress
from c2c_tasks.publishing.counts import SampleCounts
from c2c_tasks.publishing.data_files import read_program_columns
from c2c_tasks.publishing.manifest import FunnelStage, Manifest
from c2c_tasks.publishing.statistics import COUNTS, CountedFiles
from c2c_tasks.records import FORMATS
from c2c_tasks.shards import read_columns
from c2c_tasks.store import ObjectNotFound, read


class Costs(BaseModel):
    """What the reports of a build say, added up over its shards."""

    build_id: str
    seconds: dict[str, float]
    """By step, of all its tasks together, in order of the steps."""
    counters: dict[str, int]


class Samples(BaseModel):
    """The samples of one format."""

    rows: int
    templates: int
    """Different ones, by name."""
    tokens: float
    """Of all samples, prompt and completion; an estimate where there are many."""

    @property
    def tokens_per_sample(self) -> float:
        """Mean length."""
        return self.tokens / max(self.rows, 1)


class Figures(BaseModel):
    """What is compared of a variant."""

    release: str
    """URI of the dataset."""
    version: str
    code_version: str
    options: dict[str, Any]
    """Those in which the variants differ."""
    writer: dict[str, Any]
    """Who wrote the inputs, as the manifest says."""
    functions: int
    """Functions that were to be run: what is left after duplicates and benchmarks."""
    programs: int
    """Programs of the dataset."""
    cases: int
    """Of all programs."""
    coverage: float
    """Mean share of a program's lines that its cases run."""
    fully_covered: float
    """Share of programs of which all lines run."""
    distinct_outputs: float
    """Mean number of different returned values of a program."""
    raised: float
    """Share of the cases that raise."""
    difficulty: float
    """Mean estimate, 0 to 1."""
    prompt_tokens: int
    """Of the model that wrote inputs; 0 where none did."""
    completion_tokens: int
    cost: float
    """By the options' prices; 0 where none is given."""
    seconds: dict[str, float]
    """By step; empty where the build's reports are gone."""
    counters: dict[str, int]
    """Sums of the build's reports; empty where these are gone."""
    funnel: list[FunnelStage]
    samples: dict[str, Samples] = Field(default_factory=dict)
    """By format."""

    @property
    def program_yield(self) -> float:
        """Programs of a function."""
        return self.programs / max(self.functions, 1)

    def per_program(self, amount: float) -> float:
        """Return an amount spread over the programs."""
        return amount / max(self.programs, 1)

    def stage(self, name: str) -> FunnelStage:
        """Return a stage of the funnel, empty where there is none of that name."""
        empty = FunnelStage(name=name, unit="", rows_in=0, rows_out=0, dropped={})
        return next((stage for stage in self.funnel if stage.name == name), empty)


def costs_uri(target: str) -> str:
    """Return the URI of what the build of a target cost."""
    return f"{target}/costs.json"


def costs_of(manifest: Manifest) -> Costs | None:
    """Return what a build cost, by the reports in its work area; None where these are gone."""
    config = BuildConfig.model_validate(manifest.config)
    build = Build(manifest.build_id, manifest.created_for, config)
    seconds: dict[str, float] = {}
    counters: Counter[str] = Counter()
    try:
        progress = Progress.of(build)
        if progress.failed:  # or made by other code: its reports are not to be told from others
            return None
        for report in [*progress.reports(), progress.audit()]:
            seconds[report.step] = seconds.get(report.step, 0.0) + report.seconds
            counters.update(report.counters)
    except (BuildError, ObjectNotFound):
        return None
    return Costs(
        build_id=manifest.build_id,
        seconds={step: round(value, 3) for step, value in seconds.items()},
        counters=dict(counters),
    )


def _kept_costs(target: str, build_id: str) -> Costs:
    try:
        costs = Costs.model_validate_json(read(costs_uri(target)))
    except (ObjectNotFound, ValidationError):
        costs = Costs(build_id="", seconds={}, counters={})
    if costs.build_id == build_id:
        return costs
    return Costs(build_id=build_id, seconds={}, counters={})


def measure(release: str, manifest: Manifest, varied: set[str]) -> Figures:
    """Return the figures of a variant's release; `varied` are the options that are studied."""
    config = BuildConfig.model_validate(manifest.config)
    target = release.rpartition("/releases/")[0]
    costs = _kept_costs(target, manifest.build_id)
    inputs = next((stage for stage in manifest.funnel if stage.name == "inputs"), None)
    rows = raised = distinct = programs = full = 0
    coverage = difficulty = 0.0
    for cases, covered, estimate in read_program_columns(
        release, ("cases", "coverage", "difficulty")
    ):
        programs += 1
        rows += len(cases)
        raised += sum(case["outcome"] == "raised" for case in cases)
        distinct += len({case["output"] for case in cases if case["outcome"] == "returned"})
        coverage += covered
        full += covered == 1.0
        difficulty += estimate
    writing = manifest.writing
    return Figures(
        release=release,
        version=manifest.version,
        code_version=manifest.code_version,
        options={
            option: getattr(getattr(config, section), option)
            for section, model in BuildConfig.sections().items()
            for option in model.model_fields
            if option in varied
        },
        writer=manifest.writer.known(),
        functions=inputs.rows_in if inputs else 0,
        programs=programs,
        cases=rows,
        coverage=coverage / max(programs, 1),
        fully_covered=full / max(programs, 1),
        distinct_outputs=distinct / max(programs, 1),
        raised=raised / max(rows, 1),
        difficulty=difficulty / max(programs, 1),
        prompt_tokens=writing.prompt_tokens if writing else 0,
        completion_tokens=writing.completion_tokens if writing else 0,
        cost=writing.cost if writing else 0.0,
        seconds=costs.seconds,
        counters=costs.counters,
        funnel=manifest.funnel,
        samples=dict(_samples(release, manifest)),
    )


def _samples(release: str, manifest: Manifest) -> Iterator[tuple[str, Samples]]:
    counted = CountedFiles.model_validate_json(read(f"{release}/{COUNTS}"))
    for format_ in FORMATS:
        templates: set[str] = set()
        rows, tokens = 0, 0.0
        for entry in manifest.files:
            if entry.config != format_:
                continue
            names = read_columns(f"{release}/{entry.path}", ["template"])
            templates.update(name for (name,) in names)
            rows += entry.rows or 0
            if counts := counted.files[entry.sha256].samples:
                tokens += _tokens(counts)
        if rows:
            yield format_, Samples(rows=rows, templates=len(templates), tokens=tokens)


def _tokens(counts: SampleCounts) -> float:
    """Return the tokens of all samples of a file: as many a character as those counted have."""
    return counts.tokens.total / max(counts.counted_characters, 1) * counts.characters.total
