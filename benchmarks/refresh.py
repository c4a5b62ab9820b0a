"""A nightly refresh with 1 % new files against the build of everything, and peak memory.

The dump is made of the standard library and the installed packages, file by file. All but every
hundredth file are built from nothing; then the rest is added, and built in a night; then every
hundredth file is edited, so that its functions are in other lines, in another night. No Airflow;
each build is a process of its own. Wall-clock seconds, CPU seconds with those of all children,
and the most memory that one process held. `--verify` builds everything again with ``mode=full``
and compares it, program for program, with what the night came to.
"""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import resource
import sysconfig
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.measuring import arguments, verdict
from c2c_tasks.config import BuildConfig
from c2c_tasks.consuming.finding import find_release
from c2c_tasks.consuming.summary import print_release
from c2c_tasks.pipeline import Build, run_build
from c2c_tasks.publishing.data_files import read_programs
from c2c_tasks.publishing.manifest import read_manifest

BAR = 0.05
NEW = 100
"""One file in so many comes in the night."""


@dataclass(frozen=True)
class Run:
    """What a build took."""

    release: str
    wall: float
    cpu: float
    megabytes: float
    """Peak resident memory of the greatest of its processes."""


def main() -> int:
    """Run the benchmark; return the exit status."""
    chosen = arguments(__doc__, verify="build everything again and compare")
    console = Console()
    with tempfile.TemporaryDirectory(prefix="c2c-refresh-") as name:
        folder = Path(name)
        os.environ["C2C_WORK"] = str(folder / "work")
        os.environ["C2C_CATALOGUE"] = f"sqlite:///{folder / 'catalogue.sqlite'}"
        files = _files(quick=chosen.quick)
        _add(folder / "dump", [path for number, path in enumerate(files) if number % NEW])
        runs = {"everything, from nothing": _run(folder, 1)}
        _add(folder / "dump", files[::NEW])
        runs["1 % new, in a night"] = _run(folder, 2)
        _edit(folder / "dump", files[NEW // 2 :: NEW])
        runs["1 % edited, in a night"] = _run(folder, 3)
        first, night, edited = runs.values()
        if chosen.verify:
            runs["everything again, mode=full"] = again = _run(folder, 4, mode="full")
            _compare(edited.release, again.release)
        print_release(find_release(first.release), console)
        console.print(_table(runs, len(files)))
        return verdict(night.wall / first.wall, BAR, chosen.check)


def _files(*, quick: bool) -> list[tuple[str, Path]]:
    """Return the paths that files have in the dump, and where they are."""
    roots = {"stdlib": Path(sysconfig.get_path("stdlib"))}
    if not quick:
        roots |= {"": Path(sysconfig.get_path("purelib"))}
    left_out = {"site-packages", "test", "tests", "idlelib"}
    return [
        (str(Path(prefix, path.relative_to(root))), path)
        for prefix, root in roots.items()
        for path in sorted(root.rglob("*"))
        if path.suffix == ".py" or path.name in ("METADATA", "RECORD", "LICENSE", "LICENSE.txt")
        if left_out.isdisjoint(path.relative_to(root).parts) and path.is_file()
    ]


def _add(dump: Path, files: list[tuple[str, Path]]) -> None:
    for name, path in files:
        target = dump / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())


def _edit(dump: Path, files: list[tuple[str, Path]]) -> None:
    for name, _ in files:
        if name.endswith(".py"):
            (dump / name).write_bytes(b"\n" + (dump / name).read_bytes())


def _run(folder: Path, day: int, **options: Any) -> Run:
    """Build in a process of its own."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_build, (str(folder), day, options))


def _build(folder: str, day: int, options: dict[str, Any]) -> Run:
    logging.basicConfig(level="ERROR")
    defaults = {
        "dump": f"{folder}/dump",
        "target": f"{folder}/target",
        "licences": "permissive_or_unknown",
    }
    config = BuildConfig.from_flat(defaults | options)
    started = time.perf_counter()
    release = run_build(Build(f"day-{day}", f"2026-11-{day:02d}", config))["uri"]
    wall = time.perf_counter() - started
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return Run(
        release,
        wall,
        sum(usage.ru_utime + usage.ru_stime for usage in used),
        max(usage.ru_maxrss for usage in used) / 1_000,
    )


def _compare(night: str, again: str) -> None:
    one, other = ({p.function_id: p for p in read_programs(uri)} for uri in (night, again))
    different = [name for name in one.keys() | other.keys() if one.get(name) != other.get(name)]
    print(f"{len(different):,} of {len(one):,} programs differ between the night and mode=full")
    for name in different[:5]:
        print(json.dumps([name, name in one, name in other]))


def _table(runs: dict[str, Run], files: int) -> Table:
    table = Table(title=f"{files:,} files", title_justify="left")
    for heading in ("", "programs", "wall s", "CPU s", "peak MB", "ratio of wall"):
        table.add_column(heading, justify="left" if not heading else "right")
    first = next(iter(runs.values()))
    for name, run in runs.items():
        programs = sum(read_manifest(run.release).splits["programs"].values())
        table.add_row(
            name,
            f"{programs:,}",
            f"{run.wall:.1f}",
            f"{run.cpu:.1f}",
            f"{run.megabytes:,.0f}",
            f"{run.wall / first.wall:.3f}",
        )
    return table


if __name__ == "__main__":
    raise SystemExit(main())
