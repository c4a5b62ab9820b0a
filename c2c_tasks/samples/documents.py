"""Texts for pretraining: pages and modules in which cases come before the code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from c2c_tasks.records import Function
from c2c_tasks.samples.examples import Example
from c2c_tasks.samples.rendering import RENDERINGS, Rendering, code_block, code_span
from c2c_tasks.samples.templates import paragraphs


@dataclass(frozen=True, slots=True)
class Page:
    """What a page of Markdown says before the cases, and between them and the code.

    ``{name}`` stands for the function's name as inline code.
    """

    opening: str
    bridge: str


PAGES: Mapping[str, Page] = {
    "reference": Page("## {name}\n\nExamples:", "Definition:"),
    "notes": Page("Some notes on the Python function {name}. First, what it does:", "The source:"),
    "experiments": Page(
        "We try out {name} on a number of inputs.", "The code explains what we have seen:"
    ),
    "question": Page(
        "**Question.** I know what my Python function has to do in these cases, but not how to "
        "write it. Can anybody help?",
        "**Answer.** This does what you ask for in every case:",
    ),
    "exercise": Page(
        "**Exercise.** Find a Python function with the following behaviour.", "**Solution.**"
    ),
    "tutorial": Page(
        "Let us go from examples to code. This is what we want:",
        "And this is a Python function that does it:",
    ),
    "record": Page(
        "The function {name} was run on several inputs, with the outcomes listed here.",
        "This is the code that was run:",
    ),
    "rule": Page(
        "What is the rule behind these cases?", "The rule can be written as a Python function:"
    ),
    "plain": Page("A Python function, by example:", "Its code:"),
    "tests_first": Page(
        "Before we write {name}, we write down what is expected of it.",
        "Now the function itself:",
    ),
}

MODULES: Mapping[str, str] = {
    "expected": "Expected behaviour of {name}:",
    "examples": "Examples for {name}:",
    "what": "What {name} does:",
}
"""First lines of the comment that opens a Python module; ``{name}`` is the function's name."""


@dataclass(frozen=True, slots=True)
class PageDocument:
    """A page of Markdown with the cases in one rendering, then the program."""

    page: str
    rendering: Rendering

    @property
    def name(self) -> str:
        """The parts' names, joined by ``/``."""
        return f"page/{self.page}/{self.rendering.name}"

    def fill(self, function: Function, examples: Sequence[Example]) -> tuple[str, str, str]:
        """Return no instruction, the text up to the program, and the program."""
        page, name = PAGES[self.page], code_span(function.entry_point)
        opening = page.opening.replace("{name}", name)
        text = paragraphs(opening, self.rendering.render(examples), page.bridge)
        return "", text, code_block(function.program)


@dataclass(frozen=True, slots=True)
class ModuleDocument:
    """A Python module that opens with the cases in a comment."""

    opening: str

    @property
    def name(self) -> str:
        """The parts' names, joined by ``/``."""
        return f"module/{self.opening}"

    def fill(self, function: Function, examples: Sequence[Example]) -> tuple[str, str, str]:
        """Return no instruction, the comment, and the program."""
        opening = MODULES[self.opening].replace("{name}", function.entry_point)
        lines = (f"#   {example.call} -> {example.outcome}" for example in examples)
        return "", "\n".join([f"# {opening}", "#", *lines]), function.program.rstrip()


Document = PageDocument | ModuleDocument

ONE_DOCUMENT = PageDocument("reference", RENDERINGS[0])
"""The document that all texts have where one is asked for."""
MODULE_SHARE = 0.2


def draw_document(random: Random, rendering: Rendering) -> Document:
    """Return a page for a rendering, or a module, which has one of its own."""
    if random.random() < MODULE_SHARE:
        return ModuleDocument(random.choice(list(MODULES)))
    return PageDocument(random.choice(list(PAGES)), rendering)
