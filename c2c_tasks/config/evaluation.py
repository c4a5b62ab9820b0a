"""Every option of an evaluation: what is asked, which model answers, how answers are graded."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from c2c_tasks.config.engine import EngineOptions
from c2c_tasks.config.places import default_target
from c2c_tasks.config.sandbox import SandboxOptions
from c2c_tasks.config.sections import ENVIRONMENT, KEY, Config, Section, Uri

Task = Literal["induction", "humaneval", "mbpp"]


class ProblemOptions(Section):
    """What a model is asked."""

    tasks: list[Task] = Field(
        ["induction"],
        min_length=1,
        description="`induction`: the program behind cases. `humaneval`, `mbpp` (sanitized): the "
        "program behind a text, to see what else a training has changed.",
    )
    release: str = Field(
        "latest",
        min_length=1,
        description="Release whose programs are to be inferred: a version, `latest`, or a path or "
        "URI.",
        examples=["latest", "2026.11.24-1", "s3://bucket/case2code/releases/2026.11.24-1"],
    )
    split: Literal["test", "validation", "train"] = Field(
        "test", description="Split of the release; `train` shows what a model has memorised."
    )
    case_file: str = Field(
        "",
        description="Instead of a release: path or URI of JSON Lines as the test set of the paper, "
        "with `program`, `entry_point` and `written_inputs`. Its outputs are executed anew.",
    )
    mbpp_file: str = Field(
        "", description="Path or URI of MBPP sanitized as JSON Lines, for the task `mbpp`."
    )
    max_problems: int = Field(
        0,
        ge=0,
        le=1_000_000,
        description="Problems of each task, drawn by `problem_seed`. 0: all.",
    )
    problem_shown_cases: int = Field(
        10, ge=1, le=100, description="Cases that a prompt shows at most."
    )
    problem_held_cases: int = Field(
        2, ge=1, le=50, description="Cases that a problem holds back for grading, at least."
    )
    few_shot: int = Field(
        0,
        ge=0,
        le=16,
        description="Solved problems that a prompt shows first: of the training split, or of a "
        "case file, whose problems they then are not.",
    )
    problem_seed: int = Field(0, ge=0, le=2**31, description="Seed of what is drawn.")
    problems_per_shard: int = Field(
        100, ge=1, le=100_000, description="Problems of one `answer` and one `grade` task."
    )

    @field_validator("tasks")
    @classmethod
    def _once(cls, tasks: list[str]) -> list[str]:
        return list(dict.fromkeys(tasks))

    @model_validator(mode="after")
    def _have_files(self) -> Self:
        if "mbpp" in self.tasks and not self.mbpp_file:
            raise ValueError("the task mbpp needs mbpp_file, the path of MBPP sanitized")
        return self


class ModelOptions(EngineOptions):
    """Who answers."""

    solver: Literal["vllm", "answers", "reference", "lookup"] = Field(
        "vllm",
        description="`vllm` asks a language model. `answers` reads them from `answers_file`. Two "
        "need no model and show the bounds: `reference` answers with the recorded program, "
        "`lookup` with a table of the cases that the prompt shows.",
    )
    answers_file: str = Field(
        "",
        description="Path or URI of JSON Lines with `problem_id` and `answer`, for the solver "
        "`answers`: a line for each answer.",
    )
    samples_per_problem: int = Field(1, ge=1, le=1_000, description="Answers to each problem.")

    @model_validator(mode="after")
    def _can_be_asked(self) -> Self:
        if self.solver == "answers" and not self.answers_file:
            raise ValueError("the solver answers needs answers_file")
        if self.solver == "vllm" and self.samples_per_problem > 1 and self.temperature == 0:
            raise ValueError("samples_per_problem is more than 1: temperature must not be 0")
        return self


class GradingOptions(Section):
    """How answers are graded."""

    float_tolerance: float = Field(
        0.0,
        ge=0,
        le=0.1,
        description="Relative difference up to which two floats are the same. 0: none.",
    )
    differential_inputs: int = Field(
        100,
        ge=0,
        le=10_000,
        description="Inputs that are tried on an answer that passed all cases, in search of one "
        "on which it differs from the program. 0: no search.",
    )
    pass_at: list[int] = Field(
        [1, 10],
        min_length=1,
        description="The k of pass@k; those above `samples_per_problem` are left out, and 1, which "
        "models are ranked by, is always there.",
    )
    bootstrap_resamples: int = Field(
        2_000, ge=100, le=100_000, description="Resamples of problems behind an interval."
    )
    confidence: float = Field(0.95, gt=0.5, lt=1, description="Level of the intervals.")

    @field_validator("pass_at")
    @classmethod
    def _are_counts(cls, pass_at: list[int]) -> list[int]:
        if min(pass_at) < 1:
            raise ValueError("each k must be at least 1")
        return sorted({1, *pass_at})


class ReportOptions(Section):
    """Where the report goes."""

    target: Uri = Field(
        default_factory=default_target,
        description="Where releases are published, and reports under `evaluations/`: a folder, "
        "`file://` or `s3://`.",
        min_length=1,
        examples=["s3://bucket/case2code", "/data/case2code"],
    )
    model_name: str = Field(
        "",
        description="What the model is called in reports and on the leaderboard. Empty: as it is "
        "served.",
    )
    conditional_writes: Literal["store", "catalogue"] = Field(
        "store", description="As for builds: who keeps two writers of a report apart."
    )


class EvaluationConfig(Config):
    """Every option of an evaluation, by section."""

    uris: ClassVar[dict[str, str]] = {
        "release": ENVIRONMENT,
        "case_file": ENVIRONMENT,
        "mbpp_file": ENVIRONMENT,
        "answers_file": ENVIRONMENT,
        "target": ENVIRONMENT,
        "model": ENVIRONMENT,
        "endpoint": KEY,
    }

    problems: ProblemOptions = ProblemOptions()
    model: ModelOptions = ModelOptions()
    grading: GradingOptions = GradingOptions()
    sandbox: SandboxOptions = SandboxOptions()
    report: ReportOptions = Field(default_factory=ReportOptions)
