"""A language model that answers problems, through the client of the vllm writer."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from c2c_tasks.config.evaluation import ModelOptions
from c2c_tasks.evaluation.prompting import Shot, prompt_digest, prompt_for, stops_of
from c2c_tasks.evaluation.records import Answer, Problem
from c2c_tasks.inputs.answers import Answers
from c2c_tasks.inputs.completions import (
    Completion,
    ContextTooShort,
    Request,
    RequestFailed,
    RequestRefused,
)
from c2c_tasks.inputs.errors import EngineDown, InputError
from c2c_tasks.inputs.kept_engine import KeptEngine, engine_for
from c2c_tasks.inputs.ordered import in_order
from c2c_tasks.shards import StepReport, storable

MAX_SAMPLES = 128
"""Answers that one request asks for at most: the limit of OpenAI's own API; vLLM's is higher."""
MAX_REFUSALS = 10
"""Problems that are refused, one after the other, at which the rest is not asked."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Reply:
    """What came of asking one problem."""

    texts: list[str] = field(default_factory=list)
    truncated: set[int] = field(default_factory=set)
    """Positions of the texts that ended at the limit of tokens."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    resumed: int = 0
    """Answers that an earlier attempt had already."""
    reason: str = ""
    """Why answers are missing: ``context_too_short`` or ``request_refused``."""
    failure: str = ""
    """The same in the engine's words."""

    def take(self, completion: Completion, most: int, *, resumed: bool) -> None:
        """Add the answers of a request, `most` of them. Raises RequestFailed where it has none."""
        texts = completion.texts[:most]
        if not texts:
            raise RequestFailed("a completion without answers")
        first = len(self.texts)
        self.truncated |= {first + i for i in completion.truncated_texts if i < most}
        self.texts += map(storable, texts)
        self.prompt_tokens += completion.prompt_tokens
        self.completion_tokens += completion.completion_tokens
        self.resumed += len(texts) if resumed else 0


class Model:
    """Asks vLLM, many problems at a time, order kept."""

    name = "vllm"

    def __init__(
        self, options: ModelOptions, shots: Sequence[Shot] = (), *, answers: str = ""
    ) -> None:
        """Reach the engine: see `solver_for`."""
        self.options = options
        self.shots = shots
        self.engine = engine_for(options)
        self.kept = KeptEngine(self.engine, Answers(answers), options)
        self._most = MAX_SAMPLES

    def answer(
        self, problems: Iterable[Problem], report: StepReport
    ) -> Generator[Answer, None, None]:
        """Yield `samples_per_problem` answers to each problem, in order.

        Where the engine gives none, the text is empty, and the answer counted and named by
        reason: ``context_too_short``, ``request_refused``. Raises EngineDown when the engine
        does not answer, InputError when it refuses whatever it is asked.
        """
        try:
            yield from self._answer(problems, report)
        finally:
            statistics = self.engine.statistics
            report.facts["solver"] = {
                "name": self.name,
                **self.kept.facts(),
                "prompt_sha256": prompt_digest(self.shots, self.options.prompt_style),
                "few_shot": len(self.shots),
                "samples_per_problem": self.options.samples_per_problem,
            }
            for counter, amount in (
                ("request_retries", statistics.retries),
                ("engine_outages", statistics.outages),
                ("engine_load_seconds", round(statistics.load_seconds)),
            ):
                if amount:
                    report.count(counter, amount)

    def _answer(
        self, problems: Iterable[Problem], report: StepReport
    ) -> Generator[Answer, None, None]:
        stage = report.stage("answers", "answers")
        refusals = 0
        replies = in_order(
            problems, self._ask, concurrency=self.options.concurrency, close=self.kept.close
        )
        # Closed here: an error keeps the frame, and with it what is still under way.
        with closing(replies):
            for problem, reply in replies:
                refusals = refusals + 1 if reply.reason == "request_refused" else 0
                if refusals == MAX_REFUSALS:
                    raise InputError(
                        f"vllm: {self.engine.model} refused {MAX_REFUSALS} problems in a row; "
                        f"the last: {reply.failure}"
                    )
                self._count(problem, reply, report)
                for sample in range(self.options.samples_per_problem):
                    stage.keep()
                    yield self._sample(problem, reply, sample)

    def _sample(self, problem: Problem, reply: _Reply, sample: int) -> Answer:
        return Answer(
            problem_id=problem.problem_id,
            sample=sample,
            text=reply.texts[sample] if sample < len(reply.texts) else "",
            truncated=sample in reply.truncated,
        )

    async def _ask(self, problem: Problem) -> _Reply:
        """Ask until there are as many answers as are wanted. Raises EngineDown.

        Servers bound how many answers one request may ask for. Some refuse more, others give
        fewer than were asked for.
        """
        reply = _Reply()
        try:
            for number in count():
                missing = self.options.samples_per_problem - len(reply.texts)
                if not missing:
                    break
                await self._ask_for(missing, problem, number, reply)
        except ContextTooShort as error:
            reply.reason, reply.failure = "context_too_short", str(error)
        except RequestRefused as error:
            reply.reason, reply.failure = "request_refused", str(error)
        except RequestFailed as error:
            # The model has not failed: an empty answer would be graded as if it had.
            raise EngineDown(
                f"vllm: {self.engine.model} gives no answer to {problem.entry_point} "
                f"({problem.problem_id}): {error}"
            ) from None
        return reply

    async def _ask_for(self, missing: int, problem: Problem, number: int, reply: _Reply) -> None:
        """Make one request, for as many of the missing answers as one may ask for."""
        async with self.kept.room:
            samples = min(missing, self._most)
            try:
                kept = await self.kept.complete(self._request(problem, samples, number))
            except ContextTooShort:
                raise
            except RequestRefused as error:
                if samples == 1:
                    raise
                kept = await self.kept.complete(self._request(problem, 1, number))
                log.warning("vllm: the engine gives one answer to a request (%s)", error)
                samples = self._most = 1
        reply.take(await self.kept.keep(kept), samples, resumed=kept.resumed)

    def _request(self, problem: Problem, samples: int, number: int) -> Request:
        options = self.options
        # No seed: in a batch it does not make sampling reproducible, and it makes it slower.
        sampling: dict[str, Any] = {
            "n": samples,
            "temperature": options.temperature,
            "top_p": options.top_p,
            "max_tokens": options.max_tokens,
        }
        if stops := stops_of(problem, options.prompt_style):
            sampling["stop"] = list(stops)
        prompt = prompt_for(problem, self.shots, options.prompt_style)
        return Request(prompt, sampling, number=number)

    def _count(self, problem: Problem, reply: _Reply, report: StepReport) -> None:
        report.count("prompt_tokens", reply.prompt_tokens)
        report.count("completion_tokens", reply.completion_tokens)
        missing = self.options.samples_per_problem - len(reply.texts)
        for counter, amount in (
            ("answers_truncated", len(reply.truncated)),
            ("answers_resumed", reply.resumed),
            (f"answers_{reply.reason}", missing),
        ):
            if amount:
                report.count(counter, amount)
        if missing:
            report.problem(
                f"{problem.entry_point} ({problem.problem_id}): {reply.reason}: {reply.failure}"
            )
