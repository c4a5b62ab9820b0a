"""``report.md``: an evaluation as a page that can be read alone."""

from __future__ import annotations

import json
import shlex
from functools import cache
from typing import TYPE_CHECKING, Any

from c2c_tasks.config.evaluation import EvaluationConfig
from c2c_tasks.evaluation.breakdown import TITLES
from c2c_tasks.evaluation.evaluation_plots import PLOTS, RATES, plot_name
from c2c_tasks.evaluation.records import Answer, Grade
from c2c_tasks.evaluation.results import EvaluationResult, PassRate
from c2c_tasks.publishing import markdown
from c2c_tasks.publishing.citation import PAPER
from c2c_tasks.publishing.columns import field_meanings
from c2c_tasks.publishing.pages import environment
from c2c_tasks.records import arrow_schema

if TYPE_CHECKING:
    from jinja2 import Environment

TASKS = {
    "induction": "Induction: write the program behind the cases of a prompt",
    "humaneval": "HumanEval: write the program that a text describes",
    "mbpp": "MBPP sanitized: write the program that a text describes",
}
CATEGORY_MEANINGS = {
    "passed_all": "right on every case, or on the tests of a benchmark",
    "passed_seen_only": "right on the cases of the prompt, and not on all that were held back",
    "wrong_output": "the first case it failed came to another output",
    "raised": "the first case it failed raised, or raised another exception",
    "timed_out": "the first case it failed did not end in time",
    "killed": "the first case it failed ended its process: memory, a crash, `exit`",
    "wrong_name_or_arguments": "no function of the name that was asked for, or other parameters",
    "no_code": "no code that can be read",
}
_MEANINGS = {
    "problem_id": "Function id, or the name that the benchmark gives the problem.",
    "text": "The answer, as the solver gave it.",
    "sample": "Number among the answers to the problem, from 0.",
    "task": "`induction`, `humaneval` or `mbpp`.",
    "category": "What came of the answer, see above.",
    "cases_passed": "Cases that it is right on.",
    "cases_run": "Cases that it was run on.",
}
"""Of the columns that need no word where their records are defined."""
# What names places of whoever ran it, or how fast, and changes no grade.
_NOT_RERUN = ("target", "endpoint", "concurrency", "request_seconds", "outage_seconds")


def render_page(result: EvaluationResult) -> str:
    """Return the text of an evaluation's page. It holds no text of a problem or of an answer."""
    return (
        _environment()
        .get_template("report.md.jinja")
        .render(
            result=result,
            rates=RATES,
            titles=TITLES,
            tasks=TASKS,
            meanings=CATEGORY_MEANINGS,
            plots=PLOTS,
            plot_name=plot_name,
            columns={"answers": _columns(Answer), "grades": _columns(Grade)},
            command=rerun_command(result),
            options=sorted(_changed_options(result).items()),
            paper=PAPER,
            key=markdown.bibtex(f"{result.problem_set}_{result.name}").replace(".", "_"),
        )
    )


def _columns(record: type) -> dict[str, str]:
    meanings = _MEANINGS | field_meanings(record)
    return {column: meanings[column] for column in arrow_schema(record).names}


def rerun_command(result: EvaluationResult) -> str:
    """Return the command that asks and grades the same again, of the options that matter."""
    options = _changed_options(result)
    if result.release:
        options["release"] = result.release.version
    given = [
        f"--option {shlex.quote(f'{name}={_as_argument(value)}')}"
        for name, value in sorted(options.items())
        if name not in _NOT_RERUN
    ]
    return " \\\n  ".join(["c2c evaluate", *given])


def _as_argument(value: Any) -> str:
    """Return a value as ``--option`` takes it: a text as it is, all others as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def _changed_options(result: EvaluationResult) -> dict[str, Any]:
    """Return the options that differ from their defaults."""
    found = {}
    for name, section in EvaluationConfig.sections().items():
        defaults = section().model_dump(mode="json")
        for option, value in result.config.get(name, {}).items():
            if value != defaults.get(option) and value != "":
                found[option] = value
    return found


@cache
def _environment() -> Environment:
    return environment(
        "c2c_tasks.evaluation",
        bibtex=markdown.bibtex,
        fenced=markdown.fenced,
        rate=rate_in_words,
        share=lambda part, whole: f"{part / whole:.1%}" if whole else "none",
    )


def rate_in_words(rate: PassRate) -> str:
    """Return a pass rate with its interval: ``41.2% (35.0 to 47.5)``."""
    return f"{rate.value:.1%} ({100 * rate.low:.1f} to {100 * rate.high:.1f})"
