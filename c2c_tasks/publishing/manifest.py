"""The manifest: what a release holds and how it was made. Written last, it *is* the release."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from c2c_tasks.publishing.facts import SandboxFacts, WriterFacts
from c2c_tasks.records import FORMATS, SPLITS, Split
from c2c_tasks.shards import Stage
from c2c_tasks.store import StoreError, read

M = TypeVar("M", bound=BaseModel)

MANIFEST = "manifest.json"
MANIFEST_SCHEMA = "manifest.schema.json"
DUMP_OBJECTS = "dump_objects.parquet"
DECONTAMINATION = "decontamination.parquet"
DATA_CONFIGS: tuple[str, ...] = ("programs", *FORMATS)
"""Names of the folders of data files; each is a config of the dataset card."""


class _Part(BaseModel):
    """Members that this version does not know are passed over: later ones may add to them."""

    model_config = ConfigDict(frozen=True, from_attributes=True, use_attribute_docstrings=True)


class FileEntry(_Part):
    """One file of a release."""

    path: str
    """Inside the release, with `/`."""
    bytes: int = Field(ge=0)
    """Size of the file."""
    rows: int | None = Field(ge=0)
    """Of a Parquet file; null for any other."""
    sha256: str
    """Digest of the file, in hexadecimal."""

    @property
    def config(self) -> str | None:
        """The config that this data file belongs to; None where it is no data file."""
        folder = self.path.partition("/")[0]
        return folder if folder in DATA_CONFIGS and self.path.endswith(".parquet") else None

    @property
    def split(self) -> Split | None:
        """The split that this data file belongs to; None where it is no data file."""
        name = self.path.rpartition("/")[2]
        return next((s for s in SPLITS if self.config and name.startswith(f"{s}-")), None)


class Dump(_Part):
    """What a release was built from, its parents' objects included."""

    uri: str
    """The dump that the build read."""
    objects: int
    """Number of objects: files of the dump."""
    file: str = DUMP_OBJECTS
    """Path, inside the release, of the list of dump objects with their ETags and sizes. It is one
    of the release's files, so the manifest has its digest."""


class FunnelStage(_Part):
    """One line of the funnel: rows in are rows out and all rows dropped."""

    name: str
    """What the stage does, or looks at."""
    unit: str
    """What a row is: `files`, `functions`, `cases`, `programs`, `samples`."""
    rows_in: int
    """Rows that came in."""
    rows_out: int
    """Rows that went on."""
    dropped: dict[str, int]
    """Rows that did not, by reason."""


class Writing(_Part):
    """What it cost to have a model write the inputs of a build."""

    prompt_tokens: int
    """Tokens that the model read."""
    completion_tokens: int
    """Tokens that the model wrote."""
    seconds: float
    """Of all tasks that wrote inputs, added up; loading the model is in it."""
    cost: float
    """In the currency of the options' prices; 0 where none is given."""
    programs: int
    """Accepted of this build: what the cost is spread over."""

    @property
    def cost_per_program(self) -> float:
        """Cost of an accepted program."""
        return self.cost / max(self.programs, 1)

    @property
    def tokens_per_program(self) -> float:
        """Tokens, read and written, of an accepted program."""
        return (self.prompt_tokens + self.completion_tokens) / max(self.programs, 1)

    @property
    def seconds_per_program(self) -> float:
        """Seconds of an accepted program."""
        return self.seconds / max(self.programs, 1)


class Sandbox(_Part):
    """One of several sandboxes that the functions of a build ran in."""

    shards: list[str]
    """Function shards that were run in it: `2 of 3`."""
    facts: SandboxFacts
    """What is known of it."""


class Manifest(_Part):
    """What a release holds and how it was made."""

    json_schema: str = Field(MANIFEST_SCHEMA, alias="$schema")
    """Path, inside the release, of the JSON Schema that the manifest keeps to. Releases made before
    there was one do not have the file."""
    schema_version: Literal[1] = 1
    """Changes where a reader of the one before would misread. Members that are added do not change
    it: readers pass over what they do not know."""
    dataset_name: str
    """Title of the dataset."""
    version: str
    """Of the release: date and number, `2026.11.24-1`."""
    parent: str | None
    """Version of the release that this one adds to."""
    order_of: str | None = None
    """Version of the release whose order of ingestion a build from nothing went by."""
    build_id: str
    """Names the build. Its retries have the same."""
    build_number: int = Field(0, ge=0)
    """Counts the builds of the target: what their functions are ordered by. 0: not counted yet."""
    created_for: str
    """Logical date of the build, `YYYY-MM-DD`."""
    config: dict[str, Any]
    """Every option of the build, by section."""
    code_version: str
    """Version of the package that made it, with a digest of its source."""
    dump: Dump
    """What it was built from."""
    rules: dict[str, str] = Field(default_factory=dict)
    """SHA-256 of the lists that the options name: opt-outs, benchmarks."""
    writer: WriterFacts
    """Who wrote the inputs: name, and model, revision and sampling where there is a model."""
    writing: Writing | None = None
    """What it cost to have the inputs written; None where no model wrote any."""
    sandbox: SandboxFacts
    """Where functions ran: launcher, image, runtime, limits, and what could not be set up. Where
    that differed between shards, a list of what it was."""
    sandboxes: list[Sandbox] = Field(default_factory=list)
    """Every sandbox that functions ran in, where it was not the same one for all of them: a tag
    that names another image on another worker's engine, an engine that one worker has not."""
    funnel: list[FunnelStage]
    """Of this build alone: rows of the parent do not go through it again."""
    problems: list[str] = Field(default_factory=list)
    """Objects, records and functions that were skipped, named: the first of each shard. Their
    numbers are in the funnel."""
    failed_shards: list[str] = Field(default_factory=list)
    """Shards that the build had to leave out."""
    splits: dict[str, dict[Split, int]]
    """Rows of each split of each config."""
    files: list[FileEntry]
    """Every file of the release but the manifest and the claim, in order of path."""
    ledger_version: int = 1
    """Version of the ledger's files."""
    ledger: list[FileEntry] = Field(default_factory=list)
    """Files of the ledger, by their path below the target: releases have them in common."""

    def to_json(self) -> bytes:
        """Return the manifest as JSON text; equal manifests have equal text."""
        return f"{self.model_dump_json(indent=1, by_alias=True)}\n".encode()


def funnel_of(stages: Iterable[Stage]) -> list[FunnelStage]:
    """Return a funnel as the manifest holds it."""
    return [FunnelStage.model_validate(stage) for stage in stages]


def splits_of(files: Iterable[FileEntry]) -> dict[str, dict[Split, int]]:
    """Return the rows of each split of each config, counted over the files."""
    counts: dict[str, dict[Split, int]] = {}
    entries = list(files)
    for config in DATA_CONFIGS:
        for split in SPLITS:
            rows = [e.rows or 0 for e in entries if (e.config, e.split) == (config, split)]
            if rows:
                counts.setdefault(config, {})[split] = sum(rows)
    return counts


def read_manifest(release: str) -> Manifest:
    """Return the manifest of the release at a URI.

    Raises ObjectNotFound where there is none: the release is not complete; StoreError where
    what is there is no manifest of this schema version.
    """
    return read_model(Manifest, f"{release}/{MANIFEST}", "a manifest")


def read_model(model: type[M], uri: str, what: str) -> M:
    """Return what a JSON object holds; `what` says in errors what it should be.

    Raises ObjectNotFound where there is none; StoreError where it is none of schema version 1.
    """
    try:
        return model.model_validate_json(read(uri))
    except ValidationError as error:
        fault, *others = error.errors()
        place = ".".join(map(str, fault["loc"]))
        more = f" (and {len(others)} more)" if others else ""
        raise StoreError(
            f"{uri}: not {what} of schema version 1: {f'{place}: ' if place else ''}"
            f"{fault['msg']}{more}"
        ) from None
