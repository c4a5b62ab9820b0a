"""The writer that asks a language model."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import closing

from c2c_tasks.config import InputOptions
from c2c_tasks.inputs.answers import Answers
from c2c_tasks.inputs.asking import Asking, Reply
from c2c_tasks.inputs.errors import EngineDown, InputError
from c2c_tasks.inputs.kept_engine import engine_for
from c2c_tasks.inputs.ordered import in_order
from c2c_tasks.inputs.parsing import Answer, parse_answer
from c2c_tasks.records import Function, Inputs, extend
from c2c_tasks.shards import StepReport

MAX_FAILURES = 10
"""Functions without an answer, one after the other, at which the rest is not worth asking."""


class VllmWriter:
    """Asks vLLM for inputs, many functions at a time, order kept."""

    name = "vllm"

    def __init__(self, options: InputOptions, *, answers: str = "") -> None:
        """Reach the engine. Raises InputError where it cannot work.

        `answers` is the URI of a folder where answers are kept as they come, so that another
        attempt need not ask again; without one, nothing is kept.
        """
        self.options = options
        self.engine = engine_for(options)
        self.asking = Asking(self.engine, Answers(answers), options)

    def write(
        self, functions: Iterable[Function], report: StepReport
    ) -> Generator[Inputs, None, None]:
        """Yield inputs for each function that the model wrote some for, in order.

        Dropped, named and counted by reason: ``no_parseable_inputs``, ``empty_answer``,
        ``context_too_short``, ``request_refused``, ``request_failed``. Raises EngineDown when
        the engine stops answering, InputError when it refuses whatever it is asked.
        """
        try:
            yield from self._write(functions, report)
        finally:
            statistics = self.engine.statistics
            report.facts["writer"] = {"name": self.name, **self.asking.facts()}
            _count_nonzero(
                report,
                request_retries=statistics.retries,
                engine_outages=statistics.outages,
                engine_load_seconds=round(statistics.load_seconds),
            )

    def _write(
        self, functions: Iterable[Function], report: StepReport
    ) -> Generator[Inputs, None, None]:
        stage = report.stage("inputs", "functions")
        failures = 0
        replies = in_order(
            functions,
            self.asking.ask,
            concurrency=self.options.concurrency,
            close=self.asking.kept.close,
        )
        # Closed here: an error keeps the frame, and with it what is still under way.
        with closing(replies):
            for function, reply in replies:
                answer = _read(function, reply)
                _count(reply, answer, report)
                if answer.arguments:
                    failures = 0
                    stage.keep()
                    yield self._inputs(function, reply, answer)
                    continue
                failures = 0 if reply.completion.texts else failures + 1
                if failures == MAX_FAILURES:
                    raise self._hopeless(reply)
                reason, message = _failure(reply, answer)
                stage.drop(reason)
                report.problem(
                    f"{function.entry_point} of {function.path}: {message}",
                    function_id=function.function_id,
                )

    def _inputs(self, function: Function, reply: Reply, answer: Answer) -> Inputs:
        return extend(
            Inputs,
            function,
            arguments=answer.arguments[: self.options.inputs_per_function],
            writer=f"{self.name}:{self.engine.model}",
            prompt_tokens=reply.prompt_tokens,
            completion_tokens=reply.completion_tokens,
        )

    def _hopeless(self, reply: Reply) -> InputError:
        message = (
            f"vllm: {self.engine.model} answered nothing about {MAX_FAILURES} functions in a row; "
            f"the last: {reply.failure}"
        )
        if reply.reason == "context_too_short":
            message += "; serve it with a longer context, or set a smaller `max_tokens`"
        return EngineDown(message) if reply.reason == "request_failed" else InputError(message)


def _read(function: Function, reply: Reply) -> Answer:
    """Return the distinct inputs of all answers to a request."""
    whole = Answer()
    found: dict[str, None] = {}
    for text in reply.completion.texts:
        answer = parse_answer(text, function)
        found.update(dict.fromkeys(answer.arguments))
        for reason, items in answer.refused.items():
            whole.refused[reason] = whole.refused.get(reason, 0) + items
    whole.arguments = list(found)
    return whole


def _failure(reply: Reply, answer: Answer) -> tuple[str, str]:
    """Return why a function has no inputs: a name to count, and a message."""
    if reply.reason:
        return reply.reason, reply.failure
    if not any(text.strip() for text in reply.completion.texts):
        return "empty_answer", "the model's answer is empty"
    refused = ", ".join(f"{reason} {items}" for reason, items in answer.refused.items())
    return "no_parseable_inputs", f"no inputs in the answer (refused: {refused or 'nothing'})"


def _count(reply: Reply, answer: Answer, report: StepReport) -> None:
    completion = reply.completion
    report.count("prompt_tokens", reply.prompt_tokens)
    report.count("completion_tokens", reply.completion_tokens)
    report.count("inputs_written", len(answer.arguments))
    answers = len(completion.texts)
    _count_nonzero(
        report,
        **{f"inputs_refused_{reason}": items for reason, items in answer.refused.items()},
        answers_truncated=completion.truncated,
        answers_resumed=answers if reply.resumed else 0,
        answers_unconstrained=answers if reply.unconstrained else 0,
        programs_trimmed=int(reply.trim > 0),
    )


def _count_nonzero(report: StepReport, **amounts: int) -> None:
    for counter, amount in amounts.items():
        if amount:
            report.count(counter, amount)
