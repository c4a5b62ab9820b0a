"""What the host says to a runner, and what it believes of the answers.

A function can make its child write anything, so every field is checked: positions that were
asked for, each at most once, known outcomes, literals that parse, lengths, strict UTF-8.
Literals are written anew by the host's own code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, cast, get_args

from c2c_tasks import literals
from c2c_tasks.records import Case, Outcome
from c2c_tasks.sandbox.child import MAX_MESSAGE_CHARACTERS, MAX_TYPE_CHARACTERS
from c2c_tasks.sandbox.frames import MAX_PAYLOAD

Ending = Literal["exited", "died", "timed_out", "flooded"]

_ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]{6,16}\b")
_TIMER_SIGNALS = frozenset({"signal 14", "signal 24", "signal 26", "signal 27"})
"""SIGALRM, SIGXCPU, SIGVTALRM, SIGPROF: how the kernel ends a child out of CPU time."""


class ProtocolViolation(ValueError):
    """An answer is not what was asked for; the message says in what."""


@dataclass(frozen=True, slots=True)
class Request:
    """Cases of one function, to be run in one child."""

    program: str
    entry_point: str
    arguments: Sequence[str]
    coverage: bool
    output_characters: int

    @property
    def max_bytes(self) -> int:
        """Bytes that the child may answer: a JSON escape is 12 bytes a character at most."""
        lines = 7 * _line_count(self.program)
        case = 12 * (self.output_characters + MAX_MESSAGE_CHARACTERS) + lines + 2_000
        return min(MAX_PAYLOAD // 2, 10_000 + lines + len(self.arguments) * case)

    def encode(self, identifier: int) -> bytes:
        """Return the payload that asks a runner to run this."""
        message = {
            "id": identifier,
            "program": self.program,
            "entry_point": self.entry_point,
            "cases": list(self.arguments),
            "coverage": self.coverage,
            "max_bytes": self.max_bytes,
        }
        return json.dumps(message).encode()


@dataclass(slots=True)
class Reply:
    """What came of a request, as far as its child got."""

    ended: Ending
    at: int | None
    """Position of the case that the child was at, None while it was loading the program."""
    failed_to_load: str | None = None
    body_lines: list[int] = field(default_factory=list)
    cases: dict[int, Case] = field(default_factory=dict)
    """Cases that ran, by position."""
    invalid: set[int] = field(default_factory=set)
    """Positions of arguments that no call can pass."""


def decode(payload: bytes, identifier: int, request: Request) -> Reply:
    """Return the reply that a payload holds. Raises ProtocolViolation."""
    head, *lines = payload.split(b"\n")
    reply = _head(_json(head), identifier, len(request.arguments))
    if lines and lines[-1] and reply.ended == "exited":
        raise ProtocolViolation("the last line has no end")
    for position, line in enumerate(lines[:-1]):  # what follows the last line's end was cut off
        value = _json(line)
        if position == 0:
            _loading(value, reply, request)
        else:
            _case(value, reply, request)
    return reply


def _head(value: Any, identifier: int, cases: int) -> Reply:
    match value:
        case {"id": int(found), "ended": str(ended), "at": int(at)} if len(value) == 3:
            if found != identifier:
                raise ProtocolViolation(f"answers function {found}, not {identifier}")
            if not 0 <= at <= cases:
                at = 0  # a child can write there: then it lies about itself
            return Reply(_ending(ended), at - 1 if at else None)
    raise ProtocolViolation("not a supervisor's line")


def _ending(ended: str) -> Ending:
    if ended in ("timed_out", "flooded"):
        return cast(Ending, ended)
    if ended in _TIMER_SIGNALS:
        return "timed_out"
    return "exited" if ended == "exit 0" else "died"


def _loading(value: Any, reply: Reply, request: Request) -> None:
    match value:
        case {"failed_to_load": str(reason)} if len(value) == 1:
            limit = MAX_TYPE_CHARACTERS + MAX_MESSAGE_CHARACTERS + 2
            reply.failed_to_load = _text(reason, 2 * limit)
        case {"body_lines": list(lines)} if len(value) == 1:
            reply.body_lines = _lines(lines, request)
        case _:
            raise ProtocolViolation("the first line is not about loading")


def _case(value: Any, reply: Reply, request: Request) -> None:
    if type(value) is not list or len(value) != 6 or type(value[0]) is not int:
        raise ProtocolViolation("not a case's line")
    position, outcome, output, kind, message, lines = value
    if not 0 <= position < len(request.arguments):
        raise ProtocolViolation(f"there is no case {position}")
    if position in reply.cases or position in reply.invalid or reply.failed_to_load is not None:
        raise ProtocolViolation(f"case {position} is answered twice")
    if outcome == "invalid":
        reply.invalid.add(position)
        return
    if outcome not in get_args(Outcome):
        raise ProtocolViolation("unknown outcome")
    if (outcome == "returned") != (output is not None):
        raise ProtocolViolation("only a case that returned has an output")
    if (outcome == "raised") != (kind is not None) or (kind is None) != (message is None):
        raise ProtocolViolation("only a case that raised has an exception")
    if output is not None:
        output = _literal(_text(output, request.output_characters), request.output_characters)
    if kind is not None:
        kind = _text(kind, 2 * MAX_TYPE_CHARACTERS)
        # A surrogate is spelled with six characters.
        message = _text(message, 6 * MAX_MESSAGE_CHARACTERS)
    reply.cases[position] = Case(
        arguments=request.arguments[position],
        outcome=outcome,
        output=output,
        exception_type=kind,
        exception_message=message,
        covered_lines=_lines(lines, request),
        # An address is another one in every process, even where two runs happen to agree.
        deterministic=not _ADDRESS.search(output or message or ""),
    )


def _json(data: bytes) -> Any:
    try:
        return json.loads(data.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ProtocolViolation(f"not JSON: {error}") from None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _text(value: Any, max_characters: int) -> str:
    if type(value) is not str or len(value) > max_characters:
        raise ProtocolViolation("not a text of allowed length")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise ProtocolViolation("not a text that UTF-8 can hold") from None
    return value


def _literal(text: str, max_characters: int) -> str:
    try:
        canonical = (_short if len(text) <= 200 else _canonical)(text)
    except ValueError as error:
        raise ProtocolViolation(f"the output is not a literal: {error}") from None
    if len(canonical) > max_characters:
        raise ProtocolViolation("the output is too long")
    return canonical


def _canonical(text: str) -> str:
    return literals.dumps(literals.loads(text))


_short = lru_cache(maxsize=1 << 16)(_canonical)


def _lines(values: Any, request: Request) -> list[int]:
    last = _line_count(request.program)
    if type(values) is not list or len(values) > last:
        raise ProtocolViolation("not a list of lines")
    before = 0
    for value in values:
        if type(value) is not int or not before < value <= last:
            raise ProtocolViolation("not sorted lines of the program")
        before = value
    return values


def _line_count(program: str) -> int:
    return program.count("\n") + program.count("\r") + 1
