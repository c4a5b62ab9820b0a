from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c2c_tasks.publishing.facts import SandboxFacts, WriterFacts
from c2c_tasks.publishing.manifest import (
    Dump,
    FileEntry,
    FunnelStage,
    Manifest,
    Sandbox,
    Writing,
    read_manifest,
)
from c2c_tasks.publishing.manifest_schema import manifest_schema
from c2c_tasks.records import SPLITS
from c2c_tasks.store import ObjectNotFound, StoreError, store_for

DOCS = Path(__file__).parents[2] / "docs"
SCHEMA = json.loads(manifest_schema())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

FIRST_VERSION: dict[str, Any] = {
    "schema_version": 1,
    "dataset_name": "Case2Code",
    "version": "2026.11.01-1",
    "parent": None,
    "build_id": "b",
    "created_for": "2026-11-01",
    "config": {"functions": {"benchmarks": ""}},
    "code_version": "0.1.0+abc",
    "dump": {"uri": "file:///dump", "objects": 1},
    "writer": {"name": "vllm", "model": ["a", "b"]},
    "sandbox": {"launcher": "process", "missing": ["cgroup"], "runner": {"python": "3.11.7"}},
    "funnel": [{"name": "n", "unit": "u", "rows_in": 1, "rows_out": 0, "dropped": {"r": 1}}],
    "splits": {"sft": {"train": 1}},
    "files": [{"path": "README.md", "bytes": 1, "rows": None, "sha256": "0" * 64}],
}
"""A manifest as the first releases have it."""


def entry(path: str) -> FileEntry:
    return FileEntry(path=path, bytes=1, rows=1, sha256="0" * 64)


@pytest.mark.parametrize(
    ("path", "config", "split"),
    [
        ("sft/train-00000-of-00001.parquet", "sft", "train"),
        ("programs/test-00001-of-00002.parquet", "programs", "test"),
        ("dump_objects.parquet", None, None),
        ("report/train-funnel.png", None, None),
        ("sft/README.md", None, None),
    ],
)
def test_config_and_split_are_told_by_the_path(path: str, config: object, split: object) -> None:
    assert (entry(path).config, entry(path).split) == (config, split)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (b'{"schema_version": 2}', r"schema_version: Input should be 1 \(and \d+ more\)"),
        (b"{", "Invalid JSON: EOF while parsing an object at line 1 column 1"),
        (b"[]", "Input should be an object"),
    ],
)
def test_what_is_no_manifest_is_named_with_the_first_fault_in_one_line(
    target: str, text: bytes, fault: str
) -> None:
    with pytest.raises(ObjectNotFound, match=r"manifest\.json"):
        read_manifest(target)
    store_for(target).write(f"{target}/manifest.json", text)
    with pytest.raises(StoreError, match=rf"{fault}$") as failure:
        read_manifest(target)
    assert str(failure.value).startswith(f"{target}/manifest.json: not a manifest of schema ver")
    assert "\n" not in str(failure.value)


def test_a_fault_deep_inside_is_named_by_its_place(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(
        json.dumps(FIRST_VERSION | {"files": [{"path": "a", "bytes": "?"}]})
    )
    with pytest.raises(StoreError, match=r"files\.0\.bytes: Input should be .*\(and 2 more\)$"):
        read_manifest(tmp_path.as_uri())


def test_manifests_of_earlier_and_later_releases_are_read(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps(FIRST_VERSION | {"added_later": 1}))
    manifest = read_manifest(tmp_path.as_uri())
    assert manifest.sandbox.fallback is None
    assert manifest.writer.model == ["a", "b"]
    VALIDATOR.validate(FIRST_VERSION)
    VALIDATOR.validate(json.loads(manifest.to_json()))


def test_the_schema_of_the_documents_is_up_to_date() -> None:
    assert (DOCS / "manifest.schema.json").read_bytes() == manifest_schema(), (
        "run: python -m c2c_tasks.publishing.manifest_schema > docs/manifest.schema.json"
    )


def test_the_schema_is_one_and_describes_every_member() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    models = {"Manifest": SCHEMA, **SCHEMA["$defs"]}
    assert not [
        f"{name}.{member}"
        for name, model in models.items()
        for member, schema in model.get("properties", {}).items()
        if not schema.get("description")
    ]


def test_every_member_is_in_the_document_and_its_example_is_a_manifest() -> None:
    text = (DOCS / "manifest.md").read_text()
    names = {*SCHEMA["properties"], *(SCHEMA["$defs"]["SandboxFacts"]["properties"])}
    names |= {*SCHEMA["$defs"]["WriterFacts"]["properties"]}
    assert not {name for name in names if f"`{name}`" not in text}
    example = json.loads(text.partition("```json\n")[2].partition("```")[0])
    VALIDATOR.validate(example)
    assert json.loads(Manifest.model_validate(example).to_json())["files"] == example["files"]


@pytest.mark.parametrize(
    ("place", "wrong"),
    [
        (("files", 0, "bytes"), "many"),
        (("splits", "sft"), {"dev": 1}),
        (("writer", "temperature"), "warm"),
        (("schema_version",), 2),
    ],
)
def test_the_schema_refuses_what_the_reader_refuses(place: tuple[Any, ...], wrong: Any) -> None:
    broken = json.loads(json.dumps(FIRST_VERSION))
    *path, last = place
    inner = broken
    for step in path:
        inner = inner[step]
    inner[last] = wrong
    assert not VALIDATOR.is_valid(broken)
    with pytest.raises(ValueError, match=str(last)):
        Manifest.model_validate(broken)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
COUNT = st.integers(0, 2**40)
NUMBER = st.floats(0, 1e9)


def varying(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values | st.lists(st.none() | values, min_size=2, max_size=3)


def model(cls: type[Any], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(cls, **fields)


ENTRIES = st.lists(
    model(FileEntry, path=TEXT, bytes=COUNT, rows=st.none() | COUNT, sha256=TEXT), max_size=2
)
SANDBOXES = model(
    SandboxFacts,
    launcher=varying(TEXT),
    fallback=st.none() | st.booleans(),
    cpus=varying(NUMBER),
    pids=varying(COUNT),
    image_digests=st.none() | st.lists(TEXT, max_size=2),
    missing=st.none() | st.lists(st.none() | st.lists(TEXT, max_size=2), min_size=2, max_size=3),
    told_later=TEXT | st.dictionaries(TEXT, COUNT, max_size=2),
)
MANIFESTS = model(
    Manifest,
    dataset_name=TEXT,
    version=TEXT,
    parent=st.none() | TEXT,
    build_id=TEXT,
    created_for=TEXT,
    config=st.dictionaries(TEXT, st.dictionaries(TEXT, NUMBER | TEXT | st.lists(TEXT)), max_size=2),
    code_version=TEXT,
    dump=model(Dump, uri=TEXT, objects=COUNT),
    rules=st.dictionaries(TEXT, TEXT, max_size=2),
    writer=model(
        WriterFacts,
        name=varying(TEXT),
        temperature=varying(NUMBER),
        constrained=varying(st.booleans()),
        max_tokens=varying(COUNT),
    ),
    writing=st.none()
    | model(
        Writing,
        prompt_tokens=COUNT,
        completion_tokens=COUNT,
        seconds=NUMBER,
        cost=NUMBER,
        programs=COUNT,
    ),
    sandbox=SANDBOXES,
    sandboxes=st.lists(
        model(Sandbox, shards=st.lists(TEXT, max_size=2), facts=SANDBOXES), max_size=2
    ),
    funnel=st.lists(
        model(
            FunnelStage,
            name=TEXT,
            unit=TEXT,
            rows_in=COUNT,
            rows_out=COUNT,
            dropped=st.dictionaries(TEXT, COUNT, max_size=2),
        ),
        max_size=2,
    ),
    splits=st.dictionaries(TEXT, st.dictionaries(st.sampled_from(SPLITS), COUNT), max_size=2),
    files=ENTRIES,
    ledger=ENTRIES,
)


@given(MANIFESTS)
@settings(deadline=None, max_examples=60)
def test_a_manifest_comes_back_from_its_text_and_keeps_to_the_schema(manifest: Manifest) -> None:
    text = manifest.to_json()
    again = Manifest.model_validate_json(text)
    assert again == manifest
    assert again.to_json() == text
    VALIDATOR.validate(json.loads(text))
