"""Options of a language model, whichever way it is reached."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from c2c_tasks.config.sections import Section


class EngineOptions(Section):
    """Which model is asked, where it runs, and how it samples."""

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
        "the Hugging Face Hub, a folder, or a URI, as `s3://bucket/models/name`, which is fetched.",
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
    temperature: float = Field(0.8, ge=0.0, le=2.0, description="Sampling temperature.")
    top_p: float = Field(0.95, gt=0.0, le=1.0, description="Nucleus sampling mass.")
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
