"""Answers that outlive the attempt that got them."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from c2c_tasks.inputs import answers as module
from c2c_tasks.inputs.answers import Answers
from c2c_tasks.inputs.completions import Completion, Request
from c2c_tasks.store import StoreError, normalise, store_for


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WRITE_SECONDS", 0.01)


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return normalise(str(tmp_path / "part-00000.answers"))


def keep(answers: Answers, **said: str) -> dict[str, str]:
    """Keep answers at the same time; return what counts."""

    async def scenario() -> list[Completion]:
        return await asyncio.gather(
            *(answers.keep(key, Completion([text], 3, 2, 1)) for key, text in said.items())
        )

    return dict(zip(said, (kept.texts[0] for kept in asyncio.run(scenario())), strict=True))


def names(folder: str) -> list[str]:
    return [info.uri.rpartition("/")[2] for info in store_for(folder).list(folder)]


def test_another_attempt_finds_them(folder: str) -> None:
    first = Answers(folder)
    keep(first, a="f(1)", b="f('é\\n')")
    keep(first, c="f(3)")
    again = Answers(folder)
    assert again.get("b") == Completion(["f('é\\n')"], 3, 2, 1)
    assert again.get("c") is not None
    assert again.get("d") is None
    assert names(folder) == ["00000.jsonl", "00001.jsonl"], "those of one moment in one object"


def test_closing_writes_what_waits(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WRITE_SECONDS", 3_600)

    async def scenario() -> None:
        made = Answers(folder)
        kept = asyncio.ensure_future(made.keep("a", Completion(["f(1)"])))
        await asyncio.sleep(0)
        kept.cancel()
        await made.close()

    asyncio.run(scenario())
    assert Answers(folder).get("a") == Completion(["f(1)"])


def test_without_a_folder_nothing_is_kept() -> None:
    made = Answers()
    assert keep(made, a="f(1)") == {"a": "f(1)"}
    assert made.get("a") is None


def test_of_two_attempts_at_a_time_the_first_answer_counts_for_both(folder: str) -> None:
    one, other = Answers(folder), Answers(folder)
    assert keep(one, a="one", b="one") == {"a": "one", "b": "one"}
    assert keep(other, b="other", c="other") == {"b": "one", "c": "other"}
    assert keep(one, c="one", d="one") == {"c": "other", "d": "one"}
    kept = Answers(folder)
    assert [kept.get(key).texts[0] for key in "abcd"] == ["one", "one", "other", "one"]  # type: ignore[union-attr]


def test_what_all_have_is_not_written_again(folder: str) -> None:
    one, other = Answers(folder), Answers(folder)
    keep(one, a="one")
    keep(other, a="other")
    assert names(folder) == ["00000.jsonl"]


def test_what_cannot_be_written_is_told_to_all_who_wait(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    made = Answers(normalise(str(tmp_path / "file" / "answers")))
    with pytest.raises((StoreError, OSError)):
        keep(made, a="one", b="two")


def test_what_are_no_answers_is_named(folder: str) -> None:
    store_for(folder).write(f"{folder}/00000.jsonl", b"<html>")
    with pytest.raises(StoreError, match=r"00000\.jsonl: not the answers of a writer; remove it"):
        Answers(folder)


def test_on_s3_too(s3_bucket: str) -> None:
    folder = f"{s3_bucket}/work/part-00000.answers"
    one, other = Answers(folder), Answers(folder)
    keep(one, a="one")
    assert keep(other, a="other", b="other") == {"a": "one", "b": "other"}


def test_what_an_earlier_version_kept_is_read(folder: str) -> None:
    line = b'{"request": "a", "texts": ["f(1)"], "prompt_tokens": 3, "completion_tokens": 2, '
    store_for(folder).write(f"{folder}/00000.jsonl", line + b'"truncated": 1}')
    assert Answers(folder).get("a") == Completion(["f(1)"], 3, 2, 1)


def test_a_request_has_the_key_that_earlier_versions_gave_it() -> None:
    request = Request("prompt", {"n": 2}, "grammar")
    parts = ["model", "prompt", {"n": 2}, "grammar"]
    key = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    assert request.key("model") == key
    assert len({key, *(replace(request, number=n).key("model") for n in (1, 2))}) == 3
