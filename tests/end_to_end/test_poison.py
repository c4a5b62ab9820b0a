"""Ten thousand functions, one in a hundred poison: exactly that one is marked."""

from __future__ import annotations

import random
import uuid
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest

from c2c_tasks.config import SandboxOptions
from c2c_tasks.records import Inputs
from c2c_tasks.sandbox.docker import DockerLauncher, remove_containers
from c2c_tasks.sandbox.execution import execute
from c2c_tasks.shards import StepReport
from tests.sandbox.conftest import Sandbox

pytestmark = [pytest.mark.slow, pytest.mark.docker]

FUNCTIONS = 10_000
POISON = 100
OPTIONS = SandboxOptions(
    case_seconds=0.5,
    function_seconds=2.0,
    memory_megabytes=128,
    refine_rounds=0,
    coverage=False,
    determinism_runs=False,
    workers=2,
)


@dataclass(frozen=True)
class Kind:
    """One way to be poison, and what may become of it."""

    program: str
    """``{n}`` tells the functions of a kind apart."""
    reasons: frozenset[str]
    """Drop reasons, or outcomes that all its cases have."""


KINDS = {
    "exits": Kind(
        "import os\ndef f(x):\n    os._exit({n} % 5)\n",
        frozenset({"killed"}),
    ),
    "kills itself": Kind(
        "import os\ndef f(x):\n    os.kill(os.getpid(), 9) or {n}\n",
        frozenset({"killed"}),
    ),
    "eats memory": Kind(
        "def f(x):\n    kept = [{n}]\n    while True:\n        kept.append(bytearray(1 << 20))\n",
        frozenset({"killed", "raised", "timed_out"}),
    ),
    "never ends": Kind(
        "def f(x):\n    while True:\n        x += {n}\n",
        frozenset({"timed_out"}),
    ),
    "forges": Kind(
        "import os\n"
        "def f(x):\n"
        "    for descriptor in range(256):\n"
        "        try:\n"
        '            os.write(descriptor, b\'{{"id": {n}, "ended": "exit 0"}}\\n[0]\\n\')\n'
        "        except OSError:\n"
        "            pass\n"
        "    os._exit(0)\n",
        frozenset({"protocol_violation", "killed"}),
    ),
    "stops itself": Kind(
        "import os, signal\ndef f(x):\n    os.kill(os.getpid(), signal.SIGSTOP) or {n}\n",
        frozenset({"timed_out"}),
    ),
    "exits while loading": Kind(
        "import os\nos._exit({n} % 5)\ndef f(x):\n    return x\n",
        frozenset({"killed", "failed_to_load"}),
    ),
}


def sound(number: int) -> tuple[Inputs, list[str]]:
    """Return a function with its inputs, and the outputs that are right."""
    values = (number, -number, number + 1)
    program = f"def f(x):\n    return [x * {number} + 1, str(x)]\n"
    inputs = Sandbox.function(program, *(f"{{'x': {value}}}" for value in values))
    return inputs, [f"[{value * number + 1}, '{value}']" for value in values]


def poison(kind: str, number: int) -> Inputs:
    return Sandbox.function(KINDS[kind].program.format(n=number), "{'x': 1}")


@pytest.mark.nightly
def test_exactly_the_poison_is_marked(docker_client: Any) -> None:
    expected: dict[str, list[str]] = {}
    functions: list[Inputs] = []
    for number in range(1, FUNCTIONS - POISON + 1):
        inputs, outputs = sound(number)
        functions.append(inputs)
        expected[inputs.function_id] = outputs
    kinds: dict[str, str] = {}
    for number in range(POISON):
        kind = list(KINDS)[number % len(KINDS)]
        inputs = poison(kind, number)
        functions.append(inputs)
        kinds[inputs.function_id] = kind
    random.Random(11).shuffle(functions)
    assert len(expected) + len(kinds) == FUNCTIONS

    report = StepReport("execute", "memory:")
    labels = {"case2code.test": uuid.uuid4().hex}
    launcher = DockerLauncher(docker_client, OPTIONS, labels)
    rows = {row.function_id: row for row in execute(functions, OPTIONS, report, launcher=launcher)}

    (stage,) = report.stages
    stage.check()
    assert stage.rows_in == FUNCTIONS
    assert stage.rows_out == len(rows)
    for identifier, outputs in expected.items():
        assert [case.output for case in rows[identifier].cases] == outputs
    marked: Counter[str] = Counter(stage.dropped)
    for identifier, kind in kinds.items():
        if identifier in rows:
            outcomes = {case.outcome for case in rows[identifier].cases}
            assert outcomes and outcomes <= KINDS[kind].reasons, (kind, outcomes)
            marked["by its cases"] += 1
    assert sum(marked.values()) == POISON
    assert set(stage.dropped) <= set().union(*(kind.reasons for kind in KINDS.values()))
    assert remove_containers(docker_client, labels) == 0
    print(f"{report.counters} {marked}")
