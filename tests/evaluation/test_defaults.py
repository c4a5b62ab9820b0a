"""Defaults in a header that is shown without its program."""

from __future__ import annotations

import pytest

from c2c_tasks.evaluation.defaults import bound, with_literal_defaults
from c2c_tasks.records import Parameter
from tests.evaluation.programs import X, program

CONSTANTS = """\
import os
LIMIT = 2 * 5
NAME: str = "n"
PAIR = (LIMIT, NAME)
HERE = os.getcwd()
FIRST = SECOND = 1
"""


@pytest.mark.parametrize(
    ("default", "shown"),
    [
        ("10", "10"),
        ("None", "None"),
        ('"a"', "'a'"),
        ("LIMIT", "10"),
        ("-LIMIT", "-10"),
        ("PAIR", "(10, 'n')"),
        ("[NAME]", "['n']"),
        ("2**4", "16"),
        ("HERE", "HERE"),
        ("len", "len"),
        ("os.sep", "os.sep"),
    ],
)
def test_constants_are_written_out(default: str, shown: str) -> None:
    parameters = [X, Parameter("y", "keyword_only", "int", default)]
    of = program(0, program=f"{CONSTANTS}\ndef add(x, *, y={default}): ...", parameters=parameters)
    assert with_literal_defaults(of).parameters == [X, Parameter("y", "keyword_only", "int", shown)]


def test_calls_that_leave_out_what_is_the_default_are_one() -> None:
    parameters = [
        X,
        Parameter("n", "positional_or_keyword", default="2"),
        Parameter("rest", "var_positional"),
        Parameter("more", "var_keyword"),
    ]
    of = program(0, parameters=parameters)
    one = bound(of, {"x": 1})
    assert one == ("1", "2", "()", "{}")
    assert bound(of, {"x": 1, "n": 2, "rest": (), "more": {}}) == one
    others = [{"x": 1.0}, {"x": True}, {"x": 1, "n": 3}, {"x": 1, "n": 2, "rest": (2,)}]
    assert len({one, *(bound(of, arguments) for arguments in others)}) == 5
