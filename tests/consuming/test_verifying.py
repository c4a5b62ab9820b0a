from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from c2c_tasks.consuming import contents
from c2c_tasks.consuming.finding import find_release
from c2c_tasks.consuming.verifying import Verification, verify
from c2c_tasks.publishing.manifest import DUMP_OBJECTS, FileEntry, read_manifest
from c2c_tasks.publishing.release import describe_file
from c2c_tasks.records import Program
from c2c_tasks.store import StoreUnavailable, file_path, read, store_for

FILE = "sft/train-00000-of-00001.parquet"


def verified(uri: str) -> Verification:
    return verify(find_release(uri))


def faults(uri: str) -> list[tuple[str, str]]:
    """The path and the check of each fault."""
    found = verified(uri)
    return [(fault.path, check.name) for check in found.checks for fault in check.faults]


def change(uri: str, **fields: Any) -> None:
    manifest = read_manifest(uri).model_copy(update=fields)
    store_for(uri).write(f"{uri}/manifest.json", manifest.to_json())


class Total:
    """Adds up what a meter is told."""

    expected = done = 0

    def expect(self, count: int) -> None:
        self.expected += count

    def tick(self, count: int) -> None:
        self.done += count


def test_a_sound_release(release: str) -> None:
    meter = Total()
    found = verify(find_release(release), meter)
    assert found.faults == []
    assert {check.outcome for check in found.checks[:-1]} == {"ok"}
    assert found.checks[-1].not_checked == "the release has none"  # of the ledger
    entries = read_manifest(release).files
    assert found.bytes == meter.expected == meter.done == sum(entry.bytes for entry in entries)
    assert found.checks[2].examined == len(entries)


@pytest.mark.parametrize("position", [0, 0.5, 1])
def test_a_flipped_byte_is_named(release: str, position: float) -> None:
    for path in (FILE, "README.md"):
        content = bytearray(read(f"{release}/{path}"))
        content[int(position * (len(content) - 1))] ^= 1
        store_for(release).write(f"{release}/{path}", bytes(content))
    found = faults(release)
    assert found[:2] == [("README.md", "bytes and SHA-256"), (FILE, "bytes and SHA-256")]
    assert {path for path, _ in found} == {"README.md", FILE}


def test_missing_stray_and_cut_files_are_named(release: str) -> None:
    store = store_for(release)
    store.delete(f"{release}/README.md")
    store.write(f"{release}/sft/train-00001-of-00001.parquet", b"x")
    store.write(f"{release}/{FILE}", read(f"{release}/{FILE}")[:-1])
    assert faults(release) == [
        ("README.md", "files present"),
        ("sft/train-00001-of-00001.parquet", "files present"),
        (FILE, "bytes and SHA-256"),
        (FILE, "rows of Parquet files"),
    ]


def test_what_the_manifest_says_of_itself_is_compared(release: str) -> None:
    manifest = read_manifest(release)
    funnel = [manifest.funnel[0].model_copy(update={"rows_out": 1})]
    dump = manifest.dump.model_copy(update={"objects": 7})
    splits = {**manifest.splits, "sft": {"train": 99}}
    change(release, funnel=funnel, dump=dump, splits=splits)
    assert faults(release) == [("manifest.json", "counts add up")] * 3


def one_row_more(entry: FileEntry) -> FileEntry:
    return entry.model_copy(update={"rows": (entry.rows or 0) + 1}) if entry.path == FILE else entry


def test_rows_are_those_of_the_footer(release: str, monkeypatch: pytest.MonkeyPatch) -> None:
    change(release, files=list(map(one_row_more, read_manifest(release).files)))
    expected = [(FILE, "rows of Parquet files"), ("manifest.json", "counts add up")]
    assert faults(release) == expected
    # A footer that is longer than what is kept of the file's end.
    monkeypatch.setattr(contents, "PIECE", 500)
    monkeypatch.setattr(contents, "TAIL", 1)
    assert faults(release) == expected


@pytest.mark.parametrize(
    ("path", "text"),
    [("claim.json", b'{"build_id": "other"}'), ("claim.json", b"[]"), ("manifest.json", b"{}")],
)
def test_claim_and_manifest(release: str, path: str, text: bytes) -> None:
    store_for(release).write(f"{release}/{path}", text)
    assert faults(release) == [(path, path.partition(".")[0])]


def test_a_manifest_that_is_not_of_this_release(release: str) -> None:
    manifest = read_manifest(release)
    outside = manifest.files[0].model_copy(update={"path": "../../latest.json"})
    change(release, files=[*manifest.files, outside])
    assert faults(release) == [("manifest.json", "manifest")]
    change(release, files=manifest.files, version="2026.11.24-2")
    assert faults(release) == [("manifest.json", "manifest")]


def test_what_is_around_it(
    target: str, publish: Any, make_program: Callable[[int], Program], tmp_path: Path
) -> None:
    parent = publish(target, [make_program(0)], date="2026-11-23", build_id="earlier")
    release = publish(target, [make_program(1)], parent=parent)
    (tmp_path / "x.parquet").write_bytes(read(f"{release}/{DUMP_OBJECTS}"))
    store = store_for(target)
    store.write(f"{target}/ledger/x.parquet", (tmp_path / "x.parquet").read_bytes())
    change(release, ledger=[describe_file(tmp_path / "x.parquet", "ledger/x.parquet")])
    assert faults(release) == []
    store.write(f"{target}/ledger/x.parquet", b"other")
    store.delete(f"{parent}/manifest.json")
    pointer = read(f"{target}/latest.json").replace(b"24-1", b"24-9")
    store.write(f"{target}/latest.json", pointer)
    assert faults(release) == [
        ("latest.json", "pointer"),
        ("releases/2026.11.23-1/manifest.json", "parent"),
        *[("ledger/x.parquet", "ledger")] * 2,
    ]


@pytest.mark.parametrize("target", ["file"], indirect=True)
def test_a_copy_is_verified_without_its_target(release: str, target: str, tmp_path: Path) -> None:
    shutil.copytree(file_path(release), tmp_path / "copy")
    shutil.rmtree(file_path(target))
    found = verified(str(tmp_path / "copy"))
    assert found.faults == []
    unknown = {check.name for check in found.checks if check.outcome == "not checked"}
    assert unknown == {"claim", "pointer", "parent", "ledger"}


@pytest.mark.parametrize("target", ["file"], indirect=True)
def test_hidden_files_are_nobodys_rows(release: str, tmp_path: Path) -> None:
    shutil.copytree(file_path(release), tmp_path / "clone")
    for name in (".gitattributes", ".git/config", "sft/.cache/huggingface/x.parquet"):
        (tmp_path / "clone" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "clone" / name).write_text("x")
    assert faults(str(tmp_path / "clone")) == []


@pytest.mark.parametrize("claim", [b"", b"{}", b"[1]"])
def test_what_is_no_claim_is_a_fault(release: str, claim: bytes) -> None:
    store_for(release).write(f"{release}/claim.json", claim)
    assert faults(release) == [("claim.json", "claim")]


@pytest.mark.parametrize("target", ["file"], indirect=True)
def test_a_path_that_leads_out_is_a_fault(release: str) -> None:
    entry = read_manifest(release).files[0].model_copy(update={"path": "../x"})
    change(release, files=[entry])
    assert faults(release) == [("manifest.json", "manifest")]


def test_a_store_that_is_away_is_no_fault(release: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = find_release(release)
    kind = type(store_for(release))
    opened = kind.open

    def open_(self: Any, uri: str) -> Any:
        if uri.endswith(FILE):
            raise StoreUnavailable(f"{uri}: away")
        return opened(self, uri)

    monkeypatch.setattr(kind, "open", open_)
    with pytest.raises(StoreUnavailable, match="away"):
        verify(found)
