"""Every option of a training: which data in which mixture, by which recipe, from which model."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from c2c_tasks.config.places import default_target
from c2c_tasks.config.sections import ENVIRONMENT, Config, Section, Uri

Trainer = Literal["trl", "llama_factory", "axolotl"]
RowFormat = Literal["messages", "prompt_completion", "instruction", "text"]


class DataOptions(Section):
    """What is trained on."""

    release: str = Field(
        "latest",
        min_length=1,
        description="Release to train on: a version, `latest`, or a path or URI.",
        examples=["latest", "2026.11.24-1", "s3://bucket/case2code/releases/2026.11.24-1"],
    )
    mixture: str = Field(
        "direct_fine_tuning",
        min_length=1,
        description="What the release is mixed with: `direct_fine_tuning` (nothing), "
        "`continued_pretraining`, `instruction_mixing`, or the path of a mixture in YAML.",
    )
    mixture_sources: dict[str, str] = Field(
        {},
        description="Paths or URIs of the mixture's other sources, by their names there: files "
        "or folders of JSON Lines or Parquet.",
        examples=[{"corpus": "s3://bucket/corpus", "general": "/data/instructions.jsonl"}],
    )
    mixture_seed: int = Field(
        0, ge=0, le=2**31, description="Seed of which rows are drawn where not all are taken."
    )
    tokenizer: str = Field(
        "",
        description="Tokenizer that tokens are counted with: a folder or `tokenizer.json`, a URI "
        "of a folder, or a name on the Hugging Face Hub. Empty: the base model's, and in "
        "`c2c export` o200k_base.",
    )
    packing_tokens: int = Field(
        0,
        ge=0,
        le=10_000_000,
        description="Length of the sequences that rows are packed into, for statistics of it. 0: "
        "none.",
    )


class RecipeOptions(Section):
    """How is trained."""

    recipe: str = Field(
        "direct_fine_tuning",
        min_length=1,
        description="Settings of the trainer: `direct_fine_tuning`, `continued_pretraining` or "
        "`instruction_mixing`, or the path of a recipe in YAML.",
    )
    base_model: str = Field(
        "",
        description="Model that is trained on: a folder that all workers see, a URI, as "
        "`s3://bucket/models/name`, which is fetched, or a name on the Hugging Face Hub.",
        examples=["Qwen/Qwen2.5-Coder-0.5B"],
    )
    recipe_settings: dict[str, Any] = Field(
        {},
        description="Settings that differ from the recipe's, as JSON.",
        examples=[{"max_steps": 500, "learning_rate": 1e-5}],
    )


class CheckpointOptions(Section):
    """Where the checkpoint goes."""

    target: Uri = Field(
        default_factory=default_target,
        description="Where releases are published, and checkpoints under `models/`: a folder, "
        "`file://` or `s3://`.",
        min_length=1,
        examples=["s3://bucket/case2code", "/data/case2code"],
    )
    checkpoint_name: str = Field(
        "",
        description="Name of the checkpoint's folder. Empty: made of the base model, the recipe "
        "and a digest of the data and settings.",
        pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]*)?$",
        max_length=100,
    )


class TrainingConfig(Config):
    """Every option of a training, by section."""

    uris: ClassVar[dict[str, str]] = dict.fromkeys(
        ("release", "mixture_sources", "tokenizer", "base_model", "target"), ENVIRONMENT
    )

    data: DataOptions = DataOptions()
    training: RecipeOptions = RecipeOptions()
    checkpoint: CheckpointOptions = Field(default_factory=CheckpointOptions)
