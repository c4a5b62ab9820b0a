"""`c2c`: inspect, consume and evaluate on what was published, from a shell.

Data goes to standard output, all else to standard error. Exit codes: 0 done; 1 it could not be
done, and a line says why; 2 wrong use; 3 `release verify` found faults; 130 interrupted.
"""

from __future__ import annotations

import typer

from c2c_tasks import __version__

# Two of these are imported for the commands that they add to `release`.
from c2c_tasks.cli import catalogue, evaluate, evaluation, hub, release, withdrawal  # noqa: F401
from c2c_tasks.cli.ablate import ablate
from c2c_tasks.cli.export import export
from c2c_tasks.cli.running import quiet_ends, show_what_cannot_be_encoded

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help=__doc__,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(release.app, name="release")
app.add_typer(catalogue.app, name="catalogue")
app.add_typer(evaluation.app, name="evaluation")
app.command("evaluate")(evaluate.evaluate)
app.command()(ablate)
app.command()(export)


@app.command()
def version() -> None:
    """Print the version."""
    print(__version__)


def main() -> None:
    """Entry point of the `c2c` command."""
    show_what_cannot_be_encoded()
    with quiet_ends():
        app()
