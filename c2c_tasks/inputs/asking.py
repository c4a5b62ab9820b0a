"""How a model is asked about one function: what it is shown, and what is tried again otherwise."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from dataclasses import dataclass, field
from itertools import count
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
from c2c_tasks.inputs.kept_engine import Kept, KeptEngine
from c2c_tasks.records import Function

_TRIAL = Request(
    [{"role": "user", "content": "Write an empty list."}], {"max_tokens": 16}, 'root ::= "[]"'
)
"""Finds out whether an engine takes grammars, before many requests have one."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer to one request."""

    completion: Completion
    resumed: bool
    """True where an earlier attempt had the answer already."""
    unconstrained: bool
    """True where the engine refused the function's grammar, and was asked without."""


@dataclass(slots=True)
class Reply:
    """What came of asking about one function."""

    completion: Completion = field(default_factory=lambda: Completion([]))
    reason: str = ""
    """Why there is no answer, as a name that can be counted: ``context_too_short``,
    ``request_refused``, ``request_failed``; empty where there is one."""
    failure: str = ""
    """The same in the engine's words."""
    prompt_tokens: int = 0
    """Of all requests about the function, as the next."""
    completion_tokens: int = 0
    trim: int = 0
    """Level of the trimming rule at which the program was shown."""
    resumed: bool = False
    unconstrained: bool = False

    def take(self, answered: Answered, trim: int) -> None:
        """Take an answer in place of what there was."""
        self.completion = answered.completion
        self.prompt_tokens += answered.completion.prompt_tokens
        self.completion_tokens += answered.completion.completion_tokens
        self.resumed, self.unconstrained = answered.resumed, answered.unconstrained
        self.trim = trim


class Asking:
    """Asks an engine about functions, so many at a time; keeps what it answers."""

    def __init__(self, engine: Engine, answers: Answers, options: InputOptions) -> None:
        self.engine = engine
        self.kept = KeptEngine(engine, answers, options)
        self.options = options
        self.constrained = options.constrained == "auto"
        """False where, or once it is known that, the engine takes no grammars."""
        self._trial: asyncio.Task[None] | None = None

    async def ask(self, function: Function) -> Reply:
        """Return what the model answers about a function.

        A program that leaves no room in the context is shown trimmed; where the grammar is
        refused, the same is asked without. Raises EngineDown.
        """
        reply = Reply()
        try:
            for trim in count():
                try:
                    answered = await self._ask(function, trim)
                except ContextTooShort as error:
                    reply.failure = str(error)
                    continue
                if answered is None:
                    break
                reply.take(answered, trim)
                if not self._is_crowded(answered.completion):
                    break
            if not reply.completion.texts:
                reply.reason = "context_too_short"
        except RequestRefused as error:
            reply.reason, reply.failure = "request_refused", str(error)
        except RequestFailed as error:
            reply.reason, reply.failure = "request_failed", str(error)
        return reply

    async def _ask(self, function: Function, trim: int) -> Answered | None:
        """Ask with the program shown at a level; None where there is no such level."""
        async with self.kept.room:
            prompt = self.prompt(function, trim)
            if prompt is None:
                return None
            kept, unconstrained = await self._ask_constrained(function, prompt)
        return Answered(await self.kept.keep(kept), kept.resumed, unconstrained)

    def prompt(self, function: Function, trim: int) -> Prompt | None:
        """Return the prompt at a level of the trimming rule; None where there is no such level."""
        style = prompts.chat if self.options.prompt_style == "chat" else prompts.text
        return style(function, self.options.inputs_per_answer, trim)

    def _sampling(self) -> dict[str, Any]:
        # No seed: in a batch it does not make sampling reproducible, and it makes it slower.
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

    async def _ask_constrained(self, function: Function, prompt: Prompt) -> tuple[Kept, bool]:
        """Ask with a grammar, and without where the engine refuses it: tell whether it did."""
        request = Request(prompt, self._sampling())
        grammar = None
        if await self._takes_grammars():
            grammar = inputs_grammar(function, self.options.inputs_per_answer)
        if grammar is not None:
            try:
                constrained = dataclasses.replace(request, grammar=grammar)
                return await self.kept.complete(constrained), False
            except ContextTooShort:
                raise
            except RequestRefused:
                pass
        return await self.kept.complete(request), grammar is not None

    async def _takes_grammars(self) -> bool:
        if self.constrained:
            if self._trial is None:
                self._trial = asyncio.ensure_future(self._try_grammars())
            await asyncio.shield(self._trial)
        return self.constrained

    async def _try_grammars(self) -> None:
        trial = _TRIAL
        if self.options.prompt_style == "text":
            trial = dataclasses.replace(trial, prompt="Write an empty list.\n")
        try:
            await self.engine.complete(trial)
        except RequestRefused as error:
            self.constrained = False
            log.warning("vllm: the engine takes no grammars (%s); asking without", error)
        except RequestFailed:
            pass  # what is wrong shows in the requests that follow

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
            **self.kept.facts(),
            "constrained": self.constrained,
            "prompt_sha256": prompts.digest(options.prompt_style, options.inputs_per_answer),
            "answers_per_function": options.answers_per_function,
            "inputs_per_answer": options.inputs_per_answer,
        }
