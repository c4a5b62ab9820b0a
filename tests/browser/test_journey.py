"""From the log-in to a comparison of two releases, in a whole Airflow, with releases in S3."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, expect

from c2c_tasks import store
from c2c_tasks.config import BuildConfig
from c2c_tasks.pipeline import Build, run_build
from tests.browser.airflow_ui import fill_option, log_in, open_trigger_form
from tests.browser.deployment import Deployment
from tests.browser.s3_server import S3Server
from tests.browser.small_dump import FIRST, THEN, add_hostile, add_modules

# An idle machine takes a third of it.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

BEFORE = "2026.11.20-1"
TARGET = "s3://case2code/datasets"


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    """An S3 server of this module's own, which a test stops."""
    server = S3Server()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def dump(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dump")


@pytest.fixture(scope="module")
def deployment(
    s3: S3Server, dump: Path, chromium: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """Airflow, whose target holds a release that was built before."""
    folder = tmp_path_factory.mktemp("deployment")
    environment = s3.environment | {
        "C2C_TARGET": TARGET,
        "C2C_WORK": str(folder / "work"),
        "C2C_CATALOGUE": f"sqlite:///{folder / 'catalogue.sqlite'}",
    }
    with Deployment(folder, environment) as deployment, pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        store._s3.cache_clear()
        s3.create_bucket("case2code")
        add_modules(dump, FIRST)
        add_hostile(dump)
        options = {"dump": str(dump), "target": TARGET, "launcher": "process"}
        released = run_build(Build("first", "2026-11-20", BuildConfig.from_flat(options)))
        assert released["version"] == BEFORE
        add_modules(dump, THEN)
        deployment.wait()
        yield deployment
    store._s3.cache_clear()


def api(deployment: Deployment, path: str, token: str | None) -> tuple[int, Any]:
    request = urllib.request.Request(f"{deployment.url}{path}")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def plugin(page: Page) -> FrameLocator:
    return page.frame_locator("iframe[title=Case2Code]")


def trigger_and_watch(page: Page, url: str, dump: Path) -> None:
    """Trigger a build from the form, and watch it to its end."""
    form = open_trigger_form(page, url)
    fill_option(form, "dump", str(dump))
    fill_option(form, "target", TARGET)
    form.get_by_role("button", name="Trigger").last.click()
    page.wait_for_url("**/runs/manual__*", timeout=60_000)
    run = page.url

    # While it runs, the run's own tab says how far it is.
    page.locator("a[href*='/plugin/case2code-build']").click()
    build = plugin(page)
    expect(build.locator("h1")).to_contain_text("Build manual__")
    expect(build.get_by_role("heading", name="Progress")).to_be_visible(timeout=60_000)
    expect(build.get_by_role("progressbar").first).to_be_visible()
    expect(build.locator("main .badges").first).to_contain_text("published", timeout=240_000)
    expect(build.get_by_role("heading", name="Funnel", exact=True)).to_be_visible()
    build.get_by_role("link", name="Run, tasks and logs").click()
    page.wait_for_url(lambda url: "/plugin/" not in url)
    expect(page.get_by_text("Success").first).to_be_visible(timeout=30_000)
    assert unquote(page.url) == unquote(run)


def look_for_a_program(page: Page) -> str:
    """Find the hostile program of the latest release; return the release's version."""
    page.get_by_test_id("nav-sidebar").get_by_role("link", name="Case2Code").click()
    browser = plugin(page)
    expect(browser.locator("h1")).to_have_text("Releases")
    versions = browser.locator("tbody th a")
    expect(versions.nth(1)).to_be_visible()
    after = versions.first.inner_text()
    expect(browser.locator("tbody tr").first).to_contain_text("latest")

    browser.get_by_role("link", name=f"Browse programs of {after}").click()
    browser.get_by_label("Search in names and text").fill("wrap_in")
    browser.get_by_label("Search in names and text").press("Enter")
    browser.get_by_role("link", name="wrap_in_markup").click()
    expect(browser.get_by_role("heading", name="wrap_in_markup")).to_be_focused()
    expect(browser.get_by_role("region", name="Source of the program")).to_contain_text(
        "<script>window.attacked = 5</script>"
    )
    expect(
        browser.get_by_text("someone/<img src=x onerror=window.attacked=8>").first
    ).to_be_visible()
    cases = browser.get_by_role("table", name="Cases")
    expect(cases.get_by_text("returned").first).to_be_visible()
    for name in ("instruct", "pretrain", "sft"):
        browser.get_by_role("tab", name=name).click()
        expect(browser.get_by_role("tabpanel", name=name)).to_contain_text("wrap_in_markup")
    assert browser.locator("html").evaluate("() => window.attacked") is None

    # The address of Airflow's window leads back to the program.
    page.reload()
    expect(browser.get_by_role("heading", name="wrap_in_markup")).to_be_visible()

    return after


def compare(page: Page, after: str) -> None:
    """Compare a release with the one before it, and follow a link to a program."""
    browser = plugin(page)
    browser.get_by_role("link", name="Compare", exact=True).click()
    browser.get_by_label("Before").select_option(BEFORE)
    browser.get_by_label("After").select_option(after)
    browser.get_by_role("button", name="Compare").click()
    expect(browser.get_by_text(re.compile(r"^2 added$"))).to_be_visible()
    changes = browser.get_by_role("table", name="Programs that differ")
    expect(changes.get_by_role("link")).to_have_text(["indent", "dedent"])
    expect(changes).to_contain_text("python/cpython/Lib/textwrap.py")
    changes.get_by_role("link", name="dedent").click()
    expect(browser.get_by_role("heading", name="dedent")).to_be_visible()
    expect(browser.locator("h1")).to_have_text(f"Programs of {after}")


@pytest.mark.nightly
def test_from_the_login_to_a_comparison(
    deployment: Deployment, dump: Path, context: BrowserContext, page: Page
) -> None:
    abroad: list[str] = []
    context.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((deployment.url, "data:", "blob:"))
            else abroad.append(request.url)
        ),
    )
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))

    log_in(page, deployment.url, "ada")
    trigger_and_watch(page, deployment.url, dump)
    after = look_for_a_program(page)
    compare(page, after)
    assert abroad == []
    assert wrong == []


@pytest.mark.nightly
def test_the_theme_is_that_of_airflow(deployment: Deployment, page: Page) -> None:
    page.emulate_media(color_scheme="light")
    log_in(page, deployment.url, "ada")
    page.evaluate("localStorage.setItem('theme', 'dark')")
    page.goto(f"{deployment.url}/plugin/case2code")
    expect(plugin(page).locator("html")).to_have_attribute("data-theme", "dark")
    expect(plugin(page).locator("h1")).to_have_text("Releases")


def test_who_is_not_logged_in_sees_nothing(deployment: Deployment, page: Page) -> None:
    for path in ("api/releases", "api/targets", f"api/releases/{BEFORE}", "static/app.js"):
        assert api(deployment, f"/case2code/{path}", None)[0] == 401, path
    assert api(deployment, "/case2code/api/releases", deployment.token("vera"))[0] == 200
    # A session that ends while the page is open.
    log_in(page, deployment.url, "vera")
    page.goto(f"{deployment.url}/case2code/#/releases")
    expect(page.locator("tbody th a").last).to_have_text(BEFORE)
    page.context.clear_cookies()
    page.get_by_role("link", name="Builds").click()
    expect(page.get_by_role("alert")).to_contain_text("You are not logged in")
    page.get_by_role("link", name="Log in to Airflow").click()
    page.wait_for_url("**/auth/login**")
    log_in(page, page.url, "vera")
    expect(page.locator("h1")).to_have_text("Builds")


def test_a_store_that_does_not_answer_is_said(
    deployment: Deployment, s3: S3Server, page: Page
) -> None:
    log_in(page, deployment.url, "ada")
    s3.stop()
    page.goto(f"{deployment.url}/case2code/#/releases/{BEFORE}/programs?search=stopped")
    alert = page.get_by_role("alert").first
    expect(alert).to_contain_text("The store or the catalogue does not answer", timeout=40_000)
    expect(alert.get_by_role("button", name="Try again")).to_be_visible()
