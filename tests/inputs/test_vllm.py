"""The vllm writer against a small server that speaks the OpenAI API."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from c2c_tasks.config import InputOptions
from c2c_tasks.inputs import vllm
from c2c_tasks.inputs.vllm import VllmWriter
from c2c_tasks.inputs.writer import InputError, writer_for
from c2c_tasks.records import Function, Inputs
from c2c_tasks.shards import StepReport

Answer = tuple[int, dict[str, Any] | str, dict[str, str]]


class QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone away is what some tests are about."""


class Endpoint:
    """A model that writes the inputs 1 and 2, unless `answers` holds something else to say."""

    def __init__(self) -> None:
        self.models: Any = {"data": [{"id": "small"}, {"id": "large"}]}
        self.models_status = 200
        self.answers: list[Answer] = []
        self.answer: Callable[[dict[str, Any]], Answer] = lambda _: completion("f(1)\nf(2)")
        self.requests: list[dict[str, Any]] = []
        self.keys: set[str | None] = set()
        self.seconds = 0.0
        self.under_way = 0
        self.most_under_way = 0
        self.lock = threading.Lock()
        self.server = QuietServer(("127.0.0.1", 0), self.handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def handler(self) -> type[BaseHTTPRequestHandler]:
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                assert self.path == "/v1/models"
                endpoint.keys.add(self.headers["Authorization"])
                self.reply(endpoint.models_status, endpoint.models, {})

            def do_POST(self) -> None:
                assert self.path == "/v1/chat/completions"
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with endpoint.lock:
                    endpoint.requests.append(request)
                    endpoint.under_way += 1
                    endpoint.most_under_way = max(endpoint.most_under_way, endpoint.under_way)
                    endpoint.keys.add(self.headers["Authorization"])
                    queued = endpoint.answers.pop(0) if endpoint.answers else None
                time.sleep(endpoint.seconds)
                answer = queued or endpoint.answer(request)
                with endpoint.lock:
                    endpoint.under_way -= 1
                self.reply(*answer)

            def reply(self, status: int, body: Any, headers: dict[str, str]) -> None:
                data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(data))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler


def completion(content: str | None, prompt_tokens: int = 7, tokens: int = 5) -> Answer:
    usage = {"prompt_tokens": prompt_tokens, "completion_tokens": tokens}
    return 200, {"choices": [{"message": {"content": content}}], "usage": usage}, {}


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    monkeypatch.setattr(vllm, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(vllm, "LONGEST_WAIT", 0.05)
    for name in ("C2C_VLLM_ENDPOINT", "C2C_VLLM_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    made = Endpoint()
    yield made
    made.stop()


def writer(endpoint: Endpoint, **options: Any) -> VllmWriter:
    return VllmWriter(InputOptions(writer="vllm", **{"endpoint": endpoint.url, **options}))


@pytest.fixture
def functions(function_of: Any) -> list[Function]:
    return [function_of(f"def f(x):\n    return x + {i}\n") for i in range(12)]


def write(made: VllmWriter, functions: list[Function]) -> tuple[list[Inputs], StepReport]:
    report = StepReport("write_inputs", "memory:")
    rows = list(made.write(functions, report))
    report.stages[0].check()
    return rows, report


def test_rows_tokens_and_facts(endpoint: Endpoint, functions: list[Function]) -> None:
    rows, report = write(writer(endpoint, temperature=0.5, max_tokens=99), functions[:3])
    assert [row.function_id for row in rows] == [f.function_id for f in functions[:3]]
    assert {tuple(row.arguments) for row in rows} == {("{'x': 1}", "{'x': 2}")}
    assert {(row.writer, row.prompt_tokens, row.completion_tokens) for row in rows} == {
        ("vllm:small", 7, 5)
    }
    assert report.counters == {"prompt_tokens": 21, "completion_tokens": 15, "inputs_written": 6}
    assert report.facts["writer"] == {
        "name": "vllm",
        "model": "small",
        "temperature": 0.5,
        "top_p": 0.95,
        "max_tokens": 99,
    }
    request = endpoint.requests[0]
    assert (request["model"], request["temperature"], request["max_tokens"]) == ("small", 0.5, 99)


def test_the_same_function_is_asked_about_in_the_same_words(
    endpoint: Endpoint, functions: list[Function]
) -> None:
    made = writer(endpoint, concurrency=1)
    write(made, functions[:2])
    write(made, functions[:2])
    assert endpoint.requests[:2] == endpoint.requests[2:]
    assert endpoint.requests[0]["seed"] != endpoint.requests[1]["seed"]


def test_the_model_is_the_one_that_is_named(endpoint: Endpoint) -> None:
    assert writer(endpoint, model="large").model == "large"
    with pytest.raises(InputError, match=r"does not serve 'huge'; it serves small, large"):
        writer(endpoint, model="huge")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_pass_is_tried_again(
    status: int, endpoint: Endpoint, functions: list[Function]
) -> None:
    endpoint.answers = [(status, "busy", {"Retry-After": "0.02"}), (status, "busy", {})]
    rows, report = write(writer(endpoint), functions[:1])
    assert rows[0].arguments == ["{'x': 1}", "{'x': 2}"]
    assert report.counters["request_retries"] == 2
    assert len(endpoint.requests) == 3


def test_the_wait_that_the_endpoint_asks_for_is_kept(
    endpoint: Endpoint, functions: list[Function], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vllm, "LONGEST_WAIT", 0.6)
    endpoint.answers = [(429, "later", {"Retry-After": "900"})]
    started = time.monotonic()
    write(writer(endpoint), functions[:1])
    assert time.monotonic() - started >= 0.3, "half of the longest wait is the least"


def test_what_does_not_pass_is_dropped_and_named(
    endpoint: Endpoint, functions: list[Function]
) -> None:
    endpoint.answers = [(400, "too long a prompt", {})]
    rows, report = write(writer(endpoint, concurrency=1), functions[:3])
    assert len(rows) == 2
    assert report.stages[0].dropped == {"request_failed": 1}
    assert report.problems == ["f of module.py: status 400: too long a prompt"]
    assert len(endpoint.requests) == 3


def test_answers_that_are_none(endpoint: Endpoint, functions: list[Function]) -> None:
    answers: list[Answer] = [
        completion("I would rather not."),
        completion(None),
        (200, {"choices": []}, {}),
        (200, {"unexpected": 1, "usage": {"prompt_tokens": "many", "completion_tokens": -1}}, {}),
        completion("dict(x=f(1)), dict(x=1, y=2), dict(x=3)"),
    ]
    endpoint.answers = answers.copy()
    rows, report = write(writer(endpoint, concurrency=1), functions[:5])
    assert [row.arguments for row in rows] == [["{'x': 3}"]]
    assert report.stages[0].dropped == {"no_parseable_inputs": 4}
    assert report.counters["inputs_refused_not_a_literal"] == 1
    assert report.counters["inputs_refused_unknown_parameter"] == 1
    assert report.counters["prompt_tokens"] == 21, "failed answers cost tokens as well"


def test_an_answer_that_is_not_json_is_asked_for_again(
    endpoint: Endpoint, functions: list[Function]
) -> None:
    endpoint.answers = [(200, "<html>", {}), (200, "[1]", {})]
    rows, _ = write(writer(endpoint), functions[:1])
    assert len(rows) == 1
    assert len(endpoint.requests) == 3


def test_no_more_inputs_than_asked_for(endpoint: Endpoint, functions: list[Function]) -> None:
    endpoint.answer = lambda _: completion("\n".join(f"f({i})" for i in range(50)))
    rows, _ = write(writer(endpoint, inputs_per_function=4), functions[:1])
    assert rows[0].arguments == [f"{{'x': {i}}}" for i in range(4)]
    assert "Give 4 items" in endpoint.requests[0]["messages"][0]["content"]


def test_order_is_kept_and_concurrency_bounded(
    endpoint: Endpoint, functions: list[Function]
) -> None:
    def slower_first(request: dict[str, Any]) -> Answer:
        number = int(request["messages"][-1]["content"].split("x + ")[1].split("\n")[0])
        time.sleep(0.005 * (12 - number))
        return completion(f"f({number})")

    endpoint.answer = slower_first
    endpoint.seconds = 0.02
    rows, _ = write(writer(endpoint, concurrency=3), functions)
    assert [row.arguments for row in rows] == [[f"{{'x': {i}}}"] for i in range(12)]
    assert endpoint.most_under_way == 3


def test_functions_are_taken_as_they_are_needed(
    endpoint: Endpoint, functions: list[Function]
) -> None:
    taken: list[Function] = []

    def dump() -> Iterator[Function]:
        for function in functions:
            taken.append(function)
            yield function

    rows = writer(endpoint, concurrency=2).write(dump(), StepReport("write_inputs", "memory:"))
    next(rows)
    assert len(taken) == 4
    rows.close()  # type: ignore[attr-defined]
    assert threading.active_count() < 30
    assert not [thread for thread in threading.enumerate() if thread.name == "vllm"]


def test_an_endpoint_that_goes_down_ends_the_step(
    endpoint: Endpoint, functions: list[Function]
) -> None:
    made = writer(endpoint)
    endpoint.stop()
    with pytest.raises(InputError, match=rf"{endpoint.url} failed 10 requests in a row"):
        write(made, functions)


def test_a_deadline_is_kept(endpoint: Endpoint, functions: list[Function]) -> None:
    made = writer(endpoint, request_seconds=0.05)
    endpoint.seconds = 0.4
    _, report = write(made, functions[:1])
    assert report.stages[0].dropped == {"request_failed": 1}
    assert "ReadTimeout" in report.problems[0]


def test_an_endpoint_that_is_down_is_named(endpoint: Endpoint) -> None:
    endpoint.stop()
    with pytest.raises(InputError, match=rf"{endpoint.url} does not answer .*vllm serve"):
        writer(endpoint)


@pytest.mark.parametrize(
    ("status", "models", "message"),
    [
        (401, {}, "refuses the API key; set C2C_VLLM_API_KEY"),
        (404, "no such page", "answers 404; is it an OpenAI API?"),
        (200, "<html>", "does not list models"),
        (200, {"data": [{}]}, "does not list models"),
        (200, {"data": []}, "serves no model"),
    ],
)
def test_what_is_no_openai_endpoint(
    status: int, models: Any, message: str, endpoint: Endpoint
) -> None:
    endpoint.models_status, endpoint.models = status, models
    with pytest.raises(InputError) as error:
        writer(endpoint)
    assert message in str(error.value)
    assert endpoint.url in str(error.value)


def test_endpoint_and_key_may_come_from_the_environment(
    endpoint: Endpoint, functions: list[Function], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("C2C_VLLM_ENDPOINT", endpoint.url + "/")
    monkeypatch.setenv("C2C_VLLM_API_KEY", "secret")
    made = writer_for(InputOptions(writer="vllm"))
    assert isinstance(made, VllmWriter)
    _, report = write(made, functions[:1])
    assert endpoint.keys == {"Bearer secret"}
    assert b"secret" not in report.to_json()


@pytest.mark.parametrize(
    ("address", "message"), [("", "no endpoint"), ("localhost:8000", "no http:// or https://")]
)
def test_an_address_is_needed(address: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("C2C_VLLM_ENDPOINT", raising=False)
    with pytest.raises(InputError, match=message):
        VllmWriter(InputOptions(writer="vllm", endpoint=address))
