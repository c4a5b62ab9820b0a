"""What is counted is what the records hold, and what an earlier release counted is not read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from c2c_tasks.publishing import counts
from c2c_tasks.publishing.counts import count_file
from c2c_tasks.publishing.manifest import FileEntry, read_manifest
from c2c_tasks.publishing.origins import ORIGINS
from c2c_tasks.publishing.statistics import COUNTS, measure
from c2c_tasks.publishing.tokens import count_tokens
from c2c_tasks.records import FORMATS, Program, Sample
from c2c_tasks.store import file_path, read, store_for

Make = Callable[..., Program]


@pytest.fixture
def files_read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The SHA-256 of each data file that is counted."""
    seen: list[str] = []

    def noting(path: Path, config: str, seed: str) -> Any:
        seen.append(seed)
        return count_file(path, config, seed)

    monkeypatch.setattr("c2c_tasks.publishing.statistics.count_file", noting)
    return seen


def texts(sample: Sample) -> list[str]:
    """The texts of a sample as its format lays them out."""
    if sample.format == "instruct":
        return [sample.instruction, sample.input, sample.completion]
    if sample.format == "sft":
        return [sample.prompt, sample.completion]
    return [f"{sample.prompt}\n\n{sample.completion}\n"]


def test_counts_are_those_of_the_records(
    tmp_path: Path, make_program: Make, make_samples: Any, write_files: Any
) -> None:
    programs = [make_program(n, repository=f"größe/{n % 2}") for n in range(30)]
    found = measure(tmp_path.as_uri(), write_files(tmp_path, programs), tmp_path)
    assert found.programs.cases_per_program == {4: 30}
    assert found.programs.outcomes == {"returned": 90, "raised": 30}
    assert found.programs.output_types == {"float": 90}
    assert found.programs.exception_types == {"ZeroDivisionError": 30}
    assert found.programs.coverage == {100: 22, 50: 8}
    assert found.programs.difficulty == {25: 30}
    assert found.licences == {"MIT": 15, "not stated": 15}
    assert found.repositories == {"größe/0": 15, "größe/1": 15}
    samples = [sample for program in programs for sample in make_samples(program)]
    for format_ in FORMATS:
        parts = [texts(sample) for sample in samples if sample.format == format_]
        lengths = found.lengths[format_]
        assert lengths.characters.rows == lengths.counted == 30
        assert not lengths.is_estimated
        assert lengths.characters.total == sum(len("".join(each)) for each in parts)
        assert lengths.tokens.total == sum(sum(count_tokens(each)) for each in parts)


def test_tokens_are_those_of_the_tokenizer() -> None:
    counted = count_tokens(["", "def f(x):\n    return x\n", "<|endoftext|>", "名\0"])
    assert counted[:3] == [0, 8, 7]
    assert counted[3] > 1


def test_tokens_of_many_samples_are_estimated(
    tmp_path: Path, make_program: Make, write_files: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = [make_program(n, split="train") for n in range(300)]
    files = write_files(tmp_path, programs, rows_per_file=1_000)
    exact = measure(tmp_path.as_uri(), files, tmp_path / "exact").lengths["sft"]
    monkeypatch.setattr(counts, "COUNTED_ROWS", 40)
    found = measure(tmp_path.as_uri(), files, tmp_path / "estimated").lengths["sft"]
    assert (found.counted, found.is_estimated) == (40, True)
    assert found.characters == exact.characters
    assert found.tokens.rows == exact.tokens.rows
    assert found.tokens.total == pytest.approx(exact.tokens.total, rel=0.02)
    again = measure(tmp_path.as_uri(), files, tmp_path / "again").lengths["sft"]
    assert again == found  # the file draws the rows


def test_a_next_release_reads_the_new_files_alone(
    target: str, publish: Any, make_program: Make, files_read: list[str], tmp_path: Path
) -> None:
    first = [make_program(n) for n in range(10)]
    earlier = publish(target, first)
    known = {entry.sha256 for entry in read_manifest(earlier).files}
    files_read.clear()
    release = publish(
        target,
        [make_program(n) for n in range(10, 15)],
        parent=earlier,
        build_id="build-2",
        date="2026-11-25",
    )
    assert files_read and known.isdisjoint(files_read)
    files = read_manifest(release).files
    with_help = measure(release, files, tmp_path / "a", earlier=release)
    without = measure(release, files, tmp_path / "b")
    assert with_help == without
    assert sum(with_help.repositories.values()) == 15
    for path in (COUNTS, ORIGINS):
        assert (tmp_path / "a" / path).read_bytes() == (tmp_path / "b" / path).read_bytes()


@pytest.mark.parametrize("target", ["file"], indirect=True)
@pytest.mark.parametrize("path", [COUNTS, ORIGINS])
@pytest.mark.parametrize("damage", ["flipped", "gone"])
def test_what_is_damaged_is_counted_again(
    target: str,
    publish: Any,
    make_program: Make,
    files_read: list[str],
    tmp_path: Path,
    path: str,
    damage: str,
) -> None:
    release = publish(target, [make_program(n) for n in range(10)])
    files = read_manifest(release).files
    exact = measure(release, files, tmp_path / "exact")
    files_read.clear()
    data = read(f"{release}/{path}")
    store_for(release).delete(f"{release}/{path}")
    if damage == "flipped":
        file_path(f"{release}/{path}").write_bytes(data.replace(b"2", b"3", 1))
    assert measure(release, files, tmp_path / "again", earlier=release) == exact
    assert len(files_read) == len([entry for entry in files if entry.config])


def test_an_earlier_release_without_counts(
    tmp_path: Path, make_program: Make, write_files: Any
) -> None:
    files: list[FileEntry] = write_files(tmp_path, [make_program(0)])
    nowhere = (tmp_path / "nowhere").as_uri()
    assert measure(tmp_path.as_uri(), files, tmp_path, earlier=nowhere).licences == Counter(MIT=1)


def test_shares_in_per_cent_are_not_one_too_low(
    tmp_path: Path, make_program: Callable[..., Program], write_files: Any
) -> None:
    shares = [0.29, 0.57, 0.58, 0.999, 1.0]
    programs = [
        make_program(n, split="train", coverage=share, difficulty=share)
        for n, share in enumerate(shares)
    ]
    files = write_files(tmp_path, programs)
    (path,) = (tmp_path / entry.path for entry in files if entry.config == "programs")
    found = count_file(path, "programs", "seed").programs
    assert found is not None
    assert found.coverage == found.difficulty == {29: 1, 57: 1, 58: 1, 99: 1, 100: 1}
