"""Items come back in order, whatever processes die of, and none outlives its parent."""

from __future__ import annotations

import ctypes
import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from c2c_tasks.extraction.processes import (
    CHUNK_ITEMS,
    LOOK_AHEAD,
    Crashed,
    ProcessesError,
    map_in_processes,
)


def work(item: object) -> object:
    """Do as the item says. Runs in a process."""
    match item:
        case "segfault":
            ctypes.string_at(0)
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "hang":
            while True:
                pass
        case "memory":
            return bytearray(1 << 42)
        case "raise":
            raise ValueError("of no use")
        case "foreman":
            os.kill(os.getppid(), signal.SIGKILL)
        case "process":
            return os.getpid()
        case ("big", int(size)):
            return b"x" * size
        case ("once", str(path)):  # as when the kernel takes a process for want of memory
            if not Path(path).exists():
                Path(path).touch()
                os.kill(os.getpid(), signal.SIGKILL)
    return item


@pytest.mark.parametrize("processes", [0, 1, 3])
def test_results_come_in_the_order_of_the_items(processes: int) -> None:
    items = [*range(500), ("big", 3_000_000), *range(40)]
    expected = [*range(500), b"x" * 3_000_000, *range(40)]
    assert list(map_in_processes(work, items, processes)) == expected
    assert list(map_in_processes(work, [], processes)) == []


@pytest.mark.parametrize("processes", [1, 2])
def test_a_process_that_dies_costs_its_item_alone(processes: int) -> None:
    items = [1, "segfault", 2, "kill", "memory", *range(60), "hang", 3, "segfault"]
    found = list(map_in_processes(work, items, processes, seconds=0.3))
    reasons = {"segfault": "crashed", "kill": "crashed", "memory": "crashed", "hang": "timed_out"}
    assert found == [
        Crashed(item, reasons[item]) if isinstance(item, str) else item  # type: ignore[arg-type]
        for item in items
    ]


def test_an_item_is_not_blamed_for_what_happened_by_chance(tmp_path: Path) -> None:
    items = [1, ("once", str(tmp_path / "mark")), 2]
    assert list(map_in_processes(work, items, 1)) == items


def test_what_the_function_raises_is_raised_with_its_traceback() -> None:
    with pytest.raises(ValueError, match="of no use") as caught:
        list(map_in_processes(work, [1, "raise"], 1))
    assert "in work" in caught.value.__notes__[0]


def test_processes_work_at_the_same_time() -> None:
    found = set(map_in_processes(work, ["process"] * 20 * CHUNK_ITEMS, 2))
    assert len(found) == 2
    assert os.getpid() not in found


def test_few_items_are_taken_ahead_of_the_results() -> None:
    taken = itertools.count()

    def items() -> Iterator[int]:
        while True:
            yield next(taken)

    with closing(map_in_processes(work, items(), 2)) as results:
        for expected in range(1_000):
            assert next(results) == expected
        assert next(taken) - 1_000 <= (LOOK_AHEAD * 2 + 1) * CHUNK_ITEMS
    heavy = map_in_processes(work, items(), 1, weigh=lambda _: 1 << 30)
    with closing(heavy):
        before = next(taken)
        next(heavy)
        assert next(taken) - before <= LOOK_AHEAD + 1


def test_a_function_that_another_interpreter_cannot_have() -> None:
    with pytest.raises(Exception, match=r"(?i)pickle|local"):
        list(map_in_processes(lambda item: item, [1], 1))


def test_without_a_foreman_the_work_fails() -> None:
    with pytest.raises(ProcessesError):
        list(map_in_processes(work, ["foreman", "kill"], 1))


def test_nothing_is_left_when_the_caller_stops() -> None:
    with closing(map_in_processes(work, ["process"] * CHUNK_ITEMS + ["hang"] * 100, 2)) as results:
        process = next(results)
        assert isinstance(process, int)
    assert _ends(process)


def test_nothing_is_left_when_the_parent_is_killed() -> None:
    script = (
        "from c2c_tasks.extraction.processes import map_in_processes\n"
        "from tests.extraction.test_processes import work\n"
        "for result in map_in_processes(work, ['process'] * 32 + ['hang'] * 32, 1):\n"
        "    print(result, flush=True)\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, env=environment
    ) as parent:
        assert parent.stdout is not None
        process = int(parent.stdout.readline())
        parent.kill()
    assert _ends(process)


def _ends(process: int) -> bool:
    """Wait until a process is gone, for some seconds at most."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        status = Path(f"/proc/{process}/stat")
        if not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False
