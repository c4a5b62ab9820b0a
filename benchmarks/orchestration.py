"""What Airflow costs: the seconds of a build that are not its steps' own, by executor and shards.

The whole DAG runs on the deployment that the tests use, of processes on this machine, once with
LocalExecutor and once with Celery, over functions made for it, ten a shard. A build's overhead is
its seconds less the work of its steps, as they tell it in their logs: that of single tasks as it
is, that of mapped ones divided by the cores, which run so many at a time.

What a shard of the default size takes is measured in the same run, by a build of the standard
library with default options; the share of the overhead is that of a build of so many such shards.
With `--quick`, it is scaled from a small build's rate, and one executor builds two shards.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.measuring import arguments, verdict
from c2c_tasks.config import FunctionOptions
from tests.deployment.deployment import Deployment, deployed

BAR = 0.1
CORES = len(os.sched_getaffinity(0))
DAG = "case2code_build"
FEWEST = 10
"""Functions of the smallest shard that the options allow."""
DEFAULT = FunctionOptions().functions_per_shard
OWN = re.compile(r'"event":"(?P<step>\w+): (?P<seconds>[\d.]+) s of its own"')
MAPPED = ("extract", "write_inputs", "execute", "curate", "compose")
GROUP = ("write_inputs", "execute", "curate", "compose")
"""What is done for each function shard."""
FUNCTION = '''
def scaled_{number}(value: int, offset: int) -> int:
    """Return the value, scaled, on the side of the offset."""
    scaled = value * {number} + {number}
    if scaled > offset:
        return scaled - offset
    return offset + {number}
'''
OPTIONS: dict[str, Any] = {
    "mode": "full",
    "licences": "any",
    "launcher": "process",
    "benchmarks": [],
    "near_duplicate_threshold": 1.0,
    "drop_behavioural_duplicates": False,
    "test_share": 0.0,  # what is like a test program would be left out, and all are alike
    "functions_per_shard": FEWEST,
    "refine_rounds": 0,
    "audit_programs": 3,
}


@dataclass(frozen=True)
class Built:
    """What a build took."""

    shards: int
    functions: int
    seconds: float
    own: Counter[str]
    """The seconds that steps tell of, by step, summed over shards."""

    @property
    def work(self) -> float:
        """Seconds that the steps alone need."""
        return sum(seconds / (CORES if step in MAPPED else 1) for step, seconds in self.own.items())

    @property
    def overhead(self) -> float:
        return self.seconds - self.work

    def share(self, shard_seconds: float) -> float:
        """Return the overhead's share of a build of as many shards that take `shard_seconds`."""
        return self.overhead / (self.overhead + self.shards * shard_seconds / CORES)


def main() -> int:
    """Run the benchmark; return the exit status."""
    chosen = arguments(__doc__, numbers={"shards": "build so many shards, not 8 and 200"})
    sizes = (chosen.shards,) if chosen.shards else (2,) if chosen.quick else (8, 200)
    executors = ("CeleryExecutor",) if chosen.quick else ("LocalExecutor", "CeleryExecutor")
    print(f"{CORES} cores; load before: {os.getloadavg()[0]:.1f}")
    table = Table(title="Seconds of builds", title_justify="left")
    for heading in ("executor", "shards", "tasks", "build", "work", "overhead", "a task", "share"):
        table.add_column(heading, justify="left" if heading == "executor" else "right")
    shares, shard_seconds = [], 0.0
    for executor in executors:
        with deployed(executor, AIRFLOW__CORE__PARALLELISM=str(2 * CORES)) as deployment:
            if not shard_seconds and not chosen.quick:
                shard_seconds = _default_shard(_build(deployment, "stdlib:", {}))
            for shards in sizes:
                dump = _dump(deployment.folder / f"dump-{shards}", shards)
                built = _build(deployment, str(dump), OPTIONS)
                assert built.shards == shards, f"{built.shards} shards, {built.functions} functions"
                shard_seconds = shard_seconds or _default_shard(built)
                shares.append(built.share(shard_seconds))
                table.add_row(*_row(executor, built, shares[-1]))
    Console().print(table)
    print(
        f"share: of builds of so many shards of {DEFAULT:,} functions, each {shard_seconds:.0f} s "
        f"of work{', scaled from the small build' if chosen.quick else ''}; "
        f"load after: {os.getloadavg()[0]:.1f}"
    )
    return verdict(max(shares), BAR, chosen.check)


def _dump(folder: Path, shards: int) -> Path:
    """Write one file for the functions of each shard."""
    folder.mkdir()
    for shard in range(shards):
        numbers = range(shard * FEWEST + 3, (shard + 1) * FEWEST + 3)
        text = "".join(FUNCTION.format(number=number) for number in numbers)
        (folder / f"part_{shard}.py").write_text(text)
    return folder


def _build(deployment: Deployment, dump: str, options: dict[str, Any]) -> Built:
    """Run the DAG to its end."""
    run_id = f"run-{time.time_ns()}"
    target = str(deployment.folder / "data" / run_id)
    conf = {"launcher": "process"} | options | {"dump": dump, "target": target}
    started = time.monotonic()
    deployment.api.trigger(DAG, run_id, conf)
    state = deployment.api.wait(DAG, run_id, 3_600)
    seconds = time.monotonic() - started
    assert state == "success", f"{run_id} is {state}"
    own: Counter[str] = Counter()
    for step, taken in _told(deployment.logs / "tasks", run_id):
        own[step] += taken
    reports = [
        json.loads(path.read_text())
        for path in Path(deployment.folder, "data", "work", run_id, "execute").glob("*.report.json")
    ]
    functions = sum(report["stages"][0]["rows_in"] for report in reports)
    return Built(len(reports), functions, seconds, own)


def _told(logs: Path, run_id: str) -> Iterator[tuple[str, float]]:
    for path in logs.rglob(f"run_id={run_id}/**/*.log"):
        for found in OWN.finditer(path.read_text()):
            yield found["step"], float(found["seconds"])


def _default_shard(built: Built) -> float:
    """Return the work of a function shard of the default size, in seconds of one core."""
    return sum(built.own[step] for step in GROUP) / built.functions * DEFAULT


def _row(executor: str, built: Built, share: float) -> list[str]:
    tasks = 7 + 1 + len(GROUP) * built.shards
    return [
        executor,
        f"{built.shards}",
        f"{tasks}",
        f"{built.seconds:.0f}",
        f"{built.work:.0f}",
        f"{built.overhead:.0f}",
        f"{built.overhead / tasks:.2f}",
        f"{share:.1%}",
    ]


if __name__ == "__main__":
    raise SystemExit(main())
