"""Options of the sandbox."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from c2c_tasks.config.sections import Section


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
