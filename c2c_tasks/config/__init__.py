"""Every option: names, meanings, defaults and bounds; and where the environment puts things."""

from c2c_tasks.config.build import (
    BuildConfig,
    CaseOptions,
    ExtractionOptions,
    FunctionOptions,
    InputOptions,
    PublishingOptions,
    RightsOptions,
    SampleOptions,
    SourceOptions,
)
from c2c_tasks.config.engine import EngineOptions
from c2c_tasks.config.evaluation import (
    EvaluationConfig,
    GradingOptions,
    ModelOptions,
    ProblemOptions,
    ReportOptions,
)
from c2c_tasks.config.places import (
    cache_folder,
    catalogue_url,
    default_target,
    deployment,
    project_root,
    work_area,
)
from c2c_tasks.config.retention import RetentionOptions
from c2c_tasks.config.sandbox import SandboxOptions
from c2c_tasks.config.sections import MAX_SHARDS, Config, ConfigError, Section
from c2c_tasks.config.training import (
    CheckpointOptions,
    DataOptions,
    RecipeOptions,
    TrainingConfig,
)

__all__ = [
    "MAX_SHARDS",
    "BuildConfig",
    "CaseOptions",
    "CheckpointOptions",
    "Config",
    "ConfigError",
    "DataOptions",
    "EngineOptions",
    "EvaluationConfig",
    "ExtractionOptions",
    "FunctionOptions",
    "GradingOptions",
    "InputOptions",
    "ModelOptions",
    "ProblemOptions",
    "PublishingOptions",
    "RecipeOptions",
    "ReportOptions",
    "RetentionOptions",
    "RightsOptions",
    "SampleOptions",
    "SandboxOptions",
    "Section",
    "SourceOptions",
    "TrainingConfig",
    "cache_folder",
    "catalogue_url",
    "default_target",
    "deployment",
    "project_root",
    "work_area",
]
