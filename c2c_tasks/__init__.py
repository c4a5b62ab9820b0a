"""Case2Code ETL: from code dumps to training data for inductive reasoning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from c2c_tasks.consuming.loading import load

__all__ = ["__version__", "load"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # DAG files are parsed every few seconds and import this: what `load` needs waits for its use.
    if name == "load":
        from c2c_tasks.consuming.loading import load

        return load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
