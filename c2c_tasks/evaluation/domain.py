"""What a function is for, as far as its recorded cases tell: the types of what it was given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from c2c_tasks import literals
from c2c_tasks.inputs.signatures import Arguments
from c2c_tasks.records import Case


class Domain:
    """The types that arguments have in cases that returned, those of what is in them included.

    A text where lists were recorded is outside, and so is a list of floats where all had integers:
    programs that do the same with what was shown do as they please with these.
    """

    def __init__(self, types: Mapping[str, frozenset[str]]) -> None:
        self._types = types

    @classmethod
    def of(cls, cases: Iterable[Case]) -> Domain:
        """Return the domain that cases show."""
        types: dict[str, set[str]] = {}
        for case in cases:
            if case.outcome == "returned":
                for name, value in literals.loads(case.arguments).items():
                    types.setdefault(name, set()).update(_types(value, ""))
        return cls({name: frozenset(found) for name, found in types.items()})

    def renamed(self, names: Mapping[str, str]) -> Domain:
        """Return the domain of a function with other names of parameters."""
        return Domain({names.get(name, name): types for name, types in self._types.items()})

    def has(self, arguments: Arguments) -> bool:
        """Tell whether all arguments are of types that were recorded for their parameters."""
        return all(
            name in self._types and self._types[name].issuperset(_types(value, ""))
            for name, value in arguments.items()
        )

    def has_row(self, row: str) -> bool:
        """Tell whether the arguments of a literal are; see `has`."""
        arguments: Arguments = literals.loads(row)
        return self.has(arguments)


def _types(value: Any, place: str) -> Iterator[str]:
    """Yield the type of a value and of all that is in it, each with the types around it."""
    place = f"{place}/{type(value).__name__}"
    yield place
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _types(key, f"{place} key")
            yield from _types(item, place)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from _types(item, place)
