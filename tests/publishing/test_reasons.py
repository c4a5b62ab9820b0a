"""Whatever the code counts by is explained, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import c2c_tasks
from c2c_tasks.curation.cases import CaseReason, ProgramReason
from c2c_tasks.curation.rights import Refusal
from c2c_tasks.curation.sensitive_data import Finding
from c2c_tasks.evaluation.problems import Reason as ProblemReason
from c2c_tasks.extraction.allowed import DENIED_BUILTINS
from c2c_tasks.publishing.reasons import REASONS, STAGES, reason_in_words, stage_in_words
from c2c_tasks.records import Standing
from c2c_tasks.shards import CARRIED_OVER
from c2c_tasks.sources.files import Reason

PACKAGE = Path(c2c_tasks.__file__).parent
ANYWHERE = [
    r'(?:\.drop|Impure|_Dropped)\("(\w+)"',
    r'_Result\(None, counts, "(\w+)"',
    r'reply\.reason\b.* = "(\w+)"',
    r"'(\w+)' AS reason",
    r': "(crashed_parser|parser_timed_out|source_changed)"',
    r', "(source_gone)"\)',
    r'given_up, called\.\w+ = "(\w+)"',
]
"""How the code names a reason."""
IN_EXTRACTION = [r'(?:return|yield|reason =) "(\w+)"(?:$|  #| if)', r' else "(\w+)"$']
IN_A_WRITER = [r'return "(\w+)", ']


def sources(*places: str) -> str:
    files = [file for place in places for file in sorted((PACKAGE / place).rglob("*.py"))]
    return "\n".join(file.read_text() for file in files if "publishing" not in file.parts)


def found(patterns: list[str], text: str) -> set[str]:
    return {name for pattern in patterns for name in re.findall(pattern, text, re.MULTILINE)}


def test_every_reason_is_explained() -> None:
    literals: list[Any] = [CaseReason, ProgramReason, Refusal, Finding, Reason, Standing]
    literals.append(ProblemReason)
    reasons = {name for literal in literals for name in _names(literal)} - {"kept", "pending"}
    # How the process that parses ended; a file is dropped as `crashed_parser` then.
    in_extraction = found(IN_EXTRACTION, sources("extraction")) - {"crashed"}
    reasons |= {*DENIED_BUILTINS.values()} | found(ANYWHERE, sources("."))
    reasons |= in_extraction | found(IN_A_WRITER, sources("inputs"))
    assert reasons == {*REASONS}


def _names(literal: Any) -> set[str]:
    """The strings of a Literal, or of a union of some."""
    parts = get_args(literal)
    return {name for part in parts for name in ([part] if isinstance(part, str) else _names(part))}


def test_every_stage_is_explained() -> None:
    named = found([r'\.stage\(\s*"([^"]+)"'], sources("."))
    assert {*named, CARRIED_OVER} == {*STAGES}


def test_what_is_not_known_is_spelled_out() -> None:
    assert reason_in_words("never_heard_of") == "never heard of"
    assert stage_in_words("never heard of") == ""
    assert reason_in_words("near_duplicate_of_earlier_release").endswith("(in an earlier release)")
