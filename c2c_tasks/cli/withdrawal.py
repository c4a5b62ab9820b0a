"""`c2c release pin`, `unpin`, `rollback`, `retire`: what is kept, and what is taken back."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from c2c_tasks.cli.release import AsJson, Release, Target, app
from c2c_tasks.cli.running import one_line_errors, print_json

if TYPE_CHECKING:
    from c2c_tasks.publishing.conditions import Conditions


class Writes(StrEnum):
    """Values of the option of builds that is called the same."""

    store = "store"
    catalogue = "catalogue"


ConditionalWrites = Annotated[
    Writes,
    typer.Option(help="As the builds of the target have it: who keeps two writers apart."),
]


@app.command()
def pin(
    release: Release,
    target: Target = "",
    reason: Annotated[str, typer.Option(help="Why it is kept, for whoever asks.")] = "",
    conditional_writes: ConditionalWrites = Writes.store,
    as_json: AsJson = False,
) -> None:
    """Keep a release: it is not retired, by retention or by hand, until it is unpinned."""
    from c2c_tasks.publishing import pins

    with _found(release, target, conditional_writes) as (place, version, conditions):
        pointer = pins.pin(place, version, reason, conditions)
    _tell(f"{version} is pinned", pointer.pinned, as_json)


@app.command()
def unpin(
    release: Release,
    target: Target = "",
    conditional_writes: ConditionalWrites = Writes.store,
    as_json: AsJson = False,
) -> None:
    """Take the pin of a release back: retention may retire it."""
    from c2c_tasks.publishing import pins

    with _found(release, target, conditional_writes) as (place, version, conditions):
        pointer = pins.unpin(place, version, conditions)
    _tell(f"{version} is not pinned", pointer.pinned, as_json)


@app.command()
def rollback(
    release: Release,
    target: Target = "",
    conditional_writes: ConditionalWrites = Writes.store,
    as_json: AsJson = False,
) -> None:
    """Make an older release the latest again.

    The ones after it are withdrawn: their files stay, no publisher points to them again, and the
    next build adds to this one. One that was withdrawn may be gone back to in the same way.
    """
    from c2c_tasks.publishing.withdrawal import roll_back

    with _found(release, target, conditional_writes) as (place, version, conditions):
        pointer = roll_back(place, version, conditions)
    if as_json:
        print_json(pointer.model_dump(mode="json"))
        return
    print(f"{place}: the latest release is {pointer.version}")
    print(f"withdrawn: {', '.join(pointer.withdrawn) or 'none'}")


@app.command()
def retire(
    release: Release,
    reason: Annotated[str, typer.Option(help="Why it goes; it stays to be read in its tombstone.")],
    target: Target = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    conditional_writes: ConditionalWrites = Writes.store,
    as_json: AsJson = False,
) -> None:
    """Delete the files of a release for good; its manifest and a tombstone stay.

    Not of the latest one, nor of one that is pinned. Releases that carry the same rows are not
    touched: see docs/retention.md.
    """
    from c2c_tasks.consuming.printing import printable
    from c2c_tasks.publishing.withdrawal import retire as retire_release

    if not reason.strip():
        raise typer.BadParameter("must say something", param_hint="--reason")
    with _found(release, target, conditional_writes) as (place, version, conditions):
        if not yes:
            typer.confirm(
                f"Delete the files of {version} of {place} for good?", abort=True, err=True
            )
        retired = retire_release(place, version, reason, conditions)
    if as_json:
        print_json(dataclasses.asdict(retired))
        return
    print(f"{place}: {version} is retired: {printable(retired.reason)}")
    print(f"{retired.files} files deleted, {retired.bytes / 1e6:.1f} MB")


@contextmanager
def _found(release: str, target: str, writes: Writes) -> Iterator[tuple[str, str, Conditions]]:
    """Give the target and version of a release, and how to write there; errors in one line."""
    from c2c_tasks.consuming.finding import find_release
    from c2c_tasks.pipeline.locking import conditions_for
    from c2c_tasks.publishing.probing import check_target
    from c2c_tasks.publishing.release import PublishError

    with one_line_errors():
        found = find_release(release, target, or_retired=True)
        if found.target is None:
            raise PublishError(f"{found.place}: a copy, which lies in no target")
        conditions = conditions_for(found.target, writes.value)
        check_target(found.target, conditions)
        yield found.target, found.uri.rpartition("/")[2], conditions


def _tell(what: str, pinned: dict[str, str], as_json: bool) -> None:
    from c2c_tasks.consuming.printing import printable

    if as_json:
        print_json({"pinned": pinned})
        return
    print(what)
    reasons = (f"{name} ({why})" if why else name for name, why in pinned.items())
    print(f"pinned: {printable(', '.join(reasons)) or 'none'}")
