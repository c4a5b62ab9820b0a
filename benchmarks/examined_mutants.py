"""Mutants that no input tells from their program, and why: read by a person, one by one."""

EQUIVALENT: dict[str, str] = {}
"""The reason, by what `benchmarks.mutants` calls the mutant."""
