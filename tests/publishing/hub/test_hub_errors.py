"""What goes wrong with the Hub: one clear line, and never the token in it."""

from __future__ import annotations

import logging
import re

import pytest
from huggingface_hub import close_session, constants

from c2c_tasks.publishing.hub import push_release
from c2c_tasks.publishing.hub_errors import check_repository
from c2c_tasks.publishing.release import PublishError
from c2c_tasks.store import StoreUnavailable
from tests.publishing.hub.conftest import MakeRelease
from tests.publishing.hub.stand_in import READ_TOKEN, TOKEN, Fault, StandIn

REPOSITORY = "org/case2code"
WRONG_TOKEN = "hf_" + "wrongt0ken" * 3


@pytest.fixture
def release(make_release: MakeRelease) -> str:
    return make_release("2026-11-24", range(4))


@pytest.mark.parametrize(
    "name", ["case2code", "a/b/c", "org/", "org/na me", "org/..", "https://huggingface.co/org/name"]
)
def test_a_name_that_is_none_is_refused_before_anything_is_asked(hub: StandIn, name: str) -> None:
    with pytest.raises(PublishError, match=r"not a dataset on the Hub; they are named org"):
        check_repository(name)
    assert not hub.requests


def test_a_push_needs_a_token_and_the_network(
    hub: StandIn, release: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_two\x01parts")
    with pytest.raises(PublishError, match="HF_TOKEN holds characters that no token has"):
        push_release(release, REPOSITORY)
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(PublishError, match="there is no token of the Hub; set HF_TOKEN"):
        push_release(release, REPOSITORY)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(PublishError, match="HF_HUB_OFFLINE is set; unset it"):
        push_release(release, REPOSITORY)
    assert not hub.requests


@pytest.mark.parametrize(
    ("token", "repository", "message"),
    [
        (WRONG_TOKEN, REPOSITORY, "does not know the token .401: Invalid credentials"),
        (READ_TOKEN, REPOSITORY, "the token may not write there .403: Forbidden: pass a token"),
        (READ_TOKEN, "org/there", "the token may not write there .403"),
        (TOKEN, "nobody/case2code", 'may not write there .403: .* namespace "nobody".*; name a'),
    ],
    ids=["wrong", "read only", "read only, there", "no such organisation"],
)
def test_what_the_hub_refuses_is_for_a_person_to_mend(
    hub: StandIn,
    release: str,
    monkeypatch: pytest.MonkeyPatch,
    token: str,
    repository: str,
    message: str,
) -> None:
    hub.new_dataset("org/there")
    monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(PublishError, match=message) as raised:
        push_release(release, repository)
    assert str(raised.value).startswith(f"{repository}: ") and "\n" not in str(raised.value)
    assert token not in str(raised.value)


@pytest.mark.parametrize(
    ("request_", "status", "message"),
    [
        ("POST .*/commit/", 429, "the Hub limits requests .429: You have exceeded"),
        ("POST .*/preupload/", 429, "the Hub limits requests .429: You have exceeded"),
        ("POST .*/commit/", 503, "the Hub is in trouble .503: Service Unavailable.; try again"),
        ("PUT /lfs/", 500, "the Hub is in trouble .500: Internal Error"),
        ("POST .*/repos/create", 503, "the Hub is in trouble"),
        ("GET .*/resolve/", 500, "the Hub is in trouble"),
        ("HEAD .*/resolve/", 503, "the Hub is in trouble"),
        ("POST .*/commit/", 412, "20 attempts to push 2026.11.24-1"),
        ("PUT /lfs/", "dropped", r"the Hub \(http://127.0.0.1:\d+\) does not answer: .*; try agai"),
        ("", "dropped", "does not answer"),
    ],
)
def test_what_may_pass_is_worth_another_attempt(
    hub: StandIn, release: str, make_release: MakeRelease, request_: str, status: int, message: str
) -> None:
    if "/resolve/" in request_:  # of what main holds
        push_release(make_release("2026-11-23", range(3)), REPOSITORY)
    hub.faults = [Fault(request_, status, times=1000)]
    with pytest.raises(StoreUnavailable, match=message) as raised:
        push_release(release, REPOSITORY)
    assert "\n" not in str(raised.value)


def test_a_hub_that_is_not_there_is_named(hub: StandIn, release: str) -> None:
    hub.stop()
    close_session()
    with pytest.raises(StoreUnavailable, match=re.escape(f"the Hub ({hub.url}) does not answer")):
        push_release(release, REPOSITORY)


def test_what_the_hub_says_of_the_release_is_passed_on(hub: StandIn, release: str) -> None:
    hub.faults = [Fault("POST .*/commit/", 400, message="Your dataset is\nfull of it")]
    with pytest.raises(PublishError, match=r"refuses the release .400: Your dataset is full of it"):
        push_release(release, REPOSITORY)
    hub.faults = [Fault("POST .*/validate-yaml", 400)]
    with pytest.raises(PublishError, match=r"cannot be pushed to: Invalid metadata in README.md"):
        push_release(release, REPOSITORY)


def test_the_token_is_told_to_nobody(
    hub: StandIn,
    release: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("huggingface_hub", "httpx2", "httpcore2"):
        monkeypatch.setattr(logging.getLogger(name), "propagate", True)
        caplog.set_level(logging.DEBUG, logger=name)
    hub.faults = [Fault("PUT /lfs/", 500), Fault("/commit/", "lost")]
    told = [push_release(release, REPOSITORY)]
    dataset = hub.datasets[REPOSITORY]
    told += [
        dataset.files("main"),
        dataset.history(),
        hub.requests,
        caplog.text,
        *capfd.readouterr(),
    ]
    assert len(caplog.records) > 20
    assert TOKEN not in str(told)
