"""Records and the Arrow schemas derived from them."""

from __future__ import annotations

import dataclasses
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2c_tasks.records import (
    Case,
    Execution,
    Function,
    Inputs,
    Parameter,
    Program,
    Sample,
    SourceFile,
    arrow_schema,
    extend,
    from_row,
    to_row,
)

RECORDS: list[Any] = [SourceFile, Function, Inputs, Execution, Program, Sample]


@pytest.mark.parametrize("cls", RECORDS)
def test_a_record_survives_arrow(cls: Any) -> None:
    @given(st.builds(cls))
    def check(record: Any) -> None:
        table = pa.Table.from_pylist([to_row(record)], arrow_schema(cls))
        assert from_row(cls, table.to_pylist()[0]) == record

    with_bounded_integers = st.integers(-(2**63), 2**63 - 1)
    st.register_type_strategy(int, with_bounded_integers)
    st.register_type_strategy(float, st.floats(allow_nan=False))
    st.register_type_strategy(str, st.text(st.characters(codec="utf-8")))
    check()


@pytest.mark.parametrize("cls", RECORDS)
def test_schema_has_a_column_for_each_field_and_null_only_where_none_may_be(cls: Any) -> None:
    schema = arrow_schema(cls)
    assert schema.names == [field.name for field in dataclasses.fields(cls)]
    for field in dataclasses.fields(cls):
        assert schema.field(field.name).nullable == ("None" in str(field.type))


def test_case_schema_is_nested() -> None:
    cases = arrow_schema(Program).field("cases").type
    assert cases.value_type == pa.struct(list(arrow_schema(Case)))


def test_extend_keeps_what_a_function_knows() -> None:
    function = Function(
        function_id="f" * 64,
        program="def f(x):\n    return x\n",
        entry_point="f",
        parameters=[Parameter("x", "positional_or_keyword")],
        repository="r",
        path="p.py",
        first_line=1,
        last_line=2,
        licence=None,
        dump="file:///d",
        source_sha256="",
    )
    inputs = extend(Inputs, function, arguments=["{'x': 1}"], writer="synthesis")
    execution = extend(Execution, inputs, writer=inputs.writer, cases=[], body_lines=[2])
    assert (execution.program, execution.parameters) == (function.program, function.parameters)


def test_missing_column_is_named() -> None:
    with pytest.raises(KeyError, match="outcome"):
        from_row(Case, {"arguments": "{}"})
