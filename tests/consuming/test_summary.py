from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from c2c_tasks.consuming.finding import find_release
from c2c_tasks.consuming.pulling import pull
from c2c_tasks.consuming.summary import print_release, summarise
from c2c_tasks.publishing.manifest import read_manifest
from c2c_tasks.publishing.release import TOMBSTONE, PublishError
from c2c_tasks.records import FORMATS, Program
from c2c_tasks.store import file_path, store_for

Make = Callable[..., Program]
of_files = pytest.mark.parametrize("target", ["file"], indirect=True)


def shown(name: str, width: int = 120) -> str:
    text = io.StringIO()
    print_release(find_release(name), Console(file=text, width=width))
    return text.getvalue()


def test_a_target_shows_its_latest_release(target: str, publish: Any, make_program: Make) -> None:
    publish(target, [make_program(n) for n in range(12)], date="2026-11-23", build_id="earlier")
    release = publish(target, [make_program(n) for n in range(12, 24)])
    summary = summarise(find_release(target))
    assert (summary.release.uri, summary.states) == (release, ["latest"])
    assert summary.previews == summarise(find_release(release)).previews
    assert [preview.format for preview in summary.previews] == list(FORMATS)
    assert len({preview.sample_id[:24] for preview in summary.previews}) == 3

    text = shown(target)
    assert "no_return 15, calls_open 5" in text
    assert text.count("sample from owner/name-") == 3
    assert "no container" in text
    assert text.rstrip().endswith("\n".join(summary.loading))
    assert max(map(len, shown(target, width=40).split("Load it")[0].splitlines())) < 130
    assert not set(text) & set("─│┃━╭╮")


def test_the_two_lines_load_the_release(release: str) -> None:
    lines = summarise(find_release(release)).loading
    loaded: dict[str, Any] = {}
    exec("\n".join(lines), loaded)
    assert loaded["dataset"].num_rows == 18
    assert (str(file_path(release)) if release.startswith("file:") else release) in lines[1]


def test_where_nothing_is_published(target: str) -> None:
    with pytest.raises(PublishError, match="nothing is published here"):
        shown(target)


def test_a_retired_release_shows_its_manifest(release: str) -> None:
    tombstone = b'{"version": "2026.11.24-1", "reason": "a mistake", "retired_at": "2026-12-01"}'
    store = store_for(release)
    for info in list(store.list(release)):
        if info.uri.endswith((".parquet", ".md")):
            store.delete(info.uri)
    store.write(f"{release}/{TOMBSTONE}", tombstone)
    text = io.StringIO()
    print_release(find_release(release, or_retired=True), Console(file=text, width=120))
    assert "retired  2026-12-01: a mistake" in text.getvalue()
    assert "Funnel" in text.getvalue() and "Load it" not in text.getvalue()


def test_what_strangers_wrote_is_shown_as_it_is(
    tmp_path: Path, publish: Any, make_program: Make
) -> None:
    repository = "[red]x[/red]\x1b[31m"
    programs = [make_program(n, split="train", repository=repository) for n in range(4)]
    publish(tmp_path.as_uri(), programs)
    assert "[red]x[/red]\u241b[31m/a/b.py" in shown(tmp_path.as_uri())


@of_files
def test_what_the_manifest_says_is_shown_as_it_is(release: str) -> None:
    manifest = read_manifest(release)
    stage = manifest.funnel[0].model_copy(update={"name": "[/x]\x1b[0m", "dropped": {"\x9b": 20}})
    strange = {"dataset_name": "\x1b]0;title\x07", "funnel": [stage]}
    changed = manifest.model_copy(update=strange)
    store_for(release).write(f"{release}/manifest.json", changed.to_json())
    text = shown(release)
    assert "[/x]\u241b[0m" in text and "\u241b]0;title\u2407" in text and r"\x9b 20" in text
    assert not set("\x1b\x07\x9b") & set(text)


@pytest.mark.parametrize("config", ["sft", "programs"])
def test_a_part_shows_what_it_has(release: str, tmp_path: Path, config: str) -> None:
    pull(find_release(release), tmp_path / "part", configs=[config], splits=["test"])
    summary = summarise(find_release(str(tmp_path / "part")))
    assert {preview.format for preview in summary.previews} == {config} - {"programs"}
    loaded: dict[str, Any] = {}
    exec("\n".join(summary.loading), loaded)
    assert loaded["dataset"].num_rows == 6
