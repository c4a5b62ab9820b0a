"""What is known of who wrote a release's inputs, and of the sandbox that its functions ran in.

The facts are told by the shards of a build. One that differed between shards is a list, of what it
was in each of them, in order of first appearance; None in it stands for shards that did not tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer

T = TypeVar("T")
Varying: TypeAlias = T | list[T | None] | None


class _Facts(BaseModel):
    """Facts that are not named here are kept as they are; what is not known is not written."""

    model_config = ConfigDict(frozen=True, extra="allow", use_attribute_docstrings=True)

    def known(self) -> dict[str, Any]:
        """Return the facts that there are, by name."""
        return self.model_dump()

    @model_serializer(mode="wrap")
    def _serialise(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in serialise(self).items() if value is not None}


class WriterFacts(_Facts):
    """Who wrote the inputs. Without a model there is a name alone."""

    name: Varying[str] = None
    """Of the writer: `synthesis`, `vllm`."""
    model: Varying[str] = None
    """Name of the language model."""
    revision: Varying[str] = None
    """Commit or tag of the model's repository, where the options name one."""
    engine: Varying[str] = None
    """What ran the model: `endpoint`, `in_process`."""
    engine_version: Varying[str] = None
    """Of vLLM; None where the endpoint is something else."""
    context_tokens: Varying[int] = None
    """Tokens that prompt and answer may have together."""
    constrained: Varying[bool] = None
    """Whether a grammar constrained the answers."""
    prompt_style: Varying[str] = None
    """Style of the prompts: an option."""
    prompt_sha256: Varying[str] = None
    """Digest of the prompt's fixed text."""
    temperature: Varying[float] = None
    """Sampling temperature."""
    top_p: Varying[float] = None
    """Share of the probability that tokens were drawn from."""
    max_tokens: Varying[int] = None
    """Tokens that one answer may have."""
    answers_per_function: Varying[int] = None
    """Answers that were asked for, of each function."""
    inputs_per_answer: Varying[int] = None
    """Inputs that each answer was asked for."""
    fallback: Varying[str] = None
    """Name of the writer that wrote where the first one failed."""


class RunnerFacts(_Facts):
    """What a runner tells of itself from inside the sandbox."""

    python: Varying[str] = None
    """Version of the interpreter."""
    process_1: Varying[bool] = None
    """Whether it was process 1 of its namespace."""
    uid: Varying[int] = None
    """User id that functions ran under."""


class SandboxFacts(_Facts):
    """Where functions ran, under which limits. Limits of one function are in the options."""

    launcher: Varying[str] = None
    """`docker`: a hardened container. `process`: child processes with limits, no container."""
    fallback: bool | None = None
    """Whether functions, of some shards at least, ran without a container. None: not told by the
    version that made this."""
    image: Varying[str] = None
    """Name of the image."""
    image_id: Varying[str] = None
    """Digest of the image's configuration: the image, whatever it is called."""
    image_digests: list[str] | list[list[str] | None] | None = None
    """Digests of the image in registries, as `name@sha256:…`."""
    runtime: Varying[str] = None
    """OCI runtime; `default` is the engine's."""
    memory_megabytes: Varying[int] = None
    """Memory of one function."""
    cpus: Varying[float] = None
    """Cores that one container may use."""
    pids: Varying[int] = None
    """Processes and threads that one container may hold."""
    tmp_megabytes: Varying[int] = None
    """Size of a container's `/tmp`."""
    namespaces: list[str] | list[list[str] | None] | None = None
    """Namespaces that child processes had of their own."""
    missing: list[str] | list[list[str] | None] | None = None
    """What could not be set up."""
    runner: RunnerFacts | list[RunnerFacts | None] | None = None
    """What the runner told of itself."""


def pythons(facts: SandboxFacts) -> list[str]:
    """Return the versions of Python that functions ran in, sorted; none where that is not told."""
    runners = facts.runner if isinstance(facts.runner, list) else [facts.runner]
    told: set[str | None] = set()
    for runner in runners:
        if runner is not None:
            told.update(runner.python if isinstance(runner.python, list) else [runner.python])
    return sorted(version for version in told if version)


def merged(told: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what shards tell; where they differ in something, a list of all of it."""
    versions = list(told)
    found: dict[str, Any] = {}
    for key in dict.fromkeys(key for version in versions for key in version):
        values: list[Any] = []
        for version in versions:
            if version.get(key) not in values:
                values.append(version.get(key))
        found[key] = values[0] if len(values) == 1 else values
    return found


def writer_facts(told: Iterable[Mapping[str, Any]]) -> WriterFacts:
    """Return what shards tell of the writer."""
    return WriterFacts.model_validate(merged(told))


def sandbox_facts(told: Sequence[Mapping[str, Any]]) -> SandboxFacts:
    """Return what shards tell of the sandbox; of no shards, that nothing is known."""
    facts = merged(told)
    if told:
        facts["fallback"] = any(shard.get("launcher") != "docker" for shard in told)
    return SandboxFacts.model_validate(facts)
