"""The cores that this process may use.

Python counts those of the host. In a container with a share of them (Docker's `cpus`), as many
processes as the host has cores would wait for each other, and functions would time out.
"""

from __future__ import annotations

import os
from contextlib import suppress
from math import ceil
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")


def available() -> int:
    """Return the number of cores that this process may use at a time."""
    affinity = getattr(os, "sched_getaffinity", None)
    count = len(affinity(0)) if affinity else os.cpu_count() or 1
    return min(count, _share() or count)


def _share() -> int:
    """Return the cores that the control group allows, rounded up; 0 where it has no limit."""
    with suppress(OSError, ValueError):
        quota, period = (GROUPS / "cpu.max").read_text().split()
        return 0 if quota == "max" else ceil(int(quota) / int(period))
    with suppress(OSError, ValueError):
        quota, period = (
            (GROUPS / "cpu" / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period")
        )
        return max(0, ceil(int(quota) / int(period)))
    return 0
