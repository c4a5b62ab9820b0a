"""`c2c`: look into what was published, from a shell."""

from __future__ import annotations

from typing import Annotated

import typer

from c2c_tasks import __version__

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)


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
    from c2c_tasks.publishing.release import PublishError
    from c2c_tasks.publishing.summary import print_summary
    from c2c_tasks.store import StoreError, normalise

    try:
        print_summary(normalise(uri) if uri else default_target(), Console())
    except (PublishError, StoreError) as error:
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
