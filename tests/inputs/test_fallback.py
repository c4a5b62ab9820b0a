"""What the first writer has nothing for goes to the second."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from itertools import islice

import pytest

from c2c_tasks.config import InputOptions
from c2c_tasks.inputs.errors import EngineDown, InputError
from c2c_tasks.inputs.fallback import FallbackWriter
from c2c_tasks.inputs.synthesis import SynthesisWriter
from c2c_tasks.records import Function, Inputs, extend
from c2c_tasks.shards import StepReport


class Model:
    """A writer that takes three functions ahead, drops some, and may go down."""

    name = "model"

    def __init__(self, drops: set[int], down_at: int = 10**9) -> None:
        self.drops, self.down_at = drops, down_at

    def write(
        self, functions: Iterable[Function], report: StepReport
    ) -> Generator[Inputs, None, None]:
        report.facts["writer"] = {"name": "model", "temperature": 1}
        stage = report.stage("inputs", "functions")
        remaining = iter(functions)
        ahead = list(islice(remaining, 3))
        number = 0
        while ahead:
            if number == self.down_at:
                raise EngineDown("model: it is down")
            function = ahead.pop(0)
            ahead += islice(remaining, 1)
            report.count("prompt_tokens", 7)
            if number in self.drops:
                stage.drop("empty_answer")
                report.problem(f"function {number}: empty")
            else:
                stage.keep()
                yield extend(Inputs, function, arguments=["{'x': 1}"], writer="model")
            number += 1


def write(model: Model | InputError, functions: list[Function]) -> tuple[list[Inputs], StepReport]:
    def first() -> Model:
        if isinstance(model, InputError):
            raise model
        return model

    report = StepReport("write_inputs", "memory:")
    writer = FallbackWriter("model", first, SynthesisWriter(InputOptions()))
    rows = list(writer.write(functions, report))
    report.stages[0].check()
    return rows, report


@pytest.mark.parametrize("drops", [set(), {0}, {11}, {3, 4, 5}, set(range(12))])
def test_order_is_kept_and_each_row_names_its_writer(
    drops: set[int], functions: list[Function]
) -> None:
    rows, report = write(Model(drops), functions)
    assert [row.function_id for row in rows] == [f.function_id for f in functions]
    assert {i for i, row in enumerate(rows) if row.writer == "synthesis"} == drops
    assert (report.stages[0].rows_in, report.stages[0].rows_out) == (12, 12)
    assert report.counters.get("fallback_empty_answer", 0) == len(drops)
    assert report.counters["prompt_tokens"] == 12 * 7
    assert len(report.problems) == len(drops)
    assert report.facts["writer"] == {"name": "model", "temperature": 1, "fallback": "synthesis"}


@pytest.mark.parametrize("down_at", [0, 1, 6, 11])
def test_what_is_left_when_the_engine_goes_down(down_at: int, functions: list[Function]) -> None:
    rows, report = write(Model(set(), down_at), functions)
    assert [row.function_id for row in rows] == [f.function_id for f in functions]
    assert [row.writer for row in rows] == ["model"] * down_at + ["synthesis"] * (12 - down_at)
    assert report.counters["fallback_engine_failed"] == 12 - down_at
    assert report.problems == ["model: it is down; the writer synthesis goes on"]


def test_what_was_dropped_before_the_engine_went_down_counts_once(
    functions: list[Function],
) -> None:
    rows, report = write(Model({1, 4, 5}, down_at=6), functions)
    assert len(rows) == 12
    assert report.counters["fallback_empty_answer"] == 3
    assert report.counters["fallback_engine_failed"] == 6


def test_a_writer_that_cannot_work_at_all(functions: list[Function]) -> None:
    rows, report = write(InputError("model: no endpoint"), functions)
    assert {row.writer for row in rows} == {"synthesis"}
    assert report.counters["fallback_engine_failed"] == 12
    assert report.facts["writer"] == {"name": "model", "fallback": "synthesis"}


def test_a_function_that_neither_can_serve(function_of: object, functions: list[Function]) -> None:
    unserved = function_of("def g(run):\n    return run.a.b()\n")  # type: ignore[operator]
    rows, report = write(Model({1}), [functions[0], unserved, functions[1]])
    assert len(rows) == 2
    assert report.stages[0].dropped == {"unsupported_parameters": 1}
