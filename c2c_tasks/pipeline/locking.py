"""Whose conditional writes the publishers of a target rely on: the store's, or the catalogue's."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Literal

from c2c_tasks.catalogue import Catalogue, CatalogueError
from c2c_tasks.config import catalogue_url
from c2c_tasks.publishing.conditions import STORE, Conditions, Locked, StillHeld
from c2c_tasks.store import StoreUnavailable

log = logging.getLogger(__name__)


def conditions_for(target: str, writes: Literal["store", "catalogue"]) -> Conditions:
    """Return what keeps publishers of a target apart, by the option `conditional_writes`.

    Raises CatalogueError where the catalogue is asked for and cannot be used.
    """
    if writes == "store":
        return STORE
    return Locked(partial(_locked, Catalogue(catalogue_url()), target))


@contextmanager
def _locked(catalogue: Catalogue, target: str) -> Iterator[StillHeld]:
    log.info("waiting for the lock of %s in the catalogue", target)
    try:
        with catalogue.locked(target) as still_held:
            yield still_held
    except CatalogueError as error:
        raise StoreUnavailable(f"{target}: its lock cannot be had, or was lost: {error}") from None
