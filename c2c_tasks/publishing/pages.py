"""Templates of pages in Markdown: one way to fill them, for cards and reports."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from c2c_tasks.publishing import markdown
from c2c_tasks.publishing.reasons import reason_in_words

if TYPE_CHECKING:
    from jinja2 import Environment


def environment(package: str, **filters: Callable[..., Any]) -> Environment:
    """Return Jinja's environment for the folder `templates` of a package.

    Filters that every page has: ``number``, ``cell``, ``code`` and ``reason``; `filters` adds to
    them. A name that a page is not given is an error.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    found = Environment(
        loader=PackageLoader(package, "templates"),
        autoescape=False,  # Markdown, not HTML
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    found.filters.update(
        number=lambda value: f"{value:,.0f}",
        cell=markdown.cell,
        code=lambda text: markdown.code(str(text)),
        reason=reason_in_words,
    )
    found.filters.update(filters)
    return found
