"""Answers of the API about evaluations, with hostile text wherever a model or a person wrote it."""

from __future__ import annotations

from typing import Any

HOSTILE = (
    '<img src=x onerror="window.attacked = 1"><script>window.attacked = 2</script>'
    '</script><svg onload="window.attacked = 3"></svg>{{7*7}}${window.attacked = 4}'
)
VERSION = "2026.11.26-1"
NAME = "coder-7b-2026-11-26-0a1b2c3d"
PLACE = f"evaluations/{VERSION}/{NAME}"
GRADED_ON = {
    "held": "held-out cases",
    "all": "all cases, as the paper grades",
    "differential": "all cases and the differential check",
    "tests": "tests",
}
TASKS = {
    "induction": "Induction: write the program behind the cases of a prompt",
    "humaneval": "HumanEval: write the program that a text describes",
}
CATEGORIES = {
    "passed_all": 903,
    "passed_seen_only": 200,
    "wrong_output": 1_000,
    "raised": 197,
    "timed_out": 90,
    "killed": 10,
    "wrong_name_or_arguments": 60,
    "no_code": 40,
}


def rates(value: float, *ks: int) -> list[dict[str, Any]]:
    """Return pass rates of an induction task, each with an interval."""
    return [
        {"graded_on": on, "k": k, "value": rate, "low": rate - 0.06, "high": rate + 0.055}
        for k in ks
        for on, rate in (("held", value), ("all", value - 0.02), ("differential", value - 0.05))
    ]


def standing(model: str, value: float, rank: int | None, **fields: Any) -> dict[str, Any]:
    """Return a row of the leaderboard."""
    row = {
        "rank": rank,
        "model": model,
        "solver": "vllm",
        "prompt_style": "chat",
        "temperature": 0.8,
        "date": "2026-11-26",
        "problem_set": VERSION,
        "name": NAME,
        "ranked_by": "held",
        "answers": 2_500,
        "samples": 10,
        "missing_answers": 0,
        "truncated": 3,
        "pass_at": rates(value, 1, 10),
    }
    return row | fields


BOARDS: list[dict[str, Any]] = [
    {
        "task": "induction",
        "problem_set": VERSION,
        "split": "test",
        "release": VERSION,
        "problems": 250,
        "few_shot": 2,
        "float_tolerance": 0.01,
        "standings": [
            standing("reference", 0.9, None, solver="reference", temperature=None),
            standing("coder-7b", 0.41, 1),
            standing(HOSTILE, 0.39, 1, missing_answers=4),
            standing("small", 0.12, 3, solver="answers", prompt_style=None),
        ],
    },
    {
        "task": "humaneval",
        "problem_set": "",
        "split": "",
        "release": None,
        "problems": 164,
        "few_shot": 0,
        "float_tolerance": 0.0,
        "standings": [
            standing(
                "coder-7b",
                0.5,
                1,
                ranked_by="tests",
                problem_set="2026.11.20-1",
                pass_at=[{"graded_on": "tests", "k": 1, "value": 1, "low": 1, "high": 1}],
            )
        ],
    },
]
EVALUATIONS: dict[str, Any] = {
    "boards": BOARDS,
    "unreadable": [{"problem_set": VERSION, "name": "broken", "fault": HOSTILE}],
    "tasks": TASKS,
    "graded_on": GRADED_ON,
}
NOTHING: dict[str, Any] = EVALUATIONS | {"boards": [], "unreadable": []}

EVALUATION: dict[str, Any] = {
    "problem_set": VERSION,
    "release": VERSION,
    "uri": f"s3://datasets/case2code/{PLACE}",
    "has_answers": True,
    "result": {
        "evaluation_id": "manual__2026-11-26T10:00:00+00:00",
        "name": NAME,
        "date": "2026-11-26",
        "model": HOSTILE,
        "code_version": "1.0",
        "release": {
            "version": VERSION,
            "uri": f"s3://datasets/case2code/releases/{VERSION}",
            "manifest_sha256": "ab" * 32,
            "split": "test",
        },
        "case_file": None,
        "mbpp_file": None,
        "remarks": [f"Answers ran in Python {HOSTILE}"],
        "solver": {"name": "vllm", "model": HOSTILE, "temperature": 0.8},
        "sandbox": {"launcher": "docker", "runtime": "runsc"},
        "tasks": [
            {
                "task": "induction",
                "problems": 250,
                "answers": 2_500,
                "samples": 10,
                "unanswered": 1,
                "missing_answers": 10,
                "ungraded": 2,
                "truncated": 3,
                "categories": CATEGORIES,
                "pass_at": rates(0.41, 1, 10),
                "breakdowns": {
                    "difficulty": [
                        {"label": label, "problems": 50, "pass_at_1": rates(value, 1)}
                        for label, value in (("0.0 to 0.2", 0.7), ("0.2 to 0.4", 0.2))
                    ],
                    "output_type": [
                        {"label": label, "problems": 125, "pass_at_1": rates(0.4, 1)}
                        for label in ("list", HOSTILE)
                    ],
                },
            },
            {
                "task": "humaneval",
                "problems": 164,
                "answers": 0,
                "samples": 0,
                "unanswered": 164,
                "missing_answers": 0,
                "ungraded": 0,
                "truncated": 0,
                "categories": dict.fromkeys(CATEGORIES, 0),
                "pass_at": [],
                "breakdowns": {},
            },
        ],
        "prompt_tokens": 1_204_511,
        "completion_tokens": 99_000,
        "seconds": {"answer": 120.5, "grade": 31.0},
    },
    "options": {"model": {"model": HOSTILE, "temperature": 0.8}},
    "funnel": [
        {
            "stage": "problems",
            "unit": "problems",
            "rows_in": 253,
            "rows_out": 250,
            "dropped": [{"reason": "too_few_cases", "rows": 3, "meaning": "it has too few cases"}],
        }
    ],
    "problems": [HOSTILE],
    "problems_in_all": 3,
    "bytes": 1_300_000,
    "files": 9,
    "command": f"c2c evaluate --model '{HOSTILE}'",
    "tasks": TASKS,
    "graded_on": GRADED_ON,
    "breakdowns": {"difficulty": "Difficulty of the program", "output_type": "Type of outputs"},
    "categories": {name: f"meaning of {name}" for name in CATEGORIES},
}


def graded(number: int, category: str, **fields: Any) -> dict[str, Any]:
    """Return an answer that was graded."""
    found = {
        "problem_id": f"{number:02x}" * 32,
        "sample": number,
        "task": "induction",
        "category": category,
        "cases_passed": 4,
        "cases_run": 6,
        "called_by": "name",
        "code": f"def normalise(text):\n    # {HOSTILE}\n    return text\n",
        "detail": f"{{'text': '{HOSTILE}'}}: returned 1, recorded 2",
        "differential_inputs": 0,
        "counterexample": None,
        "text": None,
    }
    return found | fields


GRADED: dict[str, Any] = {
    "items": [
        graded(0x5F, "wrong_output"),
        graded(1, "no_code", code="", called_by=None, detail="", text=f"I cannot. {HOSTILE}"),
        graded(2, "passed_all", differential_inputs=100, counterexample=f"{{'x': '{HOSTILE}'}}"),
        graded(3, "raised", problem_id="HumanEval/3"),
    ],
    "next_cursor": "next",
    "scanned": 40,
    "rows": 2_500,
}

ANSWERS: dict[str, Any] = {
    "evaluations": EVALUATIONS,
    PLACE: EVALUATION,
    f"{PLACE}/answers": GRADED,
}
"""By path below `api/`."""
