from __future__ import annotations

from c2c_tasks.config import InputOptions
from c2c_tasks.inputs.synthesis import SynthesisWriter
from c2c_tasks.inputs.writer import writer_for


def test_the_default_writer_needs_nothing() -> None:
    assert isinstance(writer_for(InputOptions()), SynthesisWriter)
