"""How two releases of a target differ, in pages.

Releases never change, so a comparison is made once and kept. It may take longer than a browser
waits: who asks in the meantime is told so, and asking again gets it.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from threading import Lock
from typing import Any

from c2c_tasks.browsing.caching import Recent
from c2c_tasks.browsing.redaction import redacted
from c2c_tasks.browsing.refusals import InvalidRequest, StillComputing, check_page
from c2c_tasks.browsing.releases import open_kept_release
from c2c_tasks.consuming.comparing import Difference, compare
from c2c_tasks.consuming.finding import FoundRelease
from c2c_tasks.consuming.program_changes import CHANGES
from c2c_tasks.consuming.views import REASONS
from c2c_tasks.publishing.manifest import FileEntry
from c2c_tasks.publishing.reasons import reason_in_words

LISTED = 1_000
"""Programs of each kind of change that can be paged through; all are counted."""
MAX_BYTES = 4 << 30
"""Of files that have to be read for a comparison."""
MAX_LEDGER_BYTES = 512 << 20
"""Of ledgers, up to which they are read for the reasons why programs came and went."""
WAIT_SECONDS = 15.0
MAX_PENDING = 4
"""Comparisons that are made or wait to be."""

_Key = tuple[str, str, str, str]
_COMPARISONS: Recent[_Key, Future[Difference]] = Recent(8)
_PENDING: set[Future[Difference]] = set()
_SUBMITTING = Lock()
# One at a time: each may take a gigabyte.
_POOL = ThreadPoolExecutor(1, "case2code-compare")


def compare_releases(
    target: str | None, a: str, b: str, *, page: int = 1, page_size: int = 50
) -> dict[str, Any]:
    """Return how release `b` differs from release `a`, with a page of the programs that do.

    Raises InvalidRequest where that is too much to be read for a page, StillComputing where it
    takes longer than `WAIT_SECONDS`: the work goes on, and asking again gets it.
    """
    check_page(page, page_size)
    before, after = open_kept_release(target, a), open_kept_release(target, b)
    found = _compared(before, after)
    shown = found.details[(page - 1) * page_size :][:page_size]
    options = found.options | found.circumstances
    reasons = {reason for of in found.why.values() for reason in of}
    return {
        "a": found.before,
        "b": found.after,
        "adds_to_it": found.adds_to_it,
        "rows": found.rows,
        "counts": {name: found.programs[name] for name in (*CHANGES, "same", "before", "after")},
        "why": found.why,
        "meanings": {name: REASONS.get(name) or reason_in_words(name) for name in sorted(reasons)},
        "dump_objects": found.dump_objects,
        "options": redacted(
            [{"option": name, "a": pair[0], "b": pair[1]} for name, pair in options.items()]
        ),
        "programs": [
            {
                "function_id": item.function_id,
                "entry_point": item.entry_point,
                "change": item.change,
                "why": item.why,
                "leader": item.leader,
                "origin": item.origin,
            }
            for item in shown
        ],
        "total": len(found.details),
        "listed": len(found.details),
        "page": page,
        "page_size": page_size,
    }


def _compared(before: FoundRelease, after: FoundRelease) -> Difference:
    key = (before.uri, _digest(before), after.uri, _digest(after))
    with _SUBMITTING:  # two who ask at a time wait for one comparison
        future = _COMPARISONS.get(key, lambda: _submit(before, after))
        if future.done() and future.exception() is not None:
            # The store may be back: whoever saw the error asks again.
            _COMPARISONS.forget(key)
    try:
        return future.result(WAIT_SECONDS)
    except NotYet:
        raise StillComputing(
            f"{after.manifest.version} is being compared with {before.manifest.version}; "
            "ask again in a few seconds"
        ) from None


def _submit(before: FoundRelease, after: FoundRelease) -> Future[Difference]:
    old, new = _programs(before), _programs(after)
    differing = old.keys() ^ new.keys()
    size = sum((old | new)[digest].bytes for digest in differing)
    if size > MAX_BYTES:
        raise InvalidRequest(
            f"too much to compare on a page ({size / 1e9:,.1f} GB of programs differ); "
            f"`c2c release diff {before.manifest.version} {after.manifest.version}` does it"
        )
    if len(_PENDING) >= MAX_PENDING:
        raise StillComputing("other releases are being compared; ask again in a few seconds")
    ledgers = [*before.manifest.ledger, *after.manifest.ledger]
    why = sum(entry.bytes for entry in ledgers) <= MAX_LEDGER_BYTES
    # What is fetched for it goes afterwards: a server's disk is no cache that grows with every
    # question.
    future = _POOL.submit(compare, before, after, details=LISTED, why=why, keep=False)
    _PENDING.add(future)
    future.add_done_callback(_PENDING.discard)
    return future


def _programs(release: FoundRelease) -> dict[str, FileEntry]:
    files = release.manifest.files
    return {entry.sha256: entry for entry in files if entry.config == "programs"}


def _digest(release: FoundRelease) -> str:
    """Return what tells a release from another one that was made later at the same place."""
    digest = hashlib.sha256(release.manifest.to_json())
    return digest.hexdigest()
