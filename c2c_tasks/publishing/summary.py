"""A release at a glance, in a terminal: its funnel, three samples, and how to load it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from c2c_tasks.publishing.manifest import FunnelStage, Manifest, Writing, read_manifest
from c2c_tasks.publishing.pointer import read_pointer
from c2c_tasks.publishing.previews import Preview, draw_previews
from c2c_tasks.publishing.release import PublishError, release_uri
from c2c_tasks.store import ObjectNotFound, file_path

MAX_LINES = 40
"""Lines of one text of a sample that are shown."""
MAX_PROBLEMS = 10


@dataclass(frozen=True, slots=True)
class Summary:
    """What a person wants to see of a release."""

    uri: str
    manifest: Manifest
    previews: list[Preview]

    @property
    def place(self) -> str:
        """Where the release is: a path, or a URI where it is not on this machine."""
        return str(file_path(self.uri)) if self.uri.startswith("file:") else self.uri

    @property
    def loading(self) -> list[str]:
        """Two lines of Python that load the release, or part of it."""
        config = next((p.format for p in self.previews), "programs")
        if self.uri.startswith("file:"):
            return [
                "from datasets import load_dataset",
                f'dataset = load_dataset("{self.place}", "{config}", split="train")',
            ]
        return [
            "import pyarrow.dataset",
            f'table = pyarrow.dataset.dataset("{self.place}/{config}").to_table()',
        ]


def summarise(uri: str) -> Summary:
    """Return the summary of a release, or of the latest release of a target.

    Raises PublishError where there is neither.
    """
    try:
        release, manifest = uri, read_manifest(uri)
    except ObjectNotFound:
        pointer = read_pointer(uri)
        if pointer is None:
            raise PublishError(
                f"{uri}: nothing is published here; give a target or a release"
            ) from None
        # The target may have been copied since: the pointer's own URI is where it was made.
        release = release_uri(uri, pointer.version)
        manifest = read_manifest(release)
    previews = draw_previews(release, manifest.files, seed=manifest.version)
    return Summary(release, manifest, previews)


def print_summary(uri: str, console: Console) -> None:
    """Print the summary of a release, or of the latest release of a target."""
    summary = summarise(uri)
    manifest = summary.manifest
    console.print(_funnel(manifest.funnel))
    for preview in summary.previews:
        console.print(_panel(preview))
    console.print(_splits(manifest))
    if manifest.writing is not None:
        console.print(cost_of_writing(manifest.writing))
    _print_problems(manifest.problems, console)
    if manifest.failed_shards:
        console.print(f"incomplete: {len(manifest.failed_shards)} shards failed", style="bold red")
    if manifest.sandboxes:
        console.print(
            f"functions ran in {len(manifest.sandboxes)} different sandboxes: `sandboxes` in "
            "manifest.json",
            style="yellow",
        )
    if manifest.sandbox.launcher != "docker":
        console.print(
            "no container: functions ran in child processes with limits, which is fit for "
            "trusted dumps alone",
            style="yellow",
        )
    console.print()
    for line in (f"Release {manifest.version}: {summary.place}", "Load it with", *summary.loading):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _funnel(funnel: Sequence[FunnelStage]) -> Table:
    table = Table(title="Funnel", title_justify="left", title_style="bold")
    table.add_column("stage")
    table.add_column("unit")
    table.add_column("rows in", justify="right")
    table.add_column("rows out", justify="right")
    table.add_column("dropped, by reason")
    for stage in funnel:
        reasons = sorted(stage.dropped.items(), key=lambda item: (-item[1], item[0]))
        dropped = Text(", ".join(f"{reason} {rows:,}" for reason, rows in reasons))
        table.add_row(stage.name, stage.unit, f"{stage.rows_in:,}", f"{stage.rows_out:,}", dropped)
    return table


def cost_of_writing(writing: Writing) -> str:
    """Return a line that tells what inputs cost, in all and for each program."""
    cost = f", cost {writing.cost_per_program:,.6f}" if writing.cost else ""
    return (
        f"inputs written with {writing.prompt_tokens:,} prompt and {writing.completion_tokens:,} "
        f"completion tokens in {writing.seconds:,.0f} s; for each program of the build: "
        f"{writing.tokens_per_program:,.0f} tokens, {writing.seconds_per_program:.3f} s{cost}"
    )


def _print_problems(problems: Sequence[str], console: Console) -> None:
    for problem in problems[:MAX_PROBLEMS]:
        console.print(Text(f"skipped: {problem}", style="yellow"))
    if len(problems) > MAX_PROBLEMS:
        console.print(f"… {len(problems) - MAX_PROBLEMS} more in manifest.json", style="yellow")


def _splits(manifest: Manifest) -> Table:
    table = Table(title="Rows", title_justify="left", title_style="bold")
    table.add_column("config")
    for split in ("train", "validation", "test"):
        table.add_column(split, justify="right")
    for config, rows in manifest.splits.items():
        table.add_row(
            config, *(f"{rows.get(split, 0):,}" for split in ("train", "validation", "test"))
        )
    return table


def _panel(preview: Preview) -> Panel:
    texts: list[Text] = []
    for label, text in preview.parts:
        lines = text.splitlines()
        texts.append(Text(f"{label}:", style="bold cyan"))
        texts.append(Text("\n".join(lines[:MAX_LINES])))
        if len(lines) > MAX_LINES:
            texts.append(Text(f"… {len(lines) - MAX_LINES} more lines", style="dim"))
    title = Text(f"{preview.format} sample from {preview.origin}")
    return Panel(Group(*texts), title=title, title_align="left")
