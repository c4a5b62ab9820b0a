"""`c2c release push`: a release to the Hugging Face Hub."""

from __future__ import annotations

from typing import Annotated

import typer

from c2c_tasks.cli.release import AsJson, Release, Target, app
from c2c_tasks.cli.running import one_line_errors, print_json


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
    as_json: AsJson = False,
) -> None:
    """Push a release to the Hugging Face Hub, tagged with its version; the token is HF_TOKEN."""
    from c2c_tasks.consuming.finding import find_release
    from c2c_tasks.publishing.hub import push_release
    from c2c_tasks.publishing.hub_metadata import default_config

    with one_line_errors():
        found = find_release(release, target)
        config = default_config(found.manifest)
        pushed = push_release(found.uri, repository, private=private)
    if as_json:
        print_json(pushed)
        return
    print(f'load_dataset("{repository}", "{config}", revision="{pushed["version"]}")')
    if not pushed["latest"]:
        print("Its tag alone leads to it: main holds a newer release.")
