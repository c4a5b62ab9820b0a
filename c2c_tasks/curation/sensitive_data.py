"""What must not be published: secrets and personal data in programs and in their cases.

A text is dropped, never redacted: an output that was changed is no longer what the program
returns.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from c2c_tasks.curation.personal_data import PersonalData, personal_data_in
from c2c_tasks.curation.secrets import BY_CONTEXT, BY_SHAPE, lines_with_secrets

Finding = PersonalData | Literal["secret"]

_LINE_BREAK = re.compile(r"\r\n|\r|\n")


def findings_in_programs(programs: Sequence[str]) -> list[Finding | None]:
    """Return what each program holds that must not be published, comments included; or None.

    All are scanned at once: a scan has a fixed cost, and a line that many texts share is looked
    at once.
    """
    return _findings(programs, (*BY_SHAPE, *BY_CONTEXT))


def findings_in_cases(texts: Sequence[str]) -> list[Finding | None]:
    """Return what each text of a case (arguments, output, exception message) holds, or None.

    Of secrets only those are looked for that their shape gives away: what looks random in a value
    is a digest or an alphabet, and what is called a password there was made up by a writer.
    """
    return _findings(texts, BY_SHAPE)


def _findings(texts: Sequence[str], detectors: Sequence[str]) -> list[Finding | None]:
    if not texts:
        return []
    lines_of = [_LINE_BREAK.split(text) for text in texts]
    positions = {line: None for lines in lines_of for line in lines}
    distinct = list(positions)
    secret = {distinct[position] for position in lines_with_secrets(distinct, detectors)}
    personal = {line: personal_data_in(line) for line in distinct}
    return [_worst(lines, secret, personal) for lines in lines_of]


def _worst(
    lines: list[str], secret: set[str], personal: dict[str, PersonalData | None]
) -> Finding | None:
    if not secret.isdisjoint(lines):
        return "secret"
    return next((found for line in lines if (found := personal[line])), None)
