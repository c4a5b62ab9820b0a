"""A process that speaks JSON lines: what it says, how it ends, and what it leaves behind."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from c2c_tasks.inputs import json_lines_process as module
from c2c_tasks.inputs.json_lines_process import JsonLinesProcess

ECHO = "import sys\nfor line in sys.stdin: print(line, end='', flush=True)\n"
GRANDCHILD = (
    "import subprocess, sys, time\n"
    "child = subprocess.Popen(['sleep', '3600'])\n"
    "print('{\"child\": %d}' % child.pid, flush=True)\n"
)


def run(script: str, speak: Callable[[JsonLinesProcess], Awaitable[Any]]) -> Any:
    """Start a script, speak to it, end it; return what speaking came to."""

    async def scenario() -> Any:
        process = await JsonLinesProcess.start([sys.executable, "-c", script], os.environ)
        try:
            async with asyncio.timeout(20):
                return await speak(process)
        finally:
            await process.end()

    return asyncio.run(scenario())


def has_ended(pid: int) -> bool:
    """Wait some seconds for a process to end, be it that nobody reaps it."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def test_messages_go_to_and_fro() -> None:
    async def speak(process: JsonLinesProcess) -> list[Any]:
        await process.send({"number": 1, "text": "é\n\u2028"})
        await process.send({"number": 2, "text": "x" * 1_000_000})
        return [await process.receive(), await process.receive()]

    first, second = run(ECHO, speak)
    assert first == {"number": 1, "text": "é\n\u2028"}
    assert len(second["text"]) == 1_000_000


@pytest.mark.parametrize("said", ["", '{"number": 1', "[1]\\n", "no json\\n"])
def test_what_is_no_message_is_the_end(said: str) -> None:
    script = f"import sys\nsys.stdout.write('{said}')\n"
    assert run(script, lambda process: process.receive()) is None


def test_a_message_over_the_limit_is_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_LINE", 1_000)
    script = (
        "print('{\"text\": \"' + 'x' * 100_000 + '\"}', flush=True)\nimport time\ntime.sleep(60)"
    )
    monkeypatch.setattr(module, "END_SECONDS", 0.1)
    assert run(script, lambda process: process.receive()) is None


def test_what_it_started_ends_with_it() -> None:
    async def speak(process: JsonLinesProcess) -> int:
        message = await process.receive()
        assert message is not None
        assert await process.receive() is None, "the grandchild holds the pipe no longer"
        return int(message["child"])

    assert has_ended(run(GRANDCHILD, speak))


def test_one_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "END_SECONDS", 0.3)
    started = time.monotonic()
    script = GRANDCHILD + "time.sleep(3600)\n"
    message = run(script, lambda process: process.receive())
    assert time.monotonic() - started < 15
    assert has_ended(message["child"])


def test_a_long_log_without_lines_does_not_hold_it_up() -> None:
    script = (
        "import sys\n"
        "for _ in range(300): sys.stderr.write('x' * 100_000 + '\\r')\n"
        "sys.stderr.write('ValueError: the last\\nbye\\n')\n"
        "sys.stderr.flush()\n"
        "print('{}', flush=True)\n"
        "sys.stdin.read()\n"
    )

    async def speak(process: JsonLinesProcess) -> str:
        assert await process.receive() == {}
        while "ValueError" not in process.last_words():
            await asyncio.sleep(0.05)
        return process.last_words()

    assert run(script, speak) == "ValueError: the last"
