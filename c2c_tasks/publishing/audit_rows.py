"""The checks of an audit that look at one program after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from c2c_tasks.config import BuildConfig
from c2c_tasks.curation.cases import weakness
from c2c_tasks.curation.overlap import OverlapIndex
from c2c_tasks.curation.rights import Rights
from c2c_tasks.curation.sensitive_data import findings_in_cases, findings_in_programs
from c2c_tasks.curation.signatures import Hashes, shingle_hashes
from c2c_tasks.curation.tokens import canonical_digest, shingles
from c2c_tasks.literals import canonical, loads
from c2c_tasks.publishing.audit import Check
from c2c_tasks.records import Case, Program

Find = Callable[[Sequence[Program]], Iterator[str]]
"""Yields what is wrong with programs, naming each."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What every program of a release has to keep to."""

    config: BuildConfig
    rights: Rights
    """As the options say them."""
    benchmarks: OverlapIndex
    """The problems that functions were compared with when they were merged."""


def program_checks(rules: Rules, exempt: int) -> list[tuple[Check, Find]]:
    """Return the checks, `exempt` programs noted, each with what finds its faults."""
    checks: list[tuple[str, Find]] = [
        ("a function's id is the digest of its program", _ids),
        ("no program overlaps with a benchmark", lambda some: _overlaps(some, rules.benchmarks)),
        ("licence and opt-outs permit every program", lambda some: _refused(some, rules.rights)),
        ("cases are well-formed, and enough", lambda some: _malformed(some, rules.config)),
    ]
    if rules.config.rights.scan_secrets:
        checks.append(("no secret and no personal data in programs and cases", _sensitive))
    return [(Check(name=name, unit="programs", exempt=exempt), find) for name, find in checks]


def _name(program: Program) -> str:
    return f"{program.function_id} ({program.entry_point})"


def _ids(programs: Sequence[Program]) -> Iterator[str]:
    for program in programs:
        digest = _digest(program)
        if digest != program.function_id:
            yield f"{_name(program)}: its program's digest is {digest}"


def _overlaps(programs: Sequence[Program], benchmarks: OverlapIndex) -> Iterator[str]:
    if not len(benchmarks):
        return
    found = benchmarks.find_all((_digest(program), _shingles(program)) for program in programs)
    for program, overlap in zip(programs, found, strict=True):
        if overlap is not None:
            yield f"{_name(program)}: {overlap.protected}, {overlap.measure} {overlap.value:.2f}"


def _digest(program: Program) -> str:
    try:
        return canonical_digest(program.program, program.entry_point)
    except SyntaxError:
        return "none, for it cannot be parsed"


def _shingles(program: Program) -> Hashes:
    try:
        return shingle_hashes(shingles(program.program, program.entry_point))
    except SyntaxError:  # another check tells of it
        return shingle_hashes(frozenset())


def _refused(programs: Sequence[Program], rights: Rights) -> Iterator[str]:
    for program in programs:
        reason = rights.refusal(
            repository=program.repository,
            path=program.path,
            licence=program.licence,
            source_sha256=program.source_sha256,
            function_id=program.function_id,
        )
        if reason is not None:
            yield f"{_name(program)}: {reason}, {program.licence}, {program.repository}"


def _malformed(programs: Sequence[Program], config: BuildConfig) -> Iterator[str]:
    for program in programs:
        arguments = [case.arguments for case in program.cases]
        reason: str | None = None
        if len(set(arguments)) < len(arguments):
            reason = "the same arguments twice"
        elif len(arguments) > config.cases.max_cases:
            reason = f"{len(arguments)} cases"
        elif not any(reason := _fault_of(case) for case in program.cases):
            reason = _not_literal(program.cases) or weakness(program.cases, config.cases)
        if reason is not None:
            yield f"{_name(program)}: {reason}"


def _fault_of(case: Case) -> str | None:
    """Return what a case lacks, or has and should not, or None."""
    if case.outcome == "returned":
        sound = case.output is not None and case.exception_type is None
    else:
        sound = case.outcome == "raised" and case.output is None and bool(case.exception_type)
    if not sound:
        return f"{case.arguments[:200]}: is {case.outcome}, without what belongs to it"
    if not case.deterministic:
        return f"{case.arguments[:200]}: not deterministic"
    return None


def _not_literal(cases: Sequence[Case]) -> str | None:
    """Return what is wrong with the literals of cases, or None."""
    for kind, texts in (
        ("arguments", [case.arguments for case in cases]),
        ("output", [case.output for case in cases if case.output is not None]),
    ):
        try:
            if canonical(texts) != texts:
                return f"{kind}: not in canonical spelling"
            if kind == "arguments" and not all(isinstance(loads(t), dict) for t in texts):
                return "arguments: not a dict"
        except ValueError as error:
            return f"{kind}: {error}"
    return None


def _sensitive(programs: Sequence[Program]) -> Iterator[str]:
    for program, found in zip(
        programs, findings_in_programs([program.program for program in programs]), strict=True
    ):
        if found is not None:
            yield f"{_name(program)}: {found} in its text"
    texts = [
        (program, text)
        for program in programs
        for case in program.cases
        for text in (case.arguments, case.output or case.exception_message)
        if text
    ]
    # The text itself is not repeated: the report is published with the release.
    for (program, _), found in zip(
        texts, findings_in_cases([text for _, text in texts]), strict=True
    ):
        if found is not None:
            yield f"{_name(program)}: {found} in a case"
