"""A release at a glance, in a terminal: its funnel, three samples, and how to load it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from c2c_tasks.consuming.copies import files_of, parts_in, parts_of
from c2c_tasks.consuming.finding import FoundRelease
from c2c_tasks.consuming.lines import lines_that_load
from c2c_tasks.consuming.listing import states_of
from c2c_tasks.consuming.printing import add, printable, say, show, size, table
from c2c_tasks.publishing.manifest import FunnelStage, Manifest, Writing
from c2c_tasks.publishing.previews import Preview, draw_previews
from c2c_tasks.records import SPLITS

MAX_LINES = 40
"""Lines of one text of a sample that are shown."""
MAX_PROBLEMS = 10


@dataclass(frozen=True, slots=True)
class Summary:
    """What a person wants to see of a release."""

    release: FoundRelease
    states: list[str]
    """What it is in its target: see `ListedRelease`."""
    previews: list[Preview]
    """Three samples; none of a release that was retired."""
    loading: list[str]
    """Lines that load it, or part of it; none of a release that was retired."""

    @property
    def manifest(self) -> Manifest:
        """What the release holds and how it was made."""
        return self.release.manifest


def summarise(release: FoundRelease) -> Summary:
    """Return the summary of a release."""
    manifest = release.manifest
    states = states_of(release)
    if release.tombstone:
        return Summary(release, states, [], [])
    parts = parts_in(release.uri, manifest)
    previews = draw_previews(release.uri, files_of(manifest, parts), seed=manifest.version)
    is_whole = parts == parts_of(manifest)
    return Summary(
        release, states, previews, lines_that_load(release.place, parts, is_whole=is_whole)
    )


def print_release(release: FoundRelease, console: Console) -> None:
    """Print the summary of a release; of one that was retired, what its manifest tells."""
    summary = summarise(release)
    manifest = summary.manifest
    _print_heading(summary, console)
    show(console, _funnel(manifest.funnel))
    for preview in summary.previews:
        _print_preview(preview, console)
    say(console)
    show(console, _splits(manifest))
    say(console)
    _print_remarks(manifest, console)
    for line in ["Load it with", *summary.loading] if summary.loading else []:
        say(console, line)


def _print_heading(summary: Summary, console: Console) -> None:
    manifest, release = summary.manifest, summary.release
    title = Text(printable(f"{manifest.dataset_name} {manifest.version}"), style="bold")
    console.print(title.append(f"  {', '.join(summary.states)}", style="not bold green"))
    facts = {
        "place": release.place,
        "adds to": manifest.parent or "nothing: built whole",
        "build": f"{manifest.build_id}, for {manifest.created_for}",
        "dump": f"{manifest.dump.uri}, {manifest.dump.objects:,} objects",
        "code": manifest.code_version,
        "files": f"{len(manifest.files):,}, {size(sum(entry.bytes for entry in manifest.files))}",
    }
    if release.tombstone:
        facts["files"] = "deleted"
        facts["retired"] = f"{release.tombstone.retired_at}: {release.tombstone.reason}"
    for name, value in facts.items():
        say(console, f"{name:<8} {value}")
    say(console)


def _funnel(funnel: Sequence[FunnelStage]) -> Table:
    made = table(
        ["stage", "unit", "rows in", "rows out", "dropped, by reason"],
        numbers=["rows in", "rows out"],
        title="Funnel",
    )
    for stage in funnel:
        reasons = sorted(stage.dropped.items(), key=lambda item: (-item[1], item[0]))
        dropped = ", ".join(f"{reason} {rows:,}" for reason, rows in reasons)
        add(made, stage.name, stage.unit, f"{stage.rows_in:,}", f"{stage.rows_out:,}", dropped)
    return made


def _splits(manifest: Manifest) -> Table:
    made = table(["config", *SPLITS], numbers=SPLITS, title="Rows")
    for config, rows in manifest.splits.items():
        add(made, config, *(f"{rows.get(split, 0):,}" for split in SPLITS))
    return made


def _print_preview(preview: Preview, console: Console) -> None:
    say(console)
    title = f"{preview.format} sample from {preview.origin}"
    say(console, title.replace("\n", " "), style="bold")
    for label, text in preview.parts:
        lines = printable(text).splitlines()
        say(console, f"  {label}:", style="cyan")
        shown = Text("\n".join(lines[:MAX_LINES]))
        show(console, Padding(shown, (0, 0, 0, 4), expand=False))
        if len(lines) > MAX_LINES:
            say(console, f"    … (lines more: {len(lines) - MAX_LINES})", style="dim")


def _print_remarks(manifest: Manifest, console: Console) -> None:
    if manifest.writing is not None:
        say(console, cost_of_writing(manifest.writing))
    for problem in manifest.problems[:MAX_PROBLEMS]:
        say(console, f"skipped: {problem}", style="yellow")
    if len(manifest.problems) > MAX_PROBLEMS:
        more = len(manifest.problems) - MAX_PROBLEMS
        say(console, f"… {more} more in manifest.json", style="yellow")
    if manifest.failed_shards:
        say(console, f"incomplete: {len(manifest.failed_shards)} shards failed", style="bold red")
    if manifest.sandboxes:
        say(
            console,
            f"functions ran in {len(manifest.sandboxes)} different sandboxes: `sandboxes` in "
            "manifest.json",
            style="yellow",
        )
    if manifest.sandbox.launcher not in ("docker", None):
        say(
            console,
            "no container: functions ran in child processes with limits, which is fit for "
            "trusted dumps alone",
            style="yellow",
        )


def cost_of_writing(writing: Writing) -> str:
    """Return a line that tells what inputs cost, in all and for each program."""
    cost = f", cost {writing.cost_per_program:,.6f}" if writing.cost else ""
    return (
        f"inputs written with {writing.prompt_tokens:,} prompt and {writing.completion_tokens:,} "
        f"completion tokens in {writing.seconds:,.0f} s; for each program of the build: "
        f"{writing.tokens_per_program:,.0f} tokens, {writing.seconds_per_program:.3f} s{cost}"
    )
