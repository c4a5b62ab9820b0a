"""What an evaluation is asked for: by a person, by a new release, or by a new model."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from c2c_airflow.assets import DATASET, MODEL
from c2c_tasks.config import ConfigError, EvaluationConfig
from c2c_tasks.presets import fill

if TYPE_CHECKING:
    from airflow.sdk import Context

EVALUATE = "case2code_evaluate"
"""Id of the DAG."""
VARIABLE = "C2C_EVALUATION_OPTIONS"
OF_MODEL = ("model", "model_name", "revision", "prompt_style")
"""What the event of a model tells: options of the same names."""

_TOLD = {DATASET.name: ("uri", "version"), MODEL.name: ("model",)}
"""What an event has to tell, by Asset."""


class NotConfigured(Exception):
    """Nobody has said which model is to be asked; the message tells how."""


def deployment_evaluation_options() -> dict[str, Any]:
    """Return the options that ``C2C_EVALUATION_OPTIONS`` gives evaluations, a JSON object.

    Raises ConfigError where it is none, or holds what is no option.
    """
    text = os.environ.get(VARIABLE, "")
    if not text:
        return {}
    try:
        options = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"{VARIABLE}: no JSON: {error}") from None
    if not isinstance(options, dict):
        raise ConfigError(f'{VARIABLE}: must be a JSON object of options, as {{"model": "name"}}')
    try:
        EvaluationConfig.from_flat(options)
    except ConfigError as error:
        raise ConfigError(f"{VARIABLE}: {error}") from None
    return options


def evaluation_options(context: Context) -> tuple[dict[str, Any], str]:
    """Return the flat options of an evaluation, and who asked for it, for the log.

    A run by hand has those of its form. One that an Asset has started has the deployment's, with
    the release or the model that its events tell; of several events, the last. Raises ConfigError
    where the options are none, NotConfigured where a release is there, and no model to be asked.
    """
    release, model = (_last_event(context, asset) for asset in (DATASET, MODEL))
    if release is None and model is None:
        given = {name: value for name, value in context["params"].items() if value is not None}
        return given, "started by hand"
    options = deployment_evaluation_options()
    if model is None and not options:
        raise NotConfigured(
            "no model is configured to be asked about new releases; set "
            f'{VARIABLE}={{"model": "name"}} to have each one evaluated, or start a run by hand'
        )
    # Answers are strangers' code: it runs as scheduled builds run it, in containers as a rule.
    scheduled = fill({})[1]
    for name in ("launcher", "image"):
        if name in scheduled:
            options.setdefault(name, scheduled[name])
    asked_by = []
    if release is not None:
        options["release"] = release["uri"]
        options.setdefault("target", release["uri"].rpartition("/releases/")[0])
        asked_by.append(f"release {release['version']}")
    if model is not None:
        told = {name: model[name] for name in OF_MODEL if model.get(name)}
        for name in (*OF_MODEL, "endpoint"):
            options.pop(name, None)  # they are of another model
        options |= {"solver": "vllm", "engine": "in_process"} | told
        if model.get("release"):
            options.setdefault("release", model["release"])
        target, _, name = str(model.get("uri", "")).rpartition("/models/")
        if target and "/" not in name:
            options.setdefault("target", target)  # where the training was told to publish
        asked_by.append(f"model {model['model']}")
    return options, f"started by {' and '.join(asked_by)}"


def _last_event(context: Context, asset: Any) -> Mapping[str, Any] | None:
    """Return what the last event of an Asset tells, of those that have started the run."""
    events = context.get("triggering_asset_events") or {}
    found = [event for key in events if key.name == asset.name for event in events[key]]
    if not found:
        return None
    extra: Mapping[str, Any] = max(found, key=lambda event: event.timestamp).extra
    for name in _TOLD[asset.name]:
        if name not in extra:
            raise ConfigError(
                f"the event of {asset.name} does not tell {name!r}, so nothing can be evaluated; "
                "start a run by hand"
            )
    return extra
