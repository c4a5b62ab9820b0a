"""Options that may differ from the latest release's: those that only ask for less.

A release holds rows made by one set of options; mixing two would make it unciteable. But a rule
that was made tighter can be applied to the rows that are there, without making them again.
"""

from __future__ import annotations

from typing import Any

_LICENCES = ("permissive", "permissive_or_unknown", "any")
"""From the least that may be used to the most."""
_MAY_RISE = ("min_cases", "min_distinct_outputs", "drop_constant", "drop_identity")


def narrowed(section: str, name: str, mine: Any, theirs: Any) -> bool:
    """Tell whether an option's value asks for a part of what another value asks for."""
    if section == "rights" and name == "licences":
        return _LICENCES.index(mine) < _LICENCES.index(theirs)
    return section == "cases" and name in _MAY_RISE and bool(mine > theirs)


def differences(mine: dict[str, Any], theirs: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Return the names of options that differ: those that are narrowed, and the others."""
    tighter: list[str] = []
    others: list[str] = []
    for section, options in mine.items():
        for name, value in options.items():
            earlier = theirs[section][name]
            if value != earlier:
                (tighter if narrowed(section, name, value, earlier) else others).append(name)
    return tighter, others
