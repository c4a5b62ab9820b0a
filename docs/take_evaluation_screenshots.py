"""Takes the pictures of evaluations in `images`: `python -m docs.take_evaluation_screenshots`.

A release is built of Python's standard library, in an S3 server, and evaluated. No model is needed:
what answers are the two bounds, and the recorded programs themselves with faults put into some of
them. The page is the real one, without Airflow's log-in. It takes some three minutes and needs
Chromium.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import uvicorn
from playwright.sync_api import Page, sync_playwright

from c2c_tasks.config import BuildConfig, EvaluationConfig
from c2c_tasks.evaluation.mutation import mutants_of
from c2c_tasks.evaluation.records import Problem
from c2c_tasks.pipeline import Build, Evaluation, run_build, run_evaluation
from c2c_tasks.shards import read_shard
from docs.take_screenshots import DUMP, IMAGES, SIZE, TARGET, dump_parts, say
from tests.browser.s3_server import S3Server

DATE = "2026-11-27"
BUILD_OPTIONS = {"dump": DUMP, "target": TARGET, "launcher": "process", "test_share": 0.4}
OPTIONS = {"target": TARGET, "launcher": "process", "problems_per_shard": 50}
SAMPLES = 5
FAULTY = {"mutated-20-percent": 0.2, "mutated-30-percent": 0.3, "mutated-70-percent": 0.7}
"""What answers, and the share of its answers that have a fault."""
SHOWN = "mutated-70-percent"
EXCUSE = "I cannot tell what this function does from these examples."


def main() -> None:
    """Take all pictures."""
    chromium = shutil.which("chromium") or sys.exit("chromium is not installed")
    with tempfile.TemporaryDirectory(prefix="c2c-screenshots-") as name:
        folder = Path(name)
        server = S3Server()
        for bucket in ("datasets", "dumps"):
            server.create_bucket(bucket)
        os.environ |= server.environment | {
            "C2C_TARGET": TARGET,
            "C2C_WORK": str(folder / "work"),
            "C2C_CATALOGUE": f"sqlite:///{folder / 'catalogue.sqlite'}",
        }
        for key, data in dump_parts():
            server.put("dumps", key, data)
        place = evaluate_all(server)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium, args=["--no-sandbox", "--hide-scrollbars"]
            )
            url = serve()
            page = browser.new_page(viewport=SIZE, color_scheme="light")
            shoot(page, f"{url}#/evaluations", "leaderboard")
            shoot(page, f"{url}#/evaluations/{place}", "evaluation")
            page.get_by_role("heading", name="Difficulty").evaluate("h => h.scrollIntoView()")
            shoot(page, None, "evaluation-breakdowns")
            dark = browser.new_page(viewport=SIZE, color_scheme="dark")
            dark.goto(f"{url}#/evaluations/{place}")
            dark.get_by_role("button", name="Show wrong output").click()
            shoot(dark, None, "evaluation-answers-dark")
            browser.close()
        server.stop()


def evaluate_all(server: S3Server) -> str:
    """Build a release and evaluate it; return the place of the evaluation to be shown."""
    say("building a release")
    release = run_build(Build("build", DATE, BuildConfig.from_flat(BUILD_OPTIONS)))["version"]
    found = {}

    def evaluate(name: str, **options: Any) -> None:
        say(f"evaluating {name}")
        config = EvaluationConfig.from_flat(OPTIONS | {"release": release} | options)
        written = run_evaluation(Evaluation(name, DATE, config))
        found[name] = f"{written['problem_set']}/{written['name']}"

    for bound in ("reference", "lookup"):
        evaluate(bound, solver=bound)
    for name, share in FAULTY.items():
        lines = (
            json.dumps({"problem_id": problem.problem_id, "answer": answer})
            for problem in problems("reference")
            for answer in answers(problem, share)
        )
        server.put("datasets", f"answers/{name}.jsonl", "\n".join(lines).encode())
        evaluate(
            name,
            solver="answers",
            answers_file=f"s3://datasets/answers/{name}.jsonl",
            samples_per_problem=SAMPLES,
            pass_at=[1, SAMPLES],
            model_name=name,
        )
    return found[SHOWN]


def problems(evaluation_id: str) -> Iterator[Problem]:
    """Yield the problems that an evaluation asked."""
    asked = Evaluation(evaluation_id, DATE, EvaluationConfig.from_flat(OPTIONS))
    for shard in asked.problem_shards(asked.prepared()):
        yield from read_shard(shard["uri"], Problem)


def answers(problem: Problem, faulty: float) -> Iterator[str]:
    """Yield answers to a problem: its program, or a mutant of it, or now and then an excuse."""
    rng = random.Random(f"{problem.problem_id}{faulty}")
    mutants = [mutant.program for mutant in islice(mutants_of(problem.program), 100)]
    for _ in range(SAMPLES):
        if rng.random() >= faulty:
            yield f"Here is the function.\n\n```python\n{problem.program}```\n"
        elif mutants and rng.random() < 0.8:
            yield f"Here is the function.\n\n```python\n{rng.choice(mutants)}\n```\n"
        else:
            yield EXCUSE


def serve() -> str:
    """Serve the page to whoever asks, until the process ends; return its address."""
    from c2c_airflow.browser.access import may_read_builds, may_read_releases
    from c2c_airflow.browser.app import app

    app.dependency_overrides |= dict.fromkeys((may_read_releases, may_read_builds), lambda: None)
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    running = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    threading.Thread(target=running.run, args=([listening],), daemon=True).start()
    return f"http://127.0.0.1:{listening.getsockname()[1]}/"


def shoot(page: Page, url: str | None, name: str) -> None:
    """Take a picture of a place, None: of what the window shows, once it is quiet."""
    if url:
        page.goto(url)
    page.locator("h2").first.wait_for()
    page.wait_for_timeout(2_000)
    page.screenshot(path=IMAGES / f"{name}.png", animations="disabled")
    say(f"took {name}.png")


if __name__ == "__main__":
    main()
