"""The report of an audit: what was looked at in a staged release, and what was found.

It is a file of the release. It holds no date and no duration: two audits of one staged release, in
one sandbox, give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict

from c2c_tasks.publishing.facts import SandboxFacts

AUDIT_REPORT = "report/audit.json"
"""Path of the report in its release."""
AUDIT_VERSION = 2
"""Changes when a check of rows does: rows that passed an earlier version are examined again."""
MAX_DETAILS = 20
"""Faults of one check that are named; the rest are counted."""
_TOLD = 3
"""Of those, faults that the error names: the report has the others."""
_TOLD_CHARACTERS = 160


class AuditError(Exception):
    """The staged release is unsound; the message lists what failed, and says what to do."""


class _Part(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)


class Check(_Part):
    """One property that was checked."""

    name: str
    unit: Literal["files", "counts", "programs", "samples"]
    """What was looked at."""
    examined: int = 0
    exempt: int = 0
    """Not looked at: they passed this check in the release that they were copied from."""
    faults: int = 0
    details: list[str] = []
    """The first `MAX_DETAILS` faults."""

    @property
    def passed(self) -> bool:
        """Whether nothing was found."""
        return not self.faults

    def add(self, examined: int, faults: Iterable[str] = ()) -> None:
        """Count what was looked at, and the faults that it had."""
        self.examined += examined
        for fault in faults:
            self.faults += 1
            if len(self.details) < MAX_DETAILS:
                self.details.append(fault)


class AuditReport(_Part):
    """What an audit looked at, and what it found."""

    audit_version: int = AUDIT_VERSION
    release: str
    """Version of the staged release."""
    parent: str | None = None
    """Version of the release from which rows were taken over that are exempt from some checks."""
    seed: str
    """What the programs that were run again were drawn by, with their function ids."""
    re_executed: int = 0
    """Programs that were run again."""
    sandbox: SandboxFacts | None = None
    """What they were run in; None where none was."""
    checks: list[Check] = []
    """In the order that they were made. Where a check fails, those that build on it are not."""

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)

    def to_json(self) -> bytes:
        """Return the report as JSON text."""
        return f"{self.model_dump_json(indent=1)}\n".encode()

    def raise_for_faults(self, release: str) -> None:
        """Raise AuditError where a check failed; `release` is the URI of what was staged."""
        failed = [
            f"{check.name}: {check.faults:,} of {check.examined:,} {check.unit}: "
            f"{'; '.join(map(_short, check.details[:_TOLD]))}"
            f"{'; …' if check.faults > _TOLD else ''}"
            for check in self.checks
            if not check.passed
        ]
        if failed:
            raise AuditError(
                f"{release}: staged, found unsound and not published; {release}/{AUDIT_REPORT} "
                "says more. Mend what made it so and clear `audit`, or start another build: "
                "nobody is pointed to this one\n" + "\n".join(failed)
            )


def _short(detail: str) -> str:
    line = " ".join(detail.split())
    return line if len(line) <= _TOLD_CHARACTERS else f"{line[: _TOLD_CHARACTERS - 1]}…"
