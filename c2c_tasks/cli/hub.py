"""`c2c release push`: a release to the Hugging Face Hub."""

from __future__ import annotations

from typing import Annotated

import typer

from c2c_tasks.cli.release import Release, Target, app
from c2c_tasks.cli.running import one_line_errors


@app.command()
def push(
    release: Release,
    repository: Annotated[
        str, typer.Argument(metavar="REPOSITORY", help="A dataset on the Hub, organisation/name.")
    ],
    private: Annotated[
        bool,
        typer.Option("--private/--public", help="How the dataset is made where there is none yet."),
    ] = True,
    target: Target = "",
) -> None:
    """Push a release to the Hugging Face Hub, tagged with its version; the token is HF_TOKEN."""
    from c2c_tasks.consuming.finding import find_release
    from c2c_tasks.publishing.hub import push_release

    with one_line_errors():
        pushed = push_release(find_release(release, target).uri, repository, private=private)
    print(f'load_dataset("{repository}", "sft", revision="{pushed["version"]}")')
    if not pushed["latest"]:
        print("Its tag alone leads to it: main holds a newer release.")
