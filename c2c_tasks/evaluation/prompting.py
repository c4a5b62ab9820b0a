"""How a problem is put to a model.

One fixed template for each task, unlike those of training rows: what is measured is the model,
not the wording that a seed draws. `prompt_digest` tells two templates apart.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from c2c_tasks.config.evaluation import Task
from c2c_tasks.evaluation.records import Problem
from c2c_tasks.inputs.completions import Prompt
from c2c_tasks.records import Function
from c2c_tasks.samples.calls import header
from c2c_tasks.samples.examples import Example
from c2c_tasks.samples.rendering import code_block
from c2c_tasks.samples.templates import paragraphs

Style = Literal["chat", "text"]

_INDUCTION = """\
Infer the Python function that produced the results below. It has this header:

{header}

Calls and what came of them:

{cases}"""
_INDUCTION_ANSWER = """\
Answer with the whole function, and all imports and helpers that it needs, in one Python code \
block. Keep its name and its parameters: it is called with other arguments as well."""
_CODE_ANSWER = """\
Write Python code that does this, whole and able to run by itself, in one code block:"""
_PROBLEM, _ANSWER = "### Problem", "### Answer"
_FENCE = "```python\n"

_STOPS: dict[Task, tuple[str, ...]] = {
    "induction": ("\n```",),
    "humaneval": ("\nclass", "\ndef", "\nif", "\nprint"),
    "mbpp": ("\nassert", '\n"""', "\nprint", "\nif"),
}
"""What ends an answer to a text; the OpenAI API, and so vLLM, takes four at most. Those of
HumanEval are the Codex paper's (section 2.1) but for a comment; of MBPP, what base models write
after a function: its tests, or the next task. What comes after a function is not graded anyway."""


@dataclass(frozen=True, slots=True)
class Shot:
    """A solved problem that prompts show first."""

    prompt: str
    """As of the problem."""
    program: str


def induction_prompt(function: Function, examples: Iterable[Example]) -> str:
    """Return what is asked of a model that is to find a function, given some of its cases."""
    calls = "\n".join(f"{example.call} -> {example.outcome}" for example in examples)
    return _INDUCTION.format(
        header=code_block(header(function.entry_point, function.parameters)),
        cases=code_block(calls, ""),
    )


def prompt_for(problem: Problem, shots: Sequence[Shot], style: Style) -> Prompt:
    """Return the prompt of a problem; `shots` are shown before one of induction alone.

    A chat is asked for code in a block. A text is written so that the code is what follows:
    inside a block for induction, and for the other tasks after the problem itself, which is the
    start of a Python file. Answers to it end at `stops_of`.
    """
    if problem.task != "induction":
        if style == "text":
            return problem.prompt
        content = paragraphs(_CODE_ANSWER, code_block(problem.prompt))
        return [{"role": "user", "content": content}]
    if style == "text":
        solved = [
            f"{_PROBLEM}\n\n{shot.prompt}\n\n{_ANSWER}\n\n{code_block(shot.program)}\n\n"
            for shot in shots
        ]
        asked = f"{_PROBLEM}\n\n{problem.prompt}\n\n{_ANSWER}\n\n{_FENCE}"
        return "".join([f"{_INDUCTION_ANSWER}\n\n", *solved, asked])
    messages = []
    for shot in shots:
        messages += [
            {"role": "user", "content": paragraphs(shot.prompt, _INDUCTION_ANSWER)},
            {"role": "assistant", "content": code_block(shot.program)},
        ]
    return [*messages, {"role": "user", "content": paragraphs(problem.prompt, _INDUCTION_ANSWER)}]


def stops_of(problem: Problem, style: Style) -> tuple[str, ...]:
    """Return the texts that end an answer; none in a chat, which ends by itself."""
    return _STOPS[problem.task] if style == "text" else ()


def prompt_digest(shots: Sequence[Shot], style: Style) -> str:
    """Return the SHA-256, in hexadecimal, of all that prompts of this style have in common."""
    tasks: tuple[Task, ...] = ("induction", "humaneval", "mbpp")
    blanks = [_blank(task) for task in tasks]
    common = [
        _INDUCTION,
        *([prompt_for(blank, shots, style), stops_of(blank, style)] for blank in blanks),
    ]
    return hashlib.sha256(json.dumps(common).encode()).hexdigest()


def _blank(task: Task) -> Problem:
    return Problem(
        problem_id="",
        task=task,
        prompt="{problem}",
        program="",
        entry_point="",
        parameters=[],
        cases=[],
        shown_cases=[],
        held_cases=[],
    )
