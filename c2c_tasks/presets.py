"""Presets: options that go together, by the purpose of a build.

A preset gives the options that are left empty; one that is given wins over it. The name of a preset
is no option: what a manifest records and what digests are of is the options that came of it, so two
builds with the same options are the same, whatever named them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from c2c_tasks.config import BuildConfig, Config, ConfigError, default_target

PRESET = "preset"
"""Key of the preset's name among flat options."""


@dataclass(frozen=True, slots=True)
class Preset:
    """Values for the options that a build's starter leaves empty."""

    meaning: str
    """What the preset is for, in a sentence; Markdown."""
    options: dict[str, Any] = field(default_factory=dict)
    """Values by option."""


def presets() -> dict[str, Preset]:
    """Return the presets by name, the deployment's own options (``C2C_OPTIONS``) included.

    All make the same rows of the same code: none differs in an option of what is kept, as the
    number of inputs or cases. So nights can add to what a full build or a demo has published; with
    other rows in it, `plan` would refuse the release as a parent.

    Raises ConfigError where ``C2C_OPTIONS`` is no JSON object of options.
    """
    return _BUILT_IN | {
        # Its target is its own where the deployment has one, which is not for trying things.
        "demo": Preset(
            _BUILT_IN["demo"].meaning, _BUILT_IN["demo"].options | {"target": _demo_target()}
        ),
        **{
            name: Preset(_BUILT_IN[name].meaning, _BUILT_IN[name].options | deployment_options())
            for name in ("nightly", "full")
        },
    }


_STRICT = {
    # Strangers' code runs in a container or not at all.
    "launcher": "docker",
}
_BUILT_IN = {
    "demo": Preset(
        "what `make demo` does, to see it work: the standard library, no model, a container only "
        "where there is one; never into the deployment's dataset",
        {"dump": "stdlib:", "mode": "incremental", "writer": "synthesis", "launcher": "auto"},
    ),
    "nightly": Preset(
        "what is scheduled: adds what is new or changed in the dump to the latest release; "
        "functions run in containers alone",
        {"mode": "incremental", **_STRICT},
    ),
    "full": Preset(
        "builds anew from the whole dump, as after a change of options: larger shards, and an "
        "audit that runs more programs again, for nights carry over what it passed",
        {
            "mode": "full",
            **_STRICT,
            "dump_shard_bytes": 64_000_000,
            "functions_per_shard": 5_000,
            "audit_programs": 500,
            "audit_share": 0.05,
        },
    ),
}


def preset_options() -> set[str]:
    """Return the names of the options that any preset gives."""
    return {option for preset in presets().values() for option in preset.options}


def default_preset() -> str:
    """Return the preset of runs that name none, scheduled ones: ``C2C_PRESET``, or ``nightly``.

    Raises ConfigError where there is no preset of that name.
    """
    return _known(os.environ.get("C2C_PRESET", "nightly"), "C2C_PRESET")


def fill(options: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the name of the preset, and flat options with those filled in that are None.

    `options` may name the preset as ``preset``; without it, it is `default_preset()`. The options
    are for `BuildConfig.from_flat`, which leaves to their defaults those that the preset does not
    give.

    Raises ConfigError where there is no preset of that name.
    """
    name = _known(options.get(PRESET) or default_preset(), f"option {PRESET!r}")
    given = {key: value for key, value in options.items() if value is not None and key != PRESET}
    return name, presets()[name].options | given


def describe(name: str, options: Mapping[str, Any]) -> str:
    """Say in a line what a preset gave a build, and which options are neither its nor defaults.

    `options` is what `fill` returned.
    """
    preset = presets()[name].options
    ours = [key for key in preset if key in options and options[key] == preset[key]]
    defaults = flat_options(BuildConfig())
    theirs = [key for key in options if key not in ours and options[key] != defaults.get(key)]
    said = f"preset {name}: {_listed(ours, options)}"
    return f"{said}; set by the run: {_listed(theirs, options)}" if theirs else said


def flat_options(config: Config) -> dict[str, Any]:
    """Return the options of a config without their sections, as JSON has them."""
    return {
        option: value
        for section in config.model_dump(mode="json").values()
        for option, value in section.items()
    }


def deployment_options() -> dict[str, Any]:
    """Return the options that ``C2C_OPTIONS`` gives scheduled and full builds, a JSON object.

    Raises ConfigError where it is none, or holds what is no option.
    """
    text = os.environ.get("C2C_OPTIONS", "")
    if not text:
        return {}
    try:
        options = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"C2C_OPTIONS: no JSON: {error}") from None
    if not isinstance(options, dict):
        raise ConfigError('C2C_OPTIONS: must be a JSON object of options, as {"dump": "s3://…"}')
    try:
        BuildConfig.from_flat(options)
    except ConfigError as error:
        raise ConfigError(f"C2C_OPTIONS: {error}") from None
    return options


def _demo_target() -> str:
    return f"{default_target()}-demo" if "C2C_TARGET" in os.environ else default_target()


def _known(name: Any, what: str) -> str:
    if name not in _BUILT_IN:
        raise ConfigError(f"{what}: no preset {name!r}; there are {', '.join(_BUILT_IN)}")
    return str(name)


def _listed(names: list[str], options: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={options[name]}" for name in names) or "nothing"
