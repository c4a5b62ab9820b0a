"""The options of a run: those that it was started with, whatever the environment says since.

A preset, and what the deployment adds to it, come from the environment of whoever asks. That may
change while a run is under way, and before one of its tasks is cleared; one release, or one report,
is still made with one set of options. Who clears the first task starts anew, with the options of
then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from c2c_airflow.evaluation_options import EVALUATE, NotConfigured, evaluation_options
from c2c_tasks.config import BuildConfig, Config, ConfigError, EvaluationConfig
from c2c_tasks.presets import describe, fill, flat_options

if TYPE_CHECKING:
    from airflow.sdk import Context

DECIDING = ("plan", "prepare_problems")
"""The first step of a build, and of an evaluation."""
XCOM_KEY = "case2code_options"


def is_evaluation(context: Context) -> bool:
    """Tell whether the running task is one of an evaluation."""
    ti: Any = context["ti"]
    return bool(ti.dag_id == EVALUATE)


def decide(context: Context) -> tuple[BuildConfig | EvaluationConfig, str]:
    """Decide on the options, for the first step; return them, and a line that tells of them.

    Raises ConfigError where they are none, and NotConfigured where nobody has asked for the run.
    """
    config: BuildConfig | EvaluationConfig
    if is_evaluation(context):
        options, why = evaluation_options(context)
        config = EvaluationConfig.from_flat(options)
        options, said = flat_options(config), f"{why}: {changed(config)}"
    else:
        preset, options = fill(context["params"])
        config, said = BuildConfig.from_flat(options), describe(preset, options)
        options = options | {"target": config.publishing.target}
    context["ti"].xcom_push(key=XCOM_KEY, value=options)
    return config, said


def options_of(context: Context) -> dict[str, Any]:
    """Return the flat options of the run, those of its params where it has not decided yet."""
    ti: Any = context["ti"]
    first = DECIDING[is_evaluation(context)]
    # The first step itself has not decided: asking for what is not there logs an error.
    if ti.task_id != first and (
        decided := ti.xcom_pull(task_ids=first, key=XCOM_KEY, map_indexes=None)
    ):
        return dict(decided)
    if not is_evaluation(context):
        return fill(context["params"])[1]
    try:
        return evaluation_options(context)[0]
    except (ConfigError, NotConfigured):  # which the first step is about to tell
        return {}


def config_of(context: Context) -> BuildConfig | EvaluationConfig:
    """Return the options of the run. Raises ConfigError where they are none."""
    kind = EvaluationConfig if is_evaluation(context) else BuildConfig
    return kind.from_flat(options_of(context))


def changed(config: Config) -> str:
    """Return the options that are not their defaults, for the log."""
    defaults = flat_options(type(config)())
    others = {k: v for k, v in flat_options(config).items() if v != defaults[k]}
    return ", ".join(f"{option}={value}" for option, value in others.items()) or "all defaults"
