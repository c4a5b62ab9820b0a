"""The synthesis writer: inputs without a model, from the program's text and its behaviour."""

from c2c_tasks.inputs.synthesis.refinement import refine
from c2c_tasks.inputs.synthesis.writer import SynthesisWriter

__all__ = ["SynthesisWriter", "refine"]
