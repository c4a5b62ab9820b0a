"""Runners that die, lie or stall."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from c2c_tasks.config import SandboxOptions
from c2c_tasks.records import Inputs
from c2c_tasks.sandbox import session
from c2c_tasks.sandbox.execution import execute
from c2c_tasks.sandbox.frames import Decoder, encode
from c2c_tasks.sandbox.launchers import Connection, RunnerError, Surroundings
from c2c_tasks.sandbox.process import ProcessLauncher
from c2c_tasks.shards import StepReport

OPTIONS = SandboxOptions(workers=1, function_seconds=1, determinism_runs=False)


class Saboteur:
    """A launcher whose runners go wrong when they answer a function that says so."""

    def __init__(self, on_answer: Callable[[bytes, Connection], bytes]) -> None:
        self._launcher = ProcessLauncher(OPTIONS)
        self._on_answer = on_answer
        self.setup = self._launcher.setup
        self.facts = self._launcher.facts

    def launch(self, surroundings: Surroundings) -> Connection:
        return SabotagedConnection(self._launcher.launch(surroundings), self._on_answer)


class SabotagedConnection:
    def __init__(self, connection: Connection, on_answer: Callable[[bytes, Connection], bytes]):
        self._connection = connection
        self._on_answer = on_answer
        self._decoder = Decoder()
        self.send = connection.send
        self.errors = connection.errors
        self.close = connection.close

    def receive(self, timeout: float) -> bytes:
        data = b""
        while not data:
            piece = self._connection.receive(timeout)
            if not piece:
                return b""
            for payload in self._decoder.feed(piece):
                if not (answer := self._on_answer(payload, self._connection)):
                    break  # nothing comes after it
                data += answer
        return data


def functions(count: int, *poison: int) -> list[Inputs]:
    return [
        Inputs(
            function_id=str(i),
            program=f"def f(x):\n    return {'poison' if i in poison else 'x'!r}\n",
            entry_point="f",
            parameters=[],
            repository="owner/name",
            path="module.py",
            first_line=i,
            last_line=i,
            licence=None,
            dump="memory:",
            source_sha256="",
            arguments=["{'x': 1}"],
            writer="test",
        )
        for i in range(count)
    ]


def run(launcher: Any, inputs: list[Inputs]) -> tuple[list[str], StepReport]:
    report = StepReport("execute", "memory:")
    rows = execute(inputs, OPTIONS, report, launcher=launcher)
    identifiers = [row.function_id for row in rows]
    report.stages[0].check()
    return identifiers, report


def test_a_function_that_kills_its_runner_is_tried_again_alone_and_then_given_up() -> None:
    seen: list[bytes] = []

    def die(payload: bytes, connection: Connection) -> bytes:
        if b"poison" in payload:
            seen.append(payload)
            connection.close()
            return b""
        return encode(payload)

    kept, report = run(Saboteur(die), functions(20, 3, 11))
    assert kept == [str(i) for i in range(20) if i not in (3, 11)]
    assert report.stages[0].dropped == {"killed": 2}
    assert len(seen) == 4
    assert report.counters["runner_restarts"] == 4
    assert report.counters["runners_started"] == 5


def test_killers_in_a_row_are_told_from_a_sandbox_that_does_not_work() -> None:
    def die(payload: bytes, connection: Connection) -> bytes:
        if b"poison" in payload:
            connection.close()
            return b""
        return encode(payload)

    killers = session.MAX_DEATHS // 2 + 2  # each takes two runners
    kept, report = run(Saboteur(die), functions(killers + 2, *range(1, killers + 1)))
    assert kept == ["0", str(killers + 1)]
    assert report.stages[0].dropped == {"killed": killers}


def test_a_runner_that_dies_once_costs_nothing() -> None:
    deaths: list[bytes] = []

    def die_once(payload: bytes, connection: Connection) -> bytes:
        if b"poison" in payload and not deaths:
            deaths.append(payload)
            connection.close()
            return b""
        return encode(payload)

    kept, report = run(Saboteur(die_once), functions(10, 4))
    assert kept == [str(i) for i in range(10)]
    assert report.counters["runner_restarts"] == 1


@pytest.mark.parametrize(
    "forge",
    [
        lambda payload: encode(b"1" + payload),
        lambda payload: encode(payload)[:-1] + b"!",
        lambda payload: b"\xff" * 20,
        lambda payload: encode(payload) * 2,
    ],
    ids=["another function's answer", "checksum", "length", "answered twice"],
)
def test_a_lie_is_charged_to_the_function_that_was_due(forge: Callable[[bytes], bytes]) -> None:
    def lie(payload: bytes, connection: Connection) -> bytes:
        return forge(payload) if b"poison" in payload else encode(payload)

    kept, report = run(Saboteur(lie), functions(12, 5))
    dropped = report.stages[0].dropped
    assert dropped == {"protocol_violation": 1}
    assert len(kept) == 11


def test_a_stalled_runner_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "GRACE_SECONDS", 0.5)

    stalled: list[Connection] = []

    def stall(payload: bytes, connection: Connection) -> bytes:
        if b"poison" in payload:
            stalled.append(connection)
        return b"" if connection in stalled else encode(payload)

    kept, report = run(Saboteur(stall), functions(6, 2))
    assert kept == ["0", "1", "3", "4", "5"]
    assert report.stages[0].dropped == {"killed": 1}


def test_runners_that_never_answer_are_an_error_of_the_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session, "MAX_DEATHS", 3)

    def die(payload: bytes, connection: Connection) -> bytes:
        if b'"python"' in payload:
            return encode(payload)
        connection.close()
        return b""

    with pytest.raises(RunnerError, match="a harmless function does not come back either"):
        run(Saboteur(die), functions(20))


def test_a_runner_that_does_not_start_is_an_error_with_its_own_words() -> None:
    def silent(payload: bytes, connection: Connection) -> bytes:
        connection.close()
        return b""

    with pytest.raises(RunnerError, match="does not start"):
        run(Saboteur(silent), functions(3))
