"""What the host says to a runner, and what it believes of the answers.

A function can make its child write anything, so every field is checked: positions that were
asked for, each at most once, known outcomes, literals that parse, lengths, strict UTF-8.
Literals are written anew by the host's own code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Literal, cast, get_args

from c2c_tasks import literals
from c2c_tasks.records import Case, Outcome
from c2c_tasks.sandbox.child import MAX_MESSAGE_CHARACTERS, MAX_TYPE_CHARACTERS
from c2c_tasks.sandbox.outbox import MAX_ANSWER_BYTES

Ending = Literal["exited", "died", "timed_out", "flooded"]

GROUP_BYTES = 1 << 16
"""Bytes of an answer that are read at once: what JSON describes can be thirty times its size."""

_ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]{6,16}\b")
_OUTCOMES = frozenset({*get_args(Outcome), "invalid"})
_TIMER_SIGNALS = frozenset({b"signal 14", b"signal 24", b"signal 26", b"signal 27"})
"""SIGALRM, SIGXCPU, SIGVTALRM, SIGPROF: how the kernel ends a child out of CPU time."""
_MAX_MICROSECONDS = 10**12


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
    def max_line_bytes(self) -> int:
        """Bytes of a line of the child's: a character is 12 bytes of JSON at most."""
        characters = max(self.output_characters, MAX_MESSAGE_CHARACTERS + MAX_TYPE_CHARACTERS)
        return 12 * characters + 8 * _line_count(self.program) + 2_000

    @property
    def max_bytes(self) -> int:
        """Bytes that the child may answer."""
        return min(MAX_ANSWER_BYTES, (1 + len(self.arguments)) * self.max_line_bytes)

    def encode(self, number: int) -> bytes:
        """Return the payload that asks a runner to run this."""
        program = self.program.encode()
        # A literal has no line feed. What has one becomes what no compiler takes.
        cases = "\n".join([text.replace("\n", "\0") for text in self.arguments]).encode()
        return b"%d %d\n%b\n%d %d\n%b%b" % (
            *(number, self.max_bytes, self.entry_point.encode(), len(program), self.coverage),
            *(program, cases),
        )


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
    seconds: dict[int, float] = field(default_factory=dict)
    """Wall-clock seconds that they took, by position."""
    invalid: set[int] = field(default_factory=set)
    """Positions of arguments that no call can pass."""


def decode(payload: bytes, number: int, request: Request) -> Reply:
    """Return the reply that a payload holds. Raises ProtocolViolation."""
    head, *lines = payload.split(b"\n", len(request.arguments) + 3)
    reply = _head(head, number, len(request.arguments))
    if lines and lines.pop() and reply.ended == "exited":
        raise ProtocolViolation("the last line has no end")  # of another, it was cut off
    last_line = _line_count(request.program)
    items = (item for group in _groups(lines, request.max_line_bytes) for item in _json(group))
    for loading in islice(items, 1):
        _loading(loading, reply, last_line)
    for case in items:
        _case(case, reply, request, last_line)
    _make_canonical(reply, request)
    return reply


def _groups(lines: list[bytes], max_line_bytes: int) -> Iterator[bytes]:
    """Yield lists of lines, to be read at once: long ones alone, since JSON is small to large.

    A child that breaks a line in two deceives nobody: what is read is checked item by item.
    """
    group: list[bytes] = []
    size = 0
    for line in lines:
        if len(line) > max_line_bytes:
            raise ProtocolViolation(f"a line of {len(line)} bytes")
        if group and size + len(line) > GROUP_BYTES:
            yield b"[%b]" % b",".join(group)
            group, size = [], 0
        group.append(line)
        size += len(line)
    yield b"[%b]" % b",".join(group)


def _head(head: bytes, number: int, cases: int) -> Reply:
    try:
        found, at, ended = head.split(b" ", 2)
        position = int(at)
        if int(found) != number:
            raise ProtocolViolation(f"answers function {int(found)}, not {number}")
    except ValueError:
        raise ProtocolViolation("not a supervisor's line") from None
    if not 0 < position <= cases:  # a child can write there: then it lies about itself
        return Reply(_ending(ended), None)
    return Reply(_ending(ended), position - 1)


def _ending(ended: bytes) -> Ending:
    if ended == b"exit 0":
        return "exited"
    if ended == b"timed_out" or ended in _TIMER_SIGNALS:
        return "timed_out"
    return "flooded" if ended == b"flooded" else "died"


def _loading(value: Any, reply: Reply, last_line: int) -> None:
    match value:
        case {"failed_to_load": str(reason)} if len(value) == 1:
            limit = MAX_TYPE_CHARACTERS + MAX_MESSAGE_CHARACTERS + 2
            _check_text(reason, 2 * limit)
            reply.failed_to_load = reason
        case {"body_lines": list(lines)} if len(value) == 1:
            reply.body_lines = _lines(lines, last_line)
        case _:
            raise ProtocolViolation("the first line is not about loading")


def _case(value: Any, reply: Reply, request: Request, last_line: int) -> None:
    if type(value) is not list or len(value) != 7 or type(value[0]) is not int:
        raise ProtocolViolation("not a case's line")
    position, outcome, output, kind, message, lines, microseconds = value
    if not 0 <= position < len(request.arguments):
        raise ProtocolViolation(f"there is no case {position}")
    if position in reply.cases or position in reply.invalid or reply.failed_to_load is not None:
        raise ProtocolViolation(f"case {position} is answered twice")
    if type(outcome) is not str or outcome not in _OUTCOMES:
        raise ProtocolViolation("unknown outcome")
    if outcome == "invalid":
        reply.invalid.add(position)
        return
    if (outcome == "returned") != (output is not None):
        raise ProtocolViolation("only a case that returned has an output")
    if (outcome == "raised") != (kind is not None) or (kind is None) != (message is None):
        raise ProtocolViolation("only a case that raised has an exception")
    if type(microseconds) is not int or not 0 <= microseconds < _MAX_MICROSECONDS:
        raise ProtocolViolation("not a duration")
    if output is not None:
        _check_text(output, request.output_characters)
    if kind is not None:
        _check_text(kind, 2 * MAX_TYPE_CHARACTERS)
        _check_text(
            message, 6 * MAX_MESSAGE_CHARACTERS
        )  # a surrogate is spelled with six characters
    reply.cases[position] = Case(
        arguments=request.arguments[position],
        outcome=cast(Outcome, outcome),
        output=output,
        exception_type=kind,
        exception_message=message,
        covered_lines=_lines(lines, last_line),
        # An address is another one in every process, even where two runs happen to agree.
        deterministic=not _ADDRESS.search(output or message or ""),
    )
    reply.seconds[position] = microseconds / 1e6


def _make_canonical(reply: Reply, request: Request) -> None:
    """Have the host's own code read every output, and write those that it would write otherwise."""
    outputs = {at: case.output for at, case in reply.cases.items() if case.output is not None}
    try:
        texts = literals.canonical([*outputs.values()])
    except ValueError as error:
        raise ProtocolViolation(f"an output is not a literal: {error}") from None
    for (position, output), text in zip(outputs.items(), texts, strict=True):
        if len(text) > request.output_characters:
            raise ProtocolViolation("the output is too long")
        if text != output:
            reply.cases[position] = replace(reply.cases[position], output=text)


def _json(data: bytes) -> Any:
    try:
        return _JSON.decode(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ProtocolViolation(f"not JSON: {error}") from None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


_JSON = json.JSONDecoder(parse_constant=_no_constant)


def _check_text(value: Any, max_characters: int) -> None:
    if type(value) is not str or len(value) > max_characters:
        raise ProtocolViolation("not a text of allowed length")
    if not value.isascii():
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise ProtocolViolation("not a text that UTF-8 can hold") from None


def _lines(values: Any, last: int) -> list[int]:
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
