"""`c2c`: look into what was published, from a shell."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from c2c_tasks import __version__

if TYPE_CHECKING:
    from c2c_tasks.catalogue import Catalogue

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
catalogue_app = typer.Typer(no_args_is_help=True, help="What was built and published, in SQL.")
app.add_typer(catalogue_app, name="catalogue")


@app.command()
def show(
    uri: Annotated[
        str,
        typer.Argument(help="A target (its latest release is shown) or a release, path or URI."),
    ] = "",
) -> None:
    """Show a release: its funnel, three samples, and how to load it."""
    from rich.console import Console

    from c2c_tasks.config import default_target
    from c2c_tasks.publishing.summary import print_summary

    with _one_line_errors():
        print_summary(_target(uri) or default_target(), Console())


@catalogue_app.command()
def builds(
    target: Annotated[str, typer.Argument(help="A target, path or URI. Empty: all.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="Builds that are listed.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="JSON Lines.")] = False,
) -> None:
    """List builds, the latest first: state, date, duration, release."""
    from c2c_tasks.catalogue import listing

    with _one_line_errors():
        catalogue = _catalogue()
        listing.print_builds(catalogue, _target(target), limit=limit, as_json=as_json)


@catalogue_app.command()
def releases(
    target: Annotated[str, typer.Argument(help="A target, path or URI. Empty: all.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="JSON Lines.")] = False,
) -> None:
    """List releases, with what they add to and their rows."""
    from c2c_tasks.catalogue import listing

    with _one_line_errors():
        listing.print_releases(_catalogue(), _target(target), as_json=as_json)


@catalogue_app.command()
def rebuild(
    target: Annotated[str, typer.Argument(help="A target, path or URI.")] = "",
) -> None:
    """Enter the releases of a target anew, from their manifests."""
    from c2c_tasks.config import default_target
    from c2c_tasks.pipeline import indexing

    with _one_line_errors():
        catalogue = _catalogue()
        place = _target(target) or default_target()
        found = indexing.rebuild(catalogue, place)
    print(f"{catalogue.name}: {len(found)} releases of {place} entered from their manifests.")
    print(
        "What releases do not tell stays as it was known: builds that published nothing, when "
        "builds ran, step reports. Objects that held nothing new are read again by the next build."
    )


def _target(uri: str) -> str | None:
    from c2c_tasks.store import normalise

    return normalise(uri) if uri else None


def _catalogue() -> Catalogue:
    from c2c_tasks.catalogue import Catalogue
    from c2c_tasks.config import catalogue_url

    return Catalogue(catalogue_url())


@contextmanager
def _one_line_errors() -> Iterator[None]:
    """End with one line that says what is wrong."""
    from c2c_tasks.catalogue import CatalogueError
    from c2c_tasks.publishing.release import PublishError
    from c2c_tasks.store import StoreError

    try:
        yield
    except (CatalogueError, PublishError, StoreError) as error:
        raise SystemExit(f"c2c: {error}") from None


@app.command()
def version() -> None:
    """Print the version."""
    print(__version__)


def main() -> None:
    """Entry point of the `c2c` command."""
    app()


if __name__ == "__main__":
    main()
