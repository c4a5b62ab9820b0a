from __future__ import annotations

from random import Random

import pytest

from c2c_tasks.literals import dumps
from c2c_tasks.records import Case, Function, Parameter
from c2c_tasks.samples.documents import (
    MODULES,
    PAGES,
    ModuleDocument,
    PageDocument,
    draw_document,
)
from c2c_tasks.samples.examples import example_of
from c2c_tasks.samples.rendering import RENDERINGS

FUNCTION = Function(
    function_id="ab" * 32,
    program="from __future__ import annotations\n\ndef twice(x):\n    return x * 2\n",
    entry_point="twice",
    parameters=[Parameter("x", "positional_or_keyword")],
    repository="owner/name",
    path="a.py",
    first_line=1,
    last_line=2,
    licence=None,
    dump="file:///dump",
    source_sha256="",
)
EXAMPLES = [
    example_of(FUNCTION, Case(arguments=dumps({"x": x}), outcome="returned", output=dumps(x * 2)))
    for x in ("ab", "line\nbreak", "")
]


@pytest.mark.parametrize("page", PAGES)
def test_pages_open_with_cases_and_close_with_the_program(page: str) -> None:
    for rendering in RENDERINGS:
        if not all(rendering.accepts(example) for example in EXAMPLES):
            continue
        instruction, text, completion = PageDocument(page, rendering).fill(FUNCTION, EXAMPLES)
        assert instruction == ""
        assert rendering.render(EXAMPLES) in text
        assert "{" not in PAGES[page].bridge and "{name}" not in text
        assert completion == f"```python\n{FUNCTION.program}```"


@pytest.mark.parametrize("opening", MODULES)
def test_modules_are_python_that_runs(opening: str) -> None:
    _, comment, program = ModuleDocument(opening).fill(FUNCTION, EXAMPLES)
    assert "#   twice('line\\nbreak') -> 'line\\nbreakline\\nbreak'" in comment.splitlines()
    namespace: dict[str, object] = {}
    exec(f"{comment}\n\n{program}\n", namespace)
    assert callable(namespace["twice"])


def test_pages_and_modules_are_both_drawn() -> None:
    random = Random(0)
    drawn = [draw_document(random, random.choice(RENDERINGS)) for _ in range(1_000)]
    assert {type(document) for document in drawn} == {PageDocument, ModuleDocument}
    assert len({document.name for document in drawn}) == len(PAGES) * len(RENDERINGS) + len(MODULES)
