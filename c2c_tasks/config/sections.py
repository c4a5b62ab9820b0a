"""What options are: grouped in sections, described once, flat in forms and command lines."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from c2c_tasks.store import normalise

Uri = Annotated[str, AfterValidator(normalise)]
"""A path or URI, kept as a whole URI."""

MAX_SHARDS = 256
"""Mapped task instances of one task. Airflow's `max_map_length` is 1,024, and its scheduler
slows down well below that."""


class ConfigError(ValueError):
    """An option is out of bounds; the message names it and says what it may be."""


class Section(BaseModel):
    """A group of options, frozen, refusing names that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


ENVIRONMENT = "take it out: stores are told by the environment, as AWS_ACCESS_KEY_ID, who asks"
KEY = "take it out, and set C2C_VLLM_API_KEY to the server's key"


class Config(Section):
    """Every option of a run, by section. Option names are unique over all sections."""

    uris: ClassVar[dict[str, str]] = {}
    """Options that are URIs, and where a password goes instead."""

    @classmethod
    def sections(cls) -> dict[str, type[Section]]:
        """Return the section classes by name, in order."""
        return {
            name: field.annotation  # type: ignore[misc]
            for name, field in cls.model_fields.items()
        }

    @classmethod
    def from_flat(cls, options: dict[str, Any]) -> Self:
        """Return the config of flat options, as the trigger form gives them.

        An option that is None is left to its default.
        Raises ConfigError, naming every option that is unknown or out of bounds, or the first one
        that holds a password or token: options are published. Manifests may hold one, and are read
        all the same.
        """
        sections = {
            option: section
            for section, model in cls.sections().items()
            for option in model.model_fields
        }
        if unknown := sorted(set(options) - set(sections)):
            raise ConfigError(f"unknown option: {', '.join(unknown)}")
        nested: dict[str, dict[str, Any]] = {}
        for option, value in options.items():
            if value is None:
                continue
            nested.setdefault(sections[option], {})[option] = value
        try:
            config = cls.model_validate(nested)
        except ValidationError as error:
            raise ConfigError("; ".join(_explain(item) for item in error.errors())) from None
        for option, instead in cls.uris.items():
            value = getattr(getattr(config, sections[option]), option)
            if isinstance(value, dict):
                value = value.values()
            if any(map(names_a_user, [value] if isinstance(value, str) else value)):
                raise ConfigError(
                    f"option {option!r}: holds a user name or password, and options are published "
                    f"with the release; {instead}"
                )
        if "engine_arguments" in sections:
            section = getattr(config, sections["engine_arguments"])
            if "hf_token" in section.engine_arguments:
                raise ConfigError(
                    "option 'engine_arguments': holds hf_token, and options are published with the "
                    "release; set HF_TOKEN instead"
                )
        return config


def names_a_user(uri: str) -> bool:
    """Tell whether a URI holds a user name or password."""
    try:
        parts = urlsplit(uri)
        _ = parts.port  # what a password is read as that has a slash in it
    except ValueError:
        return "@" in uri
    return "@" in parts.netloc


def _explain(error: Any) -> str:
    _, *names = map(str, error["loc"]) if error["loc"] else ("",)
    if not names:
        return f"options: {error['msg'].removeprefix('Value error, ')}"
    return f"option {'.'.join(names)!r}: {error['msg'].lower()} (got {error['input']!r})"
