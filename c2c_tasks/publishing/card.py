"""The dataset card: README.md of a release, as the Hugging Face Hub and a person read it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

import pyarrow as pa

from c2c_tasks.publishing import markdown
from c2c_tasks.publishing.audit import AuditReport
from c2c_tasks.publishing.changes import changes_since
from c2c_tasks.publishing.citation import PAPER, citation
from c2c_tasks.publishing.columns import columns_of
from c2c_tasks.publishing.facts import pythons
from c2c_tasks.publishing.hub_metadata import default_config, front_matter, ordered_configs
from c2c_tasks.publishing.manifest import Manifest
from c2c_tasks.publishing.pages import environment
from c2c_tasks.publishing.plots import PLOTS, rounded
from c2c_tasks.publishing.previews import Preview
from c2c_tasks.publishing.reasons import stage_in_words
from c2c_tasks.publishing.release import release_uri
from c2c_tasks.publishing.statistics import Statistics
from c2c_tasks.publishing.surroundings import (
    differences_in_words,
    sandbox_in_words,
    writer_in_words,
)
from c2c_tasks.publishing.tokens import TOKENIZER

if TYPE_CHECKING:
    from jinja2 import Environment

CARD = "README.md"
SAMPLES = 10
"""Samples that a card shows."""
_TOP_REPOSITORIES = 10
_TOP_LICENCES = 30
_PREVIEW_CHARACTERS = 6_000
_PREVIEW_LINE = 400
_MUCH = 0.2
"""Share of programs past which a card names the repository that they come from as a limit."""


def render_card(
    manifest: Manifest,
    statistics: Statistics,
    previews: Sequence[Preview],
    *,
    schemas: Mapping[str, pa.Schema],
    audit: AuditReport | None = None,
    parent: Manifest | None = None,
) -> str:
    """Return the text of a release's card.

    The manifest may lack the entry of the card itself. The plots of `draw_plots` are linked
    to where the manifest lists them. `schemas` are the columns of each config.
    """
    target = manifest.config.get("publishing", {}).get("target", "")
    known = {entry.path for entry in manifest.files}
    return (
        _environment()
        .get_template("card.md.jinja")
        .render(
            manifest=manifest,
            front_matter=front_matter(manifest, statistics, schemas),
            configs=ordered_configs(manifest),
            default_config=default_config(manifest),
            schemas=schemas,
            columns={name: columns_of(name, schemas[name]) for name in manifest.splits},
            statistics=statistics,
            tokenizer=TOKENIZER,
            previews=previews,
            plots={name: text for name, text in PLOTS.items() if f"report/{name}.png" in known},
            licences=_most(statistics.licences, _TOP_LICENCES),
            repositories=_most(statistics.repositories, _TOP_REPOSITORIES),
            main_repository=_main_repository(statistics.repositories),
            audit=audit,
            changes=changes_since(parent, manifest) if parent else None,
            paper=PAPER,
            citation=citation(manifest),
            writer=writer_in_words(manifest),
            sandbox=sandbox_in_words(manifest),
            sandboxes=differences_in_words(manifest),
            pythons=pythons(manifest.sandbox),
            without_container=manifest.sandbox.launcher not in ("docker", None),
            hub_repository=manifest.config.get("publishing", {}).get("hub_repository"),
            s3_uri=release_uri(target, manifest.version) if target.startswith("s3:") else None,
        )
    )


@cache
def _environment() -> Environment:
    return environment(
        "c2c_tasks.publishing",
        rounded=rounded,
        percent=lambda share: f"{share:.0%}",
        code=markdown.code,
        html=markdown.html,
        benchmark=_benchmark,
        preview=lambda text: markdown.fenced(
            markdown.shortened(text, _PREVIEW_CHARACTERS, _PREVIEW_LINE)
        ),
        stage=stage_in_words,
    )


def _benchmark(option: str) -> str:
    """Return what an option names as a benchmark, in words."""
    if option == "humaneval:":
        return "HumanEval"
    scheme, _, name = option.partition(":")
    return f"{markdown.code(name)} of the Hub" if scheme == "hf" else markdown.code(option)


def _most(counts: Counter[str], count: int) -> list[tuple[str, int]]:
    """Return the first names with their counts, and the others as one row."""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    others = ranked[count:]
    more = [(f"{len(others):,} more", sum(rows for _, rows in others))] if others else []
    return [*ranked[:count], *more]


def _main_repository(repositories: Counter[str]) -> tuple[str, float] | None:
    """Return the repository that much of the programs come from, with its share of them."""
    name, programs = max(repositories.items(), key=lambda item: item[1], default=("", 0))
    share = programs / max(repositories.total(), 1)
    return (name, share) if share > _MUCH else None
