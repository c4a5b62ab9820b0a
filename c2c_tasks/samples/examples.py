"""A case, taken apart for being shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from c2c_tasks.literals import dumps, loads
from c2c_tasks.records import Case, Function
from c2c_tasks.samples.calls import call_expression, starred


@dataclass(frozen=True, slots=True)
class Example:
    """One case with the texts that renderings put together."""

    call: str
    """The call, by position where the header allows it."""
    keyword_call: str
    """The call, by keyword where the header allows it."""
    values: Mapping[str, Any]
    """The arguments' values by parameter; that of ``*args`` is a list here."""
    literals: Mapping[str, str]
    """The arguments' literals by parameter, starred as in the header."""
    arguments: str
    """Literal of the dict of arguments."""
    output: str | None
    """Literal of the returned value; None where the call raised."""
    returned: Any
    """The returned value itself; None where the call raised."""
    exception_type: str
    """Name of the exception's class; empty where the call returned."""
    exception_message: str

    @property
    def raised(self) -> bool:
        """Whether the call raised."""
        return self.output is None

    @property
    def exception(self) -> str:
        """The exception as an expression: ``ValueError('empty')``."""
        message = repr(self.exception_message) if self.exception_message else ""
        return f"{self.exception_type}({message})"

    @property
    def outcome(self) -> str:
        """The output's literal, or ``raises`` and the exception."""
        return f"raises {self.exception}" if self.output is None else self.output


def example_of(function: Function, case: Case) -> Example:
    """Return a case of `function` for being shown.

    Raises ValueError where no call can be written for its arguments.
    """
    arguments = loads(case.arguments)
    parameters = function.parameters
    output = case.output if case.outcome == "returned" else None
    by_name = {parameter.name: parameter for parameter in parameters}
    name = function.entry_point
    return Example(
        call=call_expression(name, parameters, arguments),
        keyword_call=call_expression(name, parameters, arguments, by_keyword=True),
        values={
            key: list(value) if by_name[key].kind == "var_positional" else value
            for key, value in arguments.items()
        },
        literals={starred(by_name[key]): dumps(value) for key, value in arguments.items()},
        arguments=case.arguments,
        output=output,
        returned=None if output is None else loads(output),
        exception_type=case.exception_type or "",
        exception_message=case.exception_message or "",
    )
