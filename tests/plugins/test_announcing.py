"""What is told of a release: read off its manifest, and short."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
from airflow.sdk import Asset

from c2c_airflow.announcing import (
    LATEST,
    NOTE_CHARACTERS,
    announce,
    evaluation_note,
    keep_latest,
    training_note,
)
from c2c_tasks.config import BuildConfig
from c2c_tasks.publishing.facts import SandboxFacts, WriterFacts
from c2c_tasks.publishing.manifest import Dump, FileEntry, FunnelStage, Manifest


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Writes a manifest, and returns what the step `publish` returns of it."""
    monkeypatch.setenv("C2C_TARGET", str(tmp_path))
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "http://127.0.0.1:8080")

    def make(*, latest: bool = True, **fields: Any) -> dict[str, Any]:
        splits = {"programs": {"train": 1_200, "test": 34}, "sft": {"train": 1_200, "test": 34}}
        manifest = Manifest(
            **{
                "dataset_name": "Case2Code",
                "version": "2026.11.24-2",
                "parent": "2026.11.24-1",
                "build_id": "manual__1",
                "created_for": "2026-11-24",
                "config": BuildConfig().model_dump(mode="json"),
                "code_version": "1",
                "dump": Dump(uri="stdlib:", objects=1),
                "writer": WriterFacts(name="synthesis"),
                "sandbox": SandboxFacts(launcher="process"),
                "funnel": [stage("source files"), stage("functions", star_import=3, generator=9)],
                "splits": splits,
                "files": [entry("programs/a.parquet", 2_000_000), entry("sft/a.parquet", 500_000)],
                **fields,
            }
        )
        folder = tmp_path / "releases" / manifest.version
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_bytes(manifest.to_json())
        uri = folder.as_uri()
        return {"version": manifest.version, "uri": uri, "rows": splits, "latest": latest}

    return make


def stage(name: str, **dropped: int) -> FunnelStage:
    lost = sum(dropped.values())
    return FunnelStage(
        name=name, unit="rows", rows_in=4_000, rows_out=4_000 - lost, dropped=dropped
    )


def entry(path: str, size: int) -> FileEntry:
    return FileEntry(path=path, bytes=size, rows=1, sha256="0" * 64)


def test_the_event_has_what_a_consumer_asks_for(release: Any, tmp_path: Path) -> None:
    published = release()
    metadata, _ = announce(published)
    text = (tmp_path / "releases" / "2026.11.24-2" / "manifest.json").read_bytes()
    assert metadata == published | {
        "date": "2026-11-24",
        "parent": "2026.11.24-1",
        "build": "manual__1",
        "mode": "incremental",
        "programs": 1_234,
        "files": 2,
        "bytes": 2_500_000,
        "manifest_sha256": hashlib.sha256(text).hexdigest(),
        "page": "/plugin/case2code/case2code/#/releases/2026.11.24-2",
        "card": "/case2code/api/releases/2026.11.24-2/card",
    }


def test_the_note_has_rows_and_what_was_dropped_most(release: Any) -> None:
    _, note = announce(release())
    assert note.splitlines() == [
        "**[2026.11.24-2](/plugin/case2code/case2code/#/releases/2026.11.24-2)** is the latest "
        "release ([card](/case2code/api/releases/2026.11.24-2/card))",
        "",
        "1,234 programs (train 1,200, test 34), 1,234 samples, 2.5 MB",
        "",
        "- functions: 4,000 → 3,988 (generator 9, star_import 3)",
    ]


def test_the_note_says_what_is_missing_and_that_another_release_is_the_latest(release: Any) -> None:
    _, note = announce(release(latest=False, failed_shards=["3 of 8"]))
    assert "is published, and not the latest" in note
    assert "**missing**: shards 3 of 8" in note


def test_reasons_give_way_where_there_is_no_room(release: Any) -> None:
    stages = [stage(f"stage {number}", **{"r" * 30: 2, "s" * 30: 1}) for number in range(14)]
    _, note = announce(release(funnel=stages))
    assert len(note) <= NOTE_CHARACTERS
    assert note.count("- stage ") == 14 and "sss" not in note


def test_the_asset_s_page_shows_the_deployment_s_latest_release(
    release: Any, caplog: pytest.LogCaptureFixture
) -> None:
    asset = Asset("dataset")
    metadata, _ = announce(release())
    for other in ({"latest": False}, {"uri": "s3://other/releases/2026.11.24-2"}):
        keep_latest({}, asset, metadata | other)
    assert not caplog.records
    stores = {asset: MagicMock()}
    keep_latest({"asset_state_store": stores}, asset, metadata)
    shown = {key: metadata[key] for key in LATEST}
    stores[asset].set.assert_called_once_with("latest", shown)
    keep_latest({}, asset, metadata)
    assert "the Asset's page does not show 2026.11.24-2" in caplog.text


def test_the_note_of_an_evaluation_has_pass_at_k_with_intervals() -> None:
    def score(task: str, graded_on: str, k: int, value: float) -> dict[str, Any]:
        bounds = {"low": value - 0.1, "high": value + 0.1}
        return {"task": task, "graded_on": graded_on, "k": k, "value": value, **bounds}

    written = {
        **{"target": "s3://other", "problem_set": "2026.11.24-1", "name": "qwen-1"},
        **{"model": "qwen", "problems": 1_200, "answers": 12_000},
        "scores": [
            score("induction", "held", 1, 0.4),
            score("induction", "all", 1, 0.3),
            score("induction", "held", 10, 0.6),
            score("humaneval", "tests", 1, 0.8),
        ],
    }
    heading, empty, *lines = evaluation_note(written).splitlines()
    assert heading.startswith("**[qwen](/") and heading.endswith(
        "/evaluations/2026.11.24-1/qwen-1?target=s3%3A%2F%2Fother)** on 2026.11.24-1: "
        "1,200 problems, 12,000 answers"
    )
    assert (empty, lines) == (
        "",
        [
            "- induction: pass@1 40.0% on held-out cases (30.0% to 50.0%), 30.0% on all cases "
            "(20.0% to 40.0%); pass@10 60.0% on held-out cases (50.0% to 70.0%)",
            "- humaneval: pass@1 80.0% on its tests (70.0% to 90.0%)",
        ],
    )

    # A server may call its model as it likes, and the page shows links.
    hostile = evaluation_note(written | {"model": "x](http://192.0.2.1)"})
    assert hostile.startswith(r"**[x\](http://192.0.2.1)](/")


def test_a_training_is_told_of_in_a_few_lines() -> None:
    trained = {
        "model_name": "small-direct_fine_tuning-0123456789",
        "base_model": "s3://bucket/models/small",
        "release_version": "2026.11.24-1",
        "steps": 1_200,
        "loss": 0.51234,
        "validation_loss": 0.61234,
        "uri": "s3://bucket/models/small-direct_fine_tuning-0123456789",
    }
    assert training_note(trained).splitlines() == [
        "**small-direct_fine_tuning-0123456789**: s3://bucket/models/small, trained on release "
        "2026.11.24-1",
        "",
        "- 1,200 steps, loss 0.512 at the last, 0.612 on validation",
        "- s3://bucket/models/small-direct_fine_tuning-0123456789",
    ]
    assert "validation" not in training_note(trained | {"validation_loss": None})
