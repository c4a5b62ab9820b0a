"""`c2c ablate`: datasets that differ in one thing, and a report that sets them side by side."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from c2c_tasks.cli.running import print_json


def ablate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The variants, in YAML.")],
    into: Annotated[
        str, typer.Option("--into", help="Folder of the datasets and the report: a path or URI.")
    ] = "",
    variant: Annotated[
        list[str] | None,
        typer.Option("--variant", help="Only this variant; may be given several times."),
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="OPTION=VALUE",
            help="An option of all variants in place of FILE's, as dump=s3://bucket/code; may be "
            "given several times.",
        ),
    ] = None,
    date: Annotated[
        str, typer.Option("--date", help="Date of the datasets' versions; today, where not given.")
    ] = "",
    conf: Annotated[
        str,
        typer.Option(
            "--conf",
            metavar="VARIANT",
            help="Build nothing: print a variant's options as JSON, for `airflow dags trigger "
            "case2code_build --conf`.",
        ),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="The report as JSON.")] = False,
) -> None:
    """Build datasets that differ in one thing, and report on them side by side.

    Each variant of FILE becomes a dataset in a folder of its own below --into. What is there, by
    this command or by the DAG, is not built again; what was cut off goes on where it was. That
    datasets differ in nothing but the studied options is checked: exit code 3 where they do.
    """
    from c2c_tasks.cli.running import FAULTS
    from c2c_tasks.pipeline.ablations.page import render
    from c2c_tasks.pipeline.ablations.report import report_on, write_report
    from c2c_tasks.pipeline.ablations.running import EXPECTED, build_variants
    from c2c_tasks.pipeline.ablations.variants import read_ablation
    from c2c_tasks.store import normalise

    try:
        ablation = read_ablation(file, changes or ())
        if conf:
            print_json(ablation.configuration(conf, normalise(into) if into else ""))
            return
        if not into:
            raise typer.BadParameter("is needed: where the datasets go", param_hint="--into")
        logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
        place = normalise(into)
        built = build_variants(ablation, place, _date(date), variant or ())
        report = report_on(ablation, built)
        write_report(report, place)
    except EXPECTED as error:
        raise SystemExit(f"c2c: {' '.join(str(error).split())}") from None
    print(report.model_dump_json(indent=1) if as_json else render(report))
    for name, deviations in report.deviations.items():
        print(f"c2c: {name}: differs in more: {'; '.join(deviations)}", file=sys.stderr)
    for name, failure in built.failures.items():
        print(f"c2c: {name}: not built: {' '.join(failure.split())}", file=sys.stderr)
    if built.failures:
        raise typer.Exit(1)
    if report.deviations:
        raise typer.Exit(FAULTS)


def _date(text: str) -> str:
    """Return a date as it is typed, or today's."""
    if not text:
        return f"{datetime.now(UTC):%Y-%m-%d}"
    try:
        return f"{datetime.strptime(text, '%Y-%m-%d'):%Y-%m-%d}"
    except ValueError:
        raise typer.BadParameter(f"{text}: must be YYYY-MM-DD", param_hint="--date") from None
