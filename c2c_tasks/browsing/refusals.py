"""Why a question is not answered; where a store or the catalogue fails, its own error says so."""

from __future__ import annotations

MAX_PAGE = 100
"""Items that one page may have."""


class InvalidRequest(ValueError):
    """The question makes no sense; the message says what may be asked."""


class NothingThere(LookupError):
    """What is asked for does not exist, or is not for everyone to see."""


class StillComputing(Exception):
    """The answer takes longer than anyone waits for it at a time; asking again gets it."""


def check_page(page: int, page_size: int) -> None:
    """Raise InvalidRequest unless there can be such a page."""
    if not (1 <= page <= 1_000_000):
        raise InvalidRequest("page: counts from 1")
    if not (1 <= page_size <= MAX_PAGE):
        raise InvalidRequest(f"page_size: from 1 to {MAX_PAGE}")
