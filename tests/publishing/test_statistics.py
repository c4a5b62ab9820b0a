from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from c2c_tasks.publishing.statistics import measure
from c2c_tasks.records import Program


def test_counts_are_those_of_the_records(
    tmp_path: Path, make_program: Callable[..., Program], make_samples: Any, write_files: Any
) -> None:
    programs = [make_program(n, repository=f"größe/{n % 2}") for n in range(30)]
    found = measure(tmp_path.as_uri(), write_files(tmp_path, programs))
    samples = [sample for program in programs for sample in make_samples(program)]
    assert found.cases_per_program == {4: 30}
    assert found.outcomes == {"returned": 90, "raised": 30}
    assert found.coverage == {100: 22, 50: 8}
    assert found.licences == {"MIT": 15, "not stated": 15}
    assert found.repositories == {"größe/0": 15, "größe/1": 15}
    assert found.sample_characters["sft"] == Counter(
        len(sample.prompt) + len(sample.completion) for sample in samples if sample.format == "sft"
    )
    assert found.sample_characters["instruct"] == Counter(
        len(sample.instruction) + len(sample.input) + len(sample.completion)
        for sample in samples
        if sample.format == "instruct"
    )
