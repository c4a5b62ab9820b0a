"""How a model is asked about one function: what it is shown, and what is tried again otherwise."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import time
from dataclasses import dataclass, field
from typing import Any

from c2c_tasks.config import InputOptions
from c2c_tasks.inputs import prompts
from c2c_tasks.inputs.answers import Answers
from c2c_tasks.inputs.completions import (
    Completion,
    ContextTooShort,
    Engine,
    Prompt,
    Request,
    RequestFailed,
    RequestRefused,
)
from c2c_tasks.inputs.grammar import inputs_grammar
from c2c_tasks.records import Function

MAX_REFUSED_GRAMMARS = 10
"""Grammars refused, and none taken, after which no more are sent: the endpoint knows none."""
PROGRESS_SECONDS = 10.0
"""Between two lines of the log that say how fast answers come."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Reply:
    """What came of asking about one function."""

    completion: Completion = field(default_factory=lambda: Completion([]))
    reason: str = ""
    """Why there is no answer, as a name that can be counted: ``context_too_short``,
    ``request_refused``, ``request_failed``; empty where there is one."""
    failure: str = ""
    """The same in the engine's words."""
    key: str = ""
    """Of the request that was answered."""
    trim: int = 0
    """Level of the trimming rule at which the program was shown."""
    resumed: bool = False
    """True where an earlier attempt had the answer already."""
    unconstrained: bool = False
    """True where the engine refused the grammar, and was asked without."""


class Asking:
    """Asks an engine about functions, so many at a time; keeps what it answers."""

    def __init__(self, engine: Engine, answers: Answers, options: InputOptions) -> None:
        self.engine = engine
        self.options = options
        self.constrained = options.constrained == "auto"
        """False where, or once it is known that, the engine takes no grammars."""
        self._answers = answers
        self._refused_grammars = 0
        self._grammar_was_taken = False
        self._room = asyncio.Semaphore(options.concurrency)
        self._progress = _Progress()

    async def ask(self, function: Function) -> Reply:
        """Return what the model answers about a function.

        A program that leaves no room in the context is shown trimmed; where the grammar is
        refused, the same is asked without. Raises EngineDown.
        """
        reply = Reply()
        async with self._room:
            try:
                await self._ask_trimmed(function, reply)
            except RequestRefused as error:
                reply.reason, reply.failure = "request_refused", str(error)
            except RequestFailed as error:
                reply.reason, reply.failure = "request_failed", str(error)
        # Its place in the engine's queue is another's while it waits to be written.
        if reply.key and not reply.resumed:
            reply.completion = await self._answers.keep(reply.key, reply.completion)
        return reply

    async def _ask_trimmed(self, function: Function, reply: Reply) -> None:
        """Ask, and show less of the program while it leaves too little room for an answer."""
        while (prompt := self.prompt(function, reply.trim)) is not None:
            try:
                await self._ask_constrained(function, prompt, reply)
            except ContextTooShort as error:
                reply.failure = str(error)
            else:
                if not self._is_crowded(reply.completion):
                    return
            reply.trim += 1
        if not reply.completion.texts:
            reply.reason = "context_too_short"

    def prompt(self, function: Function, trim: int) -> Prompt | None:
        """Return the prompt at a level of the trimming rule; None where there is no such level."""
        style = prompts.chat if self.options.prompt_style == "chat" else prompts.text
        return style(function, self.options.inputs_per_answer, trim)

    def _sampling(self) -> dict[str, Any]:
        options = self.options
        sampling: dict[str, Any] = {
            "n": options.answers_per_function,
            "temperature": options.temperature,
            "top_p": options.top_p,
            "max_tokens": options.max_tokens,
        }
        if options.prompt_style == "text":
            sampling["stop"] = list(prompts.STOP)
        return sampling

    async def _ask_constrained(self, function: Function, prompt: Prompt, reply: Reply) -> None:
        """Ask with a grammar, and without where the engine refuses it."""
        request = Request(prompt, self._sampling())
        grammar = None
        if self.constrained:
            grammar = inputs_grammar(function, self.options.inputs_per_answer)
        if grammar is None:
            return await self._complete(request, reply)
        try:
            await self._complete(dataclasses.replace(request, grammar=grammar), reply)
            self._grammar_was_taken = True
        except ContextTooShort:
            raise
        except RequestRefused as error:
            await self._complete(request, reply)
            reply.unconstrained = True
            self._refused_grammars += 1
            if self._refused_grammars >= MAX_REFUSED_GRAMMARS and not self._grammar_was_taken:
                self.constrained = False
                log.warning("vllm: the engine takes no grammars (%s); asking without", error)

    async def _complete(self, request: Request, reply: Reply) -> None:
        key = request.key(f"{self.engine.model}@{self.options.revision}")
        completion = self._answers.get(key)
        reply.resumed = completion is not None
        if completion is None:
            completion = await self.engine.complete(request)
            self._progress.note(completion)
        reply.key, reply.completion = key, completion

    async def close(self) -> None:
        """Keep what was answered, and let the engine go."""
        try:
            await self._answers.close()
        finally:
            await self.engine.close()

    def _is_crowded(self, completion: Completion) -> bool:
        """Tell whether answers were cut off because the prompt left less than half their room."""
        context = self.engine.statistics.facts.get("context_tokens")
        if not completion.truncated or not context:
            return False
        return bool(context - completion.prompt_tokens < self.options.max_tokens // 2)

    def facts(self) -> dict[str, Any]:
        """Return what the manifest records of model, prompt and sampling."""
        options = self.options
        return {
            "model": self.engine.model,
            "revision": options.revision or None,
            **self.engine.statistics.facts,
            "constrained": self.constrained,
            "prompt_style": options.prompt_style,
            "prompt_sha256": prompts.digest(options.prompt_style, options.inputs_per_answer),
            "temperature": options.temperature,
            "top_p": options.top_p,
            "max_tokens": options.max_tokens,
            "answers_per_function": options.answers_per_function,
            "inputs_per_answer": options.inputs_per_answer,
        }


class _Progress:
    """Tells the log every few seconds how fast answers come."""

    def __init__(self) -> None:
        self.since = 0.0
        self.answers = self.prompt_tokens = self.completion_tokens = 0

    def note(self, completion: Completion) -> None:
        self.since = self.since or time.monotonic()
        self.answers += len(completion.texts)
        self.prompt_tokens += completion.prompt_tokens
        self.completion_tokens += completion.completion_tokens
        seconds = time.monotonic() - self.since
        if seconds >= PROGRESS_SECONDS:
            log.info(
                "vllm: %s answers in %.0f s, tokens a second: %s read, %s written",
                f"{self.answers:,}",
                seconds,
                f"{self.prompt_tokens / seconds:,.0f}",
                f"{self.completion_tokens / seconds:,.0f}",
            )
            self.__init__()  # type: ignore[misc]
