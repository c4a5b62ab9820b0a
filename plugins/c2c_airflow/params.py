"""The trigger form: Airflow Params derived from `c2c_tasks.config` and `c2c_tasks.presets`.

The form gives a run every option, changed or not. So an option that a preset may give is empty in
the form, with what each preset gives in its text: what a person enters there, be it an option's
default, is what is wanted. A field is called as its option is everywhere else: in errors, in the
manifest and in the command line.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from airflow.sdk import DAG, Param

from c2c_airflow.evaluation_options import deployment_evaluation_options
from c2c_tasks.config import (
    BuildConfig,
    Config,
    ConfigError,
    EvaluationConfig,
    RetentionOptions,
    TrainingConfig,
)
from c2c_tasks.presets import PRESET, default_preset, flat_options, preset_options, presets

FIRST_SECTION = "Run Parameters"
"""Airflow's name of the section that is open when the form opens: what is changed most often."""
FIRST = (PRESET, "dump", "target", "mode", "licences", "writer", "launcher")
FIRST_OF_EVALUATION = (
    *("tasks", "release", "model", "solver", "samples_per_problem", "target", "model_name"),
    "launcher",
)
FIRST_OF_TRAINING = ("base_model", "release", "recipe", "mixture", "mixture_sources", "target")


def add_build_params(dag: DAG) -> None:
    """Give a DAG the Params of a build.

    Called when the DAG's tasks are made: Airflow copies the Params that a DAG has for each task
    that is made, which takes as long as all the rest of parsing it. Tasks see the DAG's all the
    same.
    """
    dag.params.update(build_params())


def add_evaluation_params(dag: DAG) -> None:
    """Give a DAG the Params of an evaluation, when its tasks are made, as `add_build_params`."""
    dag.params.update(evaluation_params())


def add_training_params(dag: DAG) -> None:
    """Give a DAG the Params of a training, when its tasks are made, as `add_build_params`."""
    defaults = flat_options(TrainingConfig())
    dag.params.update(_params(TrainingConfig, defaults, FIRST_OF_TRAINING, {}))


def build_params() -> dict[str, Param]:
    """Return a Param for the preset and for each option of a build, in the order of the form.

    Raises ConfigError where the environment names no preset, or gives options that are none.
    """
    defaults = flat_options(BuildConfig())
    left_to_presets = {name: _by_preset(name, defaults[name]) for name in preset_options()}
    params = _params(BuildConfig, defaults, FIRST, left_to_presets)
    return {PRESET: _preset_param(), **params}


def evaluation_params() -> dict[str, Param]:
    """Return a Param for each option of an evaluation, in the order of the form.

    The options that the deployment gives evaluations are their defaults. Raises ConfigError where
    they are none.
    """
    defaults = EvaluationConfig.from_flat(deployment_evaluation_options())
    return _params(EvaluationConfig, flat_options(defaults), FIRST_OF_EVALUATION, {})


def _params(
    config: type[Config],
    defaults: Mapping[str, Any],
    first: Sequence[str],
    left_empty: Mapping[str, str],
) -> dict[str, Param]:
    """Return a Param for each option, those of `first` in front.

    `left_empty` has the options that are empty in the form, and what they are then.
    """
    params = {}
    for section, model in config.sections().items():
        for option, schema in model.model_json_schema()["properties"].items():
            text, default = _text(schema), defaults[option]
            if option in left_empty:
                text, default = f"{text}\n\n{left_empty[option]}", None
            place = FIRST_SECTION if option in first else section.capitalize()
            params[option] = _param(option, default, place, schema, text)
    in_front = [name for name in first if name in params]
    return {name: params[name] for name in dict.fromkeys([*in_front, *params])}


def retention_params() -> dict[str, Param]:
    """Return a Param for each option of retention."""
    options = RetentionOptions()
    return {
        option: _param(option, getattr(options, option), "Retention", schema, _text(schema))
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


def _preset_param() -> Param:
    lines = [f"- **{name}**: {preset.meaning}." for name, preset in presets().items()]
    meaning = (
        "What the build is for. It gives the options that are left empty; one that is set wins."
    )
    return Param(
        default_preset(),
        type="string",
        enum=list(presets()),
        title=PRESET,
        section=FIRST_SECTION,
        description_md=_emphasised("\n".join([meaning, "", *lines])),
    )


def _text(schema: dict[str, Any]) -> str:
    """Return what an option means, with the bounds of a number: the form keeps to them untold."""
    text = str(schema["description"])
    if "maximum" not in schema:
        return text
    most = _value(schema["maximum"])
    if "minimum" in schema:
        return f"{text} From {_value(schema['minimum'])} to {most}."
    return f"{text} Above {_value(schema['exclusiveMinimum'])}, up to {most}."


def _by_preset(option: str, default: Any) -> str:
    given: dict[str, list[str]] = {}
    for name, preset in presets().items():
        value = _value(preset.options.get(option, default))
        given.setdefault(f"`{value}`", []).append(name)
    if len(given) == 1:
        return f"Left empty: {next(iter(given))}."
    return f"Left empty: {', '.join(f'{value} ({_and(names)})' for value, names in given.items())}."


def _value(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _and(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _param(option: str, default: Any, section: str, schema: dict[str, Any], text: str) -> Param:
    rules = {key: value for key, value in schema.items() if key not in ("default", "description")}
    rules |= {"title": option, "section": section, "description_md": _emphasised(text)}
    if default is None or default == "":
        # The form takes a plain type for required; null is its word for "left empty".
        default, rules["type"] = None, ["null", rules["type"]]
        if "enum" in rules:
            rules["enum"] = [None, *rules["enum"]]
            rules["values_display"] = {"null": "(as the preset)"}
    if choices := rules.get("items", {}).get("enum"):
        rules["examples"] = choices  # the form offers an array's examples as a multiple choice
    return Param(default, **rules)


def _emphasised(text: str) -> str:
    """Return Markdown with bold in place of code, whose boxes cover the lines of small text.

    Airflow shows plain emphasis as it shows the rest.
    """
    return text.replace("`", "**")
