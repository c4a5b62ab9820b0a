"""Parsing: from any thread, with one kind of error, without warnings."""

from __future__ import annotations

import ast
import gc
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2c_tasks.syntax import parse_expression, parse_module, without_warnings


def test_trees_are_those_of_python() -> None:
    assert ast.dump(parse_module("x = [1]\n")) == ast.dump(ast.parse("x = [1]\n"))
    assert ast.dump(parse_expression("x + 1")) == ast.dump(ast.parse("x + 1", mode="eval").body)


@pytest.mark.parametrize("text", ["f(", "'\0'", "'\ud800'", "(" * 5_000, "1 if"])
def test_what_cannot_be_parsed_is_a_syntax_error(text: str) -> None:
    for parse in (parse_module, parse_expression):
        with pytest.raises(SyntaxError):
            parse(text)


@given(st.text())
def test_any_text_is_parsed_or_a_syntax_error(text: str) -> None:
    for parse in (parse_module, parse_expression):
        try:
            parse(text)
        except SyntaxError:
            continue


def test_nothing_warns_of_other_people_s_text() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        parse_module("x = '\\d'\nassert (x, 1)\n")
        with without_warnings():
            warnings.warn("inside", stacklevel=1)
        warnings.warn("outside", stacklevel=1)
    assert [str(warning.message) for warning in caught] == ["outside"]


def test_threads_parse_at_a_time() -> None:
    # What makes CPython 3.11 mistake one thread's depth for another's: a switch of threads in
    # the middle of a tree, where the collector runs a finaliser that is Python.
    class Cycle:
        def __init__(self) -> None:
            self.own = self

        def __del__(self) -> None:
            sum(range(50))

    text = "x = " + "[" * 40 + "1" + "]" * 40 + "\n"
    interval = sys.getswitchinterval()
    threshold = gc.get_threshold()
    sys.setswitchinterval(1e-6)
    gc.set_threshold(20)

    def work(_: int) -> None:
        for _ in range(150):
            Cycle()
            parse_module(text * 5)

    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(8)))
    finally:
        sys.setswitchinterval(interval)
        gc.set_threshold(*threshold)
