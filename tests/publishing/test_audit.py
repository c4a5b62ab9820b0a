"""The audit passes what is sound and names every kind of fault."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from threading import Barrier
from typing import Any

import pytest

from c2c_tasks.config import BuildConfig
from c2c_tasks.curation.benchmarks import Problem, protected_programs
from c2c_tasks.curation.opt_outs import OptOut, OptOuts
from c2c_tasks.curation.overlap import OverlapIndex
from c2c_tasks.curation.rights import Rights
from c2c_tasks.curation.splits import split_of
from c2c_tasks.curation.tokens import canonical_digest
from c2c_tasks.publishing.audit import AUDIT_REPORT, AuditError, AuditReport, Check
from c2c_tasks.publishing.audit_rows import Rules
from c2c_tasks.publishing.auditing import Balance, Draw, audit
from c2c_tasks.publishing.manifest import FileEntry
from c2c_tasks.publishing.release import release_uri, stage_release
from c2c_tasks.publishing.staged import StagedFiles
from c2c_tasks.records import FORMATS, Case, Inputs, Program, Sample, arrow_schema
from c2c_tasks.samples.formats import schema_of
from c2c_tasks.samples.identity import has_its_id, sample_id
from c2c_tasks.shards import StepReport
from c2c_tasks.store import local_copy, read, store_for
from c2c_tasks.store.s3 import S3Store

SCHEMAS = {"programs": arrow_schema(Program), **{f: schema_of(f) for f in FORMATS}}
CONFIG = BuildConfig.from_flat(
    {"licences": "any", "min_cases": 4, "max_cases": 4, "test_share": 0.3, "validation_share": 0.2}
)
Make = Callable[..., Program]
Stage = Callable[..., tuple[str, list[FileEntry]]]

SPLIT = "a program's split is that of its file"
HASH = "a program's split is that of its cluster's hash"
ID = "a function's id is the digest of its program"
OVERLAP = "no program overlaps with a benchmark"
RIGHTS = "licence and opt-outs permit every program"
CASES = "cases are well-formed, and enough"
SECRETS = "no secret and no personal data in programs and cases"
SAMPLES = "a sample gives its program's text and origin, and points to its cases"
PROMPT = "a sample's id is the digest of its prompt"
AGAIN = "programs run again give the recorded outputs"


def rules(
    config: BuildConfig = CONFIG, opt_outs: Iterable[str] = (), problems: Iterable[Problem] = ()
) -> Rules:
    listed = OptOuts.of(filter(None, map(OptOut.of_line, opt_outs)))
    index = OverlapIndex(protected_programs(problems, StepReport("audit", "")), 0.6)
    return Rules(config, Rights(config.rights.licences, listed), index)


@pytest.fixture
def make(make_program: Make) -> Make:
    """Makes programs as a build would: id, cluster and split are what they have to be."""

    def make_sound(number: int, **changes: Any) -> Program:
        program = make_program(number, **changes)
        identity = canonical_digest(program.program, program.entry_point)
        cluster = changes.get("cluster", identity)
        split = changes.get("split", split_of(cluster, CONFIG.cases))
        return replace(program, function_id=identity, cluster=cluster, split=split)

    return make_sound


@pytest.fixture
def make_samples(make_samples: Any) -> Callable[[Program], list[Sample]]:
    """Makes samples as a build would: their ids are those of their prompts."""

    def make_sound(program: Program) -> list[Sample]:
        return [with_its_id(sample) for sample in make_samples(program)]

    return make_sound


def with_its_id(sample: Sample) -> Sample:
    instruction = "" if sample.format == "pretrain" else sample.instruction
    identity = sample_id(sample.function_id, sample.format, instruction, sample.input)
    return replace(sample, instruction=instruction, sample_id=identity)


@pytest.fixture
def stage(tmp_path: Path, write_files: Any, make_samples: Any) -> Stage:
    """Stages programs; returns the release's URI and its entries."""

    def stage_programs(target: str, programs: Iterable[Program], **how: Any) -> Any:
        write_files(tmp_path / "stage", programs, **({"samples": make_samples} | how))
        entries = stage_release(target, "2026.11.24-1", tmp_path / "stage")
        return release_uri(target, "2026.11.24-1"), entries

    (tmp_path / "stage").mkdir()
    return stage_programs


@pytest.fixture
def examine(run_trusted: Any) -> Callable[..., AuditReport]:
    def run_audit(release: str, files: list[FileEntry], **changes: Any) -> AuditReport:
        draw = [changes.pop(n, d) for n, d in (("least", 10), ("share", 0.0), ("seed", "build-1"))]
        arguments: dict[str, Any] = {
            "schemas": SCHEMAS,
            "rules": rules(),
            "has_its_id": has_its_id,
            "draw": Draw(*draw),
            "execute": run_trusted,
        }
        return audit(release, files, **(arguments | changes))

    return run_audit


def faults(report: AuditReport) -> dict[str, int]:
    return {check.name: check.faults for check in report.checks if not check.passed}


def fault_of(report: AuditReport) -> Check:
    """The one check that failed."""
    (check,) = (check for check in report.checks if not check.passed)
    return check


def test_a_sound_release_passes(target: str, stage: Stage, examine: Any, make: Make) -> None:
    programs = [make(n) for n in range(30)]
    assert len({program.split for program in programs}) == 3
    report = examine(*stage(target, programs))
    report.raise_for_faults("file:///release")
    examined = {check.name: check.examined for check in report.checks}
    assert [*examined.values()][3:] == [0, 30, 30, 30, 90, 90, 30, 30, 30, 30, 30, 30, 90, 90, 10]
    assert {check.exempt for check in report.checks} == {0}
    assert (report.release, report.re_executed) == ("2026.11.24-1", 10)
    assert AuditReport.model_validate_json(report.to_json()) == report


def test_the_error_has_a_short_line_for_each_check_that_failed() -> None:
    many = Check(name="many", unit="programs")
    many.add(30, (str(number) + ": " + "long\n" * 200 for number in range(30)))
    one = Check(name="one", unit="files", examined=2, faults=1, details=["a.parquet is missing"])
    report = AuditReport(release="2026.11.24-1", seed="build", checks=[many, one])
    with pytest.raises(AuditError) as failure:
        report.raise_for_faults("file:///release")
    _, first, second = str(failure.value).split("\n")
    assert first.startswith("many: 30 of 30 programs: 0: long long") and first.endswith("…; …")
    assert first.count("…;") == 3 and len(first) < 600
    assert second == "one: 1 of 2 files: a.parquet is missing"
    assert AuditReport.model_validate_json(report.to_json()).checks[0].details == many.details


def test_programs_to_run_again_depend_on_the_seed_alone(
    tmp_path: Path, stage: Stage, examine: Any, run_trusted: Any, make: Make
) -> None:
    staged = stage(tmp_path.as_uri(), [make(n) for n in range(60)])
    ran: list[list[str]] = []

    def remember(inputs: Iterable[Inputs]) -> Any:
        inputs = list(inputs)
        ran.append([function.function_id for function in inputs])
        return run_trusted(inputs)

    for seed in ("a", "a", "b"):
        assert examine(*staged, execute=remember, seed=seed).passed
    assert ran[0] == ran[1] != ran[2]
    assert len(set(ran[0])) == 10
    none = examine(*staged, least=0, execute=remember)
    assert none.passed and none.re_executed == 0


@pytest.mark.parametrize(
    ("least", "share", "programs", "drawn"),
    [(50, 0.01, 10_000, 100), (50, 0.01, 4_999, 50), (50, 0.01, 30, 30), (0, 0.01, 101, 2)],
)
def test_so_many_are_drawn(least: int, share: float, programs: int, drawn: int) -> None:
    assert Draw(least, share, "seed").number_of(programs) == drawn


def test_damaged_and_missing_files(target: str, stage: Stage, examine: Any, make: Make) -> None:
    release, files = stage(target, [make(n) for n in range(9)])
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
    wrong = files[0].model_copy(update={"bytes": 1})
    exempt = {wrong.path, files[2].path}
    assert fault_of(examine(release, [wrong, files[2]], exempt=exempt)).faults == 2


def test_files_are_copied_beside_each_other(
    tmp_path: Path, stage: Stage, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    release, files = stage(tmp_path.as_uri(), [make(n) for n in range(9)])
    others_have_begun = Barrier(4)

    @contextmanager
    def waiting(uri: str) -> Iterator[Path]:
        others_have_begun.wait(timeout=30)
        with local_copy(uri) as path:
            yield path

    monkeypatch.setattr("c2c_tasks.publishing.staged.local_copy", waiting)
    staged = StagedFiles(release, files[:4], frozenset())
    with ExitStack() as stack:
        assert list(staged.fetch(stack)) == []
        assert staged.local.keys() == {entry.path for entry in files[:4]}


def test_counts_and_columns(tmp_path: Path, stage: Stage, examine: Any, make: Make) -> None:
    release, files = stage(tmp_path.as_uri(), [make(n) for n in range(9)])
    sft = next(entry for entry in files if entry.config == "sft")
    wrong = [e.model_copy(update={"rows": 99}) if e == sft else e for e in files]
    check = fault_of(examine(release, wrong))
    assert check.details == [f"{sft.path} has {sft.rows} rows, its entry says 99"]
    check = fault_of(examine(release, files, schemas=SCHEMAS | {"sft": schema_of("instruct")}))
    assert check.name == "columns are those of the config"
    sums = [Balance("this", 3, 3), Balance("that", 1_000, 999)]
    check = fault_of(examine(release, files, balances=sums))
    assert (check.examined, check.details) == (2, ["that: 999, not 1,000"])


def test_a_function_in_two_splits(
    tmp_path: Path, stage: Stage, examine: Any, make: Make, make_samples: Any
) -> None:
    # Both rows get through the writer, which looks at one split at a time.
    program = make(1, split="train")
    double = replace(program, split="test", cluster="f" * 64)
    staged = stage(tmp_path.as_uri(), [program, double], samples=lambda _: [])
    found = faults(examine(*staged))
    assert found["function ids are unique over all splits"] == 1


def test_a_cluster_in_two_splits(tmp_path: Path, stage: Stage, examine: Any, make: Make) -> None:
    near = make(1)
    other = "test" if near.split == "train" else "train"
    report = examine(*stage(tmp_path.as_uri(), [near, make(2, cluster=near.cluster, split=other)]))
    assert faults(report) == {"no cluster is in two splits": 1, HASH: 1}
    assert report.checks[6].details == [near.cluster]


def test_a_split_of_another_hash(tmp_path: Path, stage: Stage, examine: Any, make: Make) -> None:
    sound = make(3)
    wrong = replace(sound, split="test" if sound.split == "train" else "train")
    check = fault_of(examine(*stage(tmp_path.as_uri(), [wrong, make(4)])))
    assert (check.name, check.details) == (HASH, [wrong.function_id])


def test_samples_without_their_program_or_with_one_id(
    tmp_path: Path, stage: Stage, examine: Any, make: Make, make_samples: Any
) -> None:
    programs = [make(n) for n in (1, 2, 3)]

    def samples(program: Program) -> Any:
        sft, instruct, pretrain = make_samples(program)
        if program is programs[0]:
            return [replace(sft, split="test" if sft.split == "train" else "train")]
        if program is programs[1]:
            return [sft, replace(instruct, sample_id=sft.sample_id)]
        return [pretrain]

    release, files = stage(tmp_path.as_uri(), programs, samples=samples)
    report = examine(release, files)
    with pytest.raises(AuditError) as failure:
        report.raise_for_faults(release)
    assert faults(report) == {
        "sample ids are unique over all formats and splits": 1,
        "a sample's function is a program of the same split": 1,
        PROMPT: 1,
    }
    assert str(failure.value).startswith(f"{release}: staged, found unsound and not published")
    assert f"{release}/{AUDIT_REPORT}" in str(failure.value)
    assert make_samples(programs[0])[0].sample_id in str(failure.value)
    assert make_samples(programs[1])[0].sample_id in str(failure.value)


SECRET = "def divide(x):\n    key = 'AKIA" + "IOSFODNN7QWERTYU'\n    return len(key) / x\n"

DOUBLE = "def double(x):\n    return x * 2 / 3\n"


@pytest.mark.parametrize(
    ("change", "name", "told"),
    [
        ({"program": SECRET}, SECRETS, ": secret in its text"),
        ({"licence": "GPL-3.0-only"}, RIGHTS, ": licence_not_permissive, GPL-3.0-only, owner/"),
        ({"repository": "Some/One"}, RIGHTS, ": opted_out, "),
        (
            {"program": "def double(x):\n    return x * 2 / 3\n"},
            OVERLAP,
            ": B/1, canonical_ast 1.00",
        ),
    ],
)
def test_a_program_that_must_not_be_published(
    tmp_path: Path,
    stage: Stage,
    examine: Any,
    make: Make,
    change: dict[str, Any],
    name: str,
    told: str,
) -> None:
    config = BuildConfig.model_validate(
        CONFIG.model_dump() | {"rights": {"licences": "permissive_or_unknown"}}
    )
    problem = Problem("B/1", "def double(y):\n    return y * 2 / 3", "double")
    held = rules(config, ["repository some/one"], [problem])
    entry_point = "double" if change.get("program") == DOUBLE else "divide"
    bad = make(7, entry_point=entry_point, **change)
    staged = stage(tmp_path.as_uri(), [make(n) for n in range(5)] + [bad])
    check = fault_of(examine(*staged, rules=held))
    assert (check.name, check.examined, check.faults) == (name, 6, 1)
    assert f"{bad.function_id} ({bad.entry_point}){told}" in check.details[0]
    assert "AKIA" not in check.details[0]


def test_an_id_of_another_program(tmp_path: Path, stage: Stage, examine: Any, make: Make) -> None:
    changed = replace(make(1), program="def divide(x):\n    return 99 / x + 1\n")
    broken = replace(make(2), program="def divide(x:\n")
    check = fault_of(examine(*stage(tmp_path.as_uri(), [changed, broken, make(3)])))
    assert (check.name, check.faults) == (ID, 2)
    assert any("cannot be parsed" in detail for detail in check.details)


def returned(arguments: str, output: str | None) -> Case:
    return Case(arguments=arguments, outcome="returned", output=output)


@pytest.mark.parametrize(
    ("case", "told"),
    [
        (returned("{'x': 8}", "open('f')"), "output: not a literal: Call"),
        (returned("{'x': 8}", "0.10"), "output: not in canonical spelling"),
        (returned("{'x': 8, }", "0.25"), "arguments: not in canonical spelling"),
        (returned("[8]", "0.25"), "arguments: not a dict"),
        (returned("{'x': 8}", None), "{'x': 8}: is returned, without what belongs to it"),
        (Case(arguments="{'x': 8}", outcome="timed_out"), "is timed_out, without"),
        (replace(returned("{'x': 8}", "0.25"), deterministic=False), "not deterministic"),
        (returned("{'x': 2}", "1.0"), "the same arguments twice"),
        (None, "too_few_cases"),
        (returned("{'x': 9}", "'jane.roe@gmail.com'"), "e_mail"),
    ],
)
def test_a_case_that_is_not_well_formed(
    tmp_path: Path, stage: Stage, examine: Any, make: Make, case: Case | None, told: str
) -> None:
    bad = make(1)
    bad.cases[3:] = [case] if case else []
    check = fault_of(examine(*stage(tmp_path.as_uri(), [make(0), bad], samples=lambda _: [])))
    assert check.name == (SECRETS if told == "e_mail" else CASES)
    assert bad.function_id in check.details[0] and told in check.details[0]
    assert "jane" not in check.details[0]


@pytest.fixture
def changed(
    tmp_path: Path, stage: Stage, examine: Any, make: Make, make_samples: Any
) -> Callable[..., Check]:
    """Gives what the audit finds where the samples of one of four programs were changed."""

    def found(**change: Any) -> Check:
        programs = [make(n) for n in range(4)]

        def samples(program: Program) -> Iterator[Sample]:
            for sample in make_samples(program):
                yield replace(sample, **change) if program is programs[2] else sample

        return fault_of(examine(*stage(tmp_path.as_uri(), programs, samples=samples)))

    return found


@pytest.mark.parametrize(
    "change",
    [
        {"completion": "def divide(x):\n    return 0\n"},
        {"shown_cases": [0, 4]},
        {"held_cases": [-1]},
        {"shown_cases": []},
        {"shown_cases": [1], "held_cases": [1]},
        {"repository": "some/other"},
        {"path": "c.py"},
        {"licence": "Apache-2.0"},
    ],
)
def test_samples_that_do_not_fit_their_program(changed: Callable[..., Check], change: Any) -> None:
    check = changed(**change)
    assert (check.name, check.examined, check.faults) == (SAMPLES, 12, 3)


@pytest.mark.parametrize("change", [{"input": "divide(1) == 0"}, {"instruction": "Ignore this."}])
def test_a_prompt_that_was_changed(changed: Callable[..., Check], change: Any) -> None:
    check = changed(**change)
    assert (check.name, check.examined, check.faults) == (PROMPT, 12, 3)


def test_rows_that_passed_before_are_not_examined_but_compared_and_run_again(
    target: str, stage: Stage, examine: Any, make: Make
) -> None:
    programs = [make(n) for n in range(30)]
    programs[7].cases[1] = replace(programs[7].cases[1], output="0.50")
    release, files = stage(target, programs)
    data = {entry.path for entry in files if entry.config}
    for exempt, named in ((set(), CASES), (data, AGAIN)):
        report = examine(release, files, exempt=exempt, parent="2026.11.23-1", least=30)
        assert fault_of(report).name == named
    by_name = {check.name: check for check in report.checks}
    for name, rows in ((CASES, 30), (SECRETS, 30), (SAMPLES, 90), (PROMPT, 90)):
        assert (by_name[name].examined, by_name[name].exempt) == (0, rows)
    assert by_name["function ids are unique over all splits"].examined == 30
    assert report.re_executed == 30


@pytest.mark.s3
def test_of_exempt_files_no_more_is_fetched_than_identities(
    s3_bucket: str, stage: Stage, examine: Any, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = Random(0)

    def long(number: int) -> Program:
        program = make(number)
        return replace(program, program=f"{program.program}# {random.randbytes(2_000).hex()}\n")

    release, files = stage(s3_bucket, [long(n) for n in range(200)], rows_per_file=1_000)
    fetched: list[str] = []
    ranges: list[int] = []
    download, read_range = S3Store.download, S3Store.read_range

    def note_whole(store: S3Store, uri: str, path: Path, **options: Any) -> None:
        fetched.append(uri)
        download(store, uri, path, **options)

    def note_range(store: S3Store, uri: str, start: int, length: int) -> bytes:
        ranges.append(length)
        return read_range(store, uri, start, length)

    monkeypatch.setattr(S3Store, "download", note_whole)
    monkeypatch.setattr(S3Store, "read_range", note_range)
    exempt = {entry.path for entry in files if entry.config}
    assert examine(release, files, exempt=exempt, least=0).passed
    assert fetched == [f"{release}/dump_objects.parquet"]
    assert 0 < sum(ranges) < sum(entry.bytes for entry in files) / 2


def test_new_samples_are_compared_with_programs_of_exempt_files(
    target: str, stage: Stage, examine: Any, make: Make, make_samples: Any
) -> None:
    programs = [make(n) for n in range(12)]

    def samples(program: Program) -> Iterator[Sample]:
        for sample in make_samples(program):
            yield replace(sample, shown_cases=[9]) if program is programs[2] else sample

    release, files = stage(target, programs, samples=samples)
    exempt = {entry.path for entry in files if entry.config == "programs"}
    check = fault_of(examine(release, files, exempt=exempt))
    assert (check.name, check.examined, check.faults) == (SAMPLES, 36, 3)


def test_outputs_that_do_not_come_again(
    tmp_path: Path, stage: Stage, examine: Any, make: Make
) -> None:
    programs = [make(n) for n in range(30)]
    liar = programs[7]
    liar.cases[1] = replace(liar.cases[1], output="'no'")
    staged = stage(tmp_path.as_uri(), programs)
    check = fault_of(examine(*staged, least=30))
    assert check.faults == 1
    assert liar.function_id in check.details[0]
    assert "{'x': 2} gave ('returned', '4.0', None, None)" in check.details[0]

    check = fault_of(examine(*staged, share=1.0, execute=lambda inputs: []))
    assert (check.faults, len(check.details)) == (30, 20)
    assert check.details[0].endswith("did not run")
