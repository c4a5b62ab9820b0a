"""Probes: inputs by which functions that do the same are found."""

from c2c_tasks.inputs.probing.probes import Probing

__all__ = ["Probing"]
