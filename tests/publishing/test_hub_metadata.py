"""The head of the card is valid for the Hub, and what `datasets` reads by it is the release."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from c2c_tasks.publishing.hub_metadata import HUB_LICENCES, front_matter, size_category
from c2c_tasks.publishing.manifest import DATA_CONFIGS, Manifest, read_manifest
from c2c_tasks.publishing.statistics import Statistics
from c2c_tasks.records import SPLITS, Program
from c2c_tasks.store import file_path

MakeProgram = Callable[..., Program]


@pytest.fixture(scope="module")
def release(
    tmp_path_factory: pytest.TempPathFactory, publish: Any, make_program: MakeProgram
) -> str:
    target = tmp_path_factory.mktemp("target").as_uri()
    return str(publish(target, [make_program(n) for n in range(30)]))


@pytest.fixture(scope="module")
def manifest(release: str) -> Manifest:
    return read_manifest(release)


def card_data(text: str) -> Any:
    from huggingface_hub import DatasetCard

    return DatasetCard(f"---\n{text}\n---\n").data


def test_the_card_of_a_release_is_a_dataset_card(release: str) -> None:
    from huggingface_hub import DatasetCard

    data = DatasetCard.load(file_path(release) / "README.md").data
    assert data.pretty_name == "Case2Code"
    assert data.language == ["code", "en"]
    assert data.size_categories == ["n<1K"]
    assert data.task_categories == ["text-generation"]
    assert data.annotations_creators == ["machine-generated"]
    assert data.source_datasets == ["original"]
    (sft,) = [config for config in data.configs if config["config_name"] == "sft"]
    assert sft == {
        "config_name": "sft",
        "default": True,
        "data_files": [{"split": name, "path": f"sft/{name}-*.parquet"} for name in SPLITS],
    }


def test_every_config_is_what_datasets_makes_of_its_files(release: str, tmp_path: Path) -> None:
    """Had it not the rows that the head says, or other columns, `datasets` would refuse it."""
    import datasets
    from huggingface_hub import DatasetCard

    folder = file_path(release)
    infos = DatasetCard.load(folder / "README.md").data.dataset_info
    assert {info["config_name"] for info in infos} == set(DATA_CONFIGS)
    for info in infos:
        config = info["config_name"]
        loaded = datasets.load_dataset(str(folder), config, cache_dir=str(tmp_path / "cache"))
        assert datasets.Features._from_yaml_list(info["features"]) == loaded["train"].features
        bare = datasets.load_dataset(
            "parquet",
            data_files=[str(path) for path in (folder / config).glob("train-*")],
            cache_dir=str(tmp_path / "bare"),
        )["train"]
        assert bare.features == loaded["train"].features
        said = {split["name"]: split for split in info["splits"]}
        for split, rows in loaded.items():
            assert said[split]["num_examples"] == rows.num_rows
            assert said[split]["num_bytes"] == rows.info.splits[split].num_bytes
        assert said["train"]["num_bytes"] == bare.info.splits["train"].num_bytes
        size = sum(path.stat().st_size for path in (folder / config).iterdir())
        assert info["download_size"] == size
    assert datasets.get_dataset_default_config_name(str(folder)) == "sft"


def test_a_split_that_there_is_not_is_not_named(
    tmp_path: Path, publish: Any, make_program: MakeProgram
) -> None:
    import datasets

    programs = [make_program(n, split="validation") for n in range(3)]
    folder = str(file_path(publish((tmp_path / "target").as_uri(), programs)))
    for config in DATA_CONFIGS:
        loaded = datasets.load_dataset(folder, config, cache_dir=str(tmp_path / "cache"))
        assert {name: split.num_rows for name, split in loaded.items()} == {"validation": 3}


def test_any_name_is_a_name(manifest: Manifest, schemas: Any) -> None:
    odd = manifest.model_copy(update={"dataset_name": 'Name: "with" #signs\n--- größe'})
    assert card_data(front_matter(odd, Statistics(), schemas)).pretty_name == odd.dataset_name


@pytest.mark.parametrize(
    ("licences", "identifiers"),
    [
        (["MIT"], "mit"),
        (["MIT", "Apache-2.0"], ["apache-2.0", "mit"]),
        (["GPL-3.0-only", "LGPL-2.1-or-later"], ["gpl-3.0", "lgpl-2.1"]),
        (["MIT", "not stated"], ["mit", "other"]),
        (["MIT OR Apache-2.0"], "other"),
        (["Python-2.0"], "other"),
        ([], "other"),
    ],
)
def test_licences_are_those_of_the_hub(
    manifest: Manifest, schemas: Any, licences: list[str], identifiers: Any
) -> None:
    data = card_data(front_matter(manifest, Statistics(licences=Counter(licences)), schemas))
    assert data.license == identifiers
    assert {*identifiers} <= HUB_LICENCES | {"other"} or identifiers in HUB_LICENCES | {"other"}
    if "other" in identifiers:
        assert data.license_name and data.license_link.startswith("https://")
    else:
        assert "license_name" not in data.to_dict()


def test_on_the_hub_the_licences_are_in_the_repository(manifest: Manifest, schemas: Any) -> None:
    config = {**manifest.config, "publishing": {"hub_repository": "o/n"}}
    hub = manifest.model_copy(update={"config": config})
    data = card_data(front_matter(hub, Statistics(), schemas))
    assert data.license_link == "https://huggingface.co/datasets/o/n/blob/main/ATTRIBUTION.md"


@pytest.mark.parametrize(
    ("rows", "category"),
    [
        (0, "n<1K"),
        (999, "n<1K"),
        (1_000, "1K<n<10K"),
        (10**6 - 1, "100K<n<1M"),
        (10**6, "1M<n<10M"),
        (10**9, "1B<n<10B"),
        (10**12 - 1, "100B<n<1T"),
        (10**12, "n>1T"),
    ],
)
def test_sizes(rows: int, category: str) -> None:
    from huggingface_hub import DatasetCardData

    assert size_category(rows) == category
    assert category in (DatasetCardData.__doc__ or "")
