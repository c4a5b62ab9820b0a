"""The page of the dataset browser, with answers that are given to it.

Its files are handed to Chromium under the headers of the real app, so that its policy holds.
Whatever else is asked for is refused, and fails the test.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from c2c_airflow.browser.app import HEADERS, STATIC
from tests.browser import evaluation_answers
from tests.browser.answers import (
    ANSWERS,
    BUILD,
    FOUND,
    FUNNEL,
    HOSTILE,
    PROGRESS,
    RELEASE,
    answer,
    failing,
    in_turn,
)

ROOT = "http://airflow.test/prefix"
PAGE = f"{ROOT}/case2code/"
VERSION = RELEASE["version"]
ID = "5f" * 32
BUILD_PLACE = f"#/builds/{quote(BUILD['build'])}"
PLACES = {
    "releases": "#/releases",
    "release": f"#/releases/{VERSION}",
    "programs": f"#/releases/{VERSION}/programs",
    "program": f"#/releases/{VERSION}/programs/{ID}",
    "choosing": "#/diff",
    "diff": f"#/diff/2026.11.25-1/{VERSION}",
    "evaluations": "#/evaluations",
    "evaluation": f"#/{evaluation_answers.PLACE}",
    "builds": "#/builds",
    "build": BUILD_PLACE,
    "missing": "#/releases/none",
    "nowhere": "#/elsewhere",
}
HEADINGS = {
    "releases": "Releases",
    "release": f"Release {VERSION}",
    "programs": f"Programs of {VERSION}",
    "program": f"Programs of {VERSION}",
    "choosing": "Compare releases",
    "diff": "Compare releases",
    "evaluations": "Evaluations",
    "evaluation": f"Evaluation {evaluation_answers.NAME}",
    "builds": "Builds",
    "build": f"Build {BUILD['build']}",
    "missing": "Release none",
    "nowhere": "Not found",
}


def serve(page: Page) -> None:
    """Give the page its files, and nothing else."""

    def fulfil(route: Route) -> None:
        url = route.request.url.partition("?")[0]
        name = url.removeprefix(PAGE).removeprefix("static/") or "index.html"
        file = STATIC / name
        if not url.startswith(PAGE) or not file.is_file():
            route.abort()
            return
        kind = mimetypes.guess_type(file.name)[0]
        route.fulfill(path=file, headers=HEADERS | {"Content-Type": str(kind)})

    page.route("**/*", fulfil)


@pytest.fixture
def page(page: Page) -> Iterator[Page]:
    """A page that reports whatever goes wrong in it."""
    wrong: list[str] = []
    serve(page)
    page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
    page.on(
        "requestfailed",
        lambda request: (
            wrong.append(f"refused: {request.url}")
            if request.failure != "net::ERR_ABORTED"  # the page was left meanwhile
            else None
        ),
    )
    page.on("dialog", lambda dialog: wrong.append(f"dialog: {dialog.message}"))
    page.on(
        "console",
        lambda message: (
            wrong.append(message.text)
            # Chromium says this of each answer that is an error.
            if message.type in ("error", "warning") and "server responded" not in message.text
            else None
        ),
    )
    yield page
    assert wrong == []
    assert page.evaluate("window.attacked") is None


def go(page: Page, place: str) -> None:
    """Go to a place: as a link does, where the page is open."""
    if page.url == "about:blank":
        page.goto(PAGE + place)
    elif not page.url.endswith(place):
        page.evaluate(
            """place => new Promise(done => {
                window.addEventListener("hashchange", done, { once: true });
                location.hash = place;
            })""",
            place,
        )


def visit(page: Page, name: str) -> None:
    go(page, PLACES[name])
    expect(page.locator("h1")).to_have_text(HEADINGS[name])
    expect(page.locator(".loading")).to_have_count(0)
    expect(page.get_by_text("Searching")).to_have_count(0)


def test_every_view_keeps_the_rules_of_accessibility(page: Page) -> None:
    answer(page)
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    colours = {"runOnly": ["color-contrast"], "resultTypes": ["violations"]}
    for name in PLACES:
        visit(page, name)
        for details in page.locator("details").all():
            details.evaluate("details => { details.open = true }")
        results = Axe().run(page)
        assert results.violations_count == 0, f"{name}: {results.generate_report()}"
        page.emulate_media(color_scheme="dark")
        results = Axe().run(page, options=colours)
        assert results.violations_count == 0, f"{name}, dark: {results.generate_report()}"
        page.emulate_media(color_scheme="light")


def test_every_view_fits_a_narrow_screen(page: Page) -> None:
    answer(page)
    page.set_viewport_size({"width": 360, "height": 740})
    for name in PLACES:
        visit(page, name)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, name


def test_themes_differ_and_the_choice_made_in_airflow_goes_before_the_system(page: Page) -> None:
    answer(page)
    ground = "getComputedStyle(document.body).backgroundColor"
    page.emulate_media(color_scheme="light")
    visit(page, "releases")
    light, shot = page.evaluate(ground), page.screenshot()
    page.emulate_media(color_scheme="dark")
    dark, other_shot = page.evaluate(ground), page.screenshot()
    assert light != dark
    assert shot != other_shot
    page.evaluate("localStorage.setItem('theme', 'light')")
    page.reload()
    assert page.evaluate(ground) == light
    # Airflow's window changes it while this one is open.
    frame = "const f = document.createElement('iframe'); f.src = location.pathname; "
    page.evaluate(
        f"() => new Promise(done => {{ {frame} f.onload = done; document.body.append(f) }})"
    )
    page.frames[1].evaluate("localStorage.setItem('theme', 'dark')")
    page.wait_for_function(f"{ground} === '{dark}'")


def test_strangers_text_is_never_markup(page: Page) -> None:
    answer(page)
    views = ("releases", "release", "programs", "program", "diff", "build")
    for name in (*views, "evaluations", "evaluation"):
        visit(page, name)
        assert HOSTILE in page.locator("main").inner_text(), name
        assert page.locator("main :is(script, svg, img, b)").count() == 0, name
    visit(page, "program")
    for name in ("sft", "pretrain"):
        page.get_by_role("tab", name=name).click()
        assert HOSTILE in page.get_by_role("tabpanel").inner_text()


def test_addresses_are_text_too(page: Page) -> None:
    asked = answer(page)
    page.goto(f"{PAGE}#/releases/{quote(HOSTILE, safe='')}")
    expect(page.locator("h1")).to_have_text(f"Release {HOSTILE}")
    expect(page.get_by_role("alert")).to_contain_text("It is not there")
    page.goto(f"{PAGE}#/releases/%E0%A4%A")  # no UTF-8
    expect(page.locator("h1")).to_have_text("Release %E0%A4%A")
    expect(page.get_by_role("alert")).to_be_visible()
    page.goto(f"{PAGE}#/releases/..%2F..%2Fsecret")
    expect(page.locator("h1")).to_have_text("Release ../../secret")
    expect(page.get_by_role("alert")).to_be_visible()
    assert asked[-1][0] == "releases/../../secret"  # one segment, which the store is not asked for


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.innerText || document.activeElement.name"))


def tab_to(page: Page, text: str, limit: int = 40) -> None:
    for _ in range(limit):
        page.keyboard.press("Tab")
        if focused(page).startswith(text):
            outline = "getComputedStyle(document.activeElement).outlineStyle"
            assert page.evaluate(outline) == "solid", f"{text}: its focus cannot be seen"
            return
    raise AssertionError(f"{text!r} was not reached; the focus is on {focused(page)!r}")


def test_the_keyboard_reaches_everything(page: Page) -> None:
    answer(page)
    visit(page, "releases")
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    assert page.url.endswith("#/releases")
    tab_to(page, VERSION)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_be_focused()
    expect(page.locator("h1")).to_have_text(f"Release {VERSION}")
    tab_to(page, "122,817, 2 reasons")
    page.keyboard.press("Enter")
    expect(page.get_by_text("it needs a package that is not part of Python")).to_be_visible()
    page.keyboard.press("Shift+Tab")
    tab_to(page, "Copy citation")
    page.reload()
    tab_to(page, "Browse programs")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_be_focused()
    tab_to(page, "search")
    page.keyboard.type("normal")
    page.keyboard.press("Enter")
    expect(page.get_by_text("3 programs found.")).to_be_visible()
    assert "search=normal" in page.url
    tab_to(page, "normalise")
    page.keyboard.press("Enter")
    expect(page.locator("h2").first).to_be_focused()
    expect(page.locator("h2").first).to_have_text("normalise")
    tab_to(page, "sft")
    page.keyboard.press("ArrowRight")
    assert focused(page) == "instruct"
    expect(page.get_by_role("tabpanel", name="instruct")).to_contain_text("### Instruction")
    page.go_back()
    expect(page.locator(".program")).to_contain_text("Choose a program")


def test_a_search_goes_on_where_it_stopped(page: Page) -> None:
    asked = answer(
        page,
        ANSWERS
        | {
            f"releases/{VERSION}/programs": in_turn(
                FOUND,
                FOUND | {"items": [], "next_cursor": "far", "scanned": 10_000},
                FOUND | {"items": FOUND["items"][:1], "next_cursor": None, "scanned": 7_590},
            )
        },
    )
    page.goto(f"{PAGE}{PLACES['programs']}?search=x&split=train&licence=MIT&repository=someone")
    status = page.get_by_role("navigation", name="Programs found").get_by_role("status")
    expect(status).to_have_text("3 programs found. 1,400 of 18,990 rows read (7.4 %).")
    expect(page.get_by_label("Split")).to_have_value("train")
    expect(page.get_by_label("Licence")).to_have_value("MIT")
    assert page.locator("#licence-list option").count() == 2
    page.get_by_role("button", name="Next").click()
    expect(status).to_have_text("3 programs found. 11,400 of 18,990 rows read (60.0 %).")
    page.get_by_role("button", name="Search on").click()
    expect(status).to_have_text("4 programs found. All 18,990 rows read.")
    expect(page.locator(".found li")).to_have_count(4)
    expect(page.locator(".found li a").last).to_be_focused()
    searches = [query for path, query in asked if path.endswith("/programs")]
    assert [query.get("cursor") for query in searches] == [None, "next", "far"]
    assert all(
        query["search"] == "x" and query["split"] == "train" and query["repository"] == "someone"
        for query in searches
    )
    # A program is shown beside the list, which is not asked for again.
    page.locator(".found li a").first.click()
    expect(page.locator("h2").first).to_have_text("normalise")
    assert len([path for path, _ in asked if path.endswith("/programs")]) == 3


def test_a_build_is_looked_at_while_it_runs_and_no_longer(page: Page) -> None:
    done = BUILD | {"state": "published", "release": VERSION, "seconds": 70.0, "programs": 18_990}
    half = PROGRESS | {"eta_seconds": 100.0}
    looks = in_turn(
        None,
        {"build": BUILD, "funnel": [], "progress": PROGRESS},
        (502, {"detail": "the catalogue does not answer"}),
        {"build": BUILD, "funnel": FUNNEL[:1], "progress": half},
        {"build": done, "funnel": FUNNEL, "progress": None},
    )
    asked = answer(page, ANSWERS | {f"builds/{BUILD['build']}": looks})
    page.clock.install()
    page.goto(PAGE + BUILD_PLACE)
    expect(page.get_by_text("does not know this build yet")).to_be_visible()
    page.clock.run_for(3_000)
    expect(page.get_by_text("41.7 functions/s")).to_be_visible()
    expect(page.get_by_text("5 min 12 s left")).to_be_visible()
    expect(page.get_by_text("1,204,511 tokens")).to_be_visible()
    bar = page.get_by_role("progressbar", name="Shards of write inputs")
    assert bar.get_attribute("value") == "5"
    page.clock.run_for(3_000)
    expect(page.get_by_role("alert")).to_contain_text("the catalogue does not answer")
    expect(page.get_by_text("41.7 functions/s")).to_be_visible()  # what was known stays
    # Nobody looks at a page that is hidden.
    before = len(asked)
    page.evaluate("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
    page.clock.run_for(30_000)
    assert len(asked) == before
    page.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.get_by_text("1 min 40 s left")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    page.clock.run_for(3_000)
    expect(page.get_by_role("heading", name="Funnel", exact=True)).to_be_visible()
    expect(page.locator("#announcer")).to_have_text("The build has ended: published")
    before = len(asked)
    page.clock.run_for(30_000)
    assert len(asked) == before
    run = page.get_by_role("link", name="Run, tasks and logs").get_attribute("href")
    assert run == f"{ROOT}/dags/case2code_build/runs/{quote(BUILD['build'])}"


def test_a_comparison_that_is_being_computed_is_asked_for_again(page: Page) -> None:
    waits = iter([True, True, False])

    def computing(route: Route) -> None:
        if "/api/diff" in route.request.url and next(waits):
            route.fulfill(
                status=503,
                json={"detail": "the comparison is being computed"},
                headers={"Retry-After": "1"},
            )
        else:
            route.fallback()

    answer(page)
    page.route("**/api/**", computing)
    page.goto(PAGE + PLACES["diff"])
    expect(page.get_by_text("the comparison is being computed")).to_be_visible()
    expect(page.get_by_text("2,000 added")).to_be_visible()


@pytest.mark.parametrize(
    ("status", "title", "advice"),
    [
        (400, "The request is not valid", "change the filters"),
        (401, "You are not logged in", "Log in to Airflow"),
        (403, "You may not see this", "Ask an administrator"),
        (404, "It is not there", "all releases"),
        (500, "Something went wrong", "log of Airflow's API server"),
        (502, "The store or the catalogue does not answer", "Check that its server runs"),
    ],
)
def test_what_goes_wrong_is_said_with_what_to_do(
    page: Page, status: int, title: str, advice: str
) -> None:
    answer(page, failing(status, "s3://datasets: something is wrong"))
    views = ("releases", "release", "diff", "builds", "build", "programs", "program")
    for name in (*views, "evaluations", "evaluation"):
        go(page, PLACES[name])
        alert = page.get_by_role("alert").first
        expect(alert).to_contain_text(title)
        expect(alert).to_contain_text(advice)
        assert ("something is wrong" in alert.inner_text()) is (status != 401)
        assert alert.get_by_role("button").count() == (status not in (401, 403, 404))
    if status == 401:
        login = page.get_by_role("link", name="Log in to Airflow").first.get_attribute("href")
        assert login == f"{ROOT}/api/v2/auth/login?next={quote(page.url, safe='')}"


def test_trying_again_helps_where_the_trouble_has_passed(page: Page) -> None:
    answer(page, ANSWERS | {"releases": in_turn((502, {"detail": "no"}), ANSWERS["releases"])})
    page.goto(PAGE)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("link", name=VERSION, exact=True)).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_where_there_is_nothing_the_page_says_how_to_begin(page: Page) -> None:
    nothing = {"items": [], "total": 0, "page": 1, "page_size": 25}
    answer(
        page,
        {
            "targets": {"items": []},
            "releases": nothing,
            "builds": {"items": []},
            "evaluations": evaluation_answers.NOTHING,
        },
    )
    for name, text in (
        ("releases", "No release yet."),
        ("builds", "No build yet."),
        ("evaluations", "No evaluation yet."),
        ("choosing", "There are no two releases to compare."),
    ):
        visit(page, name)
        expect(page.get_by_text(text)).to_be_visible()
    visit(page, "releases")
    trigger = page.get_by_role("link", name="case2code_build").get_attribute("href")
    assert trigger == f"{ROOT}/dags/case2code_build"


def test_the_leaderboard_is_filtered_and_sorted(page: Page) -> None:
    answer(page)
    visit(page, "evaluations")
    board = page.get_by_role("table", name="Induction on 2026.11.26-1")
    expect(board.locator("tbody tr")).to_have_count(4)
    expect(board.locator("tbody td:first-child")).to_have_text(["\u2013", "1 =", "1 =", "3"])
    expect(board.get_by_role("row", name="coder-7b")).to_contain_text("41.0 % (35.0 to 46.5)")
    expect(page.get_by_text("100.0 % (100.0 to 100.0)")).to_be_visible()
    # Sorted by name, then the other way round; the focus stays where it was.
    for order, first in (("ascending", HOSTILE), ("descending", "small")):
        board.get_by_role("button", name="Model").click()
        expect(board.locator("tbody th a").first).to_have_text(first)
        header = board.get_by_role("columnheader", name="Model")
        expect(header).to_have_attribute("aria-sort", order)
        expect(board.get_by_role("button", name="Model")).to_be_focused()
    board.get_by_role("button", name="pass@1, held-out cases").click()
    expect(board.locator("tbody th a").first).to_have_text("reference")
    page.get_by_label("Task").select_option("humaneval")
    expect(page.locator("h2")).to_have_text(["HumanEval", "Cannot be read"])
    page.get_by_label("Release or file").select_option("2026.11.26-1")
    expect(page.get_by_text("No evaluation fits.")).to_be_visible()
    page.get_by_role("link", name="Clear").click()
    expect(board).to_be_visible()
    visit(page, "release")
    page.locator("main").get_by_role("link", name="Evaluations").click()
    expect(page.get_by_label("Release or file")).to_have_value(VERSION)
    board.get_by_role("link", name="coder-7b").click()
    expect(page.locator("h1")).to_have_text(HEADINGS["evaluation"])


def test_answers_are_looked_at_by_category_and_page(page: Page) -> None:
    graded = evaluation_answers.GRADED
    rest = graded | {"items": graded["items"][:1], "next_cursor": None}
    place = f"{evaluation_answers.PLACE}/answers"
    asked = answer(page, ANSWERS | {place: in_turn(graded, rest, rest)})
    visit(page, "evaluation")
    expect(page.locator("article")).to_have_count(4)
    expect(page.get_by_text("4 of 6 cases right").first).to_be_visible()
    said = page.get_by_role("region", name="Text of answer 2 to 010101010101")
    expect(said).to_contain_text("I cannot.")
    first = page.locator("article h3 a").first
    expect(first).to_have_attribute("href", f"#/releases/{VERSION}/programs/{ID}")
    assert page.locator("article").last.get_by_role("link").count() == 0  # of HumanEval
    page.get_by_role("button", name="Show more").click()
    expect(page.get_by_text("5 answers shown, all there are.").first).to_be_visible()
    expect(page.locator("article h3").last).to_be_focused()
    page.get_by_role("button", name="Show timed out answers of Induction").click()
    expect(page.get_by_label("Category")).to_have_value("timed_out")
    expect(page.get_by_label("Category")).to_be_focused()
    expect(page.locator("article")).to_have_count(1)
    queries = [query for path, query in asked if path == place]
    assert [(query["category"], query.get("cursor")) for query in queries] == [
        ("failed", None),
        ("failed", "next"),
        ("timed_out", None),
    ]
    assert all(query["task"] == "induction" for query in queries)


def test_another_target_is_kept_from_view_to_view(page: Page) -> None:
    asked = answer(page)
    visit(page, "releases")
    page.get_by_label("Target").select_option("file:///data/experiments")
    expect(page.locator("h1")).to_be_focused()
    page.get_by_role("link", name="Builds").click()
    expect(page.locator("h1")).to_have_text("Builds")
    expect(page.locator(".loading")).to_have_count(0)
    assert asked[-1] == ("builds", {"target": "file:///data/experiments", "limit": "50"})
    assert "target=file" in page.url


def test_a_build_leads_to_the_release_of_its_own_target(page: Page) -> None:
    target = "file:///data/experiments"
    build = BUILD | {"state": "published", "release": "2026.11.27-1", "target": target}
    known = {"build": build, "funnel": [], "progress": None}
    answer(page, ANSWERS | {"builds": {"items": [build]}, f"builds/{build['build']}": known})
    chosen = "?" + urlencode({"target": target})
    for place in ("#/builds", BUILD_PLACE):
        go(page, place)
        link = page.get_by_role("link", name="2026.11.27-1")
        expect(link).to_have_attribute("href", f"#/releases/2026.11.27-1{chosen}")
    go(page, "#/builds")
    expect(page.locator("tbody th a")).to_have_attribute("href", BUILD_PLACE + chosen)


def test_no_file_of_the_page_names_another_place() -> None:
    for file in STATIC.iterdir():
        text = file.read_text(encoding="utf-8")
        assert "://" not in text.replace("http://www.w3.org/2000/svg", ""), file
        assert "innerHTML" not in text, file
        assert "insertAdjacentHTML" not in text, file
        assert " style=" not in text, file


def test_the_browser_is_one_that_people_have(chromium: Browser) -> None:
    """`light-dark()` and `AbortSignal.any` are in browsers since May 2024."""
    assert int(chromium.version.partition(".")[0]) >= 123
    assert Path(STATIC / "index.html").read_text().count("<script") == 1
