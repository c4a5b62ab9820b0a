"""Every option of a build: names, meanings, defaults and bounds.

The Airflow trigger form and the manifest derive from these models, so an option is
described once. Option names are unique over all sections: the form is flat.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from c2c_tasks.store import normalise

MAX_SHARDS = 256
"""Mapped task instances of one task. Airflow's `max_map_length` is 1,024, and its scheduler
slows down well below that."""


class ConfigError(ValueError):
    """An option is out of bounds; the message names it and says what it may be."""


class Section(BaseModel):
    """A group of options, frozen, refusing names that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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


class InputOptions(Section):
    """Who writes the inputs."""

    writer: Literal["synthesis", "vllm"] = Field(
        "synthesis",
        description="`synthesis` needs no model; `vllm` asks a language model.",
    )
    fallback: Literal["none", "synthesis"] = Field(
        "none",
        description="Who writes where the model does not: for functions that it has nothing for, "
        "and for all when it cannot be reached. `none`: those are dropped, and the task fails.",
    )
    inputs_per_function: int = Field(
        30, ge=1, le=500, description="Inputs that the writer proposes for a function."
    )
    engine: Literal["endpoint", "in_process"] = Field(
        "endpoint",
        description="`endpoint`: a server of the OpenAI API, as `vllm serve`. `in_process`: "
        "`vllm.LLM` on the worker's own GPUs, for the best throughput.",
    )
    endpoint: str = Field(
        "",
        description="Base URL of the endpoint, as `http://host:8000/v1`. Empty: "
        "`C2C_VLLM_ENDPOINT`, or else the Airflow Connection `case2code_vllm`.",
    )
    model: str = Field(
        "",
        description="Model that the endpoint serves; empty: its first one. In process: a name on "
        "the Hugging Face Hub, or a folder.",
        examples=["Qwen/Qwen2.5-Coder-7B-Instruct"],
    )
    revision: str = Field(
        "",
        description="Commit or tag of the model. In process it is loaded; of an endpoint, which "
        "does not tell, it is what the manifest records.",
    )
    prompt_style: Literal["chat", "text"] = Field(
        "chat",
        description="`chat` follows the model's chat template; `text` is for base models.",
    )
    constrained: Literal["auto", "off"] = Field(
        "auto",
        description="`auto`: answers follow a grammar made from each function's signature, where "
        "the engine has structured outputs. `off`: free-form answers are parsed.",
    )
    temperature: float = Field(0.8, ge=0.0, le=2.0, description="Sampling temperature.")
    top_p: float = Field(0.95, gt=0.0, le=1.0, description="Nucleus sampling mass.")
    answers_per_function: int = Field(
        1, ge=1, le=64, description="Answers sampled for a function, of one prompt."
    )
    inputs_per_answer: int = Field(30, ge=1, le=200, description="Inputs asked for in an answer.")
    max_tokens: int = Field(1_024, ge=16, le=32_000, description="Tokens of one answer.")
    concurrency: int = Field(
        256,
        ge=1,
        le=4_096,
        description="Requests under way at once: at least vLLM's `max_num_seqs`, so that its "
        "queue is never empty.",
    )
    request_seconds: float = Field(300.0, gt=0, le=3_600, description="Deadline of a request.")
    outage_seconds: float = Field(
        180.0,
        ge=0,
        le=3_600,
        description="Time that requests wait for an endpoint that is away, before the task fails.",
    )
    tensor_parallel_size: int = Field(
        1, ge=1, le=64, description="GPUs that the in-process engine is spread over."
    )
    gpu_memory_share: float = Field(
        0.9, gt=0, le=1, description="Share of a GPU's memory that the in-process engine takes."
    )
    context_tokens: int = Field(
        0,
        ge=0,
        le=1_000_000,
        description="Context of the in-process engine, in tokens. 0: the model's own.",
    )
    engine_arguments: dict[str, Any] = Field(
        {},
        description="Further arguments of `vllm.LLM`, as JSON.",
        examples=[{"dtype": "bfloat16", "max_num_seqs": 512}],
    )
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

    @field_validator("engine_arguments")
    @classmethod
    def _have_no_option(cls, arguments: dict[str, Any]) -> dict[str, Any]:
        if taken := sorted(set(arguments) & set(_ENGINE_OPTIONS)):
            name = taken[0]
            raise ValueError(f"{name} has an option of its own, {_ENGINE_OPTIONS[name]}")
        return arguments


_ENGINE_OPTIONS = {
    "model": "model",
    "revision": "revision",
    "tensor_parallel_size": "tensor_parallel_size",
    "gpu_memory_utilization": "gpu_memory_share",
    "max_model_len": "context_tokens",
}
"""Arguments of `vllm.LLM`, and the options that set them."""


class SandboxOptions(Section):
    """How functions are run."""

    launcher: Literal["auto", "docker", "process"] = Field(
        "auto",
        description="`docker`: a hardened container. `process`: child processes with limits, no "
        "container, for trusted dumps. `auto`: docker where an engine with the image answers.",
    )
    image: str = Field(
        "case2code-sandbox:latest",
        description="Image of the sandbox, best as `name@sha256:…`: a tag may name different "
        "images on different engines. It is not pulled.",
        min_length=1,
        examples=["case2code-sandbox:latest", "registry.example/case2code-sandbox@sha256:…"],
    )
    runtime: str = Field("", description="OCI runtime, as `runsc`. Empty: the engine's default.")
    case_seconds: float = Field(1.0, gt=0, le=60, description="CPU seconds of one case.")
    function_seconds: float = Field(
        5.0, gt=0, le=600, description="Wall-clock seconds of a function's cases together."
    )
    memory_megabytes: int = Field(512, ge=64, le=65_536, description="Memory of one function.")
    cpus: float = Field(1.0, ge=0.1, le=256, description="Cores that one container may use.")
    pids: int = Field(
        64, ge=16, le=4_096, description="Processes and threads that one container may hold."
    )
    tmp_megabytes: int = Field(
        16,
        ge=1,
        le=1_024,
        description="Size of a container's `/tmp`, which is memory, and added to its limit. "
        "Functions cannot write to it.",
    )
    output_characters: int = Field(
        4_000, ge=100, le=100_000, description="Length of an output's literal."
    )
    workers: int = Field(
        0, ge=0, le=256, description="Functions run at once in a task. 0: one for each core."
    )
    refine_rounds: int = Field(
        8,
        ge=0,
        le=10,
        description="Rounds in which the synthesis writer sees outcomes and mends its inputs.",
    )
    probe_inputs: int = Field(
        16,
        ge=0,
        le=100,
        description="Inputs, the same for all functions of a signature, by which functions that "
        "do the same are found. 0: none.",
    )
    coverage: bool = Field(True, description="Record the lines that each case runs.")
    determinism_runs: bool = Field(
        True,
        description="Run each function a second time, in an interpreter with another hash seed, "
        "time zone and working directory, and drop what differs.",
    )


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


def default_target() -> str:
    """Return the URI where releases go: ``C2C_TARGET``, or ``out`` in the checkout."""
    return normalise(os.environ.get("C2C_TARGET", str(project_root() / "out")))


class PublishingOptions(Section):
    """Where the release goes."""

    target: str = Field(
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

    @field_validator("target")
    @classmethod
    def _as_uri(cls, target: str) -> str:
        return normalise(target)


class RetentionOptions(Section):
    """What maintenance keeps of releases and of the work areas of builds."""

    target: str = Field(
        default_factory=default_target,
        description="Where releases are published: a folder, `file://` or `s3://`.",
        min_length=1,
        examples=["s3://bucket/case2code", "/data/case2code"],
    )
    keep_releases: int = Field(
        default_factory=lambda: _number("C2C_KEEP_RELEASES", "0"),
        ge=0,
        description="Releases that are kept, the latest ones; those that are pinned and the one "
        "that the pointer names are kept besides. Others are retired. 0: all are kept.",
    )
    keep_failed_days: int = Field(
        default_factory=lambda: _number("C2C_KEEP_FAILED_DAYS", "14"),
        ge=1,
        description="Days that the work area and the staged files of a build are kept which has "
        "failed, or does not say that it has ended.",
    )
    retention_dry_run: bool = Field(
        default_factory=lambda: _retention_is_dry(),
        description="Name and count what retention would remove, and remove nothing.",
    )
    conditional_writes: Literal["store", "catalogue"] = Field(
        "store", description="As for builds: who keeps two writers of the pointer apart."
    )

    @field_validator("target")
    @classmethod
    def _as_uri(cls, target: str) -> str:
        return normalise(target)


def _number(variable: str, default: str) -> int:
    value = os.environ.get(variable, default)
    if not value.isdecimal():
        raise ConfigError(f"{variable}={value!r}: must be a whole number")
    return int(value)


def _retention_is_dry() -> bool:
    value = os.environ.get("C2C_RETENTION", "dry-run")
    if value not in ("dry-run", "apply"):
        raise ConfigError(f"C2C_RETENTION={value!r}: must be dry-run or apply")
    return value == "dry-run"


class BuildConfig(Section):
    """Every option of a build, by section."""

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

    @classmethod
    def from_flat(cls, options: dict[str, Any]) -> BuildConfig:
        """Return the config of flat options, as the trigger form gives them.

        An option that is None is left to its default.
        Raises ConfigError, naming every option that is unknown or out of bounds, or the first one
        that holds a password or token: options are published. Manifests may hold one, and are read
        all the same.
        """
        sections = {
            option: section
            for section, model in section_models().items()
            for option in model.model_fields
        }
        if unknown := sorted(set(options) - set(sections)):
            raise ConfigError(f"unknown option: {', '.join(unknown)}")
        nested: dict[str, dict[str, Any]] = {}
        for option, value in options.items():
            if value is None:
                continue
            nested.setdefault(sections[option], {})[option] = value
        try:
            config = cls.model_validate(nested)
        except ValidationError as error:
            raise ConfigError("; ".join(_explain(item) for item in error.errors())) from None
        for option, instead in _URIS.items():
            value = getattr(getattr(config, sections[option]), option)
            if any(map(_names_a_user, [value] if isinstance(value, str) else value)):
                raise ConfigError(
                    f"option {option!r}: holds a user name or password, and options are published "
                    f"with the release; {instead}"
                )
        if "hf_token" in config.inputs.engine_arguments:
            raise ConfigError(
                "option 'engine_arguments': holds hf_token, and options are published with the "
                "release; set HF_TOKEN instead"
            )
        return config

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


_ENVIRONMENT = "take it out: stores are told by the environment, as AWS_ACCESS_KEY_ID, who asks"
_URIS = {
    "dump": _ENVIRONMENT,
    "opt_outs": _ENVIRONMENT,
    "benchmarks": _ENVIRONMENT,
    "target": _ENVIRONMENT,
    "endpoint": "take it out, and set C2C_VLLM_API_KEY to the server's key",
}
"""Options that are URIs, and where a password goes instead."""


def _names_a_user(uri: str) -> bool:
    try:
        parts = urlsplit(uri)
        _ = parts.port  # what a password is read as that has a slash in it
    except ValueError:
        return "@" in uri
    return "@" in parts.netloc


def section_models() -> dict[str, type[Section]]:
    """Return the section classes of `BuildConfig` by name, in order."""
    return {
        name: field.annotation  # type: ignore[misc]
        for name, field in BuildConfig.model_fields.items()
    }


def _explain(error: Any) -> str:
    _, *names = map(str, error["loc"]) if error["loc"] else ("",)
    if not names:
        return f"options: {error['msg'].removeprefix('Value error, ')}"
    return f"option {'.'.join(names)!r}: {error['msg'].lower()} (got {error['input']!r})"


def project_root() -> Path:
    """Return the folder that holds the checkout."""
    return Path(__file__).resolve().parent.parent


def deployment() -> str:
    """Return what tells this deployment's containers from others' on the same Docker engine.

    ``C2C_DEPLOYMENT``, or the folder of the checkout: workers of one deployment that hold it
    in different places need the variable, and so do deployments that hold it in the same one.
    """
    return os.environ.get("C2C_DEPLOYMENT") or str(project_root())


def work_area() -> str:
    """Return the URI of the shards of builds: ``C2C_WORK``, or ``.c2c/work``."""
    return normalise(os.environ.get("C2C_WORK", str(project_root() / ".c2c" / "work")))


def catalogue_url() -> str:
    """Return SQLAlchemy's URL of the catalogue: ``C2C_CATALOGUE``, or SQLite in ``.c2c``."""
    default = f"sqlite:///{project_root() / '.c2c' / 'catalogue.sqlite'}"
    return os.environ.get("C2C_CATALOGUE", default)
