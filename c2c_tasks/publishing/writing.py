"""What the inputs of a release cost: tokens, seconds and money for each program that it holds."""

from __future__ import annotations

from collections.abc import Iterable

from c2c_tasks.config import InputOptions
from c2c_tasks.publishing.manifest import Writing
from c2c_tasks.shards import StepReport

PRICED_TOKENS = 1_000_000
"""Tokens that a price is given for."""


def writing_of(reports: Iterable[StepReport], options: InputOptions) -> Writing | None:
    """Return what writing inputs cost over all shards of a build; None where no model did."""
    prompt_tokens = completion_tokens = programs = 0
    seconds = 0.0
    has_model = False
    for report in reports:
        if report.step == "write_inputs":
            prompt_tokens += report.counters.get("prompt_tokens", 0)
            completion_tokens += report.counters.get("completion_tokens", 0)
            seconds += report.seconds
            has_model |= "model" in report.facts.get("writer", {})
        elif report.step == "curate":
            programs += report.stage("programs", "programs").rows_out
    if not has_model:
        return None
    tokens_cost = (
        prompt_tokens * options.prompt_token_price
        + completion_tokens * options.completion_token_price
    ) / PRICED_TOKENS
    return Writing(
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        seconds=round(seconds, 3),
        cost=tokens_cost + seconds / 3_600 * options.engine_hour_price,
        programs=programs,
    )
