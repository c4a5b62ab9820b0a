"""What every command does the same way: URIs as they are typed, errors in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from c2c_tasks.catalogue import Catalogue


@contextmanager
def one_line_errors() -> Iterator[None]:
    """End with one line that says what is wrong, and exit code 1."""
    from c2c_tasks.catalogue import CatalogueError
    from c2c_tasks.publishing.release import PublishError
    from c2c_tasks.store import StoreError

    try:
        yield
    except (CatalogueError, PublishError, StoreError) as error:
        raise SystemExit(f"c2c: {error}") from None


def typed_uri(uri: str) -> str | None:
    """Return a path or URI as typed, as a whole URI; None where nothing was typed."""
    from c2c_tasks.store import normalise

    return normalise(uri) if uri else None


def open_catalogue() -> Catalogue:
    """Return the catalogue of this deployment."""
    from c2c_tasks.catalogue import Catalogue
    from c2c_tasks.config import catalogue_url

    return Catalogue(catalogue_url())
