"""Mixtures: which sources are trained on, in which shares, as a file in YAML says it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from c2c_tasks.config import project_root
from c2c_tasks.config.sections import ENVIRONMENT, names_a_user
from c2c_tasks.config.training import RowFormat
from c2c_tasks.training.errors import TrainingError

RELEASE = "release:"
"""URI, in a mixture, of the release that is exported."""


class Source(BaseModel):
    """One source of a mixture."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9_]+$")
    uri: str = ""
    """`release:`, or a path or URI of JSON Lines or Parquet; empty where it is told apart."""
    weight: float = Field(gt=0)
    """Its part of the mixture, to be compared with the weights of the other sources."""


class Mixture(BaseModel):
    """What is mixed. The mixture is as large as its scarcest source, by its weight, allows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: RowFormat
    """What a row is: a chat, a prompt with its completion, an instruction, or a text."""
    weigh_by: Literal["rows", "tokens"]
    """What weights are shares of."""
    sources: tuple[Source, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _are_told_apart(self) -> Mixture:
        names = [source.name for source in self.sources]
        if len(set(names)) < len(names):
            raise ValueError("two sources have the same name")
        if [source.uri for source in self.sources].count(RELEASE) != 1:
            raise ValueError(f"exactly one source has to have the uri {RELEASE}")
        return self

    def with_sources(self, uris: Mapping[str, str]) -> Mixture:
        """Return the mixture with these URIs of its sources, by name.

        Raises TrainingError where one is not of the mixture, or a source has none.
        """
        names = [source.name for source in self.sources if source.uri != RELEASE]
        if unknown := sorted(set(uris) - set(names)):
            there = ", ".join(names) or "none but the release"
            raise TrainingError(f"the mixture has no source {unknown[0]!r}; it has {there}")
        sources = tuple(
            source.model_copy(update={"uri": uris.get(source.name, source.uri)})
            for source in self.sources
        )
        for source in sources:
            if names_a_user(source.uri):
                raise TrainingError(
                    f"source {source.name!r}: its URI holds a user name or password, and exports "
                    f"tell their sources; {ENVIRONMENT}"
                )
        if lacking := [source.name for source in sources if not source.uri]:
            raise TrainingError(
                f"the mixture needs its source {lacking[0]!r}: name the path or URI of its files, "
                f"as --source {lacking[0]}=PATH (option mixture_sources)"
            )
        return self.model_copy(update={"sources": sources})


def read_mixture(name: str) -> Mixture:
    """Return the mixture of a name in ``recipes/mixtures``, or of a path.

    Raises TrainingError where there is none, or it is none.
    """
    path = named_file(project_root() / "recipes" / "mixtures", name, "mixture")
    try:
        return Mixture.model_validate(yaml.safe_load(path.read_text()))
    except yaml.YAMLError as error:
        raise TrainingError(f"{path}: no YAML: {' '.join(str(error).split())}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the mixture"
        message = first["msg"].removeprefix("Value error, ").lower()
        raise TrainingError(f"{path}: {where}: {message}") from None


def named_file(folder: Path, name: str, kind: str) -> Path:
    """Return the YAML of a name in a folder, or of a path. Raises TrainingError."""
    path = Path(name).expanduser() if name.endswith((".yaml", ".yml")) else folder / f"{name}.yaml"
    if not path.is_file():
        there = ", ".join(sorted(item.stem for item in folder.glob("*.yaml")))
        raise TrainingError(f"{kind} {name!r}: there is none; there are {there}, or give a path")
    return path
