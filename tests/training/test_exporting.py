"""Exports: their rows, shares and descriptions, and what they refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from c2c_tasks.config.training import DataOptions
from c2c_tasks.consuming.finding import FoundRelease
from c2c_tasks.store import sha256_of
from c2c_tasks.training import exporting
from c2c_tasks.training.errors import TrainingError
from c2c_tasks.training.exporting import ExportRequest, export


def request(**options: Any) -> ExportRequest:
    data = {name: options.pop(name) for name in set(options) & set(DataOptions.model_fields)}
    return ExportRequest(data=DataOptions(**data), **options)


def rows_of(folder: Path, split: str = "train") -> list[dict[str, Any]]:
    told = json.loads((folder / "export.json").read_text())["splits"][split]
    path = folder / told["file"]
    assert sha256_of(path) == told["sha256"]
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pylist()
    return [json.loads(line) for line in path.read_text().splitlines()]


def published(found: FoundRelease, config: str, split: str) -> dict[str, dict[str, Any]]:
    files = Path(found.place, config).glob(f"{split}-*.parquet")
    rows = (row for file in files for row in pq.read_table(file).to_pylist())
    return {row["sample_id"]: row for row in rows}


@pytest.mark.parametrize("file_format", ["jsonl", "parquet"])
def test_chats_for_trl(found: FoundRelease, tmp_path: Path, file_format: Any) -> None:
    import datasets

    told = export(found, tmp_path / "export", request(file_format=file_format))
    originals = published(found, "sft", "train")
    rows = rows_of(tmp_path / "export")
    assert {row["id"]: row["messages"] for row in rows} == {
        key: row["messages"] for key, row in originals.items()
    }
    assert told["splits"]["train"]["rows"] == len(originals) == len(rows)
    assert told["splits"]["train"]["tokens"] == sum(row["length"] for row in rows)
    assert told["release"]["version"] == found.manifest.version
    loaded = datasets.load_dataset(
        "json" if file_format == "jsonl" else "parquet",
        data_files=str(tmp_path / "export" / told["splits"]["train"]["file"]),
        cache_dir=str(tmp_path / "datasets"),
        split="train",
    )
    assert loaded[0]["messages"] == rows[0]["messages"]


def test_the_test_split_is_exported_where_it_is_named_alone(
    found: FoundRelease, tmp_path: Path
) -> None:
    export(found, tmp_path / "usual", request())
    held_out = set(published(found, "sft", "test"))
    there = [
        row["id"] for split in ("train", "validation") for row in rows_of(tmp_path / "usual", split)
    ]
    assert held_out and held_out.isdisjoint(there)
    assert not list((tmp_path / "usual").glob("test*"))
    export(found, tmp_path / "asked", request(splits=("test",)))
    assert {row["id"] for row in rows_of(tmp_path / "asked", "test")} == held_out
    assert sorted(item.name for item in (tmp_path / "asked").iterdir()) == [
        "export.json",
        "test.jsonl",
    ]


def test_the_same_export_has_the_same_bytes_and_is_not_made_twice(
    found: FoundRelease, tmp_path: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mixed = request(mixture="continued_pretraining", mixture_sources={"corpus": str(corpus)})
    for name in ("one", "two"):
        export(found, tmp_path / name, mixed)
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()
    monkeypatch.setattr(exporting._Plan, "write", None)
    export(found, tmp_path / "one", mixed)
    with pytest.raises(TrainingError, match=r"one: holds an export of other data or options"):
        export(found, tmp_path / "one", request())


def test_one_token_in_ten(found: FoundRelease, tmp_path: Path, corpus: Path) -> None:
    mixed = request(mixture="continued_pretraining", mixture_sources={"corpus": str(corpus)})
    part = export(found, tmp_path / "export", mixed)["splits"]["train"]
    rows = rows_of(tmp_path / "export")
    tokens = {
        name: sum(row["length"] for row in rows if row["source"] == name)
        for name in ("case2code", "corpus")
    }
    longest = max(row["length"] for row in rows)
    assert abs(tokens["case2code"] - tokens["corpus"] / 9) <= longest
    assert {name: told["tokens"] for name, told in part["sources"].items()} == tokens
    scarce, plenty = part["sources"]["case2code"], part["sources"]["corpus"]
    assert scarce["rows"] == scarce["rows_there"] and plenty["rows"] < plenty["rows_there"] == 400
    # Each tenth of the corpus comes with about a tenth of the release.
    order = [row["source"] for row in rows]
    half = order[: len(order) // 2].count("case2code")
    assert abs(half - order.count("case2code") / 2) <= 1
    # Validation is of the release alone: it measures one thing.
    assert {row["source"] for row in rows_of(tmp_path / "export", "validation")} == {"case2code"}


def test_as_many_chats_as_instructions(found: FoundRelease, tmp_path: Path, general: Path) -> None:
    drawn = []
    for seed in (0, 1):
        folder = tmp_path / str(seed)
        mixed = request(
            mixture="instruction_mixing",
            mixture_sources={"general": str(general)},
            mixture_seed=seed,
        )
        export(found, folder, mixed)
        rows = rows_of(folder)
        assert [row["source"] for row in rows].count("general") == len(rows) / 2 == 10
        drawn.append({row["id"] for row in rows if row["source"] == "case2code"})
    assert drawn[0] != drawn[1]
    asked = {row["messages"][0]["content"] for row in rows}
    assert {"Add 0.", "Add 1.\n\n1"} <= asked


def test_llama_factory_is_told_of_its_files(found: FoundRelease, tmp_path: Path) -> None:
    expected = {"messages": "sharegpt", "instruction": "alpaca", "text": "alpaca"}
    for format_, formatting in expected.items():
        folder = tmp_path / format_
        mixture = tmp_path / f"{format_}.yaml"
        mixture.write_text(
            f"format: {format_}\nweigh_by: rows\n"
            "sources: [{name: case2code, uri: 'release:', weight: 1}]"
        )
        export(found, folder, request(trainer="llama_factory", mixture=str(mixture)))
        info = json.loads((folder / "dataset_info.json").read_text())
        assert set(info) == {"case2code_train", "case2code_validation"}
        told = info["case2code_train"]
        assert told["formatting"] == formatting
        row = json.loads((folder / told["file_name"]).read_text().splitlines()[0])
        # What LLaMA-Factory's README asks for: columns are there, tags are keys or roles.
        assert set(told["columns"].values()) <= set(row)
        if tags := told.get("tags"):
            for turn, role in zip(row["messages"], ("user_tag", "assistant_tag"), strict=True):
                assert turn[tags["role_tag"]] == tags[role]
                assert isinstance(turn[tags["content_tag"]], str)


def test_axolotl_is_told_of_its_files(found: FoundRelease, tmp_path: Path) -> None:
    export(found, tmp_path / "export", request(trainer="axolotl", packing_tokens=512))
    told = yaml.safe_load((tmp_path / "export" / "axolotl.yaml").read_text())
    (dataset,) = told["datasets"]
    assert dataset["type"] == "chat_template" and dataset["ds_type"] == "json"
    assert (told["sequence_len"], told["sample_packing"]) == (512, True)
    row = json.loads((tmp_path / "export" / dataset["path"]).read_text().splitlines()[0])
    roles = [turn[dataset["message_property_mappings"]["role"]] for turn in row["messages"]]
    assert roles == ["user", "assistant"] and dataset["roles_to_train"] == ["assistant"]


def test_prompts_and_completions(found: FoundRelease, tmp_path: Path) -> None:
    export(found, tmp_path / "export", request(format="prompt_completion"))
    originals = published(found, "sft", "train")
    for row in rows_of(tmp_path / "export"):
        assert row["prompt"] + row["completion"] == originals[row["id"]]["messages"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"trainer": "axolotl", "format": "prompt_completion"},
            "axolotl reads no prompt_completion",
        ),
        ({"mixture": "best"}, r"mixture 'best': there is none; there are continued_pretraining, "),
        (
            {"mixture": "instruction_mixing"},
            r"needs its source 'general': .* --source general=PATH",
        ),
        (
            {"mixture_sources": {"corpus": "x"}},
            "has no source 'corpus'; it has none but the release",
        ),
        (
            {"tokenizer": "/nowhere/tokenizer.json"},
            "tokenizer /nowhere/.* is none",
        ),
    ],
)
def test_what_does_not_fit_is_named(
    found: FoundRelease, tmp_path: Path, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(TrainingError, match=said):
        export(found, tmp_path / "export", request(**options))
    assert not (tmp_path / "export").exists()


def test_a_folder_with_other_files_is_left_alone(found: FoundRelease, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(TrainingError, match="is not empty"):
        export(found, tmp_path, request())
    assert (tmp_path / "thesis.tex").read_text() == "mine"


def test_an_export_that_was_interrupted_is_made_again(
    found: FoundRelease, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(exporting, "descriptions", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            export(found, tmp_path / "export", request())
    assert not (tmp_path / "export" / "export.json").exists()
    told = export(found, tmp_path / "export", request())
    assert len(rows_of(tmp_path / "export")) == told["splits"]["train"]["rows"]


def test_rows_are_written_in_batches(
    found: FoundRelease, tmp_path: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many rows there are, no more than a batch of documents is held."""
    held: list[int] = []
    write = exporting._JsonLines.write

    def watched(writer: Any, rows: Any) -> None:
        held.append(len(rows))
        write(writer, rows)

    monkeypatch.setattr(exporting, "BATCH", 50)
    monkeypatch.setattr(exporting._JsonLines, "write", watched)
    mixed = request(mixture="continued_pretraining", mixture_sources={"corpus": str(corpus)})
    export(found, tmp_path / "export", mixed)
    assert max(held) == 50 and len(held) > 7


def test_a_password_in_a_mixture_is_refused_before_it_is_published(
    found: FoundRelease, tmp_path: Path
) -> None:
    mixture = tmp_path / "mixture.yaml"
    mixture.write_text(
        "format: text\nweigh_by: rows\nsources:\n- {name: case2code, uri: 'release:', weight: 1}\n"
        "- {name: corpus, uri: 's3://key:secret@bucket/corpus', weight: 1}\n"
    )
    with pytest.raises(TrainingError, match=r"'corpus': its URI holds a user name") as raised:
        export(found, tmp_path / "out", ExportRequest(data=DataOptions(mixture=str(mixture))))
    assert "secret" not in str(raised.value)
    assert not (tmp_path / "out").exists()
