"""An engine that is asked many things at a time, and whose answers are kept as they come."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from dataclasses import dataclass
from typing import Any

from c2c_tasks.config import EngineOptions
from c2c_tasks.inputs.answers import Answers
from c2c_tasks.inputs.completions import Completion, Engine, Request
from c2c_tasks.inputs.endpoint import Endpoint
from c2c_tasks.inputs.in_process import InProcessEngine

PROGRESS_SECONDS = 10.0
"""Between two lines of the log that say how fast answers come."""

log = logging.getLogger(__name__)


def engine_for(options: EngineOptions) -> Engine:
    """Return the engine that the options name.

    Raises InputError where it cannot work, EngineDown where it may later.
    """
    return Endpoint(options) if options.engine == "endpoint" else InProcessEngine(options)


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer to one request."""

    key: str
    completion: Completion
    resumed: bool
    """True where an earlier attempt had the answer already."""


class KeptEngine:
    """Asks an engine what nobody asked before, and keeps what it answers.

    Who asks holds `room` meanwhile, and lets go of it before waiting in `keep`: the place in the
    engine's queue is another's then.
    """

    def __init__(self, engine: Engine, answers: Answers, options: EngineOptions) -> None:
        self.engine = engine
        self.room = asyncio.Semaphore(options.concurrency)
        self._answers = answers
        self._options = options
        self._progress = _Progress()

    async def complete(self, request: Request) -> Kept:
        """Return the answer to a request. Raises what `Engine.complete` raises."""
        key = request.key(self._identity())
        completion = self._answers.get(key)
        if completion is not None:
            return Kept(key, completion, resumed=True)
        completion = await self.engine.complete(request)
        self._progress.note(completion)
        return Kept(key, completion, resumed=False)

    async def keep(self, kept: Kept) -> Completion:
        """Wait until an answer is written; return the one that counts. Raises StoreError."""
        return await self._answers.keep(kept.key, kept.completion)

    def _identity(self) -> str:
        """Return what tells this model, loaded like this, from others."""
        arguments = json.dumps(self._options.engine_arguments, sort_keys=True)
        return f"{self.engine.model}@{self._options.revision} {arguments}"

    def facts(self) -> dict[str, Any]:
        """Return what is to be recorded of model and sampling."""
        options = self._options
        return {
            "model": self.engine.model,
            "revision": options.revision or None,
            **self.engine.statistics.facts,
            "prompt_style": options.prompt_style,
            "temperature": options.temperature,
            "top_p": options.top_p,
            "max_tokens": options.max_tokens,
        }

    async def close(self) -> None:
        """Keep what was answered, and let the engine go."""
        try:
            await self._answers.close()
        finally:
            await self.engine.close()


class _Progress:
    """Tells the log every few seconds how fast answers come."""

    def __init__(self) -> None:
        self.started = 0.0
        self.answers = self.prompt_tokens = self.completion_tokens = 0

    def note(self, completion: Completion) -> None:
        now = time.monotonic()
        self.started = self.started or now
        self.answers += len(completion.texts)
        self.prompt_tokens += completion.prompt_tokens
        self.completion_tokens += completion.completion_tokens
        seconds = now - self.started
        if seconds >= PROGRESS_SECONDS:
            log.info(
                "vllm: %s answers in %.0f s, tokens a second: %s read, %s written",
                f"{self.answers:,}",
                seconds,
                f"{self.prompt_tokens / seconds:,.0f}",
                f"{self.completion_tokens / seconds:,.0f}",
            )
            self.started = now
            self.answers = self.prompt_tokens = self.completion_tokens = 0
