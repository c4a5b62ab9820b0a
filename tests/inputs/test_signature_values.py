from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from c2c_tasks.config import BuildConfig, ConfigError, InputOptions
from c2c_tasks.inputs.signature_values import declared_type
from c2c_tasks.inputs.signatures import check
from c2c_tasks.inputs.writer import writer_for
from c2c_tasks.literals import canonical, loads
from c2c_tasks.records import Function, Inputs, Parameter
from c2c_tasks.shards import StepReport

if TYPE_CHECKING:
    from tests.inputs.conftest import FunctionOf

ANY = ("any",)


def written(*functions: Function, count: int = 30) -> list[Inputs]:
    report = StepReport("write_inputs", "-")
    options = InputOptions(writer="none", inputs_per_function=count)
    rows = list(writer_for(options).write(functions, report))
    (stage,) = report.stages
    assert (stage.rows_in, stage.rows_out, stage.dropped) == (len(functions), len(functions), {})
    assert report.facts["writer"] == {"name": "none"}
    assert report.counters["inputs_written"] == sum(len(row.arguments) for row in rows)
    return rows


@pytest.mark.parametrize(
    ("annotation", "default", "type_"),
    [
        (None, None, ANY),
        ("int", None, ("int",)),
        ("builtins.str", None, ("str",)),
        ("'float'", None, ("float",)),
        ("list[int]", None, ("list", ("int",))),
        ("typing.Sequence[str]", None, ("list", ("str",))),
        ("tuple[int, ...]", None, ("tuple", ("int",))),
        ("dict[str, list[float]]", None, ("dict", ("str",), ("list", ("float",)))),
        ("dict", None, ("dict", ANY, ANY)),
        ("set[None]", None, ("set", ANY)),
        ("None | bytes", None, ("bytes",)),
        ("Optional[bool]", None, ("bool",)),
        ("Union[int, str]", None, ("int",)),
        ("list[list[list[list[int]]]]", None, ("list", ("list", ("list", ANY)))),
        ("None", None, ("none",)),
        ("Date", None, ANY),
        ("not an annotation", None, ANY),
        (None, "3", ("int",)),
        (None, "'x'", ("str",)),
        (None, "None", ANY),
        (None, "object()", ANY),
        ("str", "None", ("str",)),
    ],
)
def test_a_type_is_what_the_header_declares(
    annotation: str | None, default: str | None, type_: tuple[object, ...]
) -> None:
    assert declared_type(Parameter("x", "positional_or_keyword", annotation, default)) == type_


def test_functions_of_one_signature_get_the_same_values_whatever_their_bodies_say(
    function_of: FunctionOf,
) -> None:
    one, other = written(
        function_of("def f(text: str, n=2):\n    return text[:n] if text == 'needle' else 417\n"),
        function_of('def g(a: str, b=9):\n    """Say `g("x", 1)`."""\n    return b * a\n'),
    )
    assert len(one.arguments) == 30
    rows = [[list(loads(text).values()) for text in row.arguments] for row in (one, other)]
    assert rows[0] == rows[1]
    assert "needle" not in str(one.arguments) and "417" not in str(one.arguments)


def test_every_row_fits_its_header(function_of: FunctionOf) -> None:
    source = "def f(a, /, b: list[int], *rest: str, c=1.5, **more):\n    return a\n"
    (row,) = written(function_of(source))
    assert len(row.arguments) == 30
    assert canonical(row.arguments) == row.arguments
    for text in row.arguments:
        check(row.parameters, loads(text))
        values = loads(text)
        assert isinstance(values["b"], list) and isinstance(values["rest"], tuple)
        assert type(values["c"]) is float and "more" not in values


def test_no_more_rows_than_there_are_values(function_of: FunctionOf) -> None:
    none, flag = written(
        function_of("def f():\n    return 1\n"), function_of("def g(x: bool):\n    return x\n")
    )
    assert none.arguments == ["{}"]
    assert sorted(flag.arguments) == ["{'x': False}", "{'x': True}"]


def test_refinement_would_be_somebody() -> None:
    with pytest.raises(ConfigError, match=r"^options: writer is none.*set refine_rounds to 0$"):
        BuildConfig.from_flat({"writer": "none"})
    assert BuildConfig.from_flat({"writer": "none", "refine_rounds": 0}).inputs.writer == "none"
