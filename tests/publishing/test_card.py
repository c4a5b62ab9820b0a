"""The card is read by `datasets`, and nothing from the dump can break out of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from c2c_tasks.publishing.card import render_card
from c2c_tasks.publishing.facts import SandboxFacts
from c2c_tasks.publishing.manifest import Manifest, read_manifest
from c2c_tasks.publishing.previews import Preview
from c2c_tasks.publishing.statistics import Statistics
from c2c_tasks.records import FORMATS, Program
from c2c_tasks.store import read


@pytest.fixture
def manifest(s3_bucket: str, publish: Any, make_program: Callable[[int], Program]) -> Manifest:
    return read_manifest(publish(s3_bucket, [make_program(n) for n in range(12)]))


def front_matter(card: str) -> dict[str, Any]:
    assert card.startswith("---\n")
    loaded = yaml.safe_load(card.split("---\n")[1])
    assert isinstance(loaded, dict)
    return loaded


def test_front_matter(manifest: Manifest) -> None:
    odd = manifest.model_copy(update={"dataset_name": 'Name: "with" #signs'})
    statistics = Statistics(licences=Counter({"MIT": 3, "Apache-2.0": 1}))
    metadata = front_matter(render_card(odd, statistics, []))
    assert metadata["pretty_name"] == 'Name: "with" #signs'
    assert metadata["license"] == ["apache-2.0", "mit"]
    assert metadata["size_categories"] == ["n<1K"]
    assert metadata["task_categories"] == ["text-generation"]
    assert [config["config_name"] for config in metadata["configs"]] == [
        "sft",
        "programs",
        "instruct",
        "pretrain",
    ]
    assert metadata["configs"][0] == {
        "config_name": "sft",
        "default": True,
        "data_files": [
            {"split": split, "path": f"sft/{split}-*.parquet"}
            for split in ("train", "validation", "test")
        ],
    }


@pytest.mark.parametrize("licences", [{}, {"MIT": 1, "not stated": 2}, {"GPL-3.0-only": 1}])
def test_licences_that_the_hub_does_not_know_are_other(
    manifest: Manifest, licences: dict[str, int]
) -> None:
    card = render_card(manifest, Statistics(licences=Counter(licences)), [])
    assert front_matter(card)["license"] == "other"
    for licence, programs in licences.items():
        assert f"| {licence} | {programs} |" in card


def test_a_sandbox_without_a_container_is_said_loudly(manifest: Manifest) -> None:
    assert "**Warning: no container.**" in render_card(manifest, Statistics(), [])
    contained = manifest.model_copy(
        update={"sandbox": SandboxFacts(launcher="docker", image="x:1")}
    )
    card = render_card(contained, Statistics(), [])
    assert "no container" not in card
    assert "| image | x:1 |" in card


def test_what_was_skipped_is_named(manifest: Manifest) -> None:
    assert "Skipped" not in render_card(manifest, Statistics(), [])
    problems = [f"a|b.jsonl: line {number}: not JSON" for number in range(25)]
    card = render_card(manifest.model_copy(update={"problems": problems}), Statistics(), [])
    assert "- a\\|b.jsonl: line 19: not JSON\n" in card
    assert "line 20" not in card and "the first 20" in card


def test_text_of_the_dump_stays_where_it_belongs(manifest: Manifest) -> None:
    statistics = Statistics(repositories=Counter({"a|b\n## c<script>": 1}))
    preview = Preview("pretrain", "id", "x`y`/z", [("text", "````\n# not a heading\n````")])
    card = render_card(manifest, statistics, [preview])
    assert "| a\\|b ## c\\<script\\> | 1 |" in card
    assert "`````text\n````\n# not a heading\n````\n`````" in card
    assert "From x\\`y\\`/z." in card


def test_a_published_card_shows_funnel_plots_and_samples(
    target: str, publish: Any, make_program: Callable[[int], Program]
) -> None:
    release = publish(target, [make_program(n) for n in range(12)], plots=True)
    card = read(f"{release}/README.md").decode()
    assert "| functions | functions | 120 | 100 | no\\_return 15, calls\\_open 5 |" in card
    for name in ("funnel", "cases_per_program", "coverage", "lengths"):
        assert f"](report/{name}.png)" in card
        assert read(f"{release}/report/{name}.png").startswith(b"\x89PNG")
    for format_ in FORMATS:
        assert f"### `{format_}` `" in card
    assert "arXiv:2407.12504" in card
    assert "| not stated | 6 |" in card
