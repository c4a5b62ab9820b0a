"""Publishers that die at any request: before the server sees it, or before they see the answer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from c2c_tasks import store
from tests.faults.proxy import Request, Rule
from tests.faults.trials import STEP

if TYPE_CHECKING:
    from tests.faults.conftest import Outcomes
    from tests.faults.trials import Trials

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
def test_a_crash_at_every_request_then_a_retry(
    trials: Trials, done: bool, outcomes: Outcomes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From one request on, nothing of the publisher comes through, nor back to it."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    for number in count(1 + done % STEP, STEP):
        last = Rule("lost" if done else "dropped", first=number)
        store._s3.cache_clear()
        error = trials.publish(last, Rule("dropped", first=number, times=None))
        if not last.fired:
            assert error is None
            break
        assert error is not None
        store._s3.cache_clear()
        assert trials.publish() is None
        trials.check()
        trials.reset()
        outcomes["a retry published"] += 1
    assert outcomes.total() >= len(trials.requests) // STEP


PUBLISH = """
import sys
from pathlib import Path
from tests.faults.small_release import SmallRelease
SmallRelease("new", "2026-11-24", Path(sys.argv[1]), sys.argv[2]).publish(sys.argv[3])
"""


@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    "path", ["2026.11.24-1/claim", "README", "2026.11.24-1/manifest", "latest"]
)
def test_a_killed_process_then_a_retry(
    trials: Trials, path: str, done: bool, outcomes: Outcomes
) -> None:
    """SIGKILL at a write, before the server has seen it or before its answer comes back."""
    rule = Rule("lost" if done else "dropped", method="PUT", path=path)
    trials.proxy.set_up(rule)
    process = subprocess.Popen(
        [sys.executable, "-c", PUBLISH, trials.new.folder, trials.old.version, trials.target],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )

    def kill(_: Request) -> None:
        if rule.fired:
            process.kill()
            process.wait()

    if done:
        trials.proxy.after = kill
    else:
        trials.proxy.before = kill
    assert process.wait(60) == -signal.SIGKILL
    trials.proxy.wait()
    assert trials.publish() is None
    trials.check()
    outcomes["a retry published"] += 1
