"""The tombstone of a retired release: its data is gone, what it was stays known."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, ValidationError

from c2c_tasks.publishing.release import TOMBSTONE
from c2c_tasks.store import ObjectNotFound, StoreError, read


class Tombstone(BaseModel):
    """What ``retired.json`` says."""

    model_config = ConfigDict(frozen=True)

    version: str
    reason: str
    retired_at: str
    """UTC, ISO 8601."""


def read_tombstone(release: str) -> Tombstone | None:
    """Return the tombstone of the release at a URI, or None where it is not retired."""
    uri = f"{release}/{TOMBSTONE}"
    try:
        return Tombstone.model_validate_json(read(uri))
    except ObjectNotFound:
        return None
    except ValidationError as error:
        raise StoreError(f"{uri}: not a tombstone: {error.errors()[0]['msg'].lower()}") from None
