"""A circuit breaker: while an endpoint is away, its requests wait; they do not fail one by one."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from c2c_tasks.inputs.errors import EngineDown

MAX_FAILURES = 10
"""Failures in a row, no answer between them, at which the endpoint counts as away."""
MAX_OUTAGES = 3
"""Times that an endpoint may be away with no answer between them: one that says that it is well,
and answers nothing, is down."""
PROBE_SECONDS = 2.0
"""Between two looks whether the endpoint is back."""

log = logging.getLogger(__name__)


class Breaker:
    """Counts failures over all requests to an endpoint, and holds them back while it is away.

    It is closed, and lets requests through; after failures it recovers, and they wait; then it
    is closed again, or waiting was given up for good. A failure counts only against the period,
    between two recoveries, in which its request was made.
    """

    def __init__(self, name: str, probe: Callable[[], Awaitable[bool]], patience: float) -> None:
        self.name = name
        self.outages = 0
        self._probe = probe
        self._patience = patience
        self._failures = 0
        self._outages_in_a_row = 0
        self._recovery: asyncio.Task[None] | None = None

    async def closed(self) -> int:
        """Return when requests may be made: the number of the period, for `failed`.

        Raises EngineDown when waiting is given up.
        """
        while self._recovery is not None:
            await asyncio.shield(self._recovery)
        return self.outages

    def answered(self) -> None:
        """Note that the endpoint answered."""
        self._failures = self._outages_in_a_row = 0

    def failed(self, period: int, reason: str, *, away: bool = False) -> None:
        """Note a failure; `away` where nobody listens at the address."""
        if period != self.outages:
            return
        self._failures += 1
        if away or self._failures >= MAX_FAILURES:
            self.outages += 1
            self._outages_in_a_row += 1
            self._recovery = asyncio.ensure_future(self._recover(reason))
            # That nobody waits for it any more is no news.
            self._recovery.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def _recover(self, reason: str) -> None:
        if self._outages_in_a_row > MAX_OUTAGES:
            raise EngineDown(f"{self.name} answers no request; the last: {reason}")
        log.warning("%s: %s; waiting for it, %g s at most", self.name, reason, self._patience)
        started = time.monotonic()
        while not await self._probe():
            if time.monotonic() - started >= self._patience:
                raise EngineDown(f"{self.name} is down ({reason}); start it, and clear the task")
            await asyncio.sleep(PROBE_SECONDS)
        log.info("%s is back after %.0f s", self.name, time.monotonic() - started)
        self._failures = 0
        self._recovery = None
