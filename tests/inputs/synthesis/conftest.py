"""Outcomes as the sandbox would report them, for functions that a test trusts."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from c2c_tasks.literals import Unrepresentable, dumps, loads
from c2c_tasks.records import Case, Function

RunCase = Callable[[Function, str], Case]


@pytest.fixture(scope="session")
def run_case() -> RunCase:
    """Runs one row of a function in this process, and records the lines."""

    def run(function: Function, row: str) -> Case:
        namespace: dict[str, Any] = {}
        exec(compile(function.program, "<program>", "exec"), namespace)
        arguments = loads(row)
        positional: list[Any] = []
        for parameter in function.parameters:
            if parameter.name in arguments and parameter.kind.startswith("positional"):
                positional.append(arguments.pop(parameter.name))
            elif parameter.kind == "var_positional":
                positional += arguments.pop(parameter.name, ())
            elif parameter.kind == "var_keyword":
                arguments |= arguments.pop(parameter.name, {})
        lines: set[int] = set()

        def trace(frame: FrameType, event: str, argument: Any) -> Any:
            if frame.f_code.co_filename != "<program>":
                return None
            if event == "line":
                lines.add(frame.f_lineno)
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            output = namespace[function.entry_point](*positional, **arguments)
        except Exception as error:
            sys.settrace(before)
            return Case(
                arguments=row,
                outcome="raised",
                exception_type=type(error).__name__,
                exception_message=str(error),
                covered_lines=sorted(lines),
            )
        finally:
            sys.settrace(before)
        try:
            text = dumps(output)
        except Unrepresentable:
            return Case(arguments=row, outcome="unrepresentable", covered_lines=sorted(lines))
        return Case(arguments=row, outcome="returned", output=text, covered_lines=sorted(lines))

    return run
