"""One program of a release: its origin, its cases, and its samples as trainers see them."""

from __future__ import annotations

import re
from typing import Any

from c2c_tasks.browsing.refusals import InvalidRequest, NothingThere
from c2c_tasks.browsing.releases import open_kept_release
from c2c_tasks.browsing.row_groups import rows_with
from c2c_tasks.consuming.finding import FoundRelease
from c2c_tasks.consuming.parallel import NoMeter, Tick, in_parallel
from c2c_tasks.publishing.manifest import FileEntry
from c2c_tasks.records import FORMATS, SampleFormat

_FIELDS = (
    *("function_id", "entry_point", "program", "split", "repository", "path"),
    *("first_line", "last_line", "licence", "dump", "coverage", "writer", "cluster", "difficulty"),
)


def describe_program(target: str | None, version: str, function_id: str) -> dict[str, Any]:
    """Return a program with its cases and samples.

    It is found by the statistics of row groups: of each file one, as a rule, is read. Raises
    InvalidRequest where the id is none, NothingThere where the release has no such program.
    """
    if not re.fullmatch(r"[0-9a-f]{64}", function_id):
        raise InvalidRequest("function id: 64 hexadecimal digits")
    release = open_kept_release(target, version)
    for entry, rows in _found(release, "programs", None, function_id):
        row = rows[0]
        described = {name: row.get(name) for name in _FIELDS}
        described["cases"] = [_case(case) for case in row["cases"]]
        described["samples"] = [
            sample
            for format_ in FORMATS
            for _, found in _found(release, format_, entry.split, function_id)
            for sample in map(_SAMPLES[format_], found)
        ]
        return described
    raise NothingThere(f"release {version} has no program {function_id}")


def _found(
    release: FoundRelease, config: str, split: str | None, function_id: str
) -> list[tuple[FileEntry, list[dict[str, Any]]]]:
    """Return the rows of a function in the files of a config, with the file that has them."""
    files = [
        entry
        for entry in release.manifest.files
        if entry.config == config and split in (None, entry.split)
    ]

    def work(entry: FileEntry, _: Tick) -> tuple[FileEntry, list[dict[str, Any]]]:
        return entry, rows_with(release.uri, entry, "function_id", function_id, None)

    found = [item for item in in_parallel(work, files, NoMeter()) if item[1]]
    return sorted(found, key=lambda item: item[0].path)


def _case(case: dict[str, Any]) -> dict[str, Any]:
    message = case["exception_message"]
    exception = f"{case['exception_type']}: {message}" if message else case["exception_type"]
    return {
        "arguments": case["arguments"],
        "outcome": case["outcome"],
        "output": case["output"],
        "exception": exception if case["outcome"] == "raised" else None,
    }


def _sample(format_: SampleFormat, row: dict[str, Any], **texts: Any) -> dict[str, Any]:
    return {
        "config": format_,
        "format": format_,
        "sample_id": row["sample_id"],
        "template": row["template"],
        **texts,
        "shown_cases": row["shown_cases"],
        "held_cases": row["held_cases"],
    }


def _sft(row: dict[str, Any]) -> dict[str, Any]:
    *prompt, answer = row["messages"]
    return _sample("sft", row, prompt=prompt, completion=answer["content"])


def _instruct(row: dict[str, Any]) -> dict[str, Any]:
    prompt = "\n\n".join(filter(None, (row["instruction"], row["input"])))
    return _sample("instruct", row, prompt=prompt, completion=row["output"])


def _pretrain(row: dict[str, Any]) -> dict[str, Any]:
    return _sample("pretrain", row, prompt="", completion=row["text"])


_SAMPLES = {"sft": _sft, "instruct": _instruct, "pretrain": _pretrain}
