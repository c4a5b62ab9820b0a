"""Small releases, made and published as the pipeline does it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pytest

from c2c_tasks.config import BuildConfig, PublishingOptions
from c2c_tasks.literals import dumps, loads
from c2c_tasks.publishing.card import CARD, SAMPLES, render_card
from c2c_tasks.publishing.carrying import Changes
from c2c_tasks.publishing.data_files import write_data_files, write_dump_objects
from c2c_tasks.publishing.manifest import (
    Dump,
    FileEntry,
    Manifest,
    funnel_of,
    read_manifest,
    splits_of,
)
from c2c_tasks.publishing.plots import draw_plots
from c2c_tasks.publishing.pointer import move_pointer
from c2c_tasks.publishing.previews import draw_previews
from c2c_tasks.publishing.release import (
    claim_version,
    commit_release,
    describe_file,
    release_uri,
    stage_release,
)
from c2c_tasks.publishing.statistics import measure
from c2c_tasks.records import (
    FORMATS,
    SPLITS,
    Case,
    Execution,
    Inputs,
    Parameter,
    Program,
    Sample,
    arrow_schema,
    extend,
)
from c2c_tasks.samples.formats import layout, schema_of
from c2c_tasks.shards import Stage
from c2c_tasks.store import ObjectInfo, read

DATE = "2026-11-24"
SCHEMAS = {"programs": arrow_schema(Program), **{name: schema_of(name) for name in FORMATS}}


class Publish(Protocol):
    """Publishes programs, from claim to pointer, and returns the release's URI."""

    def __call__(
        self,
        target: str,
        programs: Iterable[Program],
        *,
        build_id: str = "build-1",
        date: str = DATE,
        parent: str | None = None,
        rows_per_file: int = 100,
        plots: bool = False,
        card: bool = True,
    ) -> str: ...


@pytest.fixture(params=["file", "s3"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URI of an empty target in each store."""
    if request.param == "file":
        return (tmp_path / "a target").as_uri()
    return f"{request.getfixturevalue('s3_bucket')}/prefix"


@pytest.fixture(scope="session")
def schemas() -> dict[str, pa.Schema]:
    """The columns of every config."""
    return SCHEMAS


@pytest.fixture(scope="session")
def make_program() -> Callable[..., Program]:
    return _program


@pytest.fixture(scope="session")
def make_samples() -> Callable[[Program], list[Sample]]:
    return _samples


@pytest.fixture(scope="session")
def run_trusted() -> Callable[[Iterable[Inputs]], Iterator[Execution]]:
    """Runs the programs that these tests make, without a sandbox."""
    return _run


@pytest.fixture(scope="session")
def write_files() -> Callable[..., list[FileEntry]]:
    return _write_files


@pytest.fixture(scope="session")
def publish(tmp_path_factory: pytest.TempPathFactory) -> Publish:
    def publish_programs(
        target: str,
        programs: Iterable[Program],
        *,
        build_id: str = "build-1",
        date: str = DATE,
        parent: str | None = None,
        rows_per_file: int = 100,
        plots: bool = False,
        card: bool = True,
    ) -> str:
        folder = tmp_path_factory.mktemp("release")
        version = claim_version(target, date, build_id)
        files = _write_files(folder, programs, parent=parent, rows_per_file=rows_per_file)
        funnel = [Stage("functions", "functions", 120, 100, {"no_return": 15, "calls_open": 5})]
        manifest = Manifest(
            dataset_name="Case2Code",
            version=version,
            parent=read_manifest(parent).version if parent else None,
            build_id=build_id,
            created_for=date,
            config=BuildConfig().model_dump(mode="json"),
            code_version="0.1.0+test",
            dump=Dump(uri="file:///dump", objects=1),
            writer={"name": "synthesis"},
            sandbox={"launcher": "process", "missing": ["seccomp"]},
            funnel=funnel_of(funnel),
            splits=splits_of(files),
            files=files,
        )
        if card:  # most of the time that publishing a small release takes
            (folder / CARD).write_text(_card(folder, manifest, parent, plots=plots))
        staged = stage_release(target, version, folder)
        commit_release(target, manifest.model_copy(update={"files": staged}))
        move_pointer(target, version, build_id=build_id, date=date)
        return release_uri(target, version)

    return publish_programs


def _program(number: int, **changes: Any) -> Program:
    text = f"def divide(x):\n    return {number + 1} / x\n"
    identity = hashlib.sha256(text.encode()).hexdigest()
    cases = [
        Case(arguments=f"{{'x': {x}}}", outcome="returned", output=dumps((number + 1) / x))
        for x in (1, 2, 4)
    ]
    cases.append(
        Case(
            arguments="{'x': 0}",
            outcome="raised",
            exception_type="ZeroDivisionError",
            exception_message="division by zero",
        )
    )
    fields: dict[str, Any] = {
        "function_id": identity,
        "program": text,
        "entry_point": "divide",
        "parameters": [Parameter("x", "positional_or_keyword")],
        "repository": f"owner/name-{number % 3}",
        "path": "a/b.py",
        "first_line": 1,
        "last_line": 2,
        "licence": ["MIT", None][number % 2],
        "dump": "file:///dump/part.jsonl",
        "source_sha256": "ab" * 32,
        "difficulty": 0.25,
        "writer": "synthesis",
        "cases": cases,
        "coverage": 1.0 if number % 4 else 0.5,
        "cluster": identity,
        "split": SPLITS[max(0, number % 5 - 2)],
    }
    return Program(**(fields | changes))


def _samples(program: Program) -> list[Sample]:
    return [
        Sample(
            sample_id=f"{program.function_id[:24]}-{format_}",
            function_id=program.function_id,
            format=format_,
            split=program.split,
            template="plain",
            instruction="Write the function.",
            input=f"divide(1) == {program.cases[0].output}\n```not the end```",
            completion=program.program,
            shown_cases=[0, 1],
            held_cases=[2, 3],
            repository=program.repository,
            path=program.path,
            licence=program.licence,
        )
        for format_ in FORMATS
    ]


def _run(inputs: Iterable[Inputs]) -> Iterator[Execution]:
    for function in inputs:
        namespace: dict[str, Any] = {}
        exec(function.program, namespace)
        cases = []
        for arguments in function.arguments:
            try:
                output = dumps(namespace[function.entry_point](**loads(arguments)))
                cases.append(Case(arguments=arguments, outcome="returned", output=output))
            except ZeroDivisionError as error:
                fault = {"exception_type": "ZeroDivisionError", "exception_message": str(error)}
                cases.append(Case(arguments=arguments, outcome="raised", **fault))
        yield extend(Execution, function, writer=function.writer, cases=cases, body_lines=[2])


def _write_files(
    folder: Path,
    programs: Iterable[Program],
    *,
    parent: str | None = None,
    changes: Changes | None = None,
    rows_per_file: int = 100,
    samples: Callable[[Program], list[Sample]] = _samples,
) -> list[FileEntry]:
    """Write the Parquet files of a release into a local folder; return their entries."""
    ordered = sorted(programs, key=lambda program: program.function_id)
    copies = write_data_files(
        folder,
        ordered,
        (sample for program in ordered for sample in samples(program)),
        PublishingOptions(target="file:///unused", rows_per_file=rows_per_file),
        formats=FORMATS,
        layout=layout,
        schema_of=schema_of,
        parent=parent,
        changes=changes,
    )
    for copy in copies:
        (folder / copy.entry.path).parent.mkdir(exist_ok=True)
        (folder / copy.entry.path).write_bytes(read(copy.source))
    write_dump_objects(folder, [ObjectInfo("file:///dump/part.jsonl", "etag", 10)])
    return _entries(folder)


def _card(folder: Path, manifest: Manifest, parent: str | None, *, plots: bool) -> str:
    """Return the card of a release in a local folder, and write there what goes with it."""
    statistics = measure(folder.as_uri(), manifest.files, folder, earlier=parent)
    if plots:
        draw_plots(folder, manifest.funnel, statistics)
    previews = draw_previews(folder.as_uri(), manifest.files, seed=manifest.version, count=SAMPLES)
    return render_card(
        manifest.model_copy(update={"files": _entries(folder)}),
        statistics,
        previews,
        schemas=SCHEMAS,
        parent=read_manifest(parent) if parent else None,
    )


def _entries(folder: Path) -> list[FileEntry]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return [describe_file(path, path.relative_to(folder).as_posix()) for path in paths]
