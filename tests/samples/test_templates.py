from __future__ import annotations

from itertools import product
from random import Random

import pytest

from c2c_tasks.literals import dumps
from c2c_tasks.records import Case, Function, Parameter
from c2c_tasks.samples.examples import example_of
from c2c_tasks.samples.rendering import RENDERINGS, Rendering
from c2c_tasks.samples.templates import (
    ANSWERS,
    INSTRUCTIONS,
    INTRODUCTIONS,
    NAMELESS,
    NAMING,
    ORDERS,
    Template,
    draw_template,
)

FUNCTION = Function(
    function_id="ab" * 32,
    program="def shift(value, by=1):\n    return value + by\n",
    entry_point="shift",
    parameters=[
        Parameter("value", "positional_or_keyword"),
        Parameter("by", "positional_or_keyword", None, "1"),
    ],
    repository="owner/name",
    path="a.py",
    first_line=1,
    last_line=2,
    licence=None,
    dump="file:///dump",
    source_sha256="",
)
EXAMPLES = [
    example_of(
        FUNCTION,
        Case(arguments=dumps({"value": n, "by": 2}), outcome="returned", output=dumps(n + 2)),
    )
    for n in range(3)
]


def test_every_choice_of_parts_has_a_name_of_its_own() -> None:
    names = [
        Template(instruction, introduction, header, rendering, order, answer).name
        for rendering in RENDERINGS
        for instruction, introduction, header, order, answer in product(
            INSTRUCTIONS, INTRODUCTIONS[rendering.kind], {**NAMING, **NAMELESS}, ORDERS, ANSWERS
        )
    ]
    assert len(set(names)) == len(names)
    assert len(INSTRUCTIONS) * len(RENDERINGS) >= 100


@pytest.mark.parametrize("rendering", RENDERINGS, ids=lambda rendering: rendering.name)
@pytest.mark.parametrize("header", [*NAMING, *NAMELESS])
@pytest.mark.parametrize("order", ORDERS)
def test_every_part_is_in_its_place(rendering: Rendering, header: str, order: str) -> None:
    introduction = list(INTRODUCTIONS[rendering.kind])[-1]
    template = Template("write", introduction, header, rendering, order, "fits")
    instruction, text, completion = template.fill(FUNCTION, EXAMPLES)
    cases = rendering.render(EXAMPLES)
    statement = {**NAMING, **NAMELESS}[header](FUNCTION)
    assert instruction == INSTRUCTIONS["write"]
    assert INTRODUCTIONS[rendering.kind][introduction] + "\n\n" + cases in text
    assert text.startswith(statement) if order == "header_first" else text.endswith(statement)
    assert ("shift" in text) == (rendering.names_function or header in NAMING)
    assert completion.endswith(f"```python\n{FUNCTION.program}```")
    for part in (instruction, text, completion):
        assert part == part.strip() and "\n\n\n" not in part


def test_sentences_are_whole() -> None:
    introductions = [text for texts in INTRODUCTIONS.values() for text in texts.values()]
    for text in (*INSTRUCTIONS.values(), *introductions, *ANSWERS.values()):
        assert not text or (text[0].isupper() and text[-1] in ".:?"), text
        assert "  " not in text


def test_every_part_is_drawn() -> None:
    random = Random(0)
    drawn = [draw_template(random, random.choice(RENDERINGS)) for _ in range(2_000)]
    assert {template.instruction for template in drawn} == set(INSTRUCTIONS)
    assert {template.header for template in drawn} == {*NAMING, *NAMELESS}
    assert {template.answer for template in drawn} == set(ANSWERS)
    assert {template.order for template in drawn} == set(ORDERS)
