from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from c2c_tasks.consuming.finding import find_release
from c2c_tasks.consuming.listing import list_releases
from c2c_tasks.publishing.pointer import read_pointer
from c2c_tasks.publishing.release import TOMBSTONE, claim_version, release_uri
from c2c_tasks.records import Program
from c2c_tasks.store import StoreError, store_for


def test_releases_are_listed_newest_first_with_their_states(
    target: str, publish: Any, make_program: Callable[[int], Program]
) -> None:
    store = store_for(target)
    uris = []
    for day in (9, 10, 11):
        programs = [make_program(n) for n in range(day)]
        uris.append(publish(target, programs, date=f"2026-11-{day:02}", build_id=str(day)))
    claim_version(target, "2026-11-12", "under way")
    store.write(f"{release_uri(target, '2026.11.13-1')}/manifest.json", b"{}")
    tombstone = {"version": "2026.11.09-1", "reason": "too old", "retired_at": "2026-12-01"}
    store.write(f"{uris[0]}/{TOMBSTONE}", json.dumps(tombstone).encode())
    pointer = read_pointer(target)
    assert pointer is not None
    marks = {"pinned": {"2026.11.11-1": "paper"}, "withdrawn": ["2026.11.10-1"]}
    store.write(f"{target}/latest.json", pointer.model_copy(update=marks).to_json())

    listed = list_releases(target)
    assert [(release.version, release.states, release.note) for release in listed[1:]] == [
        ("2026.11.12-1", ["incomplete"], ""),
        ("2026.11.11-1", ["latest", "pinned"], "paper"),
        ("2026.11.10-1", ["withdrawn"], ""),
        ("2026.11.09-1", ["retired"], "too old"),
    ]
    assert listed[0].states == ["unreadable"] and "manifest.json" in listed[0].note
    newest = listed[2]
    assert (newest.programs, newest.samples, newest.build) == (11, 33, "11")
    assert newest.bytes and newest.uri == uris[2]


def test_what_is_no_claim_hides_no_release(release: str, target: str) -> None:
    uri = release_uri(target, "2026.11.24-2")
    store_for(target).write(f"{uri}/claim.json", b"{}")
    broken, whole = list_releases(target)
    assert (broken.states, whole.states) == (["incomplete"], ["latest"])
    assert "claim.json: not a claim" in broken.note
    with pytest.raises(StoreError, match="not a claim"):
        find_release("2026.11.24-2", target)


def test_an_empty_target_has_no_releases(target: str) -> None:
    assert list_releases(target) == []
