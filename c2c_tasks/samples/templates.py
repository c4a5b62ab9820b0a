"""Prompts for a model that answers: an instruction, the cases, the function's header.

A template is one choice of each part. The parts are written so that any goes with any.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from c2c_tasks.records import Function
from c2c_tasks.samples.calls import header, starred
from c2c_tasks.samples.examples import Example
from c2c_tasks.samples.rendering import (
    RENDERINGS,
    Kind,
    Rendering,
    code_block,
    code_span,
    enumerate_terms,
)

INSTRUCTIONS: Mapping[str, str] = {
    "write": "Write a Python function that is consistent with all of the cases below.",
    "infer": "Infer the Python function that produced these results, and write it out.",
    "restore": "The cases below were recorded from a Python function whose source is lost. "
    "Restore the function.",
    "reverse": "Reverse-engineer this Python function from its observed behaviour.",
    "implement": "Implement, in Python, a function with the behaviour that these examples show.",
    "rule": "Find the rule that connects the inputs with their results, and express it as a "
    "Python function.",
    "puzzle": "A puzzle: a Python function is hidden, and only some of its inputs and results "
    "are known. What could its code be?",
    "generalise": "Generalise from the examples to a Python function that also handles inputs "
    "which are not listed.",
    "reconstruct": "Reconstruct the source code of a Python function, given what it does on a "
    "few inputs.",
    "specification": "Take the following cases as the specification of a Python function, and "
    "write the function that meets it.",
    "black_box": "I can call this Python function but not read it. Look at what it does, and "
    "tell me how it could be written.",
    "which": "Which Python function behaves like this?",
    "by_example": "This is programming by example: deduce the Python code of a function from "
    "what it did.",
    "need": "I need a Python function that does the following. Please write it for me.",
}

INTRODUCTIONS: Mapping[Kind, Mapping[str, str]] = {
    "calls": {
        "plain": "",
        "examples": "Examples:",
        "calls": "Some calls and their outcomes:",
        "when_called": "This is what happens when it is called:",
        "observed": "Observed behaviour:",
    },
    "tests": {
        "plain": "",
        "tests": "Tests:",
        "must_pass": "The function has to pass these tests:",
        "checks": "All of the following checks hold:",
    },
    "records": {
        "plain": "",
        "examples": "Examples:",
        "inputs": "Inputs and what comes of them:",
        "cases": "These cases are known:",
        "observed": "Observed behaviour:",
    },
}

ANSWERS: Mapping[str, str] = {
    "bare": "",
    "fits": "Here is a function that fits all of the cases:",
    "consistent": "This function is consistent with every case shown:",
    "follows": "The cases are explained by the following function:",
    "code": "The code:",
    "one_way": "One way to write it:",
}


def _name(function: Function) -> str:
    return f"The function is called {code_span(function.entry_point)}."


def _name_it(function: Function) -> str:
    return f"Name the function {code_span(function.entry_point)}."


def _signature(function: Function) -> str:
    return f"The function's header is {code_span(_header(function))}."


def _start(function: Function) -> str:
    return f"Start from this line:\n\n{code_block(_header(function) + ':')}"


def _complete(function: Function) -> str:
    definition = f"{_header(function)}:\n    ..."
    return f"Complete this definition:\n\n{code_block(definition)}"


def _parameters(function: Function) -> str:
    names = [code_span(starred(parameter)) for parameter in function.parameters]
    if not names:
        return "The function takes no parameters."
    noun = "parameter" if len(names) == 1 else "parameters"
    return f"The function takes the {noun} {enumerate_terms(names)}."


def _nothing(_: Function) -> str:
    return ""


def _header(function: Function) -> str:
    return header(function.entry_point, function.parameters).removesuffix(":")


NAMING: Mapping[str, Callable[[Function], str]] = {
    "name": _name,
    "name_it": _name_it,
    "signature": _signature,
    "start": _start,
    "complete": _complete,
}
"""Statements that give the function's name away."""

NAMELESS: Mapping[str, Callable[[Function], str]] = {
    "parameters": _parameters,
    "nothing": _nothing,
}

NAMELESS_SHARE = 0.4
"""Share of the prompts with a nameless rendering that leave the choice of a name to the model:
about one prompt in six over all renderings."""

ORDERS = ("header_first", "cases_first")


@dataclass(frozen=True, slots=True)
class Template:
    """One choice of each part of a prompt and its answer."""

    instruction: str
    introduction: str
    header: str
    rendering: Rendering
    order: str
    answer: str

    @property
    def name(self) -> str:
        """The parts' names, joined by ``/``."""
        parts = (self.instruction, self.introduction, self.header, self.rendering.name)
        return "/".join((*parts, self.order, self.answer))

    def fill(self, function: Function, examples: Sequence[Example]) -> tuple[str, str, str]:
        """Return the instruction, the input and the completion for a function."""
        statement = {**NAMING, **NAMELESS}[self.header](function)
        introduction = INTRODUCTIONS[self.rendering.kind][self.introduction]
        cases = paragraphs(introduction, self.rendering.render(examples))
        body = (statement, cases) if self.order == "header_first" else (cases, statement)
        completion = paragraphs(ANSWERS[self.answer], code_block(function.program))
        return INSTRUCTIONS[self.instruction], paragraphs(*body), completion


ONE_TEMPLATE = Template(
    instruction="write",
    introduction="plain",
    header="signature",
    rendering=RENDERINGS[0],  # accepts any case
    order="header_first",
    answer="bare",
)
"""The template that all prompts have where one is asked for."""


def draw_template(random: Random, rendering: Rendering) -> Template:
    """Return a template for a rendering, with its other parts drawn."""
    nameless = not rendering.names_function and random.random() < NAMELESS_SHARE
    headers = NAMELESS if nameless else NAMING
    if rendering.names_function:
        headers = {**NAMING, **NAMELESS}
    return Template(
        instruction=random.choice(list(INSTRUCTIONS)),
        introduction=random.choice(list(INTRODUCTIONS[rendering.kind])),
        header=random.choice(list(headers)),
        rendering=rendering,
        order=random.choice(ORDERS),
        answer=random.choice(list(ANSWERS)),
    )


def paragraphs(*texts: str) -> str:
    """Return the texts that are not empty, with a blank line between them."""
    return "\n\n".join(text for text in texts if text)
