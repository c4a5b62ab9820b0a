"""The page of an ablation: tables with a column for each variant, and plots."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from c2c_tasks.pipeline.ablations.measuring import Figures
from c2c_tasks.pipeline.ablations.report import AblationReport, VariantReport
from c2c_tasks.publishing.markdown import cell, code
from c2c_tasks.publishing.tokens import TOKENIZER

Write = Callable[[float], str]
_count, _one, _two, _percent = "{:,.0f}".format, "{:,.1f}".format, "{:,.2f}".format, "{:.1%}".format
_STAGES = (
    *("inputs", "executed functions", "cases", "programs", "behavioural duplicates", "samples"),
)
"""Stages after merging: what was dropped before is the same in all variants."""
_REASONS = 12
"""Reasons for which rows were dropped that the page has, those of most rows first."""


def render(report: AblationReport) -> str:
    """Return the page, in Markdown."""
    parts = [f"# {cell(report.title)}", cell(report.question), _variants(report)]
    figures = report.figures
    if figures:
        parts += [*_sections(report, figures)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _variants(report: AblationReport) -> str:
    rows = [
        [
            code(name, in_table=True),
            cell(variant.description),
            _said(variant),
        ]
        for name, variant in report.variants.items()
    ]
    return _table(["variant", "what it is", "studied options, or why it is not there"], rows, "lll")


def _said(variant: VariantReport) -> str:
    if variant.figures is None:
        return cell(variant.failure or "not built yet")
    model = variant.figures.writer.get("model")
    options = variant.figures.options
    told = [f"{option}: {value}" for option, value in options.items() if value != ""]
    return cell(", ".join([*told, *([f"served: {model}"] if model else [])]))


def _sections(report: AblationReport, figures: dict[str, Figures]) -> Iterator[str]:
    if len(figures) > 1:
        yield "## What differs, and what does not"
        yield (
            f"Each dataset is compared with that of `{next(iter(figures))}`. Looked up in the "
            "datasets themselves:"
        )
        yield _checks(report)
    yield "## What came of it"
    if len(figures) > 1:
        yield "In brackets: the ratio to the first column."
    yield _plot(report, "programs.png", "Programs, cases, coverage and outputs of each variant")
    yield _metrics(_programs(), figures)
    yield "## Samples"
    yield f"Tokens are those of {TOKENIZER}, prompt and answer together."
    yield _metrics(_samples(figures), figures)
    yield "## Costs"
    if any(f.seconds for f in figures.values()):
        yield (
            "Seconds are those of all tasks of a step added up, on the machine that built the "
            "dataset."
        )
    yield _plot(report, "seconds.png", "Seconds of each step of each variant")
    yield _metrics(_costs(figures), figures)
    yield "## Why rows were dropped"
    yield _metrics(_reasons(figures), figures)


def _plot(report: AblationReport, name: str, meaning: str) -> str:
    return f"![{meaning}]({name})" if name in report.plots else ""


def _checks(report: AblationReport) -> str:
    compared = {name: v.compared for name, v in report.variants.items() if v.compared}
    names = list(dict.fromkeys(c.name for found in compared.values() for c in found.checks))
    rows = []
    for name in names:
        row = [cell(name)]
        for found in compared.values():
            check = next((c for c in found.checks if c.name == name), None)
            row.append("" if check is None else _verdict(check.same, check.detail))
        rows.append(row)
    rows.append(["programs in both", *(f"{c.common:,}" for c in compared.values())])
    rows.append(["of them, with the same cases", *(f"{c.same_cases:,}" for c in compared.values())])
    rows.append(["programs in the first alone", *(f"{c.only_first:,}" for c in compared.values())])
    rows.append(["programs in this one alone", *(f"{c.only_here:,}" for c in compared.values())])
    names = [code(name, in_table=True) for name in compared]
    return _table(["", *names], rows, "l" + "r" * len(names))


def _verdict(same: bool, detail: str) -> str:
    return "the same" if same else f"**differs**: {cell(detail)}"


@dataclass(frozen=True, slots=True)
class _Metric:
    """A row: what is compared, how it is found, and how it is written."""

    label: str
    of: Callable[[Figures], float | None]
    write: Write = _count
    ratio: bool = True


def _metrics(metrics: Sequence[_Metric], figures: dict[str, Figures]) -> str:
    rows = []
    for metric in metrics:
        values = [metric.of(found) for found in figures.values()]
        cells = [_written(metric, value, values[0], n) for n, value in enumerate(values)]
        rows.append([cell(metric.label), *cells])
    names = [code(name, in_table=True) for name in figures]
    return _table(["", *names], rows, "l" + "r" * len(names))


def _written(metric: _Metric, value: float | None, first: float | None, number: int) -> str:
    if value is None:
        return "-"
    text = metric.write(value)
    if number and metric.ratio and first:
        text += f" ({value / first:.2f})"
    return text


def _programs() -> list[_Metric]:
    return [
        _Metric("functions", lambda f: f.functions),
        _Metric("with inputs", lambda f: f.stage("inputs").rows_out),
        _Metric("that ran", lambda f: f.stage("executed functions").rows_out),
        _Metric("sound programs", lambda f: f.stage("programs").rows_out),
        _Metric("programs, after duplicates in behaviour", lambda f: f.programs),
        _Metric("yield: programs of a function", lambda f: f.program_yield, _percent),
        _Metric("inputs written", lambda f: f.counters.get("inputs_written")),
        _Metric("cases run", lambda f: f.counters.get("cases_run")),
        _Metric("cases kept", lambda f: f.cases),
        _Metric("cases of a program", lambda f: f.per_program(f.cases), _two),
        _Metric("different outputs of a program", lambda f: f.distinct_outputs, _two),
        _Metric("cases that raise", lambda f: f.raised, _percent),
        _Metric("coverage, mean", lambda f: f.coverage, _percent),
        _Metric("programs fully covered", lambda f: f.fully_covered, _percent),
        _Metric("difficulty, mean", lambda f: f.difficulty, _two),
    ]


def _samples(figures: dict[str, Figures]) -> list[_Metric]:
    formats = dict.fromkeys(name for found in figures.values() for name in found.samples)
    members: list[tuple[str, str, Write]] = [
        ("samples", "rows", _count),
        ("templates", "templates", _count),
        ("tokens", "tokens", _count),
        ("tokens of a sample", "tokens_per_sample", _one),
    ]
    return [
        _Metric(f"{name}: {label}", partial(_of, name, member), write)
        for name in formats
        for label, member, write in members
    ]


def _of(format_: str, name: str, figures: Figures) -> float | None:
    samples = figures.samples.get(format_)
    return None if samples is None else float(getattr(samples, name))


def _costs(figures: dict[str, Figures]) -> list[_Metric]:
    steps = dict.fromkeys(step for found in figures.values() for step in found.seconds)
    return [
        _Metric("prompt tokens", lambda f: f.prompt_tokens),
        _Metric("completion tokens", lambda f: f.completion_tokens),
        _Metric(
            "tokens of a program",
            lambda f: f.per_program(f.prompt_tokens + f.completion_tokens),
            _one,
        ),
        *(_Metric(f"seconds: {step}", partial(_seconds, step), _one) for step in steps),
        _Metric("seconds: all", lambda f: sum(f.seconds.values()) or None, _one),
        _Metric(
            "seconds of a program",
            lambda f: f.per_program(sum(f.seconds.values())) or None,
            "{:,.3f}".format,
        ),
        _Metric("cost of the inputs", lambda f: f.cost or None, "{:,.4f}".format),
        _Metric("cost of a program", lambda f: f.per_program(f.cost) or None, "{:,.6f}".format),
    ]


def _seconds(step: str, figures: Figures) -> float | None:
    return figures.seconds.get(step)


def _reasons(figures: dict[str, Figures]) -> list[_Metric]:
    dropped: dict[tuple[str, str], int] = {}
    for found in figures.values():
        for stage in found.funnel:
            for reason, rows in stage.dropped.items():
                dropped[stage.name, reason] = dropped.get((stage.name, reason), 0) + rows
    # Up to merging, nothing differs: what is told of that is in each dataset's own card.
    ranked = sorted(dropped, key=lambda place: (-dropped[place], place))
    chosen = [place for place in ranked if place[0] in _STAGES][:_REASONS]
    return [
        _Metric(f"{stage}: {reason}", partial(_dropped, stage, reason), ratio=False)
        for stage, reason in chosen
    ]


def _dropped(stage: str, reason: str, figures: Figures) -> float:
    return figures.stage(stage).dropped.get(reason, 0)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], alignment: str) -> str:
    marks = {"l": "---", "r": "---:"}
    lines = [columns, [marks[letter] for letter in alignment], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
