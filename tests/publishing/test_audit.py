"""The audit passes what is sound and names every kind of fault."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from c2c_tasks.publishing.audit import AuditError, AuditReport, Check, audit
from c2c_tasks.publishing.manifest import FileEntry
from c2c_tasks.publishing.release import release_uri, stage_release
from c2c_tasks.records import FORMATS, Program, arrow_schema
from c2c_tasks.samples.formats import schema_of
from c2c_tasks.store import read, store_for

SCHEMAS = {"programs": arrow_schema(Program), **{f: schema_of(f) for f in FORMATS}}
Make = Callable[..., Program]
Stage = Callable[..., tuple[str, list[FileEntry]]]


@pytest.fixture
def stage(tmp_path: Path, write_files: Any) -> Stage:
    """Stages programs; returns the release's URI and its entries."""

    def stage_programs(target: str, programs: Iterable[Program], **how: Any) -> Any:
        write_files(tmp_path / "stage", programs, **how)
        entries = stage_release(target, "2026.11.24-1", tmp_path / "stage")
        return release_uri(target, "2026.11.24-1"), entries

    (tmp_path / "stage").mkdir()
    return stage_programs


def fault_of(report: AuditReport) -> Check:
    """The one check that failed."""
    (check,) = (check for check in report.checks if not check.passed)
    return check


@pytest.fixture
def examine(run_trusted: Any) -> Callable[..., AuditReport]:
    def run_audit(release: str, files: list[FileEntry], **changes: Any) -> AuditReport:
        arguments: dict[str, Any] = {
            "schemas": SCHEMAS,
            "programs": 10,
            "execute": run_trusted,
            "seed": "build-1",
        }
        return audit(release, files, **(arguments | changes))

    return run_audit


def test_a_sound_release_passes(
    target: str, stage: Stage, examine: Any, make_program: Make
) -> None:
    report = examine(*stage(target, [make_program(n) for n in range(30)]))
    report.raise_for_faults()
    assert [check.examined for check in report.checks][3:] == [30, 30, 30, 90, 90, 10]
    assert AuditReport.model_validate_json(report.model_dump_json()) == report


def test_programs_to_run_again_depend_on_the_seed_alone(
    tmp_path: Path, stage: Stage, examine: Any, run_trusted: Any, make_program: Make
) -> None:
    staged = stage(tmp_path.as_uri(), [make_program(n) for n in range(60)])
    ran: list[list[str]] = []

    def remember(inputs: Iterable[Any]) -> Any:
        inputs = list(inputs)
        ran.append([function.function_id for function in inputs])
        return run_trusted(inputs)

    for seed in ("a", "a", "b"):
        assert examine(*staged, execute=remember, seed=seed).passed
    assert ran[0] == ran[1] != ran[2]
    assert examine(*staged, programs=0, execute=remember).passed
    assert len(ran) == 3


def test_damaged_and_missing_files(
    target: str, stage: Stage, examine: Any, make_program: Make
) -> None:
    release, files = stage(target, [make_program(n) for n in range(9)])
    damaged, missing = f"{release}/{files[1].path}", f"{release}/{files[2].path}"
    data = bytearray(read(damaged))
    data[len(data) // 2] ^= 1
    store_for(target).write(damaged, bytes(data))
    store_for(target).delete(missing)
    check = fault_of(examine(release, files))
    assert check.details == [
        f"{files[1].path} has another SHA-256 than its entry",
        f"{files[2].path} is missing",
    ]


def test_counts_and_columns(tmp_path: Path, stage: Stage, examine: Any, make_program: Make) -> None:
    release, files = stage(tmp_path.as_uri(), [make_program(n) for n in range(9)])
    wrong = [
        entry.model_copy(update={"rows": 99}) if entry.path.startswith("sft/test") else entry
        for entry in files
    ]
    check = fault_of(examine(release, wrong))
    assert check.details == ["sft/test-00000-of-00001.parquet has 1 rows, its entry says 99"]
    check = fault_of(examine(release, files, schemas=SCHEMAS | {"sft": schema_of("instruct")}))
    assert check.name == "columns are those of the config"
    assert check.faults == 3


def test_a_function_in_two_splits(
    tmp_path: Path, stage: Stage, examine: Any, make_program: Make
) -> None:
    # Both rows get through the writer, which looks at one split at a time.
    program = make_program(1, split="train")
    double = replace(program, split="test", cluster="f" * 64)
    release, files = stage(tmp_path.as_uri(), [program, double], samples=lambda _: [])
    assert fault_of(examine(release, files)).details == [program.function_id]


def test_a_cluster_in_two_splits(
    tmp_path: Path, stage: Stage, examine: Any, make_program: Make
) -> None:
    near = [make_program(1, split="train"), make_program(2, split="test")]
    near[1] = replace(near[1], cluster=near[0].cluster)
    check = fault_of(examine(*stage(tmp_path.as_uri(), near)))
    assert (check.name, check.details) == ("no cluster is in two splits", [near[0].cluster])


def test_samples_without_their_program_or_with_one_id(
    tmp_path: Path, stage: Stage, examine: Any, make_program: Make, make_samples: Any
) -> None:
    programs = [make_program(n, split="train") for n in (1, 2, 3)]

    def samples(program: Program) -> Any:
        sft, instruct, pretrain = make_samples(program)
        if program is programs[0]:
            return [replace(sft, split="test")]
        if program is programs[1]:
            return [sft, replace(instruct, sample_id=sft.sample_id)]
        return [pretrain]

    release, files = stage(tmp_path.as_uri(), programs, samples=samples)
    report = examine(release, files)
    with pytest.raises(AuditError) as failure:
        report.raise_for_faults()
    assert {check.name: check.faults for check in report.checks if not check.passed} == {
        "sample ids are unique over all formats and splits": 1,
        "a sample's function is a program of the same split": 1,
    }
    assert make_samples(programs[0])[0].sample_id in str(failure.value)
    assert make_samples(programs[1])[0].sample_id in str(failure.value)


def test_outputs_that_do_not_come_again(
    tmp_path: Path, stage: Stage, examine: Any, run_trusted: Any, make_program: Make
) -> None:
    programs = [make_program(n) for n in range(30)]
    liar = programs[7]
    liar.cases[1] = replace(liar.cases[1], output="'no'")
    staged = stage(tmp_path.as_uri(), programs)
    check = fault_of(examine(*staged, programs=30))
    assert check.faults == 1
    assert liar.function_id in check.details[0]
    assert "{'x': 2} gave ('returned', '4.0', None, None)" in check.details[0]

    check = fault_of(examine(*staged, programs=30, execute=lambda inputs: []))
    assert (check.faults, len(check.details)) == (30, 20)
    assert check.details[0].endswith("did not run")
