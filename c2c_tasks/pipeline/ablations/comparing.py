"""Whether two datasets differ in nothing but what is studied: looked up, not taken for granted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from pydantic import BaseModel

from c2c_tasks.config import BuildConfig
from c2c_tasks.presets import flat_options
from c2c_tasks.publishing.data_files import read_program_columns
from c2c_tasks.publishing.ledger import ledger_files
from c2c_tasks.publishing.manifest import DUMP_OBJECTS, Manifest
from c2c_tasks.shards import read_columns
from c2c_tasks.store import normalise

_RAN = frozenset({"kept", "pending", "behavioural_duplicate"})
"""Standings, in the ledger, of functions that went on after merging."""
_PLACES = frozenset({"target", "dataset_name"})
"""Options that say where a dataset goes and what it is called."""
_NAMED = 3
"""Things that a deviation names."""


class Check(BaseModel):
    """One thing that should be the same in two datasets."""

    name: str
    same: bool
    detail: str = ""
    """In what they differ."""


class Comparison(BaseModel):
    """A variant's dataset beside that of the first variant."""

    checks: list[Check]
    common: int
    """Programs that both have."""
    only_first: int
    only_here: int
    same_cases: int
    """Of the common ones, those with the same cases."""

    @property
    def deviations(self) -> list[Check]:
        """What should be the same, and is not."""
        return [check for check in self.checks if not check.same]


@dataclass(frozen=True)
class Content:
    """What is compared of a dataset."""

    manifest: Manifest
    functions: set[str]
    """Ids of the functions that were to be run."""
    programs: dict[str, tuple[str, str]]
    """Split and cluster, and a digest of the cases, by function id."""
    shown: dict[tuple[str, str, int], tuple[tuple[int, ...], ...]]
    """Cases shown and held of each sample, by function, format and number."""

    @classmethod
    def of(cls, release: str, manifest: Manifest) -> Content:
        """Read what is compared of a release."""
        return cls(
            manifest,
            _functions(release, manifest),
            {
                function_id: (f"{split} of {cluster}", _digest(cases))
                for function_id, split, cluster, cases in read_program_columns(
                    release, ("function_id", "split", "cluster", "cases")
                )
            },
            dict(_shown(release, manifest)),
        )


def compare(first: Content, other: Content, varied: set[str]) -> Comparison:
    """Compare a variant's dataset with the first one's; `varied` are options that may differ."""
    common = first.programs.keys() & other.programs.keys()
    same_cases = sum(first.programs[id_][1] == other.programs[id_][1] for id_ in common)
    return Comparison(
        checks=[*_checks(first, other, varied)],
        common=len(common),
        only_first=len(first.programs) - len(common),
        only_here=len(other.programs) - len(common),
        same_cases=same_cases,
    )


def _checks(first: Content, other: Content, varied: set[str]) -> Iterator[Check]:
    one, two = first.manifest, other.manifest
    yield _equal("code", one.code_version, two.code_version)
    yield _equal("objects of the dump", _dump_digest(one), _dump_digest(two))
    yield _equal("lists that options name", one.rules, two.rules)
    yield _options(one, two, varied)
    yield _equal("sandbox", one.sandbox.known(), two.sandbox.known())
    yield _equal("function shards that failed", one.failed_shards, two.failed_shards)
    yield _sets("functions after merging", first.functions, other.functions)
    moved = [
        id_
        for id_ in first.programs.keys() & other.programs.keys()
        if first.programs[id_][0] != other.programs[id_][0]
    ]
    yield _none("split of each program that both have", moved)
    if not _touches_programs(varied):
        changed = [
            id_
            for id_ in first.programs.keys() | other.programs.keys()
            if first.programs.get(id_) != other.programs.get(id_)
        ]
        yield _none("programs and their cases", changed)
    if varied == {"prompt_templates"}:
        samples = first.shown.keys() | other.shown.keys()
        changed = [
            f"{format_} of {id_}"
            for id_, format_, number in samples
            if first.shown.get((id_, format_, number)) != other.shown.get((id_, format_, number))
        ]
        yield _none("cases that each sample shows and holds back", changed)


def _touches_programs(varied: set[str]) -> bool:
    """Tell whether an option is studied that may change a program or its cases."""
    sections = BuildConfig.sections()
    harmless = {*sections["samples"].model_fields, *sections["publishing"].model_fields}
    return not varied <= harmless


def _options(one: Manifest, two: Manifest, varied: set[str]) -> Check:
    mine, theirs = (flat_options(BuildConfig.model_validate(m.config)) for m in (one, two))
    different = [
        option
        for option in mine
        if mine[option] != theirs[option] and option not in varied | _PLACES
    ]
    return _none("options but the studied ones", different)


def _equal(name: str, one: Any, two: Any) -> Check:
    same = one == two
    return Check(name=name, same=same, detail="" if same else f"{_short(one)} and {_short(two)}")


def _none(name: str, found: Iterable[str]) -> Check:
    names = sorted(found)
    more = ", …" if len(names) > _NAMED else ""
    detail = f"{len(names):,} differ: {', '.join(names[:_NAMED])}{more}" if names else ""
    return Check(name=name, same=not names, detail=detail)


def _sets(name: str, one: set[str], two: set[str]) -> Check:
    detail = ""
    if one != two:
        detail = f"{len(one - two):,} only in the first, {len(two - one):,} only here"
    return Check(name=name, same=one == two, detail=detail)


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _dump_digest(manifest: Manifest) -> str:
    return next(entry.sha256 for entry in manifest.files if entry.path == DUMP_OBJECTS)


def _functions(release: str, manifest: Manifest) -> set[str]:
    target = release.rpartition("/releases/")[0]
    with ledger_files(target, manifest) as paths:
        rows = [
            row
            for path in paths
            for row in read_columns(normalise(str(path)), ("function_id", "standing"))
        ]
    return {function_id for function_id, standing in rows if standing in _RAN}


def _digest(cases: Any) -> str:
    return hashlib.sha256(json.dumps(cases, sort_keys=True).encode()).hexdigest()


def _shown(
    release: str, manifest: Manifest
) -> Iterator[tuple[tuple[str, str, int], tuple[tuple[int, ...], ...]]]:
    for entry in manifest.files:
        if entry.config in (None, "programs"):
            continue
        last, numbers = "", count()
        for function_id, shown, held in read_columns(
            f"{release}/{entry.path}", ("function_id", "shown_cases", "held_cases")
        ):
            if function_id != last:  # samples of a function lie one after the other
                last, numbers = function_id, count()
            yield (function_id, str(entry.config), next(numbers)), (tuple(shown), tuple(held))
