"""Attacks that would cost others their outcome: memory taken for good, runners used up."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.attacks.arena import LIMITS, Batch, attack

if TYPE_CHECKING:
    from tests.sandbox.conftest import Sandbox

LIARS = 60
"""As many as a hostile file may well have, one after the other in its shard."""


@attack("returned 'refused'")
def takes_memory_for_good(x: int) -> str:
    """Leaves 192 MiB in System V segments: nearly what a container of these limits has."""
    import ctypes

    libc = ctypes.CDLL(None)
    libc.shmat.restype = ctypes.c_void_p
    for _ in range(24):
        segment = libc.shmget(0, ctypes.c_size_t(8 << 20), 0o1666)
        if segment < 0:
            return "refused"
        address = libc.shmat(segment, None, 0)
        ctypes.memset(address, 1, 8 << 20)
        libc.shmdt(ctypes.c_void_p(address))
    return "taken"


@attack("returned 67108864")
def needs_its_memory(x: int) -> int:
    """Uses half of what it may."""
    return len(bytearray(b"x") * (64 << 20))


def test_what_is_left_in_the_kernel_takes_no_memory_from_others(arena: Sandbox) -> None:
    def run(attacks: list[Any]) -> list[list[tuple[str, str | None]]]:
        functions = [
            arena.function(hostile.program, "{'x': 1}", name=hostile.entry_point)
            for hostile in attacks
        ]
        options = {**LIMITS, "case_seconds": 5, "function_seconds": 10, "determinism_runs": False}
        rows = arena.run(*functions, **options)
        return [[(case.outcome, case.output) for case in row.cases] for row in rows]

    thief, honest = takes_memory_for_good, needs_its_memory
    outcomes = run([honest, thief, honest, thief, honest])
    good = [("returned", "67108864")]
    assert outcomes == [good, [("returned", "'refused'")]] * 2 + [good]
    assert arena.report.counters.get("runner_restarts", 0) == 0


@attack("dropped: protocol_violation")
def answers_at_length(x: bytes) -> None:
    """Writes nearly as much as any function may answer, 7 MiB, in parts that take memory."""
    import os

    os.write(3, b'{"body_lines": [')
    for _ in range((7 << 20) // 65_536):
        data = memoryview(x * (65_536 // len(x)))
        while data:
            data = data[os.write(3, data) :]
    os.write(3, b"0]}\n")
    os._exit(0)


@pytest.mark.parametrize("part", [b"0\n", b"[],"], ids=["lines", "lists"])
def test_long_answers_take_little_memory_of_the_host(arena: Sandbox, part: bytes) -> None:
    arguments = tuple(repr({"x": part, "y": number}) for number in range(400))
    program = answers_at_length.program.replace("(x: bytes)", "(x: bytes, y: int)")
    hostile = replace(answers_at_length, program=program, arguments=arguments)
    batch = Batch(arena, [hostile], function_seconds=5, determinism_runs=False)
    batch.check(hostile)
    batch.check_the_rest()


@attack("dropped: protocol_violation")
def lies(x: int) -> None:
    import os

    os.write(3, b"noise\n")
    os._exit(0)


def test_many_liars_in_a_row_use_up_no_batch(arena: Sandbox) -> None:
    """Each ends its runner. That the next one starts, and serves, shows that all is well."""
    good = arena.function("def good(x):\n    return x + 1\n", "{'x': 1}", name="good")
    liar = arena.function(lies.program, "{'x': 1}", name=lies.entry_point)
    # With containers this takes half a minute and shows no more.
    count = LIARS if arena.launcher == "process" else 3
    rows = arena.run(good, *[liar] * count, good, **LIMITS, determinism_runs=False)
    assert [[case.output for case in row.cases] for row in rows] == [["2"], ["2"]]
    assert arena.dropped == {"protocol_violation": count}
