"""`c2c evaluation`: what evaluations have found, and which model is best at the same problems."""

from __future__ import annotations

from typing import Annotated

import typer

from c2c_tasks.cli.running import one_line_errors, print_json, typed_uri

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="What evaluations have found, and who is best.",
)
Target = Annotated[
    str,
    typer.Argument(envvar="C2C_TARGET", help="Where releases and reports are: a path or URI."),
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON, for machines.")]


@app.command("list")
def list_(target: Target = "", as_json: AsJson = False) -> None:
    """List evaluations as leaderboards: one for each set of problems, the best first."""
    from c2c_tasks.cli.evaluation_tables import board_rows, print_boards
    from c2c_tasks.config import default_target
    from c2c_tasks.consuming.printing import console
    from c2c_tasks.evaluation.leaderboard import leaderboard, list_evaluations

    with one_line_errors():
        place = typed_uri(target) or default_target()
        listed = list_evaluations(place)
    boards = leaderboard(listed)
    if as_json:
        print_json(board_rows(boards))
    else:
        print_boards(boards, [one for one in listed if one.result is None], place, console())


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="Of the evaluation, or how it begins.")],
    target: Annotated[
        str,
        typer.Option("--target", envvar="C2C_TARGET", help="Where reports are: a path or URI."),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Show an evaluation: pass@k, what came of the answers, and where the report is."""
    from c2c_tasks.cli.evaluation_tables import print_evaluation
    from c2c_tasks.config import default_target
    from c2c_tasks.consuming.printing import console
    from c2c_tasks.evaluation.leaderboard import list_evaluations
    from c2c_tasks.evaluation.results import evaluation_uri
    from c2c_tasks.pipeline import EvaluationError

    with one_line_errors(EvaluationError):
        place = typed_uri(target) or default_target()
        listed = list_evaluations(place)
        found = [one for one in listed if one.name == name] or [
            one for one in listed if one.name.startswith(name)
        ]
        if len(found) != 1:
            there = ", ".join(one.name for one in (found or listed)[:5]) or "none"
            which = "several evaluations" if found else "no evaluation"
            raise EvaluationError(f"{place}: {which} of the name {name}; there are: {there}")
        (one,) = found
        uri = evaluation_uri(place, one.problem_set, one.name)
        if one.result is None:
            raise EvaluationError(f"{uri}: {one.fault}")
    if as_json:
        print_json({"uri": uri, **one.result.model_dump(mode="json", exclude_none=True)})
    else:
        print_evaluation(one.result, uri, console())
