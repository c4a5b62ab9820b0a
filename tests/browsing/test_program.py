from __future__ import annotations

from typing import Any

import pytest

from c2c_tasks.browsing.program import describe_program
from c2c_tasks.browsing.refusals import InvalidRequest, NothingThere
from c2c_tasks.browsing.row_groups import DataFile
from c2c_tasks.records import Program, Sample

pytestmark = pytest.mark.usefixtures("deployment")
of_files = pytest.mark.parametrize("target", ["file"], indirect=True)


def test_a_program_is_shown_with_its_samples(
    release: str, programs: list[Program], make_samples: Any
) -> None:
    for program in (programs[0], programs[3], programs[29]):
        found = describe_program(None, release, program.function_id)
        assert found["program"] == program.program
        assert found["split"] == program.split
        assert found["cases"][0] == {
            "arguments": "{'x': 1}",
            "outcome": "returned",
            "output": program.cases[0].output,
            "exception": None,
        }
        assert found["cases"][3]["exception"] == "ZeroDivisionError: division by zero"
        sample: Sample = make_samples(program)[0]
        shown = {item["config"]: item for item in found["samples"]}
        assert list(shown) == ["sft", "instruct", "pretrain"]
        assert shown["sft"]["prompt"] == [{"role": "user", "content": sample.prompt}]
        assert shown["sft"]["completion"] == program.program
        assert shown["instruct"]["prompt"] == sample.prompt
        assert shown["instruct"]["completion"] == program.program
        text = f"{sample.prompt}\n\n{program.program}\n"
        assert (shown["pretrain"]["prompt"], shown["pretrain"]["completion"]) == ("", text)
        assert shown["sft"]["shown_cases"] == [0, 1]
        assert shown["sft"]["held_cases"] == [2, 3]


@of_files
def test_it_is_found_without_reading_all(
    target: str, release: str, programs: list[Program], monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    plain = DataFile.read

    def reading(self: DataFile, group: int, columns: Any) -> Any:
        read.append(group)
        return plain(self, group, columns)

    monkeypatch.setattr(DataFile, "read", reading)
    train = [program for program in programs if program.split == "train"]
    describe_program(None, release, train[7].function_id)
    # Of each file at most one of its row groups, its key and then its row: 4 files have the
    # program, two others may.
    assert len(read) <= 4 * 2 + 2


@of_files
@pytest.mark.parametrize("name", ["", "x", "0" * 63, "0" * 65, "G" * 64, "../" + "0" * 61])
def test_an_id_is_an_id(target: str, release: str, name: str) -> None:
    with pytest.raises(InvalidRequest, match="64 hexadecimal digits"):
        describe_program(None, release, name)


def test_what_the_release_lacks_is_said(release: str) -> None:
    for name in ("0" * 64, "8" * 64, "f" * 64):
        with pytest.raises(NothingThere, match=f"{release} has no program {name}"):
            describe_program(None, release, name)
