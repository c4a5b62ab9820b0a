"""Every option of a build: names, meanings, defaults and bounds.

The Airflow trigger form and the manifest derive from these models, so an option is
described once. Option names are unique over all sections: the form is flat.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from c2c_tasks.config.engine import EngineOptions
from c2c_tasks.config.places import default_target
from c2c_tasks.config.sandbox import SandboxOptions
from c2c_tasks.config.sections import ENVIRONMENT, KEY, MAX_SHARDS, Config, Section, Uri


class SourceOptions(Section):
    """Where the code comes from."""

    dump: str = Field(
        "stdlib:",
        description="URI of the code dump: a file or folder, `file://` or `s3://`, holding JSON "
        "Lines (plain, gzip, zstd), Parquet, tar or zip archives, or a tree of Python files. "
        "`stdlib:` is the standard library of the running interpreter; `{date}` is the date of the "
        "build.",
        min_length=1,
        examples=["stdlib:", "s3://bucket/the-stack/data/python", "/data/dumps/{date}"],
    )
    content_field: str = Field(
        "",
        description="Column that holds a file's text. Empty: `content`, `code` or `text`, as The "
        "Stack, CodeParrot and GitHub Code name it.",
    )
    path_field: str = Field("", description="Column of a file's path. Empty: recognised.")
    repository_field: str = Field("", description="Column of the repository. Empty: recognised.")
    licence_field: str = Field("", description="Column of the licence. Empty: recognised.")
    max_file_bytes: int = Field(
        1_000_000, ge=1_000, le=50_000_000, description="Larger files are skipped, in bytes."
    )
    dump_shard_bytes: int = Field(
        8_000_000,
        ge=10_000,
        le=100_000_000_000,
        description="Bytes of dump objects that one `extract` task reads. Raised where the dump "
        f"would make more than {MAX_SHARDS} tasks.",
    )
    mode: Literal["incremental", "full"] = Field(
        "incremental",
        description="`incremental` reads dump objects that are new or changed, and adds to the "
        "latest release; `full` builds from nothing.",
    )
    max_gone_share: float = Field(
        0.25,
        ge=0.0,
        le=1.0,
        description="Share of the dump objects read before that may be gone from the dump. What "
        "came of them leaves the release; a listing that failed in part must not do that.",
    )


class RightsOptions(Section):
    """What may be used: licences, opt-outs, secrets and personal data."""

    licences: Literal["permissive", "permissive_or_unknown", "any"] = Field(
        "permissive",
        description="Licences of the files that are used. `permissive`: those that ask for no "
        "more than their notice; `permissive_or_unknown`: also files of which none is known.",
    )
    opt_outs: str = Field(
        "",
        description="File of opt-outs, or a folder of them: repositories, paths and digests of "
        "files that are not used, and leave the next release where they were. Empty: none.",
        examples=["s3://bucket/opt-outs.txt"],
    )
    scan_secrets: bool = Field(
        True,
        description="Drop programs and cases that hold secrets (keys, tokens, passwords) or "
        "personal data (e-mail and IP addresses).",
    )


class ExtractionOptions(Section):
    """Which functions become candidates."""

    min_function_lines: int = Field(
        2, ge=1, le=1_000, description="Lines that a function must have, header included."
    )
    max_program_characters: int = Field(
        8_000, ge=100, le=100_000, description="Length of a program, dependencies included."
    )
    max_parameters: int = Field(8, ge=1, le=50, description="Parameters of a function.")
    extraction_processes: int = Field(
        0, ge=0, le=256, description="Processes of one `extract` task. 0: one for each core."
    )


class FunctionOptions(Section):
    """Which candidates are worth a writer's time."""

    near_duplicate_threshold: float = Field(
        0.85,
        ge=0.5,
        le=1.0,
        description="Jaccard similarity of token shingles at which two functions are near "
        "duplicates. 1.0: exact duplicates only.",
    )
    functions_per_shard: int = Field(
        2_500,
        ge=10,
        le=100_000,
        description="Functions of one mapped task group. Raised where there would be more than "
        f"{MAX_SHARDS} groups.",
    )
    merge_memory_megabytes: int = Field(
        1_000,
        ge=500,
        le=1_000_000,
        description="Memory of `merge_functions`; beyond it, disk is used.",
    )
    benchmarks: list[str] = Field(
        ["humaneval:"],
        description="Benchmarks to keep out of the data: files or folders of problems in JSON "
        "Lines (`code`, `program` or `canonical_solution`), `humaneval:`, or a dataset of the "
        "Hugging Face Hub as `hf:NAME`.",
        examples=["humaneval:", "hf:google-research-datasets/mbpp", "s3://bucket/benchmarks"],
    )
    benchmark_overlap_threshold: float = Field(
        0.6,
        ge=0.1,
        le=1.0,
        description="Overlap of token shingles at which a function counts as a benchmark's, or "
        "as one of the test split.",
    )

    @field_validator("benchmarks", mode="before")
    @classmethod
    def _as_list(cls, benchmarks: Any) -> Any:
        """Take what manifests had before there could be several."""
        if isinstance(benchmarks, str):
            return [benchmarks] if benchmarks else []
        return benchmarks


class InputOptions(EngineOptions):
    """Who writes the inputs."""

    writer: Literal["synthesis", "vllm", "none"] = Field(
        "synthesis",
        description="`synthesis` needs no model; `vllm` asks a language model. `none`, to compare "
        "with: every function of a signature gets the same values, whatever its body says.",
    )
    fallback: Literal["none", "synthesis"] = Field(
        "none",
        description="Who writes where the model does not: for functions that it has nothing for, "
        "and for all when it cannot be reached. `none`: those are dropped, and the task fails.",
    )
    inputs_per_function: int = Field(
        30, ge=1, le=500, description="Inputs that the writer proposes for a function."
    )
    constrained: Literal["auto", "off"] = Field(
        "auto",
        description="`auto`: answers follow a grammar made from each function's signature, where "
        "the engine has structured outputs. `off`: free-form answers are parsed.",
    )
    answers_per_function: int = Field(
        1, ge=1, le=64, description="Answers sampled for a function, of one prompt."
    )
    inputs_per_answer: int = Field(30, ge=1, le=200, description="Inputs asked for in an answer.")
    prompt_token_price: float = Field(
        0.0, ge=0, le=1e6, description="Price of a million prompt tokens, in any currency."
    )
    completion_token_price: float = Field(
        0.0, ge=0, le=1e6, description="Price of a million completion tokens."
    )
    engine_hour_price: float = Field(
        0.0, ge=0, le=1e6, description="Price of an hour of `write_inputs`."
    )

    @model_validator(mode="after")
    def _can_be_sampled(self) -> Self:
        if self.answers_per_function > 1 and self.temperature == 0:
            raise ValueError("answers_per_function is more than 1: temperature must not be 0")
        return self


class CaseOptions(Section):
    """Which cases and programs are sound and worth keeping."""

    min_distinct_outputs: int = Field(
        3, ge=1, le=100, description="Different returned outputs that a program must show."
    )
    min_cases: int = Field(5, ge=1, le=100, description="Sound cases that a program must have.")
    max_cases: int = Field(20, ge=1, le=500, description="Cases kept of a program.")
    max_raised_share: float = Field(
        0.2, ge=0.0, le=1.0, description="Share of a program's cases that may raise."
    )
    max_arguments_characters: int = Field(
        2_000, ge=10, le=100_000, description="Length of a case's arguments as a literal."
    )
    drop_constant: bool = Field(
        True, description="Drop functions that return the same whatever they are given."
    )
    drop_identity: bool = Field(
        True, description="Drop functions that return one of their arguments unchanged."
    )
    drop_behavioural_duplicates: bool = Field(
        True, description="Of functions that do the same with the probe inputs, keep one."
    )
    validation_share: float = Field(
        0.05, ge=0.0, le=0.5, description="Share of programs in the validation split."
    )
    test_share: float = Field(0.05, ge=0.0, le=0.5, description="Share in the test split.")

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        for least in ("min_cases", "min_distinct_outputs"):
            if getattr(self, least) > self.max_cases:
                raise ValueError(f"{least} is more than max_cases, {self.max_cases}")
        if self.validation_share + self.test_share >= 1:
            raise ValueError("validation_share and test_share leave nothing to train on")
        return self


class SampleOptions(Section):
    """What a training row looks like."""

    formats: list[Literal["sft", "instruct", "pretrain"]] = Field(
        ["sft", "instruct", "pretrain"], min_length=1, description="Formats to compose."
    )
    prompt_templates: Literal["all", "one"] = Field(
        "all",
        description="`all`: instructions, renderings of the cases and layouts are drawn for each "
        "sample. `one`, to compare with: all samples of a format have the same.",
    )

    @field_validator("formats")
    @classmethod
    def _once(cls, formats: list[str]) -> list[str]:
        return list(dict.fromkeys(formats))

    samples_per_program: int = Field(
        1, ge=1, le=20, description="Samples of each format made of one program."
    )
    max_shown_cases: int = Field(10, ge=1, le=100, description="Cases that a prompt shows.")
    min_held_cases: int = Field(
        2, ge=0, le=50, description="Cases that a prompt holds back, for grading."
    )
    max_sample_characters: int = Field(
        16_000, ge=500, le=1_000_000, description="Length of prompt and completion together."
    )
    seed: int = Field(0, ge=0, le=2**31, description="Seed of every choice, with the function id.")


class PublishingOptions(Section):
    """Where the release goes."""

    target: Uri = Field(
        default_factory=default_target,
        description="Where releases are published: a folder, `file://` or `s3://`.",
        min_length=1,
        examples=["s3://bucket/case2code", "/data/case2code"],
    )
    dataset_name: str = Field("Case2Code", min_length=1, description="Title of the dataset card.")
    rows_per_file: int = Field(
        50_000, ge=100, le=10_000_000, description="Rows of one published Parquet file."
    )
    audit_programs: int = Field(
        50,
        ge=0,
        le=100_000,
        description="Programs that the audit runs again before publishing, at least.",
    )
    audit_share: float = Field(
        0.01,
        ge=0,
        le=1,
        description="Share of a release's programs that the audit runs again, where that is more.",
    )
    max_failed_shards: int = Field(
        0, ge=0, le=MAX_SHARDS, description="Shards that may fail without failing the build."
    )
    conditional_writes: Literal["store", "catalogue"] = Field(
        "store",
        description="Who keeps publishers from overwriting each other. `store`: the store, by "
        "conditional writes (S3 has them). `catalogue`: a lock in the catalogue's database, for "
        "stores that lack them; every publisher must then use the same catalogue.",
    )
    hub_repository: str = Field(
        "",
        description="Dataset on the Hugging Face Hub that releases are pushed to, as "
        "`organisation/name`; the token is `HF_TOKEN`. Empty: none.",
        examples=["organisation/case2code"],
    )
    hub_private: bool = Field(
        True, description="Make the dataset on the Hub private where it is not there yet."
    )


class BuildConfig(Config):
    """Every option of a build, by section."""

    uris: ClassVar[dict[str, str]] = {
        "dump": ENVIRONMENT,
        "opt_outs": ENVIRONMENT,
        "benchmarks": ENVIRONMENT,
        "target": ENVIRONMENT,
        "model": ENVIRONMENT,
        "endpoint": KEY,
    }

    source: SourceOptions = SourceOptions()
    rights: RightsOptions = RightsOptions()
    extraction: ExtractionOptions = ExtractionOptions()
    functions: FunctionOptions = FunctionOptions()
    inputs: InputOptions = InputOptions()
    sandbox: SandboxOptions = SandboxOptions()
    cases: CaseOptions = CaseOptions()
    samples: SampleOptions = SampleOptions()
    publishing: PublishingOptions = Field(default_factory=PublishingOptions)

    @model_validator(mode="after")
    def _leave_cases_to_show(self) -> Self:
        if self.samples.min_held_cases >= self.cases.max_cases:
            raise ValueError(
                f"min_held_cases leaves no case to show of max_cases, {self.cases.max_cases}"
            )
        return self

    @model_validator(mode="after")
    def _have_nobody_refine_for_nobody(self) -> Self:
        if self.inputs.writer == "none" and self.sandbox.refine_rounds:
            raise ValueError(
                "writer is none, and refinement is a writer too: set refine_rounds to 0"
            )
        return self

    def content_options(self) -> dict[str, Any]:
        """Return the options that decide what a release holds, for comparing builds."""
        options = self.model_dump(mode="json")
        del options["publishing"]
        for section, names in _HOW_NOT_WHAT.items():
            for name in names:
                del options[section][name]
        return options


_HOW_NOT_WHAT = {
    "source": ("dump", "mode", "dump_shard_bytes", "max_gone_share"),
    "rights": ("opt_outs",),
    "extraction": ("extraction_processes",),
    "functions": ("functions_per_shard", "merge_memory_megabytes", "benchmarks"),
    "inputs": (
        *("engine", "endpoint", "concurrency", "request_seconds", "outage_seconds"),
        *("tensor_parallel_size", "gpu_memory_share"),
        *("prompt_token_price", "completion_token_price", "engine_hour_price"),
    ),
    "sandbox": ("launcher", "image", "runtime", "workers", "cpus", "pids", "tmp_megabytes"),
}
"""Options that change how, where or how fast a build is made, not the rows it makes; and lists,
whose content is looked at instead of their place.

Seconds and memory of a function are none of these: they decide which cases time out or raise
MemoryError. `cpus`, `pids` and `tmp_megabytes` are limits of the container around functions,
each of which has one thread and may write no file, whatever these are.
"""
