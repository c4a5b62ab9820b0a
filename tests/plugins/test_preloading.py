"""What a worker imports before it forks: all that mapped tasks need, and nothing that harms."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from c2c_tasks.config import BuildConfig
from c2c_tasks.pipeline import Build, extract, merge_functions, plan

TASKS = """
import json, sys, threading
opened = []
sys.addaudithook(
    lambda event, args: opened.append(event)
    if event in ("socket.connect", "subprocess.Popen", "os.fork") else None
)
import c2c_airflow.preloading
threads = threading.active_count()
opened_before = list(opened)
before = set(sys.modules)

from c2c_tasks import pipeline
from c2c_tasks.config import BuildConfig

given = json.loads(sys.argv[1])
build = pipeline.Build(given["build"], "2026-11-24", BuildConfig.from_flat(given["options"]))
shard = given["shard"]
for step in (pipeline.write_inputs, pipeline.execute, pipeline.curate):
    shard = step(build, shard)
later = sorted(set(sys.modules) - before)
print(json.dumps({"threads": threads, "opened": opened_before, "later": later}))
"""


@pytest.mark.slow
def test_mapped_tasks_import_nothing_more(workspace: Path) -> None:
    dump = workspace / "dump"
    dump.mkdir()
    program = (
        "def f(x: int) -> int:\n    y = x + 3\n    if y > 7:\n        return y\n    return -y\n"
    )
    (dump / "module.py").write_text(program)
    options = {"dump": str(dump), "licences": "any", "launcher": "process", "benchmarks": []}
    build = Build("preloaded", "2026-11-24", BuildConfig.from_flat(options))
    (shard,) = merge_functions(build, [extract(build, item) for item in plan(build)])
    given = {"build": build.build_id, "options": options, "shard": shard}
    process = subprocess.run(
        [sys.executable, "-c", TASKS, json.dumps(given)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    told = json.loads(process.stdout.splitlines()[-1])
    assert (told["threads"], told["opened"]) == (1, [])
    # Small parts, found when they are used first.
    assert {name.partition(".")[0] for name in told["later"]} <= {"detect_secrets", "pyarrow"}
