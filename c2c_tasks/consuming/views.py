"""Lists, differences and verifications, as people read them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from c2c_tasks.consuming.comparing import Difference
from c2c_tasks.consuming.lines import lines_that_load
from c2c_tasks.consuming.listing import ListedRelease
from c2c_tasks.consuming.printing import add, printable, rows, say, show, size, table
from c2c_tasks.consuming.program_changes import CHANGES
from c2c_tasks.consuming.pulling import Pulled
from c2c_tasks.consuming.verifying import Verification

REASONS = {
    "source_new": "from a dump object that is new",
    "source_gone": "its dump object is gone",
    "source_changed": "its dump object has changed",
    "taken_now": "in an object that is as it was: options, lists or code let it in",
    "not_taken": "in an object that is as it was: options, lists or code keep it out",
    "unfit": "found, but did not pass once it was run",
    "was_unfit": "found before, too, but did not pass once it was run",
    "pending": "not run: its shard failed; the next build runs it",
    "was_pending": "was not run before: its shard had failed",
    "not_told": "not told: there is no ledger at hand",
}
"""What reasons mean; those that are not here say it themselves (`near_duplicate`)."""
STATE_STYLES = {"latest": "green", "retired": "dim", "incomplete": "yellow", "unreadable": "red"}
OUTCOMES = {"ok": "green", "fault": "bold red", "not checked": "yellow"}
SHORT = 60
"""Characters of an option's value that are shown."""


def print_list(releases: Sequence[ListedRelease], target: str, console: Console) -> None:
    """Print releases as a table; in a narrow terminal without its last columns."""
    if not releases:
        say(console, f"no release in {target}")
        return
    columns = {
        "version": [release.version for release in releases],
        "state": [", ".join(release.states) for release in releases],
        "programs": [rows(release.programs) for release in releases],
        "samples": [rows(release.samples) for release in releases],
        "size": [size(release.bytes) if release.bytes else "" for release in releases],
        "date": [release.date or "" for release in releases],
        "adds to": [release.parent or "" for release in releases],
        "build": [release.build or "" for release in releases],
        "note": [release.note for release in releases],
    }
    columns = {name: cells for name, cells in columns.items() if any(cells)}
    widths = {name: max(map(len, [name, *cells])) + 2 for name, cells in columns.items()}
    while len(columns) > 2 and sum(widths[name] for name in columns) > console.width:
        columns.popitem()
    made = table(list(columns), numbers=["programs", "samples", "size"])
    for cells in zip(*columns.values(), strict=True):
        style = next((STATE_STYLES[s] for s in cells[1].split(", ") if s in STATE_STYLES), "")
        add(made, cells[0], Text(cells[1], style=style), *cells[2:])
    show(console, made)


def print_verification(found: Verification, console: Console) -> None:
    """Print what was checked, then each fault, then a line that sums it up."""
    say(console, f"{found.version or 'no release'}  {found.uri}", style="bold")
    made = table(["outcome", "property", "examined", ""], numbers=["examined"])
    for check in found.checks:
        add(
            made,
            Text(check.outcome, style=OUTCOMES[check.outcome]),
            check.name,
            rows(check.examined),
            check.not_checked or "",
        )
    show(console, made)
    for fault in found.faults:
        say(console, f"{fault.path}: {fault.message}", style="red")
    if not found.faults:
        say(console, f"sound: {size(found.bytes)} read", style="green")
        return
    files = len({fault.path for fault in found.faults})
    say(console, f"NOT sound: {len(found.faults)} faults in {files} files", style="bold red")


def print_difference(found: Difference, console: Console) -> None:
    """Print how two releases differ: programs and why, then what was made otherwise."""
    say(console, f"{found.before} → {found.after}", style="bold")
    if found.before != found.after:
        lineage = "adds to" if found.adds_to_it else "does not directly add to"
        say(console, f"{found.after} {lineage} {found.before}")
    programs = found.programs
    say(console, f"programs: {programs['before']:,} → {programs['after']:,}")
    made = table(["", "programs", "reason"], numbers=["programs"])
    for change in CHANGES:
        add(made, Text(change, style="bold"), rows(programs[change]), "")
        for reason, count in found.why[change].items():
            said = f"{reason}: {REASONS[reason]}" if reason in REASONS else reason
            add(made, "", rows(count), said)
    add(made, Text("same", style="bold"), rows(programs["same"]), "")
    show(console, made)
    if found.carried_over:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in found.carried_over.items())
        say(console, f"left by the build of {found.after}: {reasons}")
    objects = ", ".join(f"{found.dump_objects[change]:,} {change}" for change in CHANGES)
    say(console, f"dump objects: {objects}")
    _print_pairs("rows", found.rows, console)
    _print_pairs("options", found.options, console)
    _print_pairs("made with", found.circumstances, console)
    if found.details:
        _print_details(found, console)


def print_pulled(pulled: Pulled, console: Console) -> None:
    """Print what a pull did, and how to load what it made."""
    place = str(pulled.folder.absolute())
    what = "all of it" if pulled.is_all else f"a part: {', '.join(pulled.parts)}"
    say(console, f"{pulled.version} in {pulled.folder}: {what}")
    say(
        console,
        f"{pulled.fetched:,} of {pulled.files:,} files fetched ({size(pulled.bytes)}), "
        "each compared with its SHA-256",
    )
    lines = lines_that_load(place, pulled.parts, is_whole=pulled.is_all)
    for line in ["Load it with", *lines] if lines else []:
        say(console, line)


def _print_pairs(name: str, pairs: Mapping[str, tuple[Any, Any]], console: Console) -> None:
    if not pairs:
        return
    say(console)
    made = table([name, "before", "after"])
    for key, (before, after) in pairs.items():
        add(made, key, _short(before), _short(after))
    show(console, made)


def _print_details(found: Difference, console: Console) -> None:
    """Print a line for each program: a table would break function ids, which are to be copied."""
    say(console)
    for item in found.details:
        why = ", ".join(item.why) + (f" of {item.leader}" if item.leader else "")
        program = f"{item.change:<7}  {item.function_id}  {item.entry_point}"
        say(console, f"{program}  {item.origin}  {why}".replace("\n", " "))


def _short(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    text = printable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    return text if len(text) <= SHORT else f"{text[:SHORT]}…"
