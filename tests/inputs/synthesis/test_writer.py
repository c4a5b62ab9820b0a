"""What the synthesis writer proposes."""

from __future__ import annotations

from typing import Any

import pytest

from c2c_tasks.config import InputOptions
from c2c_tasks.inputs.synthesis import SynthesisWriter
from c2c_tasks.literals import dumps, loads
from c2c_tasks.records import Inputs
from c2c_tasks.shards import StepReport


def write(*functions: Any, **options: Any) -> tuple[list[Inputs], StepReport]:
    report = StepReport("write_inputs", "memory:")
    rows = list(SynthesisWriter(InputOptions(**options)).write(functions, report))
    for stage in report.stages:
        stage.check()
    return rows, report


def arguments(function: Any, **options: Any) -> list[dict[str, Any]]:
    (row,) = write(function, **options)[0]
    return [loads(text) for text in row.arguments]


def values(function: Any, name: str = "x", **options: Any) -> list[Any]:
    return [row[name] for row in arguments(function, **options) if name in row]


def test_rows_are_distinct_canonical_and_as_many_as_asked_for(function_of: Any) -> None:
    function = function_of("def f(x: int, names: list[str]): return names[x]")
    (row,), report = write(function, inputs_per_function=40)
    assert len(row.arguments) == len(set(row.arguments)) == 40
    assert all(dumps(loads(text)) == text for text in row.arguments)
    assert all(list(loads(text)) == ["x", "names"] for text in row.arguments)
    assert row.writer == "synthesis"
    assert report.counters == {"inputs_written": 40}
    assert report.facts["writer"] == {"name": "synthesis"}


def test_most_values_are_of_the_annotated_type(function_of: Any) -> None:
    for annotation, kind in {
        "int": int,
        "str": str,
        "dict[str, int]": dict,
        "float": float,
    }.items():
        found = values(function_of(f"def f(x: {annotation}): return x"))
        assert sum(type(value) is kind for value in found) >= 0.8 * len(found)


def test_every_member_of_a_literal_is_tried(function_of: Any) -> None:
    found = values(function_of("def f(x: Literal['red', 'dark blue']): return x"))
    assert {"red", "dark blue"} <= set(found)


def test_bounds_of_conditions_are_tried_on_both_sides(function_of: Any) -> None:
    found = values(function_of("def f(x):\n    return 'old' if x >= 65 else 'young'\n"))
    assert {64, 65, 66} <= set(found)


def test_texts_that_are_compared_with_are_tried(function_of: Any) -> None:
    program = "def f(x):\n    return {'north': 1, 'south': 2}[x] if x != 'here' else 0\n"
    assert {"north", "south", "here"} <= set(values(function_of(program)))


def test_texts_match_the_patterns_that_are_looked_for(function_of: Any) -> None:
    import re

    program = "import re\ndef f(x):\n    return re.fullmatch(r'(\\d{3})-([A-F]+)', x)\n"
    found = values(function_of(program))
    assert sum(bool(re.fullmatch(r"(\d{3})-([A-F]+)", value)) for value in found) >= 3


def test_parsed_dates_have_the_form_that_is_parsed(function_of: Any) -> None:
    from datetime import datetime

    program = (
        "from datetime import datetime\ndef f(x):\n    return datetime.strptime(x, '%d/%m/%Y')\n"
    )

    def parses(text: str) -> bool:
        try:
            return bool(datetime.strptime(text, "%d/%m/%Y"))
        except (TypeError, ValueError):
            return False

    assert sum(map(parses, values(function_of(program)))) >= 5


def test_examples_of_the_docstring_come_first(function_of: Any) -> None:
    program = 'def f(x, y):\n    """>>> f("zebra", 77)\n    1\n    """\n    return x * y\n'
    assert arguments(function_of(program))[0] == {"x": "zebra", "y": 77}


def test_defaults_are_left_out_at_times(function_of: Any) -> None:
    given = ["y" in row for row in arguments(function_of("def f(x, y=3): return x + y"))]
    assert 5 <= sum(given) < len(given)


def test_optional_parameters_are_none_at_times(function_of: Any) -> None:
    found = values(function_of("def f(x: int | None): return x is None or x + 1"))
    assert None in found
    assert sum(value is None for value in found) < len(found) / 2


def test_collectors_are_a_tuple_and_a_dict(function_of: Any) -> None:
    rows = arguments(function_of("def f(a, *x, **y): return a, x, y"))
    assert {type(row["x"]) for row in rows if "x" in row} == {tuple}
    names = {name for row in rows for name in row.get("y", {})}
    assert names
    assert all(name.isidentifier() and name not in ("a", "x", "y") for name in names)


def test_two_parameters_meet(function_of: Any) -> None:
    """Random words are not found in random lists: the one is drawn from the other."""
    rows = arguments(function_of("def f(word, words): return words.index(word)"))
    found = [row["word"] in row["words"] for row in rows if isinstance(row["words"], list)]
    assert sum(found) >= len(found) / 6


def test_a_function_without_parameters_has_one_input(function_of: Any) -> None:
    assert arguments(function_of("def f(): return 1")) == [{}]


@pytest.mark.parametrize(
    "program",
    [
        "def f(callback, x): return callback(x)",
        "def f(user): return user.full_name",
        "def f(tree):\n    return tree.left.value\n",
    ],
)
def test_what_no_literal_can_be_is_dropped(program: str, function_of: Any) -> None:
    rows, report = write(function_of(program))
    assert rows == []
    assert report.stages[0].dropped == {"unsupported_parameters": 1}


def test_a_program_that_cannot_be_read_is_dropped_and_named(function_of: Any) -> None:
    from dataclasses import replace

    good = function_of("def f(x): return x")
    rows, report = write(replace(good, program="def f(x:"), good)
    assert [row.program for row in rows] == [good.program]
    assert report.stages[0].dropped == {"unreadable_program": 1}
    assert report.problems[0].startswith("f of module.py: ")


def test_the_order_of_a_set_is_not_put_to_programs_that_may_show_it(function_of: Any) -> None:
    """Texts come in another order with each hash seed, and the program would seem to vary."""
    texts = values(function_of("def f(x): return [i.lower() for i in x]"), inputs_per_function=90)
    assert all(len(value) <= 1 for value in texts if isinstance(value, set))
    wanted = values(function_of("def f(x: set[str]): return len(x)"))
    assert any(len(value) > 1 for value in wanted)
