"""`c2c`: inspect and consume what was published, from a shell."""

from __future__ import annotations

import typer

from c2c_tasks import __version__
from c2c_tasks.cli import catalogue, hub, release

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
app.add_typer(release.app, name="release")
release.app.command()(hub.push)
app.add_typer(catalogue.app, name="catalogue")


@app.command()
def version() -> None:
    """Print the version."""
    print(__version__)


def main() -> None:
    """Entry point of the `c2c` command."""
    app()


if __name__ == "__main__":
    main()
