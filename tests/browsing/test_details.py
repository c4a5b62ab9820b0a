from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from c2c_tasks.browsing.details import describe_release, read_card, read_plot
from c2c_tasks.browsing.refusals import NothingThere
from c2c_tasks.publishing.plots import PLOTS
from c2c_tasks.publishing.release import release_uri
from c2c_tasks.records import Program
from c2c_tasks.store import read, store_for

pytestmark = pytest.mark.usefixtures("deployment")


def test_a_release_is_described_with_what_reasons_mean(target: str, release: str) -> None:
    found = describe_release(None, release)
    assert found["version"] == release
    assert found["states"] == ["latest"]
    assert found["splits"]["programs"] == {"train": 18, "validation": 6, "test": 6}
    assert found["funnel"] == [
        {
            "stage": "functions",
            "unit": "functions",
            "rows_in": 120,
            "rows_out": 100,
            "dropped": [
                {"reason": "no_return", "rows": 15, "meaning": "no return"},
                {"reason": "calls_open", "rows": 5, "meaning": "calls open"},
            ],
        }
    ]
    assert found["options"]["cases"]["max_cases"] > 0
    assert found["writer"] == {"name": "synthesis"}
    assert release in found["citation"]
    assert "SHA-256" in found["citation"]


def test_plots_and_card_are_those_of_the_manifest(
    target: str, publish: Any, make_program: Callable[[int], Program]
) -> None:
    uri = publish(target, [make_program(n) for n in range(12)], plots=True)
    version = uri.rpartition("/")[2]
    plots = describe_release(None, version)["plots"]
    assert plots[0] == {"name": "funnel", "title": PLOTS["funnel"]}
    for plot in plots:
        found = read_plot(None, version, plot["name"])
        assert found.data.startswith(b"\x89PNG")
        assert found.data == read(f"{uri}/report/{plot['name']}.png")
    assert read_card(None, version).data == read(f"{uri}/README.md")
    # A file that lies there and is not the release's own is not handed out.
    store_for(uri).write(f"{uri}/report/stray.png", b"\x89PNG")
    for name in ("stray", "nothing", "", "../report/funnel", "funnel.png", "../../secret"):
        with pytest.raises(NothingThere):
            read_plot(None, version, name)


@pytest.mark.parametrize("target", ["file"], indirect=True)
def test_no_password_is_shown(target: str, release: str) -> None:
    uri = release_uri(target, release)
    text = read(f"{uri}/manifest.json").decode()
    secret = "http://me:hunter2@host:8000/v1?token=hunter3&x=1"
    text = text.replace('"endpoint": ""', f'"endpoint": "{secret}"')
    text = text.replace('"name": "synthesis"', f'"name": "at {secret}", "api_key": "hunter4"')
    store_for(uri).write(f"{uri}/manifest.json", text.encode())
    shown = repr(describe_release(None, release))
    assert "host:8000/v1" in shown
    assert "hunter" not in shown
