"""The FastAPI app of the dataset browser: the page, its files, and what it asks.

Every route only reads, and every route depends on `access`. Answers are plain JSON; errors are
``{"detail": "one sentence"}``. Routes do not block the event loop: see `working`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Annotated, Any, TypeVar

from fastapi import Depends, FastAPI, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException as AnyHTTPException
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from c2c_airflow.browser.access import may_read_builds, may_read_releases
from c2c_airflow.browser.working import Busy, TooSlow, Workers
from c2c_tasks.browsing import (
    builds,
    details,
    differences,
    evaluations,
    program,
    programs,
    releases,
    targets,
)
from c2c_tasks.browsing.redaction import redacted
from c2c_tasks.browsing.refusals import InvalidRequest, NothingThere, StillComputing
from c2c_tasks.catalogue import CatalogueError
from c2c_tasks.publishing.release import PublishError
from c2c_tasks.store import StoreError

log = logging.getLogger(__name__)
T = TypeVar("T")

STATIC = Path(__file__).parent / "static"
RETRY_SECONDS = 3
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'self'; object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
NO_STORE = {"Cache-Control": "no-store"}

app = FastAPI(
    title="Case2Code",
    dependencies=[Depends(may_read_releases)],
    # Routes of FastAPI's own that no dependency protects.
    docs_url=None,
    redoc_url=None,
    openapi_url=None,
)
files = StaticFiles(directory=STATIC, check_dir=False)
quick = Workers("case2code-quick", threads=8, waiting=32, seconds=25)
scans = Workers("case2code-scan", threads=2, waiting=8, seconds=25)
comparisons = Workers("case2code-diff", threads=4, waiting=4, seconds=25)

Target = Annotated[str | None, Query(max_length=1_000)]
Page = Annotated[int, Query(ge=1)]
PageSize = Annotated[int, Query(ge=1, le=100)]
Text = Annotated[str, Query(max_length=200)]


@app.get("/")
async def page(request: Request) -> Response:
    """Return the page."""
    return await _static("index.html", request)


@app.get("/static/{path:path}")
async def static(path: str, request: Request) -> Response:
    """Return a file of the page."""
    return await _static(path, request)


@app.get("/api/targets")
async def get_targets() -> Response:
    """Return the targets that may be looked into."""
    return await _answer(quick, targets.list_targets)


@app.get("/api/releases")
async def get_releases(target: Target = None, page: Page = 1, page_size: PageSize = 25) -> Response:
    """Return a page of the releases of a target."""
    return await _answer(quick, lambda: releases.list_releases(target, page, page_size))


@app.get("/api/releases/{version}")
async def get_release(version: str, target: Target = None) -> Response:
    """Return what there is to say of a release."""
    return await _answer(quick, lambda: details.describe_release(target, version))


@app.get("/api/releases/{version}/plots/{name}")
async def get_plot(version: str, name: str, target: Target = None) -> Response:
    """Return a plot of a release."""
    return await _file(lambda: details.read_plot(target, version, name), "image/png")


@app.get("/api/releases/{version}/card")
async def get_card(version: str, target: Target = None) -> Response:
    """Return the dataset card of a release."""
    return await _file(lambda: details.read_card(target, version), "text/markdown")


@app.get("/api/releases/{version}/programs")
async def get_programs(
    version: str,
    target: Target = None,
    split: Text = "",
    search: Text = "",
    licence: Text = "",
    repository: Text = "",
    cursor: Text = "",
    limit: PageSize = 20,
) -> Response:
    """Return a page of the programs of a release that a search finds."""
    asked = programs.Search(search, split, licence, repository)
    return await _answer(
        scans,
        lambda: programs.search_programs(target, version, asked, cursor=cursor, limit=limit),
    )


@app.get("/api/releases/{version}/programs/{function_id}")
async def get_program(version: str, function_id: str, target: Target = None) -> Response:
    """Return a program with its cases and samples."""
    return await _answer(scans, lambda: program.describe_program(target, version, function_id))


@app.get("/api/diff")
async def get_difference(
    a: Text, b: Text, target: Target = None, page: Page = 1, page_size: PageSize = 50
) -> Response:
    """Return how release `b` differs from release `a`."""
    return await _answer(
        comparisons,
        lambda: differences.compare_releases(target, a, b, page=page, page_size=page_size),
    )


@app.get("/api/evaluations")
async def get_evaluations(target: Target = None) -> Response:
    """Return the leaderboard: evaluations that asked the same, best first."""
    return await _answer(quick, lambda: evaluations.describe_leaderboard(target))


@app.get("/api/evaluations/{problem_set}/{name}")
async def get_evaluation(problem_set: str, name: str, target: Target = None) -> Response:
    """Return what an evaluation has found."""
    return await _answer(quick, lambda: evaluations.describe_evaluation(target, problem_set, name))


@app.get("/api/evaluations/{problem_set}/{name}/card")
async def get_evaluation_page(problem_set: str, name: str, target: Target = None) -> Response:
    """Return the page of an evaluation, as Markdown."""
    return await _file(
        lambda: evaluations.read_report_page(target, problem_set, name), "text/markdown"
    )


@app.get("/api/evaluations/{problem_set}/{name}/answers")
async def get_answers(
    problem_set: str,
    name: str,
    target: Target = None,
    task: Text = "",
    category: Text = "",
    cursor: Text = "",
    limit: PageSize = 10,
) -> Response:
    """Return a page of the answers that an evaluation graded."""
    return await _answer(
        scans,
        lambda: evaluations.search_answers(
            target, problem_set, name, task=task, category=category, cursor=cursor, limit=limit
        ),
    )


@app.get("/api/builds", dependencies=[Depends(may_read_builds)])
async def get_builds(
    target: Target = None, limit: Annotated[int, Query(ge=1, le=500)] = 50
) -> Response:
    """Return the builds that started last."""
    return await _answer(quick, lambda: builds.list_builds(target, limit))


@app.get("/api/builds/{build_id:path}", dependencies=[Depends(may_read_builds)])
async def get_build(build_id: str, target: Target = None) -> Response:
    """Return a build and how far it has come; null where it is not known."""
    return await _answer(quick, lambda: builds.describe_build(target, build_id))


async def _static(path: str, request: Request) -> Response:
    response = await files.get_response(path, request.scope)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


async def _file(work: Callable[[], details.ReleaseFile], media_type: str) -> Response:
    """Answer with a file of a release, which never changes; only its URL may come to mean another
    one, where a target was made anew."""
    found = await _run(quick, work)
    headers = {"Cache-Control": "private, max-age=300", "ETag": f'"{found.sha256}"'}
    return Response(found.data, media_type=media_type, headers=headers)


async def _answer(workers: Workers, work: Callable[[], Any]) -> Response:
    return JSONResponse(await _run(workers, work), headers=NO_STORE)


async def _run(workers: Workers, work: Callable[[], T]) -> T:
    """Return what `work` returns, its errors as those of HTTP."""
    try:
        return await workers.run(work)
    except InvalidRequest as error:
        raise _error(400, error) from None
    except (NothingThere, PublishError) as error:
        raise _error(404, error) from None
    except (StoreError, CatalogueError) as error:
        log.warning("%s", error)
        raise _error(502, error) from None
    except TooSlow:
        raise _error(502, "the store or the catalogue does not answer in time") from None
    except Busy:
        raise _error(503, "too much is asked at a time; try again", retry=True) from None
    except StillComputing as error:
        raise _error(503, error, retry=True) from None


def _error(status: int, reason: object, *, retry: bool = False) -> HTTPException:
    headers = NO_STORE | ({"Retry-After": str(RETRY_SECONDS)} if retry else {})
    return HTTPException(status, " ".join(str(redacted(str(reason))).split()), headers)


@app.exception_handler(Exception)
async def _failed(_: Request, error: Exception) -> Response:
    log.error("the dataset browser failed", exc_info=error)
    said = "this failed; the log of Airflow's API server says why"
    # This answer is given outside of all middleware.
    return JSONResponse({"detail": said}, 500, headers=NO_STORE | HEADERS)


@app.exception_handler(RequestValidationError)
async def _invalid(_: Request, error: RequestValidationError) -> Response:
    first = error.errors()[0]
    detail = f"{first['loc'][-1]}: {first['msg'].lower()}"
    return JSONResponse({"detail": detail}, 400, headers=NO_STORE)


@app.exception_handler(AnyHTTPException)
async def _refused(request: Request, error: AnyHTTPException) -> Response:
    """Answer with a sentence; a person who opens the page itself gets a page."""
    headers = NO_STORE | dict(error.headers or {})
    if error.status_code in (401, 403) and _is_page(request):
        return HTMLResponse(_refusal(error), error.status_code, headers)
    return JSONResponse({"detail": error.detail}, error.status_code, headers)


def _is_page(request: Request) -> bool:
    return request.url.path.removeprefix(request.scope.get("root_path", "")) in ("", "/")


def _refusal(error: AnyHTTPException) -> str:
    said = {
        401: "You are not logged in to Airflow, or your session has ended.",
        403: "You may not read the DAG case2code_build, and so not what it has made. "
        "Ask whoever manages roles in this Airflow.",
    }[error.status_code]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Case2Code</title>'
        f"</head><body><h1>Case2Code</h1><p>{escape(said)}</p>"
        '<p><a href="../api/v2/auth/login">Log in to Airflow</a></p></body></html>'
    )


class _WithHeaders:
    """Adds to every answer, also to those that no route gave, what browsers are to heed."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        await self._app(scope, receive, send_with_headers)


app.add_middleware(_WithHeaders)
