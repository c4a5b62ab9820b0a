"""The report of an ablation: one for machines, one for people, of all datasets that are there."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from c2c_tasks.pipeline.ablations.comparing import Comparison, Content, compare
from c2c_tasks.pipeline.ablations.measuring import Figures, measure
from c2c_tasks.pipeline.ablations.running import Built
from c2c_tasks.pipeline.ablations.variants import Ablation
from c2c_tasks.publishing.manifest import read_manifest
from c2c_tasks.store import store_for

REPORT = "ablation.json"
PAGE = "ablation.md"


class VariantReport(BaseModel):
    """One variant."""

    description: str
    figures: Figures | None = None
    """None where there is no dataset."""
    compared: Comparison | None = None
    """With the first variant that is there; None for that one."""
    failure: str = ""
    """Why it could not be built."""


class AblationReport(BaseModel):
    """What an ablation came to."""

    schema_version: Literal[1] = 1
    ablation: str
    title: str
    question: str
    varied: list[str]
    """Options that are studied."""
    variants: dict[str, VariantReport]
    """In the order of the file. Ratios are to the first one that is there."""
    plots: list[str] = []
    """Files beside the report."""

    @property
    def figures(self) -> dict[str, Figures]:
        """Of the variants that are there."""
        return {name: v.figures for name, v in self.variants.items() if v.figures}

    @property
    def deviations(self) -> dict[str, list[str]]:
        """In what variants differ that should not, by name."""
        return {
            name: [f"{check.name}: {check.detail}" for check in variant.compared.deviations]
            for name, variant in self.variants.items()
            if variant.compared and variant.compared.deviations
        }


def report_on(ablation: Ablation, built: Built) -> AblationReport:
    """Read what the variants came to, and compare each with the first one that is there."""
    varied = ablation.varied
    variants: dict[str, VariantReport] = {}
    first: Content | None = None
    for name, variant in ablation.variants.items():
        made = VariantReport(description=variant.description, failure=built.failures.get(name, ""))
        if release := built.releases.get(name):
            manifest = read_manifest(release)
            made.figures = measure(release, manifest, varied)
            content = Content.of(release, manifest)
            if first is None:
                first = content
            else:
                made.compared = compare(first, content, varied)
        variants[name] = made
    return AblationReport(
        ablation=ablation.name,
        title=ablation.title,
        question=ablation.question,
        varied=sorted(varied),
        variants=variants,
    )


def write_report(report: AblationReport, into: str) -> None:
    """Write page, plots and, last, the report into a folder, over those that were there."""
    from c2c_tasks.pipeline.ablations.page import render
    from c2c_tasks.pipeline.ablations.plots import draw_plots

    store = store_for(into)
    with tempfile.TemporaryDirectory(prefix="c2c-ablation-") as name:
        report.plots = draw_plots(report.figures, Path(name)) if report.figures else []
        for plot in report.plots:
            store.upload(f"{into}/{plot}", Path(name, plot))
    store.write(f"{into}/{PAGE}", render(report).encode())
    store.write(f"{into}/{REPORT}", f"{report.model_dump_json(indent=1)}\n".encode())
