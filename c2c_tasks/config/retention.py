"""Options of maintenance."""

from __future__ import annotations

import os
from typing import Literal

from pydantic import Field

from c2c_tasks.config.places import default_target
from c2c_tasks.config.sections import ConfigError, Section, Uri


class RetentionOptions(Section):
    """What maintenance keeps of releases and of the work areas of builds."""

    target: Uri = Field(
        default_factory=default_target,
        description="Where releases are published: a folder, `file://` or `s3://`.",
        min_length=1,
        examples=["s3://bucket/case2code", "/data/case2code"],
    )
    keep_releases: int = Field(
        default_factory=lambda: _number("C2C_KEEP_RELEASES", "0"),
        ge=0,
        description="Releases that are kept, the latest ones; those that are pinned and the one "
        "that the pointer names are kept besides. Others are retired. 0: all are kept.",
    )
    keep_failed_days: int = Field(
        default_factory=lambda: _number("C2C_KEEP_FAILED_DAYS", "14"),
        ge=1,
        description="Days that the work area and the staged files of a build are kept which has "
        "failed, or does not say that it has ended.",
    )
    retention_dry_run: bool = Field(
        default_factory=lambda: _retention_is_dry(),
        description="Name and count what retention would remove, and remove nothing.",
    )
    conditional_writes: Literal["store", "catalogue"] = Field(
        "store", description="As for builds: who keeps two writers of the pointer apart."
    )


def _number(variable: str, default: str) -> int:
    value = os.environ.get(variable, default)
    if not value.isdecimal():
        raise ConfigError(f"{variable}={value!r}: must be a whole number")
    return int(value)


def _retention_is_dry() -> bool:
    value = os.environ.get("C2C_RETENTION", "dry-run")
    if value not in ("dry-run", "apply"):
        raise ConfigError(f"C2C_RETENTION={value!r}: must be dry-run or apply")
    return value == "dry-run"
