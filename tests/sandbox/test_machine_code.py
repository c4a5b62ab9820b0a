from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from c2c_tasks.sandbox import machine_code

PROGRAM = """
import json, os, re, resource
from c2c_tasks.sandbox.machine_code import _own_code, move_to_huge_pages

def work():
    words = [re.sub("a+", str(n), "baaad") for n in range(100)]
    return json.dumps(words) + str(eval("1 + 1"))

def faults():
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt
    for _ in range(20):
        pid = os.fork()
        if pid == 0:
            os._exit(work() != expected)
        assert os.waitpid(pid, 0)[1] == 0
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt - before

expected = work()
before = faults()
moved = move_to_huge_pages()
start, end = _own_code()
print(moved, work() == expected, not moved or (start >= end and faults() < before))
"""


def test_what_has_moved_runs_as_before_and_is_inherited() -> None:
    process = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={"PYTHONPATH": str(Path(machine_code.__file__).parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )
    moved, same, fewer = process.stdout.split()
    assert (same, fewer) == ("True", "True")
    if moved == "False":
        pytest.skip("this kernel has no huge pages to give, or the interpreter's code fills none")
