"""`c2c release`: look into what was published, check it, fetch it."""

from __future__ import annotations

from typing import Annotated

import typer

from c2c_tasks.cli.running import one_line_errors, typed_uri

app = typer.Typer(no_args_is_help=True, help="Releases: look into them, check and fetch them.")


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

    with one_line_errors():
        print_summary(typed_uri(uri) or default_target(), Console())
