"""The sandbox against the paper's way of running functions, and against a bare fork.

The functions are those of the Case2Code test set with the inputs that it carries, each run once,
the start of runners included, as many at a time as there are cores. The paper's way is its
released code, re-created: a file is written for each function and run by an interpreter of its
own, without isolation, with the imports of its guard at the top. A lean interpreter is started
without those and without `site`. The bare fork runs no function at all.

With `--memory`, a hundred thousand functions are run instead, and what the memory of the host
process and of the containers does meanwhile is shown.
"""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from pathlib import Path

from benchmarks.case2code import DATA, written_inputs
from benchmarks.measuring import arguments, show, take_turns, verdict
from c2c_tasks.config import SandboxOptions
from c2c_tasks.records import Inputs
from c2c_tasks.sandbox.choice import choose_launcher
from c2c_tasks.sandbox.execution import execute
from c2c_tasks.sandbox.launchers import Launcher
from c2c_tasks.shards import StepReport

BAR = 1 / 12
CORES = len(os.sched_getaffinity(0))

GUARD = "import faulthandler, json, platform, shutil, sqlite3, subprocess\n"
SCRIPT = """{guard}
{program}

results = []
for arguments in [{arguments}]:
    try:
        results.append({{"return": repr({entry_point}(**arguments))}})
    except Exception as error:
        results.append({{"error": repr(error)}})
print(len(results))
"""
FORKS = """
import os, sys
for _ in range(int(sys.argv[1])):
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
"""


def main() -> int:
    """Run the benchmark; return the exit status."""
    chosen = arguments(__doc__, memory="show memory over 100,000 functions instead of time")
    logging.disable(logging.WARNING)
    if not DATA.is_file():
        print(f"{DATA} is not there; name its folder by C2C_TEST_DATA", file=sys.stderr)
        return 2
    launcher = choose_launcher(_options(coverage=False))
    if chosen.memory:
        return _show_memory(cycle(_functions()), 10_000 if chosen.quick else 100_000, launcher)
    functions = list(islice(cycle(_functions()), 500 if chosen.quick else 5_000))
    name = f"sandbox ({launcher.facts['launcher']})"

    def sandbox(coverage: bool = False) -> None:
        report = StepReport("execute", "memory:")
        rows = execute(functions, _options(coverage), report, launcher=launcher)
        assert sum(1 for _ in rows) > 0.95 * len(functions), report

    contestants = {
        "paper's way": lambda: _interpreters(functions, GUARD, []),
        "lean interpreter": lambda: _interpreters(functions, "", ["-I", "-S"]),
        name: sandbox,
        f"{name}, coverage": lambda: sandbox(coverage=True),
        "bare fork": lambda: _forks(len(functions)),
    }
    timings = take_turns(contestants, 2)
    cases = sum(len(function.arguments) for function in functions) / len(functions)
    title = f"{len(functions):,} functions, {cases:.1f} cases each, {CORES} at a time"
    show(title, timings, "paper's way", len(functions), "functions")
    forks = timings[name].ratio(timings["bare fork"])[1]
    covered = timings[f"{name}, coverage"].ratio(timings[name])[1]
    print(f"time to that of a bare fork: {forks:.2f}; with coverage to without: {covered:.2f}")
    return verdict(timings[name].ratio(timings["paper's way"])[1], BAR, chosen.check)


def _options(coverage: bool) -> SandboxOptions:
    return SandboxOptions(coverage=coverage, determinism_runs=False, refine_rounds=0, workers=CORES)


def _show_memory(functions: Iterator[Inputs], count: int, launcher: Launcher) -> int:
    """Print the memory of this process and of the machine's runners, ten times on the way."""
    report = StepReport("execute", "memory:")
    others = set(_runners())
    started = time.perf_counter()
    print(f"{'functions':>10} {'seconds':>8} {'host MiB':>9}  runners MiB")
    rows = execute(islice(functions, count), _options(False), report, launcher=launcher)
    for number, _ in enumerate(rows, 1):
        if number % (count // 10) == 0:
            host, *runners = (_resident(pid) for pid in [os.getpid(), *set(_runners()) - others])
            # A child that ends while it is looked at has no size.
            shown = ", ".join(f"{size:.1f}" for size in sorted(runners) if size)
            print(f"{number:10,} {time.perf_counter() - started:8.0f} {host:9.1f}  {shown}")
    print(f"{count / (time.perf_counter() - started):,.0f} functions/s")
    return 0


def _runners() -> list[int]:
    """Return the processes that supervise functions, in containers of this machine or not."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = path.read_bytes().split(b"\0")
            # A child is a copy of its supervisor, so has its words: the parent is another runner.
            if words[-2:] == [b"c2c_tasks.sandbox.runner", b""] and b"unshare" not in words[0]:
                found.append(int(path.parent.name))
    return [pid for pid in found if _parent(pid) not in found]


def _parent(pid: int) -> int:
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0


def _resident(pid: int) -> float:
    """Return a process's resident memory in MiB."""
    with contextlib.suppress(OSError):
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
    return 0.0


def _functions() -> Iterator[Inputs]:
    return (function for function in written_inputs() if function.arguments)


def _interpreters(functions: list[Inputs], guard: str, flags: list[str]) -> None:
    """Write a file for each function and run it by an interpreter of its own."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(CORES) as pool:

        def run(numbered: tuple[int, Inputs]) -> None:
            number, function = numbered
            path = Path(folder, f"{number}.py")
            path.write_text(
                SCRIPT.format(
                    guard=guard,
                    program=function.program,
                    arguments=", ".join(function.arguments),
                    entry_point=function.entry_point,
                )
            )
            subprocess.run(
                [sys.executable, *flags, str(path)], capture_output=True, timeout=60, check=False
            )

        list(pool.map(run, enumerate(functions)))


def _forks(count: int) -> None:
    """Fork and wait, in as many empty interpreters as there are cores."""
    share = str(-(-count // CORES))
    command = [sys.executable, "-I", "-S", "-c", FORKS, share]
    processes = [subprocess.Popen(command) for _ in range(CORES)]
    for process in processes:
        process.wait()


if __name__ == "__main__":
    raise SystemExit(main())
