"""Training rows: prompts that show cases, and the program as the answer."""

from c2c_tasks.samples.composition import compose

__all__ = ["compose"]
