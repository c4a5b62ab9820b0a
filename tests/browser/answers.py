"""Answers of the dataset browser's API that no small release gives: hostile, large, unfinished."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from playwright.sync_api import Page, Route

from tests.browser import evaluation_answers
from tests.browser.evaluation_answers import HOSTILE

FUNNEL: list[dict[str, Any]] = [
    {
        "stage": "source files",
        "unit": "files",
        "rows_in": 20_412,
        "rows_out": 20_380,
        "dropped": [
            {"reason": "not_utf8", "rows": 30, "meaning": "it is in no encoding that Python reads"},
            {"reason": "empty", "rows": 2, "meaning": "the file is empty"},
        ],
    },
    {
        "stage": "functions",
        "unit": "functions",
        "rows_in": 143_821,
        "rows_out": 21_004,
        "dropped": [
            {
                "reason": "third_party_import",
                "rows": 81_200,
                "meaning": "it needs a package that is not part of Python",
            },
            {"reason": "performs_io", "rows": 41_617, "meaning": "it reads or writes"},
        ],
    },
    {
        "stage": "near duplicates",
        "unit": "functions",
        "rows_in": 21_004,
        "rows_out": 18_990,
        "dropped": [{"reason": "near_duplicate", "rows": 2_014, "meaning": "nearly another one"}],
    },
    {"stage": "samples", "unit": "samples", "rows_in": 51_300, "rows_out": 51_300, "dropped": []},
]

PROGRAM: dict[str, Any] = {
    "function_id": "5f" * 32,
    "entry_point": "normalise",
    "program": f"import re\n\n\ndef normalise(text, width=8):\n    '''{HOSTILE}'''\n"
    "    words = re.split(r'\\s+', text)  # on white space\n"
    "    return ' '.join(word[:width] for word in words if word)\n",
    "split": "train",
    "repository": f"someone/{HOSTILE}",
    "path": "src/<b>text</b>.py",
    "first_line": 1_204,
    "last_line": 1_207,
    "licence": "MIT",
    "dump": "s3://dumps/2026-11/part-00001.parquet",
    "coverage": 0.913,
    "writer": "synthesis",
    "cases": [
        {
            "arguments": repr({"text": HOSTILE, "width": 3}),
            "outcome": "returned",
            "output": repr(HOSTILE[:40]),
            "exception": None,
        },
        {
            "arguments": "{'text': None}",
            "outcome": "raised",
            "output": None,
            "exception": f"TypeError: {HOSTILE}",
        },
    ],
    "samples": [
        {
            "config": "sft",
            "format": "sft",
            "prompt": [{"role": "user", "content": f"Write the function. {HOSTILE}"}],
            "completion": "def normalise(text, width=8): ...",
            "shown_cases": [0],
            "held_cases": [1],
        },
        {
            "config": "instruct",
            "format": "instruct",
            "prompt": "### Instruction\nWrite the function.",
            "completion": "def normalise(text, width=8): ...",
            "shown_cases": [0, 1],
            "held_cases": [],
        },
        {
            "config": "pretrain",
            "format": "pretrain",
            "prompt": "",
            "completion": f"# {HOSTILE}",
            "shown_cases": [0],
            "held_cases": [1],
        },
    ],
}

RELEASE: dict[str, Any] = {
    "version": "2026.11.26-1",
    "uri": "s3://datasets/case2code/releases/2026.11.26-1",
    "states": ["latest", "pinned"],
    "note": HOSTILE,
    "date": "2026-11-26",
    "parent": "2026.11.25-1",
    "build": "scheduled__2026-11-26T02:00:00+00:00",
    "code_version": "0.7.0",
    "bytes": 1_234_567_890,
    "files": 14,
    "seconds": 5_421.3,
    "splits": {
        "programs": {"train": 17_100, "validation": 890, "test": 1_000},
        "sft": {"train": 51_300, "validation": 2_670, "test": 3_000},
    },
    "funnel": FUNNEL,
    "writer": {"name": "vllm", "model": HOSTILE, "temperature": 0.7},
    "sandbox": {"launcher": "docker", "memory_megabytes": 512, "runner": {"python": "3.13.5"}},
    "options": {"cases": {"max_cases": 10, "max_raised_share": 0.5}, "source": {"dump": HOSTILE}},
    "plots": [],
    "citation": "@misc{case2code,\n  title = {Case2Code 2026.11.26-1},\n}",
}

RELEASES = [
    {
        **{key: RELEASE[key] for key in ("version", "uri", "states", "date", "parent", "build")},
        "programs": 18_990,
        "samples": 56_970,
        "bytes": 1_234_567_890,
        "note": HOSTILE,
    },
    {
        "version": "2026.11.25-1",
        "uri": "s3://datasets/case2code/releases/2026.11.25-1",
        "states": ["withdrawn"],
        "date": "2026-11-25",
        "parent": None,
        "build": "scheduled__2026-11-25T02:00:00+00:00",
        "programs": 17_201,
        "samples": 51_603,
        "bytes": 998_000,
        "note": "Withdrawn on 2026-11-26: the owner of a repository opted out.",
    },
]

BUILD: dict[str, Any] = {
    "build": "manual__2026-11-27T13:40:00+00:00",
    "date": "2026-11-27",
    "mode": "incremental",
    "state": "running",
    "started": "2026-11-27T13:40:02+00:00",
    "seconds": 61.2,
    "programs": None,
    "release": None,
    "message": None,
    "target": "s3://datasets/case2code",
}

PROGRESS: dict[str, Any] = {
    "steps": [
        {
            "step": step,
            "done": done,
            "total": total,
            "rows_in": rows_in,
            "rows_out": rows_out,
            "seconds": seconds,
            "tokens": tokens,
        }
        for step, done, total, rows_in, rows_out, seconds, tokens in (
            ("extract", 8, 8, 143_821, 21_004, 402.5, 0),
            ("write_inputs", 5, 12, 9_000, 8_870, 61.0, 1_204_511),
            ("execute", 3, 12, 5_300, 5_120, 99.4, 0),
            ("compose", 0, None, 0, 0, 0.0, 0),
        )
    ],
    "rejects": [
        {"stage": "cases", "reason": "nondeterministic", "rows": 211, "meaning": HOSTILE},
        {"stage": "programs", "reason": "too_few_cases", "rows": 1_904, "meaning": "fewer than 6"},
    ],
    "functions_per_second": 41.7,
    "eta_seconds": 312.0,
    "tokens": 1_204_511,
    "updated": "2026-11-27T13:41:03+00:00",
}

DIFF: dict[str, Any] = {
    "a": "2026.11.25-1",
    "b": "2026.11.26-1",
    "rows": {"programs/train": [17_201, 18_990], "sft/train": [51_603, 51_300]},
    "counts": {"added": 2_000, "removed": 211, "changed": 3, "same": 16_987},
    "options": [
        {"option": "cases.max_cases", "a": 8, "b": 10},
        {"option": "source.dump", "a": None, "b": HOSTILE},
    ],
    "programs": [
        {
            "function_id": "5f" * 32,
            "entry_point": HOSTILE,
            "change": change,
            "why": ["near_duplicate"],
            "leader": "ab" * 32,
            "origin": f"someone/{HOSTILE}",
        }
        for change in ("added", "removed", "changed")
    ],
    "meanings": {"near_duplicate": "its tokens are nearly those of another one"},
    "listed": 1_214,
    "total": 1_214,
    "page": 1,
    "page_size": 50,
}

FOUND = {
    "items": [
        {
            "function_id": f"{number:02x}" * 32,
            "entry_point": "normalise" if number == 0x5F else f"function_{number}",
            "repository": f"someone/{HOSTILE}" if number == 0x5F else "python/cpython",
            "path": "Lib/text.py",
            "licence": "MIT",
            "split": "train",
            "cases": 2,
            "coverage": 0.913,
        }
        for number in (0x5F, 0x60, 0x61)
    ],
    "next_cursor": "next",
    "scanned": 1_400,
    "rows": 18_990,
    "facets": {"licences": ["MIT", "PSF-2.0"], "splits": ["train", "validation", "test"]},
}

ANSWERS: dict[str, Any] = {
    "targets": {
        "items": [
            {"uri": "s3://datasets/case2code", "default": True, "latest": "2026.11.26-1"},
            {"uri": "file:///data/experiments", "default": False, "latest": None},
        ]
    },
    "releases": {"items": RELEASES, "total": 60, "page": 1, "page_size": 25},
    "releases/2026.11.26-1": RELEASE,
    "releases/2026.11.26-1/programs": FOUND,
    f"releases/2026.11.26-1/programs/{'5f' * 32}": PROGRAM,
    "diff": DIFF,
    **evaluation_answers.ANSWERS,
    "builds": {"items": [BUILD]},
    f"builds/{BUILD['build']}": {"build": BUILD, "funnel": FUNNEL[:2], "progress": PROGRESS},
}
"""By path below `api/`."""


def answer(page: Page, answers: dict[str, Any] = ANSWERS) -> list[tuple[str, dict[str, str]]]:
    """Have the page's requests answered by these. Returns the requests, as they come."""
    asked: list[tuple[str, dict[str, str]]] = []

    def fulfil(route: Route) -> None:
        parts = urlsplit(route.request.url)
        path = unquote(parts.path.rpartition("/api/")[2])
        asked.append((path, dict(parse_qsl(parts.query))))
        found = answers.get(path, (404, {"detail": f"{path}: there is no such thing"}))
        if callable(found):
            found = found()
        status, body = found if isinstance(found, tuple) else (200, found)
        route.fulfill(status=status, body=json.dumps(body), content_type="application/json")

    page.route("**/case2code/api/**", fulfil)
    return asked


def failing(status: int, detail: str) -> dict[str, Any]:
    """Return answers that are all the same refusal."""
    return {path: (status, {"detail": detail}) for path in ANSWERS}


def in_turn(*answers: Any) -> Callable[[], Any]:
    """Return what answers with one after the other, and then stays with the last."""
    left = [copy.deepcopy(answer_) for answer_ in answers]
    return lambda: left.pop(0) if len(left) > 1 else left[0]
