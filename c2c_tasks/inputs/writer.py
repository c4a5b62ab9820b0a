"""The protocol of input writers, and which one a build uses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from c2c_tasks.config import InputOptions
from c2c_tasks.inputs.errors import EndpointDown, InputError
from c2c_tasks.inputs.synthesis import SynthesisWriter
from c2c_tasks.records import Function, Inputs
from c2c_tasks.shards import StepReport

__all__ = ["EndpointDown", "InputError", "InputWriter", "writer_for"]


class InputWriter(Protocol):
    """Proposes the arguments that functions are called with."""

    name: str

    def write(self, functions: Iterable[Function], report: StepReport) -> Iterator[Inputs]:
        """Yield inputs for each function that some can be written for, in order.

        Counts every function in the stage ``inputs``; puts what a manifest records of the
        writer into ``report.facts["writer"]``.
        """
        ...


def writer_for(options: InputOptions) -> InputWriter:
    """Return the writer that the options name.

    Raises InputError where it cannot work: no endpoint, model not served; EndpointDown where
    it may work later.
    """
    if options.writer == "vllm":
        from c2c_tasks.inputs.vllm import VllmWriter  # its HTTP client is not needed otherwise

        return VllmWriter(options)
    return SynthesisWriter(options)
