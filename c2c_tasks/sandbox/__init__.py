"""Functions run here: untrusted code in, validated outcomes out.

The sandbox image holds this package's `runner`, `child` and `frames`, and Python's standard
library alone; hence what only a host needs is imported when it is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from c2c_tasks.sandbox.execution import execute as execute
    from c2c_tasks.sandbox.launchers import Launcher as Launcher
    from c2c_tasks.sandbox.launchers import SandboxError as SandboxError
    from c2c_tasks.sandbox.launchers import choose_launcher as choose_launcher

__all__ = ["Launcher", "SandboxError", "choose_launcher", "execute"]


def __getattr__(name: str) -> object:
    if name == "execute":
        from c2c_tasks.sandbox import execution

        return execution.execute
    if name in __all__:
        from c2c_tasks.sandbox import launchers

        return getattr(launchers, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
