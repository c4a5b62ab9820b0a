from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from c2c_tasks.consuming.summary import print_summary, summarise
from c2c_tasks.publishing.release import PublishError
from c2c_tasks.records import FORMATS, Program
from c2c_tasks.store import file_path

Make = Callable[..., Program]


def test_a_target_shows_its_latest_release(target: str, publish: Any, make_program: Make) -> None:
    publish(target, [make_program(n) for n in range(12)], date="2026-11-23", build_id="earlier")
    release = publish(target, [make_program(n) for n in range(12, 24)])
    assert summarise(target) == summarise(release)
    summary = summarise(target)
    assert summary.uri == release
    assert [preview.format for preview in summary.previews] == list(FORMATS)
    assert len({preview.sample_id[:24] for preview in summary.previews}) == 3

    text = io.StringIO()
    print_summary(target, Console(file=text, width=120))
    shown = text.getvalue()
    assert "no_return 15, calls_open 5" in shown
    assert shown.count("sample from owner/name-") == 3
    assert "no container" in shown
    assert shown.rstrip().endswith("\n".join(summary.loading))


def test_the_two_lines_load_the_release(target: str, publish: Any, make_program: Make) -> None:
    release = publish(target, [make_program(n) for n in range(30)])
    loaded: dict[str, Any] = {}
    exec("\n".join(summarise(release).loading), loaded)
    if release.startswith("file:"):
        assert loaded["dataset"].num_rows == 18
        assert str(file_path(release)) in summarise(release).loading[1]
    else:
        assert loaded["table"].num_rows == 30


def test_where_nothing_is_published(target: str) -> None:
    with pytest.raises(PublishError, match="nothing is published here"):
        summarise(target)


def test_markup_of_a_sample_is_shown_as_it_is(
    tmp_path: Path, publish: Any, make_program: Make
) -> None:
    programs = [make_program(n, split="train", repository="[red]x[/red]") for n in range(4)]
    publish(tmp_path.as_uri(), programs)
    text = io.StringIO()
    print_summary(tmp_path.as_uri(), Console(file=text, width=120))
    assert "[red]x[/red]/a/b.py" in text.getvalue()
