"""The trigger form: Airflow Params derived from `c2c_tasks.config`."""

from __future__ import annotations

import os
from typing import Any

from airflow.sdk import Param

from c2c_tasks.config import BuildConfig, ConfigError, RetentionOptions, section_models


def build_params() -> dict[str, Param]:
    """Return a Param for each option of a build, with its section, description and bounds."""
    config = BuildConfig()
    return {
        option: _param(getattr(getattr(config, section), option), section, schema)
        for section, model in section_models().items()
        for option, schema in model.model_json_schema()["properties"].items()
    }


def retention_params() -> dict[str, Param]:
    """Return a Param for each option of retention."""
    options = RetentionOptions()
    return {
        option: _param(getattr(options, option), "retention", schema)
        for option, schema in RetentionOptions.model_json_schema()["properties"].items()
    }


def retry_seconds() -> int:
    """Return the seconds before a task is tried again, which double: ``C2C_RETRY_SECONDS``.

    Raises ConfigError where that is no whole number.
    """
    value = os.environ.get("C2C_RETRY_SECONDS") or "30"
    if not value.isdecimal():
        raise ConfigError(f"C2C_RETRY_SECONDS={value!r}: must be a whole number")
    return int(value)


def _param(default: Any, section: str, schema: dict[str, Any]) -> Param:
    rules = {key: value for key, value in schema.items() if key not in ("default", "description")}
    if default == "":
        # The form takes a plain string field for required; null is its word for "left empty".
        default, rules["type"] = None, ["null", "string"]
    if choices := rules.get("items", {}).get("enum"):
        rules["examples"] = choices  # the form offers an array's examples as a multiple choice
    return Param(
        default,
        description=schema["description"],
        **rules | {"section": section.capitalize()},
    )
