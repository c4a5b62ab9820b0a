"""What starts a runner: the protocol of launchers, and the surroundings that they give it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


class SandboxError(Exception):
    """The sandbox cannot be had; the message says what is missing and what to do."""


class RunnerError(Exception):
    """A runner does not start, or every one dies: trying again later may help."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an interpreter is started in. No sound function's outcome depends on it."""

    name: str
    working_directory: str
    """Inside a container; a runner without one gets an empty folder of its own."""
    environment: Mapping[str, str] = field(default_factory=dict)


FIRST = Surroundings(
    "first",
    "/tmp",
    {"PYTHONHASHSEED": "1", "TZ": "UTC0", "LC_ALL": "C.UTF-8", "HOME": "/", "USER": "first"},
)
SECOND = Surroundings(
    "second",
    "/",
    # The time zone is spelled out: an image without a time zone database knows it too.
    {"PYTHONHASHSEED": "20241124", "TZ": "SECOND-05:45", "LC_ALL": "C", "PAGER": "second"},
)
THIRD = Surroundings(
    "third",
    "/tmp",
    {"PYTHONHASHSEED": "77", "TZ": "THIRD+11", "LC_ALL": "C.UTF-8", "SHELL": "third"},
)
AUDIT = Surroundings(
    "audit",
    "/",
    {"PYTHONHASHSEED": "4093", "TZ": "AUDIT-03", "LC_ALL": "C", "LOGNAME": "audit"},
)
"""What the audit runs programs in: none of those that they were found sound in."""


class Connection(Protocol):
    """A runner that was started: bytes in, bytes out, and its end."""

    def send(self, data: bytes, timeout: float) -> None:
        """Send all the data. Raises OSError where the runner is gone or does not read."""
        ...

    def receive(self, timeout: float) -> bytes:
        """Return what the runner wrote next; empty once it has ended.

        Raises TimeoutError after so many seconds of silence, OSError where it is gone.
        """
        ...

    def errors(self) -> str:
        """Return the end of what the runner said on its standard error."""
        ...

    def close(self) -> None:
        """Kill the runner with all its processes, at once. May be called from any thread."""
        ...


class Launcher(Protocol):
    """Starts runners."""

    setup: dict[str, Any]
    """What a runner is told of its place: ``uid`` of its children, ``read_only``."""
    facts: dict[str, Any]
    """For the manifest: kind, image, runtime, limits, and what could not be set up."""

    def launch(self, surroundings: Surroundings) -> Connection:
        """Start a runner. Raises RunnerError."""
        ...
