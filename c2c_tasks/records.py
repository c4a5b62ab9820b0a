"""The vocabulary: what a row is at each step, and the Arrow schema it is stored under.

A record is a frozen dataclass. Its Arrow schema is derived from its field types, so a
field is declared once. A row grows on its way through the system: `Inputs`, `Execution`
and `Program` each *are* a `Function` with more known about it.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

import pyarrow as pa

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

ParameterKind = Literal[
    "positional_only", "positional_or_keyword", "var_positional", "keyword_only", "var_keyword"
]
Outcome = Literal["returned", "raised", "timed_out", "killed", "unrepresentable"]
Split = Literal["train", "validation", "test"]
SampleFormat = Literal["sft", "instruct", "pretrain"]

Standing = Literal[
    "kept",
    "pending",
    "exact_duplicate",
    "near_duplicate",
    "benchmark_overlap",
    "test_split_overlap",
    "behavioural_duplicate",
]
"""What became of a candidate before its cases were judged; ``pending`` is kept and not run yet."""
PLACE = ("repository", "path", "first_line", "last_line", "licence", "dump", "source_sha256")
"""Columns that tell where a function was found: they may change while its text does not."""
LEDGER_KEY = ("function_id", "dump", "repository", "path", "first_line")
"""Columns that tell one place where a function was found from another."""

SPLITS: tuple[Split, ...] = ("train", "validation", "test")
FORMATS: tuple[SampleFormat, ...] = ("sft", "instruct", "pretrain")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One Python file of a code dump."""

    content: str
    path: str
    """Path inside the repository, as the dump gives it."""
    repository: str
    """Name of the repository (``owner/name``), or of the dump where none is known."""
    licence: str | None
    """SPDX expression, where one is known: from the dump, the file or what lies beside it."""
    dump: str
    """URI of the dump object that held the file."""
    sha256: str
    """Digest of the file's bytes, in hexadecimal."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a function, as written in its header."""

    name: str
    """Its name; without the stars, where it has them."""
    kind: ParameterKind
    """How it takes its argument: ``positional_or_keyword`` and so on, as in Python's `inspect`."""
    annotation: str | None = None
    """Source text of the annotation."""
    default: str | None = None
    """Source text of the default value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A candidate: a function with all that it needs to run alone, and where it came from."""

    function_id: str
    """SHA-256 of the canonical AST: local names, docstrings and annotations do not count."""
    program: str
    """Source that ``exec`` accepts: needed imports, constants and helpers, then the function."""
    entry_point: str
    """Name of the function in the program."""
    parameters: list[Parameter]
    """Its parameters, in order."""
    repository: str
    """Name of the repository (``owner/name``), or of the dump where none is known."""
    path: str
    """Path of the source file inside the repository."""
    first_line: int
    """Line of ``def`` in the source file, counted from 1."""
    last_line: int
    """Line of the source file that the function ends with."""
    licence: str | None
    """SPDX expression of the source file's licence, where one is known."""
    dump: str
    """URI of the dump object that held the source file."""
    source_sha256: str
    """Digest of the source file, in hexadecimal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate(Function):
    """A function as it was extracted, with what its near duplicates are found by."""

    signature: bytes
    """MinHash of the shingles: 32-bit integers, little-endian."""
    shingles: bytes
    """Hashes of the token shingles, sorted: 64-bit unsigned integers, little-endian."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry(Candidate):
    """A candidate that a target has seen: when, and what became of it."""

    ingested: int
    """Number of the build that the function counts from, in the order of the target's builds."""
    standing: Standing
    leader: str | None = None
    """What this one gave way to: a function by its id, or the problem of a benchmark by name."""
    measure: str | None = None
    """Of an overlap, by what it was found."""
    overlap: float | None = None
    """What the measure says, up to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs(Function):
    """A function with the inputs that a writer proposes for it."""

    arguments: list[str]
    """Canonical literals, each of a dict from parameter name to value."""
    writer: str
    """Name of the writer, with its model where it has one: ``synthesis``, ``vllm:NAME``."""
    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One call of a function and what came of it."""

    arguments: str
    """Canonical literal of a dict from parameter name to value."""
    outcome: Outcome
    """What came of it; those of a release ``returned`` or ``raised``."""
    output: str | None = None
    """Canonical literal of the returned value; None unless `outcome` is ``returned``."""
    exception_type: str | None = None
    """Name of the exception's class; None unless `outcome` is ``raised``."""
    exception_message: str | None = None
    """The exception as text; None unless `outcome` is ``raised``."""
    covered_lines: list[int] = field(default_factory=list)
    """Lines of the program that ran, counted from 1; empty where coverage was not asked for."""
    deterministic: bool = True
    """False where a second run, in an interpreter set up differently, came out otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution(Function):
    """A function with the cases that the sandbox ran."""

    writer: str
    cases: list[Case]
    case_seconds: list[float] = field(default_factory=list)
    """Wall-clock seconds of each case, NaN where its process was ended: no two runs agree on
    them, and nothing that is published depends on them."""
    behaviour: str | None = None
    """Digest of what the function does with the probe inputs that all functions of its signature
    are given; None where these tell nothing of it."""
    body_lines: list[int]
    """Executable lines of the entry point's body, in the numbering of the program; empty where
    coverage was not asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program(Function):
    """A function with its sound, chosen cases: what a release publishes."""

    writer: str
    """Who wrote the first inputs: ``synthesis``, ``vllm:NAME``."""
    cases: list[Case]
    """Its sound cases, as many as show most of it, in the order they were run."""
    coverage: float
    """Share of the entry point's executable lines that the cases run, 0 to 1."""
    cluster: str
    """Function id of the cluster's leader; splits are assigned by it."""
    split: Split
    """The split that the program, and all samples made of it, are in."""
    behaviour: str | None = None
    """Digest of what it does with inputs that all functions of its signature are given; None where
    these tell nothing of it. Programs that have it in common do the same."""
    difficulty: float
    """Estimate from size, branches and growth of coverage, 0 (plain) to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One training row made of a program."""

    sample_id: str
    """Digest of function, format and prompt: unique over all formats and splits."""
    function_id: str
    """The program that the sample was made of."""
    format: SampleFormat
    """The training format that it is published in."""
    split: Split
    """The split of its program."""
    template: str
    """The template's parts by name, joined by ``/``."""
    instruction: str
    """What is asked for; empty where the input says it."""
    input: str
    """The cases shown, and what else the prompt tells of the function."""
    completion: str
    """The answer: the program, with what the template says around it."""
    shown_cases: list[int]
    """Positions, in the program's cases, of those that the prompt shows."""
    held_cases: list[int]
    """Positions of the cases held back, for grading."""
    repository: str
    """As of the program, like path and licence."""
    path: str
    """Path of the program's source file inside the repository."""
    licence: str | None
    """SPDX expression of the source file's licence, where one is known."""

    @property
    def prompt(self) -> str:
        """What the model is given: the instruction, then the input."""
        return f"{self.instruction}\n\n{self.input}" if self.instruction else self.input


Record = SourceFile | Function | Candidate | LedgerEntry | Inputs | Execution | Program | Sample
R = TypeVar("R", bound="DataclassInstance")
F = TypeVar("F", bound=Function)


def extend(cls: type[F], function: Function, **fields: Any) -> F:
    """Return a `cls` with what `function` has as a Function and the given further fields."""
    known = {f.name: getattr(function, f.name) for f in dataclasses.fields(Function)}
    return cls(**known, **fields)


@cache
def arrow_schema(cls: type) -> pa.Schema:
    """Return the Arrow schema of a record class, in the order of its fields."""
    hints = typing.get_type_hints(cls)
    return pa.schema(
        [
            pa.field(f.name, _arrow_type(hints[f.name]), nullable=_is_optional(hints[f.name]))
            for f in dataclasses.fields(cls)
        ]
    )


def to_row(record: DataclassInstance) -> dict[str, Any]:
    """Return a record as the nested dict that Arrow stores."""
    return _writer_of(type(record))(record)


def from_row(cls: type[R], row: dict[str, Any]) -> R:
    """Return the record of a row; columns that `cls` does not have are left out.

    Raises KeyError with the column's name where a column is missing.
    """
    return cast(R, _reader_of(cls)(row))


_SCALARS: dict[Any, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
    bytes: pa.binary(),
}


def _is_optional(hint: Any) -> bool:
    return type(None) in typing.get_args(hint)


def _plain(hint: Any) -> Any:
    """Return the hint without ``| None``, and a Literal of strings as ``str``."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        (hint,) = (arg for arg in typing.get_args(hint) if arg is not type(None))
    return str if typing.get_origin(hint) is Literal else hint


def _arrow_type(hint: Any) -> pa.DataType:
    hint = _plain(hint)
    if typing.get_origin(hint) is list:
        return pa.list_(pa.field("item", _arrow_type(typing.get_args(hint)[0]), nullable=False))
    if dataclasses.is_dataclass(hint):
        return pa.struct(list(arrow_schema(cast(type, hint))))
    return _SCALARS[hint]


def _nested(cls: type) -> Iterator[tuple[str, type | None]]:
    """Yield each field's name, and the record class that its list items have, if any."""
    hints = typing.get_type_hints(cls)
    for f in dataclasses.fields(cls):
        arguments = typing.get_args(_plain(hints[f.name]))
        item = arguments[0] if arguments else None
        yield f.name, cast(type, item) if dataclasses.is_dataclass(item) else None


@cache
def _writer_of(cls: type) -> Callable[[Any], dict[str, Any]]:
    columns = [(name, item and _writer_of(item)) for name, item in _nested(cls)]

    def write(record: Any) -> dict[str, Any]:
        values = ((name, item, getattr(record, name)) for name, item in columns)
        return {name: [*map(item, value)] if item else value for name, item, value in values}

    return write


@cache
def _reader_of(cls: type) -> Callable[[dict[str, Any]], Any]:
    columns = [(name, item and _reader_of(item)) for name, item in _nested(cls)]

    def read(row: dict[str, Any]) -> Any:
        return cls(
            **{name: [*map(item, row[name])] if item else row[name] for name, item in columns}
        )

    return read
