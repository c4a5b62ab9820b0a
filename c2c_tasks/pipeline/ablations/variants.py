"""The file of an ablation: options that all datasets have, and those in which each differs.

YAML of this form, checked as a whole before anything is built:

    title: Input writers
    question: What is a writer worth?
    base: {dump: "stdlib:", refine_rounds: 0}
    variants:
      none:
        description: Nobody writes.
        options: {writer: none}
      large_llm:
        description: A large language model.
        options: {writer: vllm, endpoint: "${C2C_LARGE_LLM_ENDPOINT}"}

`${NAME}` in an option's value stands for that variable of the environment, `${NAME:-value}` for
`value` where it is not set. Names begin with `C2C_`: options are published.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from c2c_tasks.config import BuildConfig, ConfigError
from c2c_tasks.pipeline.build import Build
from c2c_tasks.presets import flat_options, preset_options

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_VARIABLE = re.compile(r"\$\{(C2C_[A-Z0-9_]+)(?::-([^}]*))?\}")
_PLACEHOLDER = re.compile(r"\$\{[^}]*\}?")
_NOT_HERE = {
    "target": "--into says where datasets go",
    "hub_repository": "a dataset that is half of a comparison is not for the Hub",
    "mode": "each dataset is built from nothing, into a folder of its own",
}
"""Options that a file may not give."""


class AblationError(Exception):
    """The ablation cannot be made as it is asked for; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One of the datasets."""

    name: str
    description: str
    options: dict[str, Any]
    """Those that it has besides the base's, or in place of them, as the file gives them."""


@dataclass(frozen=True, slots=True)
class Ablation:
    """Datasets that differ in what is studied, and in nothing else."""

    name: str
    """The file's, without its ending."""
    title: str
    question: str
    """What the comparison is to answer."""
    base: dict[str, Any]
    variants: dict[str, Variant]
    """By name, in the file's order: the first one is what the others are compared with."""

    @property
    def varied(self) -> set[str]:
        """Names of the options in which datasets may differ."""
        return {option for variant in self.variants.values() for option in variant.options}

    def variant(self, name: str) -> Variant:
        """Return a variant. Raises AblationError where there is none of that name."""
        if name not in self.variants:
            raise AblationError(
                f"{self.name}: no variant {name!r}; there are {', '.join(self.variants)}"
            )
        return self.variants[name]

    def config(self, name: str, target: str = "") -> BuildConfig:
        """Return the options of a variant's build, with what the environment gives.

        Raises AblationError where a variable is not set or its value will not do.
        """

        def value_of(variable: str, default: str | None) -> str:
            value = os.environ.get(variable) or default
            if value is None:
                raise AblationError(
                    f"{self.name}: variant {name!r} needs the environment variable {variable}"
                )
            return value

        options = _filled(self.base | self.variant(name).options, value_of)
        try:
            return BuildConfig.from_flat(options | ({"target": target} if target else {}))
        except ConfigError as error:
            raise AblationError(f"{self.name}: variant {name!r}: {error}") from None

    def build(self, name: str, into: str, date: str) -> Build:
        """Return the build of a variant, whose target is a folder of its name below `into`.

        A second attempt is the same build: it finds what the first has done.
        """
        config = self.config(name, f"{into}/{name}")
        text = json.dumps([into, config.source.dump, config.content_options()], sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:8]
        return Build(f"ablation-{self.name}-{name}-{digest}", date, config)

    def configuration(self, name: str, into: str = "") -> dict[str, Any]:
        """Return a variant's options as the DAG `case2code_build` takes them.

        Those that a preset may give are all there, so that none changes a variant.
        """
        flat = flat_options(self.config(name, f"{into}/{name}" if into else ""))
        given = {*self.base, *self.varied, *preset_options()} - {"target"}
        if into:
            given.add("target")
        return {option: value for option, value in flat.items() if option in given}


def read_ablation(path: Path, changes: Sequence[str] = ()) -> Ablation:
    """Return the ablation that a file describes. Raises AblationError, naming what is wrong.

    `changes` are options of the base in place of the file's, each as ``name=value``.
    """
    try:
        content = _parsed(_text_of(path))
        return _checked(path.stem, content, dict(map(_change, changes)))
    except AblationError as error:
        raise AblationError(f"{path}: {error}") from None


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise AblationError(f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise AblationError(f"no UTF-8: {error.reason} at byte {error.start:,}") from None


def _parsed(text: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise AblationError(f"no YAML: {' '.join(str(error).split())}") from None


def _change(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise AblationError(f"{text}: must be OPTION=VALUE")
    return name.strip(), value if not value else _parsed(value)


def _checked(name: str, content: Any, changes: dict[str, Any]) -> Ablation:
    file = _members(content, "the file", needed={"title", "base", "variants"}, others={"question"})
    if not _NAME.fullmatch(name.replace("-", "_")):
        raise AblationError("the file's name must be of small letters, digits and hyphens")
    base = _options(_mapping(file["base"], "base") | changes, "base")
    variants = {}
    for key, value in _mapping(file["variants"], "variants").items():
        if not isinstance(key, str) or not _NAME.fullmatch(key):
            raise AblationError(
                f"variant {key!r}: a name must be of small letters, digits and underscores, at "
                "most 40"
            )
        what = f"variant {key!r}"
        variant = _members(value, what, needed={"description", "options"})
        variants[key] = Variant(
            key, _text(variant["description"], what), _options(variant["options"], what)
        )
    if len(variants) < 2:
        raise AblationError("variants: there must be two at least, to be compared")
    question = _text(file.get("question", ""), "question")
    ablation = Ablation(name, _text(file["title"], "title"), question, base, variants)
    if studied := sorted(ablation.varied & changes.keys()):
        raise AblationError(f"{studied[0]}: is studied, so variants give it; change the file")
    _check_differences(ablation)
    return ablation


def _check_differences(ablation: Ablation) -> None:
    """Raise AblationError where two variants are the same dataset."""
    seen: dict[str, str] = {}
    for name, variant in ablation.variants.items():
        # Placeholders stay: two models are told apart by their variables, set or not.
        filled = _filled(ablation.base | variant.options, lambda _, default: default or "")
        try:
            defaults = flat_options(BuildConfig.from_flat(filled))
        except ConfigError as error:
            raise AblationError(f"variant {name!r}: {error}") from None
        given = defaults | {
            option: value
            for option, value in (ablation.base | variant.options).items()
            if _PLACEHOLDER.search(json.dumps(value))
        }
        text = json.dumps(given, sort_keys=True)
        if text in seen:
            raise AblationError(
                f"variants {seen[text]!r} and {name!r} differ in nothing: all their options are "
                "the same"
            )
        seen[text] = name


def _options(value: Any, what: str) -> dict[str, Any]:
    """Return flat options, of which only the names are checked yet."""
    options = _mapping(value, f"{what}: options" if what != "base" else what)
    known = {o for section in BuildConfig.sections().values() for o in section.model_fields}
    for option, given in options.items():
        if option not in known:
            raise AblationError(f"{what}: unknown option: {option}")
        if option in _NOT_HERE:
            raise AblationError(f"{what}: {option} cannot be given: {_NOT_HERE[option]}")
        for placeholder in _PLACEHOLDER.findall(json.dumps(given, default=str)):
            if not _VARIABLE.fullmatch(placeholder):
                raise AblationError(
                    f"{what}: {option}: {placeholder} is no ${{C2C_NAME}} or ${{C2C_NAME:-value}}"
                )
    return options


def _filled(options: Mapping[str, Any], value_of: Callable[[str, str | None], str]) -> Any:
    """Return options with the variables in their texts replaced."""

    def filled(value: Any) -> Any:
        if isinstance(value, str):
            return _VARIABLE.sub(lambda found: value_of(found[1], found[2]), value)
        if isinstance(value, list):
            return [filled(item) for item in value]
        if isinstance(value, dict):
            return {key: filled(item) for key, item in value.items()}
        return value

    return filled(dict(options))


def _members(
    value: Any, what: str, *, needed: set[str], others: set[str] | None = None
) -> dict[str, Any]:
    members = _mapping(value, what)
    if missing := sorted(needed - members.keys()):
        raise AblationError(f"{what}: has no {missing[0]}")
    if unknown := [str(name) for name in members if name not in needed | (others or set())]:
        names = ", ".join(sorted(needed | (others or set())))
        raise AblationError(f"{what}: {unknown[0]} is unknown; there are {names}")
    return members


def _mapping(value: Any, what: str) -> dict[Any, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise AblationError(f"{what}: must be a mapping of names to values")
    return value


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise AblationError(f"{what}: must be a text")
    return " ".join(value.split())
