"""`c2c release`: look into what was published, compare it, check it, fetch it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer

from c2c_tasks.cli.running import FAULTS, one_line_errors, print_json, progress, typed_uri

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Releases: look into them, compare, check and fetch them.\n\n"
    "RELEASE is a version (2026.11.24-1), `latest`, or the path or URI of a release or of a "
    "target, whose latest one it then is. --target says where versions are looked up.",
)

Release = Annotated[
    str, typer.Argument(metavar="RELEASE", help="A version, `latest`, or a path or URI.")
]
Target = Annotated[
    str,
    typer.Option(
        "--target",
        envvar="C2C_TARGET",
        help="Where versions and `latest` are looked up: a path or URI.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON, for machines.")]


@app.command("list")
def list_(
    target: Target = "",
    as_json: Annotated[bool, typer.Option("--json", help="JSON Lines, for machines.")] = False,
) -> None:
    """List the releases of a target, newest first.

    States: latest, pinned, withdrawn (a rollback left it), retired, incomplete (no manifest),
    unreadable.
    """
    from c2c_tasks.config import default_target
    from c2c_tasks.consuming.listing import list_releases
    from c2c_tasks.consuming.printing import console
    from c2c_tasks.consuming.views import print_list

    with one_line_errors():
        place = typed_uri(target) or default_target()
        releases = list_releases(place)
    if as_json:
        for release in releases:
            print(json.dumps(dataclasses.asdict(release)))
    else:
        print_list(releases, place, console())


@app.command()
def show(release: Release = "latest", target: Target = "", as_json: AsJson = False) -> None:
    """Show a release: where it is from, its funnel, three samples, and how to load it.

    Of a retired release, what its manifest tells.
    """
    from c2c_tasks.consuming.finding import find_release
    from c2c_tasks.consuming.listing import states_of
    from c2c_tasks.consuming.printing import console
    from c2c_tasks.consuming.summary import print_release

    with one_line_errors():
        found = find_release(release, target, or_retired=True)
        if as_json:
            manifest = found.manifest.model_dump(mode="json")
            print_json({"uri": found.uri, "states": states_of(found), "manifest": manifest})
        else:
            print_release(found, console())


@app.command()
def diff(
    before: Release,
    after: Release,
    target: Target = "",
    details: Annotated[
        bool, typer.Option("--details", help="Name the programs, the first of each change.")
    ] = False,
    limit: Annotated[
        int, typer.Option(min=1, help="Programs of each change that --details names.")
    ] = 20,
    why: Annotated[
        bool, typer.Option("--why/--no-why", help="Read the ledgers, which tell why; large.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Compare two releases: programs added, removed and changed, and why.

    Programs are told apart by function id. A program has changed where any column has.
    """
    from c2c_tasks.consuming.comparing import compare
    from c2c_tasks.consuming.finding import find_release
    from c2c_tasks.consuming.printing import console
    from c2c_tasks.consuming.views import print_difference

    with one_line_errors():
        found = compare(
            find_release(before, target),
            find_release(after, target),
            details=limit if details else 0,
            why=why,
        )
    if as_json:
        print_json(dataclasses.asdict(found))
    else:
        print_difference(found, console())


@app.command()
def verify(release: Release, target: Target = "", as_json: AsJson = False) -> None:
    """Check every byte of a release, or of a copy of one, against its manifest.

    Exit code 3 where there are faults, each of which names its file. What cannot be checked, as
    the ledger of a copy that lies in no target, is listed as not checked.
    """
    from c2c_tasks.consuming.finding import find_release
    from c2c_tasks.consuming.printing import console
    from c2c_tasks.consuming.verifying import verify as verify_release
    from c2c_tasks.consuming.views import print_verification

    with one_line_errors(), progress("verify") as meter:
        found = verify_release(find_release(release, target), meter)
    if as_json:
        checks = [{"outcome": check.outcome, **dataclasses.asdict(check)} for check in found.checks]
        print_json({"sound": not found.faults, **dataclasses.asdict(found), "checks": checks})
    else:
        print_verification(found, console())
    if found.faults:
        raise typer.Exit(FAULTS)


@app.command()
def pull(
    release: Release,
    folder: Annotated[str, typer.Argument(help="Folder of the copy: new, empty, or begun.")],
    target: Target = "",
    config: Annotated[
        list[str] | None,
        typer.Option("--config", help="Only this config, as `sft`; may be given several times."),
    ] = None,
    split: Annotated[
        list[str] | None,
        typer.Option("--split", help="Only this split, as `train`; may be given several times."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Copy a release into a folder; each file is compared with its SHA-256.

    Run again after anything that has ended it, it goes on where it was. The manifest comes last:
    a copy that is not complete is no release.
    """
    from c2c_tasks.consuming.finding import find_release
    from c2c_tasks.consuming.printing import console
    from c2c_tasks.consuming.pulling import pull as pull_release
    from c2c_tasks.consuming.views import print_pulled

    if "://" in folder:
        raise typer.BadParameter(f"{folder}: a path is wanted, not a URI", param_hint="FOLDER")
    with one_line_errors(), progress("pull") as meter:
        pulled = pull_release(
            find_release(release, target),
            Path(folder),
            configs=config or (),
            splits=split or (),
            meter=meter,
        )
    if as_json:
        print_json(dataclasses.asdict(pulled) | {"folder": str(pulled.folder)})
    else:
        print_pulled(pulled, console())
