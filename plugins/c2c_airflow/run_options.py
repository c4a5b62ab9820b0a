"""The options of a run: those that it was planned with, whatever the environment says since.

A preset, and what the deployment adds to it, come from the environment of whoever asks. That may
change while a build runs, and before one of its tasks is cleared; one release is still made with
one set of options. Who clears `plan`, plans anew, with the options of then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from c2c_tasks.config import BuildConfig
from c2c_tasks.presets import describe, fill

if TYPE_CHECKING:
    from airflow.sdk import Context

PLAN = "plan"
XCOM_KEY = "case2code_options"


def decide(context: Context) -> tuple[BuildConfig, str]:
    """Decide on the options, for `plan`; return them, and a line that says where they are from.

    Raises ConfigError where they are none.
    """
    preset, options = fill(context["params"])
    config = BuildConfig.from_flat(options)
    decided = options | {"target": config.publishing.target}
    context["ti"].xcom_push(key=XCOM_KEY, value=decided)
    return config, describe(preset, options)


def options_of(context: Context) -> dict[str, Any]:
    """Return the flat options of the run, those of its params where it is not planned yet."""
    ti: Any = context["ti"]
    decided = ti.xcom_pull(task_ids=PLAN, key=XCOM_KEY, map_indexes=None)
    return dict(decided) if decided else fill(context["params"])[1]
