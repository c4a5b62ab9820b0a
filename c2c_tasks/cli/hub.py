"""`c2c release push`: a release to the Hugging Face Hub."""

from __future__ import annotations

from typing import Annotated

import typer

from c2c_tasks.cli.running import one_line_errors


def push(
    release: Annotated[str, typer.Argument(help="A release, path or URI.")],
    repository: Annotated[str, typer.Argument(help="A dataset on the Hub, organisation/name.")],
    private: Annotated[
        bool,
        typer.Option("--private/--public", help="How the dataset is made where there is none yet."),
    ] = True,
) -> None:
    """Push a release to the Hugging Face Hub, tagged with its version; the token is HF_TOKEN."""
    from c2c_tasks.publishing.hub import push_release
    from c2c_tasks.store import normalise

    with one_line_errors():
        pushed = push_release(normalise(release), repository, private=private)
    print(f'load_dataset("{repository}", "sft", revision="{pushed["version"]}")')
    if not pushed["latest"]:
        print("Its tag alone leads to it: main holds a newer release.")
