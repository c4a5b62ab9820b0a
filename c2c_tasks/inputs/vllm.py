"""The writer that asks a language model behind an OpenAI-compatible endpoint."""

from __future__ import annotations

import asyncio
import os
import random
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import httpx

from c2c_tasks.config import InputOptions
from c2c_tasks.inputs.errors import EndpointDown, InputError
from c2c_tasks.inputs.parsing import parse_answer
from c2c_tasks.inputs.prompts import messages
from c2c_tasks.records import Function, Inputs, extend
from c2c_tasks.shards import StepReport

ATTEMPTS = 5
"""Times that a request is made before it counts as failed."""
FIRST_WAIT = 0.5
"""Seconds before the first repetition; doubled for each further one."""
LONGEST_WAIT = 30.0
LISTING_SECONDS = 30.0
"""Deadline of the request that lists the models; `request_seconds` is that of an answer."""
MAX_FAILURES_IN_A_ROW = 10
"""Requests that fail one after the other before the endpoint counts as down."""
_REPEATABLE = frozenset((408, 409, 425, 429, 500, 502, 503, 504))


@dataclass(slots=True)
class _Reply:
    """What came of one function's request."""

    arguments: list[str] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)
    prompt_tokens: int = 0
    completion_tokens: int = 0
    retries: int = 0
    failure: str = ""
    """Why there is no answer: a status or an error of the connection."""


class _Unreachable(Exception):
    """A request failed for good; the message says why."""

    def __init__(self, message: str, *, final: bool) -> None:
        super().__init__(message)
        self.final = final
        """True where the endpoint answered, and asking again would not change the answer."""


class VllmWriter:
    """Asks ``/v1/chat/completions`` for inputs, many functions at a time, order kept."""

    name = "vllm"

    def __init__(self, options: InputOptions) -> None:
        """Check that the endpoint answers and serves the model; raises InputError."""
        self.options = options
        self.endpoint = _endpoint(options)
        self.headers = {}
        if key := os.environ.get("C2C_VLLM_API_KEY"):
            self.headers["Authorization"] = f"Bearer {key}"
        self.model = self._served_model()

    def _served_model(self) -> str:
        url = f"{self.endpoint}/models"
        try:
            response = httpx.get(url, headers=self.headers, timeout=LISTING_SECONDS)
        except httpx.HTTPError as error:
            raise EndpointDown(
                f"vllm: {self.endpoint} does not answer ({error or type(error).__name__}); start "
                "`vllm serve MODEL`, or set the option `endpoint`"
            ) from None
        if response.status_code in (401, 403):
            raise InputError(f"vllm: {self.endpoint} refuses the API key; set C2C_VLLM_API_KEY")
        if response.status_code != 200:
            raise InputError(f"vllm: {url} answers {response.status_code}; is it an OpenAI API?")
        try:
            served = [str(model["id"]) for model in response.json()["data"]]
        except (ValueError, KeyError, TypeError):
            raise InputError(f"vllm: {url} does not list models; is it an OpenAI API?") from None
        if not served:
            raise InputError(f"vllm: {self.endpoint} serves no model")
        if self.options.model and self.options.model not in served:
            raise InputError(
                f"vllm: {self.endpoint} does not serve {self.options.model!r}; "
                f"it serves {', '.join(served)}"
            )
        return self.options.model or served[0]

    def write(self, functions: Iterable[Function], report: StepReport) -> Iterator[Inputs]:
        """Yield inputs for each function that the model wrote some for, in order.

        Dropped, and counted by reason: ``no_parseable_inputs``, ``request_failed``. Raises
        EndpointDown when the endpoint stops answering.
        """
        options = self.options
        report.facts["writer"] = {
            "name": self.name,
            "model": self.model,
            "temperature": options.temperature,
            "top_p": options.top_p,
            "max_tokens": options.max_tokens,
        }
        stage = report.stage("inputs", "functions")
        failures = 0
        for function, reply in self._replies(functions):
            _count(reply, report)
            if reply.failure:
                failures += 1
                stage.drop("request_failed")
                report.problem(f"{function.entry_point} of {function.path}: {reply.failure}")
                if failures >= MAX_FAILURES_IN_A_ROW:
                    raise EndpointDown(
                        f"vllm: {self.endpoint} failed {failures} requests in a row; the last: "
                        f"{reply.failure}"
                    )
                continue
            failures = 0
            if not reply.arguments:
                stage.drop("no_parseable_inputs")
                continue
            stage.keep()
            yield extend(
                Inputs,
                function,
                arguments=reply.arguments[: options.inputs_per_function],
                writer=f"{self.name}:{self.model}",
                prompt_tokens=reply.prompt_tokens,
                completion_tokens=reply.completion_tokens,
            )

    def _replies(self, functions: Iterable[Function]) -> Iterator[tuple[Function, _Reply]]:
        """Yield replies in order, with twice `concurrency` functions under way or waiting."""
        remaining = iter(functions)
        with _Loop() as loop:
            client = loop.call(self._open())
            try:
                waiting: deque[tuple[Function, Future[_Reply]]] = deque()
                ahead = 2 * self.options.concurrency
                for function in islice(remaining, ahead):
                    waiting.append((function, loop.submit(self._ask(client, function))))
                while waiting:
                    function, future = waiting.popleft()
                    yield function, future.result()
                    for further in islice(remaining, 1):
                        waiting.append((further, loop.submit(self._ask(client, further))))
            finally:
                for _, future in waiting:
                    future.cancel()
                loop.call(client.aclose())

    async def _open(self) -> httpx.AsyncClient:
        limits = httpx.Limits(
            max_connections=self.options.concurrency,
            max_keepalive_connections=self.options.concurrency,
        )
        # A request waits for its turn in the pool without a limit; its deadline starts after.
        timeout = httpx.Timeout(self.options.request_seconds, pool=None)
        return httpx.AsyncClient(headers=self.headers, limits=limits, timeout=timeout)

    async def _ask(self, client: httpx.AsyncClient, function: Function) -> _Reply:
        reply = _Reply()
        body = {
            "model": self.model,
            "messages": messages(function, self.options.inputs_per_function),
            "temperature": self.options.temperature,
            "top_p": self.options.top_p,
            "max_tokens": self.options.max_tokens,
            "seed": int(function.function_id[:8], 16),
        }
        try:
            completion = await self._post(client, body, reply)
        except _Unreachable as error:
            reply.failure = str(error)
            return reply
        usage = completion.get("usage")
        if isinstance(usage, dict):
            reply.prompt_tokens = _whole(usage.get("prompt_tokens"))
            reply.completion_tokens = _whole(usage.get("completion_tokens"))
        answer = parse_answer(_content(completion), function)
        reply.arguments, reply.refused = answer.arguments, answer.refused
        return reply

    async def _post(
        self, client: httpx.AsyncClient, body: dict[str, Any], reply: _Reply
    ) -> dict[str, Any]:
        for attempt in range(1, ATTEMPTS + 1):
            wait = min(FIRST_WAIT * 2 ** (attempt - 1), LONGEST_WAIT)
            try:
                response = await client.post(f"{self.endpoint}/chat/completions", json=body)
                return _completion(response)
            except _Unreachable as error:
                if error.final or attempt == ATTEMPTS:
                    raise
                wait = max(wait, _asked_wait(response))
            except httpx.HTTPError as error:
                if attempt == ATTEMPTS:
                    message = f"{type(error).__name__} {error}".strip()
                    raise _Unreachable(message, final=False) from None
            reply.retries += 1
            await asyncio.sleep(wait * random.uniform(0.5, 1.0))
        raise AssertionError("the last attempt returns or raises")


class _Loop:
    """An event loop in a thread of its own, so that a generator can be fed by coroutines."""

    def __enter__(self) -> _Loop:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, name="vllm", daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    def submit(self, coroutine: Any) -> Future[Any]:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop)

    def call(self, coroutine: Any) -> Any:
        return self.submit(coroutine).result()


def _endpoint(options: InputOptions) -> str:
    endpoint = options.endpoint or os.environ.get("C2C_VLLM_ENDPOINT", "")
    if not endpoint:
        raise InputError(
            "vllm: no endpoint; set the option `endpoint` or C2C_VLLM_ENDPOINT, as "
            "http://host:8000/v1"
        )
    if not endpoint.startswith(("http://", "https://")):
        raise InputError(f"vllm: endpoint {endpoint!r} is no http:// or https:// address")
    return endpoint.rstrip("/")


def _completion(response: httpx.Response) -> dict[str, Any]:
    status = response.status_code
    if status != 200:
        message = f"status {status}: {response.text[:200]}"
        raise _Unreachable(message, final=status not in _REPEATABLE)
    try:
        completion = response.json()
    except ValueError:
        raise _Unreachable("an answer that is not JSON", final=False) from None
    if not isinstance(completion, dict):
        raise _Unreachable("an answer that is no completion", final=False)
    return completion


def _asked_wait(response: httpx.Response) -> float:
    try:
        return min(max(float(response.headers.get("Retry-After", "0")), 0.0), LONGEST_WAIT)
    except ValueError:
        return 0.0


def _content(completion: dict[str, Any]) -> str:
    try:
        content = completion["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError):
        return ""
    return content if isinstance(content, str) else ""


def _whole(value: object) -> int:
    return value if isinstance(value, int) and value >= 0 else 0


def _count(reply: _Reply, report: StepReport) -> None:
    report.count("prompt_tokens", reply.prompt_tokens)
    report.count("completion_tokens", reply.completion_tokens)
    report.count("inputs_written", len(reply.arguments))
    if reply.retries:
        report.count("request_retries", reply.retries)
    for reason, items in reply.refused.items():
        report.count(f"inputs_refused_{reason}", items)
