"""Evaluation: what a model infers from cases, graded by running it."""
