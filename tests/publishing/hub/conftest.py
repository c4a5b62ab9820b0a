"""A stand-in of the Hub, and releases to push to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from huggingface_hub import close_session, constants

from tests.publishing.hub.stand_in import TOKEN, StandIn

MakeRelease = Callable[..., str]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[StandIn]:
    """A Hub of this test alone, that this process takes for the real one."""
    stand_in = StandIn()
    # The library reads its environment when it is imported.
    monkeypatch.setattr(constants, "ENDPOINT", stand_in.url)
    template = f"{stand_in.url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no token"))
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    # It waits for seconds between two attempts.
    no_wait = SimpleNamespace(**vars(time))
    no_wait.sleep = lambda seconds: None
    for module in ("utils._http", "file_download"):
        monkeypatch.setattr(f"huggingface_hub.{module}.time", no_wait)
    close_session()
    yield stand_in
    close_session()
    stand_in.stop()


@pytest.fixture
def make_release(publish: Any, make_program: Any, tmp_path: Path) -> MakeRelease:
    """Publishes a small release of some programs into a folder."""

    def make(date: str, programs: range, target: str = (tmp_path / "target").as_uri()) -> str:
        made = [make_program(number) for number in programs]
        uri: str = publish(target, made, build_id=f"build-{date}", date=date)
        return uri

    return make
