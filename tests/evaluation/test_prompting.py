"""How problems are put to chats and to models that go on with a text."""

from __future__ import annotations

import ast
import re
from dataclasses import replace

import pytest

from c2c_tasks.evaluation import prompting
from c2c_tasks.evaluation.code_extraction import extract_code
from c2c_tasks.evaluation.prompting import Shot, prompt_digest, prompt_for, stops_of
from c2c_tasks.evaluation.records import Problem
from tests.evaluation.programs import problem

SHOTS = [Shot("Find it.", 'def g():\n    """```"""\n'), Shot("And it.", "def h():\n    pass\n")]


def other(task: str) -> Problem:
    return replace(problem(), task=task, prompt='def f(x):\n    """Return x."""\n', tests="f(1)")


def test_a_chat_takes_turns() -> None:
    one = problem()
    chat = prompt_for(one, SHOTS, "chat")
    assert isinstance(chat, list)
    assert [message["role"] for message in chat] == ["user", "assistant"] * 2 + ["user"]
    asked = [message["content"] for message in chat if message["role"] == "user"]
    (ending,) = {text.rpartition("\n\n")[2] for text in asked}
    assert ending.startswith("Answer with the whole function")
    assert asked[-1].startswith(one.prompt)
    assert asked[:2] == [f"{shot.prompt}\n\n{ending}" for shot in SHOTS]
    for shot, message in zip(SHOTS, chat[1::2], strict=True):
        name = shot.program[4]
        assert extract_code(message["content"], name) == shot.program.strip()
    assert stops_of(one, "chat") == ()


def test_a_text_ends_where_the_code_begins() -> None:
    one = problem()
    text = prompt_for(one, SHOTS, "text")
    assert isinstance(text, str)
    assert text.endswith(f"{one.prompt}\n\n### Answer\n\n```python\n")
    positions = [text.index(part) for part in (SHOTS[0].program, SHOTS[1].program, one.prompt)]
    assert positions == sorted(positions)
    (stop,) = stops_of(one, "text")
    answer = f"{one.program.rstrip()}\n```\n\n### Problem\n\nMore of it".partition(stop)[0]
    assert ast.dump(ast.parse(answer)) == ast.dump(ast.parse(one.program))


@pytest.mark.parametrize("task", ["humaneval", "mbpp"])
def test_what_is_described_is_gone_on_with_as_it_is(task: str) -> None:
    one = other(task)
    assert prompt_for(one, SHOTS, "text") == one.prompt
    chat = prompt_for(one, SHOTS, "chat")
    assert isinstance(chat, list)
    (message,) = chat
    assert f"```python\n{one.prompt.rstrip()}\n```" in message["content"]
    assert stops_of(one, "text") and not stops_of(one, "chat")


def test_stops_leave_a_function_whole() -> None:
    body = "    if x:\n        print(x)\n    # so\n    assert x\n    return x\n"
    for task in ("humaneval", "mbpp"):
        assert len(stops_of(other(task), "text")) <= 4, "vLLM refuses more"
        for stop in stops_of(other(task), "text"):
            assert stop not in body


def test_the_digest_tells_templates_shots_and_styles_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    digests = {prompt_digest(shots, style) for shots in ([], SHOTS) for style in ("chat", "text")}
    assert len(digests) == 4
    assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in digests)
    for name in ("_INDUCTION", "_INDUCTION_ANSWER", "_CODE_ANSWER"):
        monkeypatch.setattr(prompting, name, getattr(prompting, name) + " Please.")
        digests.add(prompt_digest([], "chat"))
    assert len(digests) == 7
