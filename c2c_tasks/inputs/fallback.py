"""The writer for what another cannot write: where the model fails, synthesis goes on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from itertools import chain
from typing import Protocol

from c2c_tasks.inputs.errors import InputError
from c2c_tasks.records import Function, Inputs
from c2c_tasks.shards import StepReport


class InputWriter(Protocol):
    """Proposes the arguments that functions are called with."""

    name: str

    def write(
        self, functions: Iterable[Function], report: StepReport
    ) -> Generator[Inputs, None, None]:
        """Yield inputs for each function that some can be written for, in order.

        Counts every function in the stage ``inputs``; puts what a manifest records of the
        writer into ``report.facts["writer"]``.
        """
        ...


class FallbackWriter:
    """Has one writer write, and another for the functions that the first had nothing for."""

    def __init__(self, name: str, first: Callable[[], InputWriter], second: InputWriter) -> None:
        """`first` makes the first writer; where that raises InputError, the second writes all."""
        self.name = name
        self._first = first
        self._second = second

    def write(
        self, functions: Iterable[Function], report: StepReport
    ) -> Generator[Inputs, None, None]:
        """Yield inputs: see `InputWriter`.

        Counts the functions left to the second writer as ``fallback_REASON``: the reason for
        which the first dropped them, or ``fallback_engine_failed`` for all after it gave up.
        """
        remaining = iter(functions)
        taken: deque[Function] = deque()
        """What the first writer was given, from the first function without inputs on."""

        def given() -> Iterator[Function]:
            for function in remaining:
                taken.append(function)
                yield function

        first = StepReport(report.step, report.shard)
        dropped = first.stage("inputs", "functions").dropped
        served = 0
        try:
            # Closed here, so that what the first writer holds is gone while the second writes.
            with closing(self._first().write(given(), first)) as rows:
                for inputs in rows:
                    while taken[0].function_id != inputs.function_id:
                        yield from self._second.write([taken.popleft()], report)
                        served += 1
                    taken.popleft()
                    report.stage("inputs", "functions").keep()
                    yield inputs
        except InputError as error:
            report.problem(f"{error}; the writer {self._second.name} goes on")
        # The first of those left, as many as it dropped last, the first writer had an answer for.
        answered = sum(dropped.values()) - served
        for number, function in enumerate(chain(taken, remaining)):
            if number >= answered:
                report.count("fallback_engine_failed")
            yield from self._second.write([function], report)
        self._account(first, report)

    def _account(self, first: StepReport, report: StepReport) -> None:
        """Add what the first writer reported to the report, its drops as counters."""
        for counter, amount in first.counters.items():
            report.count(counter, amount)
        for stage in first.stages:
            for reason, rows in stage.dropped.items():
                report.count(f"fallback_{reason}", rows)
        room = report.MAX_PROBLEMS - len(report.problems)
        report.problems.extend(first.problems[: max(room, 0)])
        report.facts["writer"] = {
            **first.facts.get("writer", {"name": self.name}),
            "fallback": self._second.name,
        }
