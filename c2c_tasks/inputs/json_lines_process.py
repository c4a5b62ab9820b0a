"""A child process that is spoken to in JSON, an object a line, and that leaves nothing behind."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import signal
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

MAX_LINE = 64 << 20
"""Bytes of one message."""
MAX_SAID = 500
"""Characters of one line of the log that are kept."""
KEPT_LINES = 30
END_SECONDS = 10.0
"""Time in which the process may end by itself, once its input has."""
_LOOK_SECONDS = 0.2

log = logging.getLogger(__name__)


class JsonLinesProcess:
    """Owns a process and all that it starts, a process group of their own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._said: deque[str] = deque(maxlen=KEPT_LINES)
        self._tasks = [
            asyncio.ensure_future(self._listen()),
            asyncio.ensure_future(self._supervise()),
        ]

    @classmethod
    async def start(
        cls, command: Sequence[str], environment: Mapping[str, str]
    ) -> JsonLinesProcess:
        """Start a process. Raises OSError where the command cannot be run."""
        pipe = asyncio.subprocess.PIPE
        return cls(
            await asyncio.create_subprocess_exec(
                *command,
                stdin=pipe,
                stdout=pipe,
                stderr=pipe,
                limit=MAX_LINE,
                env=environment,
                start_new_session=True,
            )
        )

    @property
    def group(self) -> int:
        """Id of the process group: that of the process."""
        return self._process.pid

    async def send(self, message: Mapping[str, Any]) -> None:
        """Send a message. Raises ConnectionError where nobody reads any more."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
        await self._process.stdin.drain()

    async def receive(self) -> dict[str, Any] | None:
        """Return the next message; None where there is none any more, or what came is none."""
        assert self._process.stdout is not None
        try:
            message = json.loads(await self._process.stdout.readline())
        except ValueError:  # the end, a line cut off by it, or one over the limit
            return None
        return message if isinstance(message, dict) else None

    def last_words(self) -> str:
        """Return the last line of the process's log that tells of an error, or the last at all."""
        errors = [line for line in self._said if "Error" in line]
        return (errors or list(self._said) or ["it said nothing"])[-1]

    async def end(self) -> None:
        """End the process, by the end of its input or else at once, and all that it started."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(END_SECONDS):
                await self._ended()
        self._kill()
        await asyncio.gather(*self._tasks, self._drain(), return_exceptions=True)

    async def _drain(self) -> None:
        """Read to the end, where nobody else does: only then the pipe is closed."""
        assert self._process.stdout is not None
        while await self._process.stdout.read(1 << 16):
            pass

    async def _ended(self) -> None:
        # Not `wait`, which returns when the pipes are closed: the group's other members hold them.
        while self._process.returncode is None:
            await asyncio.sleep(_LOOK_SECONDS)

    async def _supervise(self) -> None:
        """End what the process leaves behind, so that its pipes come to an end."""
        await self._ended()
        self._kill()

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.group, signal.SIGKILL)

    async def _listen(self) -> None:
        """Keep the last words, and pass all of them on for those who debug."""
        assert self._process.stderr is not None
        begun = ""
        while data := await self._process.stderr.read(1 << 16):
            *lines, begun = re.split(r"[\r\n]+", begun + data.decode(errors="replace"))
            begun = begun[-MAX_SAID:]
            for line in filter(str.strip, lines):
                log.debug("engine: %s", line)
                self._said.append(line[:MAX_SAID])
