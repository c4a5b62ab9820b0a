"""What inputs cost, added up over shards, and shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from c2c_tasks.config import InputOptions
from c2c_tasks.consuming.summary import cost_of_writing
from c2c_tasks.publishing.card import render_card
from c2c_tasks.publishing.manifest import Manifest, read_manifest
from c2c_tasks.publishing.statistics import Statistics
from c2c_tasks.publishing.writing import writing_of
from c2c_tasks.records import Program
from c2c_tasks.shards import StepReport


def reports(*, model: str | None = "small") -> list[StepReport]:
    made = []
    for shard in ("a", "b"):
        counters = {"prompt_tokens": 1_000_000, "completion_tokens": 250_000} if model else {}
        facts = {"writer": {"name": "vllm", "model": model} if model else {"name": "synthesis"}}
        made.append(
            StepReport("write_inputs", shard, counters=counters, facts=facts, seconds=1_800.0)
        )
        curated = StepReport("curate", shard)
        curated.stage("programs", "programs").keep(50)
        made.append(curated)
    return made


def test_cost_is_of_tokens_and_of_time() -> None:
    prices = {"prompt_token_price": 0.5, "completion_token_price": 2.0, "engine_hour_price": 3.0}
    writing = writing_of(reports(), InputOptions(**prices))
    assert writing is not None
    assert (writing.prompt_tokens, writing.completion_tokens) == (2_000_000, 500_000)
    assert writing.seconds == 3_600
    assert writing.cost == pytest.approx(2 * 0.5 + 0.5 * 2.0 + 3.0)
    assert writing.cost_per_program == pytest.approx(0.05)
    assert writing.tokens_per_program == pytest.approx(25_000)
    assert writing.seconds_per_program == pytest.approx(36)


def test_no_model_costs_nothing() -> None:
    assert writing_of(reports(model=None), InputOptions(engine_hour_price=3.0)) is None


def test_a_build_without_programs_has_a_cost_all_the_same() -> None:
    writing = writing_of(reports()[:1], InputOptions(prompt_token_price=0.5))
    assert writing is not None
    assert writing.cost_per_program == writing.cost == pytest.approx(0.5)


def test_it_is_shown(target: str, publish: Any, make_program: Callable[[int], Program]) -> None:
    manifest = read_manifest(publish(target, [make_program(n) for n in range(6)]))
    priced = writing_of(reports(), InputOptions(prompt_token_price=0.5))
    written = manifest.model_copy(update={"writing": priced})
    assert Manifest.model_validate_json(written.to_json()) == written
    card = render_card(written, Statistics(), [])
    assert "| tokens for each program | 25,000 |" in card
    assert "| cost of each program | 0.01 |" in card
    assert "for each program" not in render_card(manifest, Statistics(), [])
    assert priced is not None
    assert "25,000 tokens, 36.000 s, cost 0.010000" in cost_of_writing(priced)
