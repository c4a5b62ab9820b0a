"""Ablations: datasets that differ in one thing, built from one dump and reported side by side."""
