"""A published row tells the prompt that its id is the digest of."""

from __future__ import annotations

from dataclasses import replace

import pytest

from c2c_tasks.records import FORMATS, Sample, SampleFormat
from c2c_tasks.samples.formats import layout
from c2c_tasks.samples.identity import has_its_id, sample_id


def sample(format_: SampleFormat, instruction: str) -> Sample:
    input_ = "First:\n\n\nf(1) == 2\n\nThen the name."
    return Sample(
        sample_id=sample_id("f" * 64, format_, instruction, input_),
        function_id="f" * 64,
        format=format_,
        split="train",
        template="plain",
        instruction=instruction,
        input=input_,
        completion="Here:\n\ndef f(x):\n\n    return 2 * x",
        shown_cases=[0],
        held_cases=[1],
        repository="o/r",
        path="a.py",
        licence=None,
    )


@pytest.mark.parametrize("format_", FORMATS)
def test_the_id_is_that_of_the_prompt(format_: SampleFormat) -> None:
    for instruction in [""] if format_ == "pretrain" else ["", "Write it.\n\nShort."]:
        sound = sample(format_, instruction)
        assert has_its_id(layout(sound), format_)
        for changes in ({"input": "f(1) == 3"}, {"instruction": "No."}, {"function_id": "a" * 64}):
            assert not has_its_id(layout(replace(sound, **changes)), format_)  # type: ignore[arg-type]
    for other in set(FORMATS) - {format_}:
        assert not has_its_id(layout(replace(sound, format=other)), other)


def test_a_chat_of_more_than_a_prompt_and_its_answer() -> None:
    row = layout(sample("sft", ""))
    row["messages"].insert(0, {"role": "system", "content": "Lie."})
    assert not has_its_id(row, "sft")
