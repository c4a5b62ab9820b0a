"""The vllm writer: what it asks, what it makes of the answers, and what it reports."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from c2c_tasks.config import InputOptions
from c2c_tasks.inputs.errors import EngineDown, InputError
from c2c_tasks.inputs.vllm import MAX_FAILURES, VllmWriter
from c2c_tasks.inputs.writer import writer_for
from c2c_tasks.records import Function, Inputs
from c2c_tasks.shards import StepReport
from c2c_tasks.store import normalise
from tests.inputs.stand_in import Answer, StandIn, asked, completion

TOO_LONG: Answer = (400, "This model's maximum context length is 4096 tokens.", {})


def writer(stand_in: StandIn, answers: str = "", **options: Any) -> VllmWriter:
    defaults = {"endpoint": stand_in.url, "constrained": "off"}
    chosen = InputOptions(writer="vllm", **{**defaults, **options})
    return VllmWriter(chosen, answers=answers)


def write(made: VllmWriter, functions: list[Function]) -> tuple[list[Inputs], StepReport]:
    report = StepReport("write_inputs", "memory:")
    rows = list(made.write(functions, report))
    report.stages[0].check()
    return rows, report


def test_rows_tokens_and_facts(stand_in: StandIn, functions: list[Function]) -> None:
    options = {"temperature": 0.5, "max_tokens": 99, "revision": "abc", "constrained": "off"}
    rows, report = write(writer(stand_in, **options), functions[:3])
    assert [row.function_id for row in rows] == [f.function_id for f in functions[:3]]
    assert {tuple(row.arguments) for row in rows} == {("{'x': 1}", "{'x': 2}")}
    assert {(row.writer, row.prompt_tokens, row.completion_tokens) for row in rows} == {
        ("vllm:small", 7, 5)
    }
    assert report.counters == {"prompt_tokens": 21, "completion_tokens": 15, "inputs_written": 6}
    facts = report.facts["writer"]
    assert len(facts.pop("prompt_sha256")) == 64
    assert facts == {
        "name": "vllm",
        "model": "small",
        "revision": "abc",
        "engine": "endpoint",
        "engine_version": "vllm 0.0",
        "context_tokens": 4096,
        "constrained": False,
        "prompt_style": "chat",
        "temperature": 0.5,
        "top_p": 0.95,
        "max_tokens": 99,
        "answers_per_function": 1,
        "inputs_per_answer": 30,
    }


def test_all_requests_begin_alike(stand_in: StandIn, functions: list[Function]) -> None:
    write(writer(stand_in), functions)
    prefixes = {str(request["messages"][:-1]) for request in stand_in.requests}
    assert len(prefixes) == 1
    assert len({asked(request) for request in stand_in.requests}) == len(functions)


def test_inputs_of_several_answers_are_joined(stand_in: StandIn, functions: list[Function]) -> None:
    stand_in.answer = lambda _: completion("f(1)\nf(2)", "f(2)\nf(3)\nf(y)", reason="length")
    rows, report = write(writer(stand_in, answers_per_function=2), functions[:1])
    assert rows[0].arguments == ["{'x': 1}", "{'x': 2}", "{'x': 3}"]
    assert stand_in.requests[0]["n"] == 2
    assert report.counters["answers_truncated"] == 2
    assert report.counters["inputs_refused_not_a_literal"] == 1


def test_no_more_inputs_than_asked_for(stand_in: StandIn, functions: list[Function]) -> None:
    stand_in.answer = lambda _: completion("\n".join(f"f({i})" for i in range(50)))
    rows, _ = write(writer(stand_in, inputs_per_function=4), functions[:1])
    assert rows[0].arguments == [f"{{'x': {i}}}" for i in range(4)]


def test_each_function_has_a_grammar_of_its_own(stand_in: StandIn, function_of: Any) -> None:
    functions = [function_of(f"def f({name}):\n    return {name}\n") for name in ("left", "right")]
    stand_in.answer = lambda _: completion("f(1)")
    write(writer(stand_in, concurrency=1, constrained="auto"), functions)
    _trial, *grammars = [r["structured_outputs"]["grammar"] for r in stand_in.requests]
    assert ["left" in grammar for grammar in grammars] == [True, False]
    assert ["right" in grammar for grammar in grammars] == [False, True]


def test_a_grammar_that_is_refused_is_left_out(
    stand_in: StandIn, functions: list[Function]
) -> None:
    def picky(request: dict[str, Any]) -> Answer:
        if "x + 3" in asked(request) and "structured_outputs" in request:
            return 400, "Invalid grammar", {}
        return completion("f(1)")

    stand_in.answer = picky
    rows, report = write(writer(stand_in, constrained="auto"), functions)
    assert len(rows) == 12
    assert report.counters["answers_unconstrained"] == 1
    assert report.facts["writer"]["constrained"] is True
    assert len(stand_in.requests) == 1 + 13


def test_an_endpoint_without_grammars_is_asked_without(
    stand_in: StandIn, functions: list[Function]
) -> None:
    stand_in.answer = lambda request: (
        (400, "unknown argument", {}) if "structured_outputs" in request else completion("f(1)")
    )
    rows, report = write(writer(stand_in, constrained="auto"), functions)
    assert len(rows) == 12
    assert len(stand_in.requests) == 1 + 12
    assert report.facts["writer"]["constrained"] is False


def test_a_long_program_is_shown_trimmed(stand_in: StandIn, function_of: Any) -> None:
    body = "".join(f"    # a remark\n    x += {i}\n" for i in range(400))
    function = function_of(f"def f(x):\n{body}    return x\n")
    stand_in.answer = lambda request: (
        TOO_LONG if len(asked(request)) > 3_000 else completion("f(1)")
    )
    rows, report = write(writer(stand_in), [function])
    assert rows[0].arguments == ["{'x': 1}"]
    assert rows[0].program == function.program
    assert report.counters["programs_trimmed"] == 1
    lengths = [len(asked(request)) for request in stand_in.requests]
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[0] > len(function.program)


def test_no_room_for_an_answer_trims_too(stand_in: StandIn, function_of: Any) -> None:
    body = "".join(f"    x += {i}\n" for i in range(400))
    function = function_of(f"def f(x):\n{body}    return x\n")
    stand_in.answer = lambda request: (
        completion("f(", prompt_tokens=4_000, tokens=96, reason="length")
        if len(asked(request)) > 3_000
        else completion("f(1)\nf(", prompt_tokens=1_000, reason="length")
    )
    rows, report = write(writer(stand_in), [function])
    assert rows[0].arguments == ["{'x': 1}"]
    assert rows[0].prompt_tokens == report.counters["prompt_tokens"] > 5_000, "of both requests"


def test_an_answer_in_little_room_is_kept_as_any_other(
    stand_in: StandIn, functions: list[Function], tmp_path: Path
) -> None:
    kept = normalise(str(tmp_path / "part-00000.answers"))
    stand_in.answer = lambda _: completion(
        f"f({len(stand_in.requests)})\nf(", prompt_tokens=4_000, reason="length"
    )
    rows, report = write(writer(stand_in, kept), functions[:3])
    assert "programs_trimmed" not in report.counters, "there is nothing to leave out"
    asked_before = len(stand_in.requests)
    again, _ = write(writer(stand_in, kept), functions[:3])
    assert again == rows
    assert len(stand_in.requests) == asked_before


def test_a_context_that_is_too_short_for_all_is_named(
    stand_in: StandIn, functions: list[Function]
) -> None:
    stand_in.answer = lambda _: TOO_LONG
    _, report = write(writer(stand_in), functions[: MAX_FAILURES - 1])
    assert report.stages[0].dropped == {"context_too_short": MAX_FAILURES - 1}
    with pytest.raises(InputError, match=r"nothing about 10 .* serve it with a longer context"):
        write(writer(stand_in), functions)


def test_what_does_not_pass_is_dropped_and_named(
    stand_in: StandIn, functions: list[Function]
) -> None:
    stand_in.answers = [(400, "out of luck", {})]
    rows, report = write(writer(stand_in, concurrency=1, constrained="off"), functions[:3])
    assert len(rows) == 2
    assert report.stages[0].dropped == {"request_refused": 1}
    assert report.problems == ["f of module.py: status 400: out of luck"]
    assert len(stand_in.requests) == 3


def test_answers_that_are_none(stand_in: StandIn, functions: list[Function]) -> None:
    stand_in.answers = [
        completion("I would rather not."),
        completion(None),
        completion(""),
        completion("dict(x=f(1)), dict(x=1, y=2), dict(x=3)"),
    ]
    rows, report = write(writer(stand_in, concurrency=1), functions[:4])
    assert [row.arguments for row in rows] == [["{'x': 3}"]]
    assert report.stages[0].dropped == {"no_parseable_inputs": 1, "empty_answer": 2}
    assert report.counters["inputs_refused_not_a_literal"] == 1
    assert report.counters["inputs_refused_unknown_parameter"] == 1
    assert report.counters["prompt_tokens"] == 28, "failed answers cost tokens as well"
    assert "no inputs in the answer" in report.problems[0]


def test_order_is_kept_and_concurrency_bounded(
    stand_in: StandIn, functions: list[Function]
) -> None:
    def slower_first(request: dict[str, Any]) -> Answer:
        number = int(asked(request).split("x + ")[1].split("\n")[0])
        time.sleep(0.005 * (12 - number))
        return completion(f"f({number})")

    stand_in.answer = slower_first
    stand_in.seconds = 0.02
    rows, _ = write(writer(stand_in, concurrency=3), functions)
    assert [row.arguments for row in rows] == [[f"{{'x': {i}}}"] for i in range(12)]
    assert stand_in.most_under_way == 3


def test_closing_ends_the_requests(stand_in: StandIn, functions: list[Function]) -> None:
    rows = writer(stand_in, concurrency=2).write(functions, StepReport("write_inputs", "memory:"))
    next(rows)
    rows.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "vllm"]


def test_an_endpoint_that_goes_down_ends_the_step(
    stand_in: StandIn, functions: list[Function]
) -> None:
    made = writer(stand_in, outage_seconds=0.1)
    stand_in.stop()
    with pytest.raises(EngineDown, match=rf"{stand_in.url} is down"):
        write(made, functions)


def test_an_error_ends_the_requests_too(stand_in: StandIn, functions: list[Function]) -> None:
    stand_in.answers = [(400, "no", {})] * MAX_FAILURES
    stand_in.seconds = 0.02
    with pytest.raises(InputError, match=r"nothing about 10 functions in a row; the last: .*no"):
        write(writer(stand_in, concurrency=1), functions)
    assert not [thread for thread in threading.enumerate() if thread.name == "vllm"]


def test_an_endpoint_that_fails_all_ends_the_step(
    stand_in: StandIn, functions: list[Function]
) -> None:
    stand_in.answer = lambda _: (500, "out of order", {})
    with pytest.raises(EngineDown, match=r"out of order"):
        write(writer(stand_in), functions)


def test_what_was_answered_is_not_asked_again(
    stand_in: StandIn, functions: list[Function], tmp_path: Path
) -> None:
    kept = normalise(str(tmp_path / "part-00000.answers"))
    stand_in.answer = lambda request: completion(f"f({len(stand_in.requests)})")
    taken = writer(stand_in, kept, concurrency=1).write(
        functions, StepReport("write_inputs", "memory:")
    )
    before = [next(taken) for _ in range(5)]
    taken.close()
    requests = len(stand_in.requests)
    assert 5 <= requests < 12

    rows, report = write(writer(stand_in, kept, concurrency=1), functions)
    assert rows[:5] == before, "answers that went out once stand"
    assert len(rows) == 12
    assert len(stand_in.requests) <= 12 + 1, "the request under way may be lost"
    assert report.counters["answers_resumed"] >= 5
    assert report.counters["prompt_tokens"] == 12 * 7, "the build's, not the attempt's"

    again, _ = write(writer(stand_in, kept), functions)
    assert again == rows
    other, report = write(writer(stand_in, kept, temperature=0.1), functions)
    assert "answers_resumed" not in report.counters
    assert other != rows


def test_where_the_model_fails_synthesis_goes_on(
    stand_in: StandIn, functions: list[Function]
) -> None:
    stand_in.answers = [completion("no")]
    options = InputOptions(
        writer="vllm",
        endpoint=stand_in.url,
        concurrency=1,
        constrained="off",
        fallback="synthesis",
    )
    report = StepReport("write_inputs", "memory:")
    rows = list(writer_for(options).write(functions, report))
    assert [row.writer for row in rows] == ["synthesis"] + ["vllm:small"] * 11
    stand_in.stop()
    rows = list(writer_for(options).write(functions, report))
    assert {row.writer for row in rows} == {"synthesis"}


def test_the_key_is_not_told(
    stand_in: StandIn, functions: list[Function], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("C2C_VLLM_API_KEY", "secret")
    _, report = write(writer(stand_in), functions[:1])
    assert stand_in.keys == {"Bearer secret"}
    assert b"secret" not in report.to_json()
