"""Rows made of parts of other rows, and of values of other kinds."""

from __future__ import annotations

import random
from typing import Any

from c2c_tasks.inputs.constants import listed
from c2c_tasks.inputs.signatures import Arguments
from c2c_tasks.inputs.synthesis.mutation import MAX_LENGTH, Mutations
from c2c_tasks.inputs.synthesis.uses import hashable, kind_of

_OTHERS: tuple[Any, ...] = (
    None, 0, "", [], {}, (), set(), False, 0.0, True, "abc", -1, 2.5, [1, 2, 3], {"a": 1}, (1, 2),
    {1, 2}, ["a", "b"], b"ab", float("inf"), float("nan"), [[1, 2], [3]], [1, "a", None], {},
)  # fmt: skip
"""Values of every kind, empty ones first among them: what is false may be returned as it is."""


class Recombination:
    """Makes rows that no change of one value makes."""

    def __init__(self, mutations: Mutations) -> None:
        self.mutations = mutations
        self.rng: random.Random = mutations.rng

    def crossed(self, first: Arguments, second: Arguments) -> Arguments:
        """Return a row of values of either row, or of parts of both."""
        made = {}
        for name, value in first.items():
            other = second.get(name, value)
            roll = self.rng.random()
            made[name] = (
                value if roll < 0.4 else other if roll < 0.7 else self._spliced(value, other)
            )
        return made

    def _spliced(self, value: Any, other: Any) -> Any:
        """Return the beginning of one container or text and the end of another."""
        if isinstance(value, dict) and isinstance(other, dict):
            return dict(list({**value, **other}.items())[:MAX_LENGTH])
        if type(value) is not type(other):
            return other
        if isinstance(value, set | frozenset):
            return value | other
        if isinstance(value, list | tuple | str | bytes):
            start = value[: self.rng.randint(0, len(value))]
            end = other[self.rng.randint(0, len(other)) :]
            return (start + end)[:MAX_LENGTH]
        return other

    def transplanted(self, arguments: Arguments) -> Arguments:
        """Return a row in which one value holds something of another, or one item of another."""
        if not arguments:
            return arguments
        if len(arguments) < 2 or self.rng.random() < 0.2:
            name = self.rng.choice(list(arguments))
            return {**arguments, name: self._grafted_within(arguments[name])}
        source, target = self.rng.sample(list(arguments), 2)
        value = arguments[target]
        made = self._grafted(value, arguments[source])
        return {**arguments, target: made if kind_of(made) == kind_of(value) else value}

    def _grafted(self, value: Any, source: Any) -> Any:
        rng = self.rng
        if isinstance(value, list | tuple) and isinstance(source, list | tuple | set | str):
            items, given = list(value), listed(source)
            roll = rng.random()
            if roll < 0.4 or not items:  # the same items at the same places, but for a few
                items = given[:MAX_LENGTH]
                if items and roll < 0.3:
                    at = rng.randrange(len(items))
                    items[at] = self.mutations.of_value(items[at], 1)
            else:
                for at in range(min(len(items), len(given))):
                    items[at] = given[at] if rng.random() < 0.6 else items[at]
            return type(value)(items)
        if isinstance(value, list | tuple) and kind_of(source) is not None:
            items = list(value)
            items.insert(rng.randint(0, len(items)), source)
            return type(value)(items[:MAX_LENGTH])
        if isinstance(value, dict) and isinstance(source, dict):
            return {**value, **{key: source[key] for key in source if key in value}}
        if isinstance(value, dict) and hashable(source):
            key = rng.choice([source, *value]) if rng.random() < 0.7 else source
            return {**value, key: next(iter(value.values()), 1)}
        if isinstance(value, str) and isinstance(source, str):
            at = rng.randint(0, len(value))
            piece = source[: rng.randint(1, max(len(source), 1))]
            return rng.choice((source, value[:at] + piece + value[at:], piece))[:MAX_LENGTH]
        if isinstance(value, int | float):
            return self._number_of(source, value)
        if isinstance(source, list | tuple | set | dict | str) and source:
            return rng.choice(listed(source))
        return source

    def _grafted_within(self, value: Any) -> Any:
        if not isinstance(value, list | tuple) or len(value) < 2:
            return value
        source, target = self.rng.sample(range(len(value)), 2)
        made = self._grafted(value[target], value[source])
        return type(value)([*value[:target], made, *value[target + 1 :]])

    def _number_of(self, source: Any, value: int | float) -> Any:
        """Return a number that the source has: it, an item, its length or sum, or a neighbour."""
        choices: list[Any] = [value]
        if isinstance(source, int | float):
            choices = [source, source + 1, source - 1, -source, 2 * source]
        elif isinstance(source, list | tuple | set | dict | str):
            items = listed(source)
            numbers = [i for i in items if isinstance(i, int | float) and abs(i) < 1e15]
            choices = [len(items), len(items) - 1, *numbers[:6]]
            if numbers:
                choices += [sum(numbers), max(numbers), min(numbers), max(numbers) + 1]
        return self.rng.choice(choices)

    def recast(self, arguments: Arguments) -> Arguments:
        """Return a row in which one value, or one in it, is of another kind."""
        if not arguments:
            return arguments
        name = self.rng.choice(list(arguments))
        return {**arguments, name: self._recast(arguments[name], 0)}

    def _recast(self, value: Any, depth: int) -> Any:
        rng = self.rng
        inner = 0.5 if depth == 0 else 0.3
        if isinstance(value, list | tuple) and value and rng.random() < inner:
            at = rng.randrange(len(value))
            items = [*value[:at], self._recast(value[at], depth + 1), *value[at + 1 :]]
            return type(value)(items)
        if isinstance(value, dict) and value and rng.random() < inner:
            key = rng.choice(list(value))
            return {**value, key: self._recast(value[key], depth + 1)}
        roll = rng.random()
        if roll < 0.2 and depth < 3:  # one level deeper, as trees are
            return rng.choice(([value], (value,), {"a": value}, [value, value]))
        if isinstance(value, dict) and roll < 0.4:
            return {**value, "a": value}
        if isinstance(value, list) and roll < 0.3:
            return [*value, value]
        return rng.choice(_OTHERS)
