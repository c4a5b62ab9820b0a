"""The dataset card: README.md of a release, as the Hugging Face Hub and a person read it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from c2c_tasks.publishing.manifest import Manifest
from c2c_tasks.publishing.previews import Preview
from c2c_tasks.publishing.statistics import Statistics

CARD = "README.md"
TOP_REPOSITORIES = 10

_HUB_LICENCES = frozenset(
    {"apache-2.0", "artistic-2.0", "bsd-2-clause", "bsd-3-clause", "bsl-1.0", "cc0-1.0"}
    | {"epl-2.0", "isc", "mit", "mpl-2.0", "ncsa", "postgresql", "unlicense", "wtfpl", "zlib"}
)
"""Licences that the Hub knows by the SPDX identifier in lower case."""
_SIZES = [(10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M")]


def render_card(manifest: Manifest, statistics: Statistics, previews: Sequence[Preview]) -> str:
    """Return the text of a release's card.

    The manifest may lack the entry of the card itself. The plots of `draw_plots` are linked
    to where the manifest lists them.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("c2c_tasks.publishing", "."),
        autoescape=False,  # Markdown, not HTML
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        json=lambda value: json.dumps(value, ensure_ascii=False),
        number=lambda value: f"{value:,}",
        cell=_cell,
        fenced=_fenced,
    )
    return environment.get_template("card.md.jinja").render(
        manifest=manifest,
        statistics=statistics,
        previews=previews,
        plots={entry.path for entry in manifest.files if entry.path.startswith("report/")},
        configs=sorted(manifest.splits, key=lambda config: config != _default_config(manifest)),
        default_config=_default_config(manifest),
        licence=_hub_licence(statistics.licences),
        size=_size(sum(manifest.splits.get("programs", {}).values())),
        repositories=statistics.repositories.most_common(TOP_REPOSITORIES),
        in_container=manifest.sandbox.launcher == "docker",
        differing=[
            name
            for name in manifest.sandbox.known()
            if any(
                s.facts.known().get(name) != manifest.sandboxes[0].facts.known().get(name)
                for s in manifest.sandboxes
            )
        ],
    )


def _default_config(manifest: Manifest) -> str:
    return next((c for c in ("sft", "instruct", "pretrain") if c in manifest.splits), "programs")


def _hub_licence(licences: Iterable[str]) -> list[str]:
    """Return the identifiers for the Hub; ``other`` where it does not know every one."""
    known = {licence.lower() for licence in licences}
    return sorted(known) if known and known <= _HUB_LICENCES else ["other"]


def _size(rows: int) -> str:
    return next((name for limit, name in _SIZES if rows < limit), "1M<n<10M")


def _cell(value: Any) -> str:
    """Return a value as text that cannot break out of a Markdown table's cell."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return re.sub(r"([|`<>*_\[\]\\])", r"\\\1", " ".join(text.split()))


def _fenced(text: str) -> str:
    """Return a text as a Markdown code block, whatever backticks it holds."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text.rstrip()}\n{fence}"
