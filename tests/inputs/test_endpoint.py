"""The client of an OpenAI-compatible endpoint against a small server that speaks its API."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

from c2c_tasks.config import InputOptions
from c2c_tasks.inputs import endpoint as module
from c2c_tasks.inputs.completions import (
    Completion,
    ContextTooShort,
    Request,
    RequestFailed,
    RequestRefused,
)
from c2c_tasks.inputs.endpoint import ATTEMPTS, Endpoint
from c2c_tasks.inputs.errors import EngineDown, InputError
from tests.inputs.stand_in import StandIn, completion

CHAT = Request([{"role": "user", "content": "f?"}], {"temperature": 0.5, "max_tokens": 99})


def reach(stand_in: StandIn, **options: Any) -> Endpoint:
    return Endpoint(InputOptions(writer="vllm", **{"endpoint": stand_in.url, **options}))


def ask(endpoint: Endpoint, *requests: Request) -> list[Any]:
    """Make requests at a time; return the answers, or what was raised instead."""

    async def scenario() -> list[Any]:
        try:
            return await asyncio.gather(
                *(endpoint.complete(request) for request in requests), return_exceptions=True
            )
        finally:
            await endpoint.close()

    return asyncio.run(scenario())


def test_a_chat(stand_in: StandIn) -> None:
    stand_in.answer = lambda _: completion("f(1)", None, "f(2)", reason="length")
    (answer,) = ask(reach(stand_in), CHAT)
    assert answer == Completion(["f(1)", "", "f(2)"], 7, 5, truncated=3, truncated_texts=[0, 1, 2])
    (request,) = stand_in.requests
    assert request == {
        "path": "/v1/chat/completions",
        "model": "small",
        "messages": CHAT.prompt,
        "temperature": 0.5,
        "max_tokens": 99,
    }


def test_a_text_with_a_grammar(stand_in: StandIn) -> None:
    stand_in.answer = lambda _: (200, {"choices": [{"text": "f(1)"}], "usage": None}, {})
    (answer,) = ask(reach(stand_in), Request("f?", {}, 'root ::= "a"'))
    assert answer == Completion(["f(1)"])
    (request,) = stand_in.requests
    assert request == {
        "path": "/v1/completions",
        "model": "small",
        "prompt": "f?",
        "structured_outputs": {"grammar": 'root ::= "a"'},
    }


def test_the_model_is_the_one_that_is_named(stand_in: StandIn) -> None:
    assert reach(stand_in, model="large").model == "large"
    with pytest.raises(InputError, match=r"does not serve 'huge'; it serves small, large"):
        reach(stand_in, model="huge")


def test_an_answer_longer_than_the_context_is_refused_at_once(stand_in: StandIn) -> None:
    with pytest.raises(InputError, match=r"max_tokens is 5,000, and small has a context of 4,096"):
        reach(stand_in, max_tokens=5_000)


def test_what_the_endpoint_tells_of_itself(stand_in: StandIn) -> None:
    assert reach(stand_in).statistics.facts == {
        "engine": "endpoint",
        "engine_version": "vllm 0.0",
        "context_tokens": 4096,
    }
    stand_in.version = "no version"
    assert reach(stand_in).statistics.facts["engine_version"] is None


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_what_may_pass_is_tried_again(status: int, stand_in: StandIn) -> None:
    stand_in.answers = [(status, "busy", {"Retry-After": "0.02"}), (status, "busy", {})]
    made = reach(stand_in)
    (answer,) = ask(made, CHAT)
    assert answer.texts == ["f(1)\nf(2)"]
    assert made.statistics.retries == 2
    assert len(stand_in.requests) == 3


def test_what_does_not_pass_fails_in_the_end(stand_in: StandIn) -> None:
    stand_in.answer = lambda _: (500, "out of order", {})
    (failure,) = ask(reach(stand_in), CHAT)
    assert isinstance(failure, RequestFailed)
    assert str(failure) == "status 500: out of order"
    assert len(stand_in.requests) == ATTEMPTS


def test_the_wait_that_the_endpoint_asks_for_is_kept(
    stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONGEST_WAIT", 0.6)
    stand_in.answers = [(429, "later", {"Retry-After": "900"})]
    started = time.monotonic()
    ask(reach(stand_in), CHAT)
    assert time.monotonic() - started >= 0.6


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("unknown argument", RequestRefused),
        ("This model's maximum context length is 4096 tokens.", ContextTooShort),
        ('{"error": {"code": "context_length_exceeded"}}', ContextTooShort),
    ],
)
def test_what_is_refused_is_not_asked_again(
    message: str, kind: type[Exception], stand_in: StandIn
) -> None:
    stand_in.answer = lambda _: (400, message, {})
    (failure,) = ask(reach(stand_in), CHAT)
    assert type(failure) is kind
    assert message in str(failure)
    assert len(stand_in.requests) == 1


@pytest.mark.parametrize(
    "answer", ["<html>", "[1]", "{}", '{"choices": [1]}', '{"choices": 1}', '{"choices": []}']
)
def test_an_answer_that_is_no_completion_is_asked_for_again(answer: str, stand_in: StandIn) -> None:
    stand_in.answers = [(200, answer, {})]
    (completed,) = ask(reach(stand_in), CHAT)
    assert isinstance(completed, Completion)
    assert len(stand_in.requests) == 2


def test_the_words_of_the_endpoint_are_told(stand_in: StandIn) -> None:
    stand_in.answer = lambda _: (400, {"error": {"message": "no such parameter", "code": 400}}, {})
    (failure,) = ask(reach(stand_in), CHAT)
    assert str(failure) == "status 400: no such parameter"


def test_tokens_that_are_no_numbers_count_as_none(stand_in: StandIn) -> None:
    usage = {"prompt_tokens": "many", "completion_tokens": -1}
    stand_in.answers = [(200, {"choices": [{"text": "a"}], "usage": usage}, {})]
    assert ask(reach(stand_in), CHAT) == [Completion(["a"])]


def test_a_deadline_is_kept(stand_in: StandIn) -> None:
    stand_in.seconds = 0.5
    (failure,) = ask(reach(stand_in, request_seconds=0.05), CHAT)
    assert isinstance(failure, RequestFailed)
    assert str(failure) == "no answer in 0.05 s"


def test_requests_do_not_fill_the_log(stand_in: StandIn, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    ask(reach(stand_in), *[CHAT] * 5)
    assert not caplog.records


def test_many_at_a_time(stand_in: StandIn) -> None:
    stand_in.seconds = 0.2
    started = time.monotonic()
    assert len(ask(reach(stand_in), *[CHAT] * 40)) == 40
    assert stand_in.most_under_way > 20
    assert time.monotonic() - started < 4


def test_a_busy_endpoint_is_given_time(stand_in: StandIn) -> None:
    begun = time.monotonic()
    stand_in.answer = lambda _: (
        (429, "busy", {}) if time.monotonic() - begun < 1.5 else completion("f(1)")
    )
    made = reach(stand_in)
    answers = ask(made, *[CHAT] * 30)
    assert all(isinstance(answer, Completion) for answer in answers)
    assert made.statistics.retries > 30 * ATTEMPTS / 2
    assert made.statistics.outages == 0
    begun = time.monotonic() + 3_600
    failures = ask(reach(stand_in, outage_seconds=0.2), CHAT)
    assert isinstance(failures[0], RequestFailed)


def test_an_endpoint_that_is_started_again_is_waited_for(stand_in: StandIn) -> None:
    made = reach(stand_in)
    stand_in.stop()
    threading.Timer(0.3, stand_in.start).start()
    answers = ask(made, *[CHAT] * 30)
    assert all(isinstance(answer, Completion) for answer in answers)
    assert made.statistics.outages == 1
    assert made.statistics.retries == 30


def test_an_endpoint_that_stays_down_is_given_up(stand_in: StandIn) -> None:
    made = reach(stand_in, outage_seconds=0.2)
    stand_in.stop()
    failures = ask(made, *[CHAT] * 30)
    assert {type(failure) for failure in failures} == {EngineDown}
    assert f"{stand_in.url} is down (ConnectError" in str(failures[0])


def test_an_endpoint_that_is_down_from_the_start_is_named(stand_in: StandIn) -> None:
    stand_in.stop()
    with pytest.raises(EngineDown, match=rf"{stand_in.url} does not answer .*vllm serve"):
        reach(stand_in)


@pytest.mark.parametrize(
    ("status", "models", "kind", "message"),
    [
        (401, {}, InputError, "refuses the API key; set C2C_VLLM_API_KEY"),
        (
            404,
            "no such page",
            InputError,
            "answers 404; is it an OpenAI API? The base URL of one ends in /v1",
        ),
        (503, "loading", EngineDown, "answers 503: it may be starting"),
        (200, "<html>", InputError, "does not list models"),
        (200, {"data": [{}]}, InputError, "does not list models"),
        (200, {"data": []}, InputError, "serves no model"),
    ],
)
def test_what_is_no_openai_endpoint(
    status: int, models: Any, kind: type[Exception], message: str, stand_in: StandIn
) -> None:
    stand_in.models_status, stand_in.models = status, models
    with pytest.raises(InputError) as error:
        reach(stand_in)
    assert type(error.value) is kind
    assert message in str(error.value)
    assert stand_in.url in str(error.value)


def test_address_and_key_may_come_from_the_environment(
    stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("C2C_VLLM_ENDPOINT", stand_in.url + "/")
    monkeypatch.setenv("C2C_VLLM_API_KEY", "secret")
    ask(Endpoint(InputOptions(writer="vllm")), CHAT)
    assert stand_in.keys == {"Bearer secret"}


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("", "no endpoint"),
        ("localhost:8000", "no http:// or https://"),
        ("http://host:80a/v1", "http://host:80a/v1/models cannot be asked"),
        (f"http://{'a' * 70}.example/v1", "cannot be asked"),
    ],
)
def test_an_address_is_needed(address: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("C2C_VLLM_ENDPOINT", raising=False)
    with pytest.raises(InputError, match=message):
        Endpoint(InputOptions(writer="vllm", endpoint=address))


def test_a_key_that_is_none_is_not_told(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("C2C_VLLM_API_KEY", " secret\n")
    ask(reach(stand_in), CHAT)
    assert stand_in.keys == {"Bearer secret"}
    monkeypatch.setenv("C2C_VLLM_API_KEY", "sec\nret")
    with pytest.raises(InputError, match=r"C2C_VLLM_API_KEY is no key") as error:
        reach(stand_in)
    assert "ret" not in str(error.value).replace("other", "")
