from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2c_tasks import literals
from c2c_tasks.records import Case
from c2c_tasks.sandbox.protocol import ProtocolViolation, Request, decode

REQUEST = Request("def f(x):\n    return x\n", "f", ["{'x': 1}", "{'x': 2}"], True, 100)
HEAD = "7 2 exit 0"
LOADED = {"body_lines": [2]}


def payload(*lines: Any, head: str = HEAD) -> bytes:
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    return "\n".join([head, *texts]).encode() + b"\n"


def test_an_answer_is_read() -> None:
    answer = payload(
        LOADED, [0, "returned", "{3, 1}", None, None, [2], 1500], [1, "invalid", *[None] * 3, [], 0]
    )
    reply = decode(answer, 7, REQUEST)
    assert (reply.ended, reply.at, reply.body_lines, reply.invalid) == ("exited", 1, [2], {1})
    assert reply.seconds == {0: 0.0015}
    assert reply.cases == {
        0: Case(arguments="{'x': 1}", outcome="returned", output="{1, 3}", covered_lines=[2])
    }


def test_what_a_killed_child_had_written_is_kept() -> None:
    lines = payload(LOADED, [0, "raised", None, "KeyError", "'a'", [], 0])
    reply = decode(lines.replace(b"exit 0", b"signal 9") + b'[1, "retur', 7, REQUEST)
    assert (reply.ended, reply.at, list(reply.cases)) == ("died", 1, [0])


@pytest.mark.parametrize(
    ("ended", "means"),
    [("exit 0", "exited"), ("exit 1", "died"), ("signal 26", "timed_out"), ("flooded", "flooded")],
)
def test_endings(ended: str, means: str) -> None:
    assert decode(payload(head=f"7 2 {ended}"), 7, REQUEST).ended == means


@pytest.mark.parametrize("text", ["<object at 0x7f31c0a52d50>", "no such thing at 0x55d0c0ffee"])
def test_a_memory_address_makes_a_case_nondeterministic(text: str) -> None:
    lines = [0, "returned", repr(text), None, None, [], 0], [1, "raised", None, "E", text, [], 0]
    reply = decode(payload(LOADED, *lines), 7, REQUEST)
    assert [case.deterministic for case in reply.cases.values()] == [False, False]


RETURNED = [0, "returned", "1", None, None, [], 0]


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([LOADED, [2, *RETURNED[1:]]], "no case 2"),
        ([LOADED, [-1, *RETURNED[1:]]], "no case -1"),
        ([LOADED, [True, *RETURNED[1:]]], "not a case"),
        ([LOADED, RETURNED, RETURNED], "twice"),
        ([RETURNED], "about loading"),
        ([LOADED, LOADED], "not a case"),
        ([{"failed_to_load": "E: "}, RETURNED], "twice"),
        ([LOADED, [0, "passed", "1", None, None, [], 0]], "unknown outcome"),
        ([LOADED, [0, "returned", None, None, None, [], 0]], "an output"),
        ([LOADED, [0, "timed_out", "1", None, None, [], 0]], "an output"),
        ([LOADED, [0, "returned", "1", "KeyError", "", [], 0]], "an exception"),
        ([LOADED, [0, "raised", None, "KeyError", None, [], 0]], "an exception"),
        ([LOADED, [0, "returned", "open('/etc/passwd')", None, None, [], 0]], "not a literal"),
        ([LOADED, [0, "returned", "[" * 4_000, None, None, [], 0]], "allowed length"),
        ([LOADED, [0, "returned", "[" * 100, None, None, [], 0]], "not a literal"),
        ([LOADED, [0, "returned", 1, None, None, [], 0]], "allowed length"),
        ([LOADED, [0, "raised", None, "E", "\ud800", [], 0]], "UTF-8"),
        ([LOADED, [0, "raised", None, "E", "m" * 5_000, [], 0]], "allowed length"),
        ([LOADED, [0, "raised", None, "E", "m" * 20_000, [], 0]], "a line of"),
        ([LOADED, [0, "returned", "1", None, None, [3, 2], 0]], "sorted lines"),
        ([LOADED, [0, "returned", "1", None, None, [4], 0]], "sorted lines"),
        ([{"body_lines": [0]}], "sorted lines"),
        ([LOADED, [0, "returned", "", None, None, [], 0]], "not a literal"),
        ([LOADED, [0, "returned", "1", None, None, [], -1]], "duration"),
        ([LOADED, [0, "returned", "1", None, None, [], 10**13]], "duration"),
        ([LOADED, "[NaN]"], "not JSON"),
        ([LOADED, "[" * 9_000], "not JSON"),
        ([LOADED, "9" * 9_000], "not JSON"),
    ],
)
def test_a_lie_is_found(lines: list[Any], reason: str) -> None:
    with pytest.raises(ProtocolViolation, match=reason):
        decode(payload(*lines), 7, REQUEST)


@pytest.mark.parametrize("head", ["", "[]", "8 0 exit 0", "7 0", "7 x exit 0", "7"])
def test_an_answer_to_another_function_is_refused(head: str) -> None:
    with pytest.raises(ProtocolViolation):
        decode(payload(head=head), 7, REQUEST)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_raise_nothing_else(data: bytes) -> None:
    for answer in (data, HEAD.encode() + b"\n" + data + b"\n"):
        with suppress(ProtocolViolation):
            decode(answer, 7, REQUEST)


@given(
    st.recursive(st.none() | st.text() | st.floats(), lambda v: st.lists(v) | st.sets(st.text()))
)
def test_literals_are_canonical(value: object) -> None:
    text = literals.dumps(value)
    request = Request(REQUEST.program, "f", ["{}"], False, 100_000)
    reply = decode(payload(LOADED, [0, "returned", text, None, None, [], 0]), 7, request)
    assert reply.cases[0].output == text
