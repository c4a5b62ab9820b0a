"""Which writer of inputs a build uses."""

from __future__ import annotations

from c2c_tasks.config import InputOptions
from c2c_tasks.inputs.errors import EngineDown, InputError
from c2c_tasks.inputs.fallback import FallbackWriter, InputWriter
from c2c_tasks.inputs.signature_values import SignatureWriter
from c2c_tasks.inputs.synthesis import SynthesisWriter

__all__ = ["EngineDown", "InputError", "InputWriter", "writer_for"]


def writer_for(options: InputOptions, *, answers: str = "") -> InputWriter:
    """Return the writer that the options name.

    `answers` is the URI of a folder where a model's answers are kept as they come; without
    one, they are not. Raises InputError where the writer cannot work: no endpoint, model not
    served; EngineDown where it may work later.
    """
    if options.writer == "none":
        return SignatureWriter(options)
    synthesis = SynthesisWriter(options)
    if options.writer == "synthesis":
        return synthesis
    from c2c_tasks.inputs.vllm import VllmWriter  # its HTTP client is not needed otherwise

    if options.fallback == "synthesis":
        return FallbackWriter(
            VllmWriter.name, lambda: VllmWriter(options, answers=answers), synthesis
        )
    return VllmWriter(options, answers=answers)
