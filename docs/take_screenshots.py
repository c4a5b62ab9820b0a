"""`make screenshots`: builds two datasets on a whole Airflow, and takes the pictures in `images`.

The pictures show what a user sees: Airflow with log-in, dump and releases in an S3 server. The
dump is Python's standard library. It takes some five minutes and needs Chromium.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import sysconfig
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Page, expect, sync_playwright

from c2c_tasks.config import BuildConfig
from c2c_tasks.pipeline import Build, run_build
from tests.browser.airflow_ui import fill_option, log_in, open_trigger_form
from tests.browser.deployment import Deployment
from tests.browser.s3_server import S3Server

IMAGES = Path(__file__).parent / "images"
SIZE: Any = {"width": 1360, "height": 850}
TARGET = "s3://datasets/case2code"
DUMP = "s3://dumps/python"
DUMP_OBJECTS = 4
OTHER_OPTIONS = {"mode": "full", "max_cases": 12, "functions_per_shard": 60}
"""Of the second build: so that there is something to compare, and several shards to watch."""
DARK = "localStorage.setItem('theme', 'dark')"
LIGHT = "localStorage.setItem('theme', 'light')"
RUN_SECONDS = 600
PROGRAM = "indent"
"""A program of the standard library that every version of Python has."""


def main() -> None:
    """Take all pictures."""
    chromium = shutil.which("chromium") or sys.exit("chromium is not installed")
    with tempfile.TemporaryDirectory(prefix="c2c-screenshots-") as name:
        folder = Path(name)
        server = S3Server()
        for bucket in ("datasets", "dumps"):
            server.create_bucket(bucket)
        environment = server.environment | {
            "C2C_TARGET": TARGET,
            "C2C_WORK": str(folder / "work"),
            "C2C_CATALOGUE": f"sqlite:///{folder / 'catalogue.sqlite'}",
        }
        os.environ |= environment
        with Deployment(folder, environment) as deployment, sync_playwright() as playwright:
            parts = dump_parts()
            for key, data in parts[:-1]:
                server.put("dumps", key, data)
            before = build_first()
            server.put("dumps", *parts[-1])  # which the second build finds new
            deployment.wait()
            browser = playwright.chromium.launch(
                executable_path=chromium, args=["--no-sandbox", "--hide-scrollbars"]
            )
            page = browser.new_page(viewport=SIZE, color_scheme="light")
            page.set_default_timeout(60_000)
            log_in(page, deployment.url, "ada")
            Pictures(page, deployment, before).take()
            browser.close()
        server.stop()


def dump_parts() -> list[tuple[str, bytes]]:
    """Return the objects of a dump of the standard library, by key."""
    library = Path(sysconfig.get_path("stdlib"))
    rows = [
        {
            "content": file.read_text(encoding="utf-8"),
            "path": f"Lib/{file.name}",
            "repository": "python/cpython",
            "license": "PSF-2.0",
        }
        for file in sorted(library.glob("*.py"))
    ]
    return [
        (
            f"python/part-{number:05d}.jsonl",
            "".join(f"{json.dumps(row)}\n" for row in rows[number::DUMP_OBJECTS]).encode(),
        )
        for number in range(DUMP_OBJECTS)
    ]


def build_first() -> str:
    """Build the release that the second one is compared with; return its version."""
    say("building the first release, without Airflow")
    options = BuildConfig.from_flat({"dump": DUMP, "target": TARGET})
    return str(run_build(Build("first", "2026-11-23", options))["version"])


class Pictures:
    """The pictures, in the order that a user comes by what they show."""

    def __init__(self, page: Page, deployment: Deployment, before: str) -> None:
        self.page = page
        self.deployment = deployment
        self.url = deployment.url
        self.before = before

    def take(self) -> None:
        """Take them."""
        self.trigger_form()
        run = self.start_build()
        self.progress(run)
        self.wait_for(run)
        self.run_page(run)
        self.asset()
        self.dataset_browser()

    def trigger_form(self) -> None:
        """Take the form as it opens, with the section that says what is read."""
        form = open_trigger_form(self.page, self.url)
        fill_option(form, "dump", DUMP)
        self.shoot("trigger-form")

    def start_build(self) -> str:
        """Start the second build through the REST API; return its run."""
        say("building the second release, on Airflow")
        self.ask("PATCH", "", {"is_paused": False})
        conf = {"dump": DUMP, "target": TARGET} | OTHER_OPTIONS
        run = self.ask("POST", "/dagRuns", {"logical_date": None, "conf": conf})
        return str(run["dag_run_id"])

    def progress(self, run: str) -> None:
        """Take the page of the build while functions are being run, in the dark theme."""
        self.page.evaluate(DARK)
        self.page.goto(f"{self.url}/plugin/case2code/case2code/#/builds/{quote(run, safe='')}")
        frame = self.page.frame_locator("iframe[title=Case2Code]")
        running = frame.get_by_role("row", name="execute").get_by_role("progressbar")
        deadline = time.monotonic() + RUN_SECONDS
        while time.monotonic() < deadline:
            text = frame.locator("main").inner_text()
            state = frame.locator("main .badges .badge").first
            if state.count() and state.inner_text() not in ("planned", "running"):
                break  # it was too quick: the last picture stands
            if running.count() and "functions/s" in text and "\u2013 functions/s" not in text:
                self.shoot("build-running-dark")
                if " left" in text:  # the best that there will be
                    break
            self.page.wait_for_timeout(1_000)
        self.page.evaluate(LIGHT)

    def wait_for(self, run: str) -> None:
        """Wait until the run has ended well."""
        deadline = time.monotonic() + RUN_SECONDS
        while (state := self.ask("GET", f"/dagRuns/{quote(run)}")["state"]) != "success":
            if state == "failed" or time.monotonic() > deadline:
                raise SystemExit(f"the build is {state}; logs are in {self.deployment.folder}")
            time.sleep(2)

    def run_page(self, run: str) -> None:
        """Take the run with its note, and the graph of its tasks."""
        self.page.goto(f"{self.url}/dags/case2code_build/runs/{quote(run)}")
        expect(self.page.get_by_text("Success").first).to_be_visible()
        self.shoot("run")
        self.page.keyboard.press("g")  # from the grid to the graph
        self.page.locator(".react-flow__node").first.wait_for()
        self.shoot("graph")

    def asset(self) -> None:
        """Take the page of the asset, with what its last event tells."""
        self.page.goto(f"{self.url}/assets")
        self.page.get_by_role("link", name="case2code_dataset").first.click()
        expect(self.page.get_by_text("case2code_build").first).to_be_visible()
        self.shoot("asset")

    def dataset_browser(self) -> None:
        """Take the views of the dataset browser."""
        after = self.open("releases").locator("tbody th a").first.inner_text()
        self.shoot("releases")
        self.open(f"releases/{after}")
        self.shoot("release")
        for theme, end in ((LIGHT, ""), (DARK, "-dark")):
            self.page.evaluate(theme)
            frame = self.open(f"releases/{after}/programs?search={PROGRAM}")
            frame.get_by_role("navigation", name="Programs found").get_by_role("link").first.click()
            expect(frame.get_by_role("tablist")).to_be_visible()
            self.shoot(f"program{end}")
        self.page.evaluate(LIGHT)
        self.open(f"diff/{self.before}/{after}")
        expect(self.page.frame_locator("iframe").get_by_text("added").first).to_be_visible()
        self.shoot("comparison")

    def open(self, place: str) -> Any:
        """Open a view of the dataset browser in Airflow; return its frame."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.url}/plugin/case2code/case2code/#/{place}")
        frame = self.page.frame_locator("iframe[title=Case2Code]")
        expect(frame.locator("h1")).to_be_visible()
        expect(frame.locator(".loading")).to_have_count(0)
        return frame

    def shoot(self, name: str) -> None:
        """Take a picture of what the window shows, once it is quiet."""
        self.page.wait_for_timeout(1_500)
        self.page.screenshot(path=IMAGES / f"{name}.png", animations="disabled")
        say(f"took {name}.png")

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Ask Airflow's REST API about the build DAG."""
        request = urllib.request.Request(
            f"{self.url}/api/v2/dags/case2code_build{path}",
            json.dumps(body).encode() if body is not None else None,
            {
                "Authorization": f"Bearer {self.deployment.token()}",
                "Content-Type": "application/json",
            },
            method=method,
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)


if __name__ == "__main__":
    main()
