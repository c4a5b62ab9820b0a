"""A language model that answers problems: what it is asked, and what is made of what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from c2c_tasks.config.evaluation import ModelOptions
from c2c_tasks.evaluation import model as module
from c2c_tasks.evaluation.answering import solver_for
from c2c_tasks.evaluation.model import MAX_REFUSALS
from c2c_tasks.evaluation.prompting import Shot, prompt_for
from c2c_tasks.evaluation.records import Answer, Problem
from c2c_tasks.inputs.errors import EngineDown, InputError
from c2c_tasks.shards import StepReport, write_shard
from c2c_tasks.store import normalise
from tests.evaluation.programs import problem
from tests.inputs.stand_in import Answer as Said
from tests.inputs.stand_in import StandIn, completion

PROBLEMS = [problem(number) for number in range(12)]
TOO_LONG: Said = (400, "This model's maximum context length is 4096 tokens.", {})
REFUSED: Said = (400, '{"error": {"message": "no such thing"}}', {})


def ask(
    stand_in: StandIn,
    problems: list[Problem],
    *,
    shots: tuple[Shot, ...] = (),
    answers: str = "",
    **options: Any,
) -> tuple[list[Answer], StepReport]:
    chosen = ModelOptions(**{"endpoint": stand_in.url, **options})
    report = StepReport("answer", "memory:")
    found = list(solver_for(chosen, shots, answers=answers).answer(iter(problems), report))
    report.stages[0].check()
    return found, report


def asked(request: dict[str, Any]) -> str:
    return str(request["messages"][-1]["content"])


def counted(request: dict[str, Any]) -> Said:
    """As many answers as are asked for, which name the problem."""
    (name,) = [one.problem_id[:6] for one in PROBLEMS if one.prompt in asked(request)]
    return completion(*(f"{name} {number}" for number in range(request["n"])))


def test_half_a_pair_of_surrogates_costs_no_shard(stand_in: StandIn, tmp_path: Path) -> None:
    stand_in.answer = lambda _: completion("def add(x):\n    return '\ud83d'\n")
    for _ in range(2):  # asked, and read of what was kept
        found, _ = ask(stand_in, PROBLEMS[:1], answers=tmp_path.as_uri())
        assert found[0].text == "def add(x):\n    return '?'\n"
        write_shard((tmp_path / "answers.parquet").as_uri(), Answer, found)
    assert len(stand_in.requests) == 1


def test_answers_are_in_order_with_tokens_and_facts(stand_in: StandIn) -> None:
    stand_in.answer = counted
    options: dict[str, Any] = {"temperature": 0.5, "max_tokens": 99, "revision": "abc"}
    found, report = ask(stand_in, PROBLEMS, samples_per_problem=3, **options)
    assert [(a.problem_id, a.sample, a.text) for a in found] == [
        (one.problem_id, sample, f"{one.problem_id[:6]} {sample}")
        for one in PROBLEMS
        for sample in range(3)
    ]
    assert len(stand_in.requests) == 12, "one request for all answers to a problem"
    assert report.counters == {"prompt_tokens": 84, "completion_tokens": 60}
    facts = report.facts["solver"]
    assert len(facts.pop("prompt_sha256")) == 64
    assert facts == {
        "name": "vllm",
        "model": "small",
        "revision": "abc",
        "engine": "endpoint",
        "engine_version": "vllm 0.0",
        "context_tokens": 4096,
        "prompt_style": "chat",
        "temperature": 0.5,
        "top_p": 0.95,
        "max_tokens": 99,
        "few_shot": 0,
        "samples_per_problem": 3,
    }


def test_a_chat_is_sent_as_messages_and_a_text_with_its_stops(stand_in: StandIn) -> None:
    shots = (Shot("Find it.", "def g():\n    pass\n"),)
    ask(stand_in, PROBLEMS[:1], shots=shots)
    text = 200, {"choices": [{"text": "x", "finish_reason": "stop"}]}, {}
    stand_in.answer = lambda _: text
    ask(stand_in, PROBLEMS[:1], shots=shots, prompt_style="text")
    chat, continued = stand_in.requests
    assert chat["messages"] == prompt_for(PROBLEMS[0], shots, "chat")
    assert "stop" not in chat
    assert continued["prompt"] == prompt_for(PROBLEMS[0], shots, "text")
    assert (continued["path"], continued["stop"]) == ("/v1/completions", ["\n```"])


def test_each_answer_knows_whether_it_was_cut_off(stand_in: StandIn) -> None:
    status, body, headers = completion("a", "b", "c")
    assert isinstance(body, dict)
    body["choices"][1]["finish_reason"] = "length"
    stand_in.answer = lambda _: (status, body, headers)
    found, report = ask(stand_in, PROBLEMS[:2], samples_per_problem=3)
    assert [a.truncated for a in found] == [False, True, False] * 2
    assert report.counters["answers_truncated"] == 2


def test_many_answers_take_several_requests(
    stand_in: StandIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "MAX_SAMPLES", 4)
    stand_in.answer = counted
    folder = normalise(str(tmp_path / "answers"))
    found, _ = ask(stand_in, PROBLEMS[:1], samples_per_problem=10, answers=folder)
    assert [request["n"] for request in stand_in.requests] == [4, 4, 2]
    assert [a.sample for a in found] == [*range(10)]
    again, report = ask(stand_in, PROBLEMS[:1], samples_per_problem=10, answers=folder)
    assert again == found
    assert len(stand_in.requests) == 3
    assert report.counters["answers_resumed"] == 10


def test_a_server_that_gives_fewer_answers_is_asked_again(stand_in: StandIn) -> None:
    stand_in.answer = lambda _: completion("only one")
    found, report = ask(stand_in, PROBLEMS[:2], samples_per_problem=3)
    assert [a.text for a in found] == ["only one"] * 6
    assert report.counters["completion_tokens"] == 30


def test_a_server_that_refuses_several_answers_is_asked_for_one(stand_in: StandIn) -> None:
    stand_in.answer = lambda request: REFUSED if request["n"] > 1 else completion("one")
    found, report = ask(stand_in, PROBLEMS[:4], samples_per_problem=3, concurrency=1)
    assert [a.text for a in found] == ["one"] * 12
    assert [request["n"] for request in stand_in.requests] == [3, *[1] * 12]
    assert report.problems == []


def test_what_was_answered_is_not_asked_again(stand_in: StandIn, tmp_path: Path) -> None:
    stand_in.answer = counted
    folder = normalise(str(tmp_path / "answers"))
    first, _ = ask(stand_in, PROBLEMS[:5], answers=folder)
    asked_before = len(stand_in.requests)
    again, report = ask(stand_in, PROBLEMS[:8], answers=folder)
    assert again[:5] == first
    assert len(stand_in.requests) - asked_before == 3
    assert report.counters["answers_resumed"] == 5


def test_a_problem_that_does_not_fit_has_empty_answers(stand_in: StandIn) -> None:
    stand_in.answer = lambda r: TOO_LONG if PROBLEMS[1].prompt in asked(r) else counted(r)
    found, report = ask(stand_in, PROBLEMS[:3], samples_per_problem=2)
    assert [bool(a.text) for a in found] == [True, True, False, False, True, True]
    assert report.counters["answers_context_too_short"] == 2
    assert "maximum context length" in report.problems[0]
    assert PROBLEMS[1].problem_id in report.problems[0]


def test_that_none_fits_is_no_fault_of_the_engine(stand_in: StandIn) -> None:
    stand_in.answer = lambda _: TOO_LONG
    found, report = ask(stand_in, PROBLEMS)
    assert {a.text for a in found} == {""}
    assert report.counters["answers_context_too_short"] == len(PROBLEMS)


def test_a_refusal_is_counted(stand_in: StandIn) -> None:
    stand_in.answer = lambda r: REFUSED if PROBLEMS[1].prompt in asked(r) else counted(r)
    found, report = ask(stand_in, PROBLEMS[:3])
    assert [bool(a.text) for a in found] == [True, False, True]
    assert report.counters["answers_request_refused"] == 1
    assert "no such thing" in report.problems[0]


def test_what_was_not_answered_is_not_graded_as_if_it_were(stand_in: StandIn) -> None:
    busy: Said = (500, "out of order", {})
    stand_in.answer = lambda r: busy if PROBLEMS[1].prompt in asked(r) else counted(r)
    with pytest.raises(EngineDown, match=rf"to add \({PROBLEMS[1].problem_id}\): .*out of order"):
        ask(stand_in, PROBLEMS[:3])


def test_an_engine_that_refuses_everything_is_an_error(stand_in: StandIn) -> None:
    stand_in.answer = lambda _: REFUSED
    with pytest.raises(InputError, match=f"refused {MAX_REFUSALS} problems in a row"):
        ask(stand_in, PROBLEMS)


def test_an_engine_that_goes_away_is_told(stand_in: StandIn, tmp_path: Path) -> None:
    folder = normalise(str(tmp_path / "answers"))
    stand_in.answer = counted
    solver = solver_for(
        ModelOptions(endpoint=stand_in.url, outage_seconds=0.2, concurrency=1), answers=folder
    )
    report = StepReport("answer", "memory:")
    rows = solver.answer(iter(PROBLEMS[:4]), report)
    first = next(rows)
    stand_in.answer = lambda _: (503, "", {})
    stand_in.stop()
    with pytest.raises(EngineDown):
        list(rows)
    assert report.facts["solver"]["model"] == "small"
    stand_in.answer = counted
    stand_in.start()
    found, _ = ask(stand_in, PROBLEMS[:4], answers=folder)
    assert found[0] == first
    assert len(found) == 4
