"""From source files to candidates: pure functions, each with just what it needs to run alone."""

from c2c_tasks.extraction.candidates import extract_functions

__all__ = ["extract_functions"]
