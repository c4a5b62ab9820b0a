"""`c2c catalogue`: what was built and published, in SQL."""

from __future__ import annotations

from typing import Annotated

import typer

from c2c_tasks.cli.running import one_line_errors, open_catalogue, typed_uri

app = typer.Typer(no_args_is_help=True, help="What was built and published, in SQL.")


@app.command()
def builds(
    target: Annotated[str, typer.Argument(help="A target, path or URI. Empty: all.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="Builds that are listed.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="JSON Lines.")] = False,
) -> None:
    """List builds, the latest first: state, date, duration, release."""
    from c2c_tasks.catalogue import listing

    with one_line_errors():
        listing.print_builds(open_catalogue(), typed_uri(target), limit=limit, as_json=as_json)


@app.command()
def releases(
    target: Annotated[str, typer.Argument(help="A target, path or URI. Empty: all.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="JSON Lines.")] = False,
) -> None:
    """List releases, with what they add to and their rows."""
    from c2c_tasks.catalogue import listing

    with one_line_errors():
        listing.print_releases(open_catalogue(), typed_uri(target), as_json=as_json)


@app.command()
def rebuild(
    target: Annotated[str, typer.Argument(help="A target, path or URI.")] = "",
) -> None:
    """Enter the releases of a target anew, from their manifests."""
    from c2c_tasks.config import default_target
    from c2c_tasks.pipeline import indexing

    with one_line_errors():
        catalogue = open_catalogue()
        place = typed_uri(target) or default_target()
        found = indexing.rebuild(catalogue, place)
    print(f"{catalogue.name}: {len(found)} releases of {place} entered from their manifests.")
    print(
        "What releases do not tell stays as it was known: builds that published nothing, when "
        "builds ran, step reports. Objects that held nothing new are read again by the next build."
    )
