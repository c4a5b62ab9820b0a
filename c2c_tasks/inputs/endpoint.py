"""A language model behind an OpenAI-compatible endpoint, as `vllm serve` is one."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import time
from typing import Any

import httpx

from c2c_tasks.config import EngineOptions
from c2c_tasks.inputs.breaker import Breaker
from c2c_tasks.inputs.completions import (
    Completion,
    ContextTooShort,
    Request,
    RequestFailed,
    RequestRefused,
    Statistics,
)
from c2c_tasks.inputs.errors import EngineDown, InputError

ATTEMPTS = 5
"""Times that a request is made before it counts as failed; while the endpoint is merely busy
(429), it is made for `outage_seconds`."""
FIRST_WAIT = 0.5
"""Seconds before the first repetition; doubled for each further one, and jittered."""
LONGEST_WAIT = 30.0
LISTING_SECONDS = 30.0
"""Deadline of the request that lists the models; `request_seconds` is that of an answer."""
_REPEATABLE = frozenset((408, 409, 425, 429, 500, 502, 503, 504))
_BUSY = 429
_CONTEXT = ("maximum context length", "context_length_exceeded", "max_model_len")
"""What vLLM and OpenAI say of a request that is too long."""


class _NoAnswer(Exception):
    """One attempt failed, and another may not."""

    def __init__(
        self, message: str, *, wait: float = 0.0, away: bool = False, busy: bool = False
    ) -> None:
        super().__init__(message)
        self.wait = wait
        """Seconds that the endpoint asks to wait."""
        self.busy = busy
        """True where the endpoint is well, and asks for patience."""
        self.away = away
        """True where nobody listens."""


class Endpoint:
    """Asks ``/v1/chat/completions`` or ``/v1/completions``, again where that may help."""

    def __init__(self, options: EngineOptions) -> None:
        """Check that the endpoint answers and serves the model.

        Raises InputError; EngineDown where the endpoint does not answer.
        """
        self.options = options
        self.url = _address(options)
        if (logger := logging.getLogger("httpx")).level == logging.NOTSET:
            logger.setLevel(logging.WARNING)  # it tells of each request
        self.headers = _headers()
        self.statistics = Statistics()
        self.model = self._served_model()
        self._client: httpx.AsyncClient | None = None
        self._breaker = Breaker(f"vllm: {self.url}", self._is_back, options.outage_seconds)

    def _served_model(self) -> str:
        url = f"{self.url}/models"
        try:
            response = httpx.get(url, headers=self.headers, timeout=LISTING_SECONDS)
        except (httpx.InvalidURL, ValueError) as error:
            raise InputError(f"vllm: {url} cannot be asked ({error})") from None
        except httpx.HTTPError as error:
            raise EngineDown(
                f"vllm: {self.url} does not answer ({error or type(error).__name__}); start "
                "`vllm serve MODEL`, or set the option `endpoint`"
            ) from None
        if response.status_code in (401, 403):
            raise InputError(f"vllm: {self.url} refuses the API key; set C2C_VLLM_API_KEY")
        if response.status_code in _REPEATABLE:
            raise EngineDown(f"vllm: {url} answers {response.status_code}: it may be starting")
        if response.status_code != 200:
            raise InputError(
                f"vllm: {url} answers {response.status_code}; is it an OpenAI API? The base URL of "
                "one ends in /v1 as a rule"
            )
        try:
            cards = {str(card["id"]): card for card in response.json()["data"]}
        except (ValueError, KeyError, TypeError):
            raise InputError(f"vllm: {url} does not list models; is it an OpenAI API?") from None
        if not cards:
            raise InputError(f"vllm: {self.url} serves no model")
        model = self.options.model or next(iter(cards))
        if model not in cards:
            raise InputError(
                f"vllm: {self.url} does not serve {model!r}; it serves {', '.join(cards)}"
            )
        context = _whole(cards[model].get("max_model_len")) or None
        if context is not None and self.options.max_tokens >= context:
            raise InputError(
                f"vllm: max_tokens is {self.options.max_tokens:,}, and {model} has a context of "
                f"{context:,} tokens, for prompt and answer together; set a smaller `max_tokens`"
            )
        self.statistics.facts = {
            "engine": "endpoint",
            "engine_version": self._version(),
            "context_tokens": context,
        }
        return model

    def _version(self) -> str | None:
        """Return the version of vLLM; None where the endpoint is something else."""
        try:
            url = f"{self.url.removesuffix('/v1')}/version"
            response = httpx.get(url, headers=self.headers, timeout=LISTING_SECONDS)
            return f"vllm {response.json()['version']}"
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            return None

    async def complete(self, request: Request) -> Completion:
        """Return the model's answers: see `Engine`."""
        chat = isinstance(request.prompt, list)
        body: dict[str, Any] = {"model": self.model, **request.sampling}
        body["messages" if chat else "prompt"] = request.prompt
        if request.grammar is not None:
            body["structured_outputs"] = {"grammar": request.grammar}
        path = "chat/completions" if chat else "completions"
        failures, busy_since = 0, time.monotonic()
        while True:
            period = await self._breaker.closed()
            try:
                completion = await self._post(f"{self.url}/{path}", body)
            except _NoAnswer as error:
                if error.busy:
                    patient = time.monotonic() - busy_since < self.options.outage_seconds
                else:
                    failures += 1
                    patient = failures < ATTEMPTS
                    self._breaker.failed(period, str(error), away=error.away)
                if not patient:
                    raise RequestFailed(str(error)) from None
                self.statistics.retries += 1
                self.statistics.outages = self._breaker.outages
                await asyncio.sleep(self._wait(max(failures, 1), error))
            else:
                self._breaker.answered()
                return completion

    @staticmethod
    def _wait(failures: int, error: _NoAnswer) -> float:
        """Return the seconds to wait: longer after each failure, and not all at one time."""
        backoff: float = min(FIRST_WAIT * 2 ** (failures - 1), LONGEST_WAIT)
        return max(error.wait, backoff) + random.uniform(0, backoff)

    async def _post(self, url: str, body: dict[str, Any]) -> Completion:
        client = self._opened()
        try:
            async with asyncio.timeout(self.options.request_seconds):
                response = await client.post(url, json=body)
        except TimeoutError:
            raise _NoAnswer(f"no answer in {self.options.request_seconds:g} s") from None
        except httpx.HTTPError as error:
            away = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
            raise _NoAnswer(f"{type(error).__name__} {error}".strip(), away=away) from None
        return _completion(response)

    def _opened(self) -> httpx.AsyncClient:
        if self._client is None:
            # As many connections as requests are under way: the caller bounds those.
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
            self._client = httpx.AsyncClient(headers=self.headers, limits=limits, timeout=None)
        return self._client

    async def _is_back(self) -> bool:
        try:
            response = await self._opened().get(f"{self.url}/models", timeout=LISTING_SECONDS)
        except httpx.HTTPError:
            return False
        return response.status_code == 200

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()


def _headers() -> dict[str, str]:
    key = os.environ.get("C2C_VLLM_API_KEY", "").strip()
    if not key.isascii() or not key.isprintable():
        raise InputError("vllm: C2C_VLLM_API_KEY is no key: it holds other than printable ASCII")
    return {"Authorization": f"Bearer {key}"} if key else {}


def _address(options: EngineOptions) -> str:
    address = options.endpoint or os.environ.get("C2C_VLLM_ENDPOINT", "")
    if not address:
        raise InputError(
            "vllm: no endpoint; set the option `endpoint` or C2C_VLLM_ENDPOINT, as "
            "http://host:8000/v1"
        )
    if not address.startswith(("http://", "https://")):
        raise InputError(f"vllm: endpoint {address!r} is no http:// or https:// address")
    return address.rstrip("/")


def _completion(response: httpx.Response) -> Completion:
    status = response.status_code
    if status != 200:
        message = f"status {status}: {_complaint(response)[:300]}"
        if status != _BUSY and any(words in response.text for words in _CONTEXT):
            raise ContextTooShort(message)
        if status in _REPEATABLE:
            raise _NoAnswer(message, wait=_asked_wait(response), busy=status == _BUSY)
        raise RequestRefused(message)
    try:
        answer = response.json()
        choices = answer["choices"]
        texts = [_text(choice) for choice in choices]
        if not texts:
            raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _NoAnswer("an answer that is no completion") from None
    usage = answer.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    truncated = [
        position
        for position, choice in enumerate(choices)
        if choice.get("finish_reason") == "length"
    ]
    return Completion(
        texts,
        prompt_tokens=_whole(usage.get("prompt_tokens")),
        completion_tokens=_whole(usage.get("completion_tokens")),
        truncated=len(truncated),
        truncated_texts=truncated,
    )


def _complaint(response: httpx.Response) -> str:
    """Return what an answer that is no completion says, out of its JSON where it is some."""
    try:
        return str(response.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return response.text


def _text(choice: dict[str, Any]) -> str:
    """Return what a choice of a chat or of a completion says; "" for nothing."""
    said = choice["message"].get("content") if "message" in choice else choice["text"]
    return said if isinstance(said, str) else ""


def _asked_wait(response: httpx.Response) -> float:
    try:
        return min(max(float(response.headers.get("Retry-After", "0")), 0.0), LONGEST_WAIT)
    except ValueError:
        return 0.0


def _whole(value: object) -> int:
    return value if isinstance(value, int) and value >= 0 else 0
