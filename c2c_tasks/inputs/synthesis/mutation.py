"""Small changes of values that keep their type."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from c2c_tasks.inputs.constants import listed
from c2c_tasks.inputs.synthesis.inference import Knowledge
from c2c_tasks.inputs.synthesis.texts import WORDS, plain_text
from c2c_tasks.inputs.synthesis.uses import kind_of

MAX_LENGTH = 60
"""Items to which a mutation lets a container or text grow."""


class Mutations:
    """Makes changes, drawing on the constants of the program and on values seen."""

    def __init__(self, known: Knowledge, rng: random.Random) -> None:
        self.rng = rng
        self.numbers = [*known.numbers, 0, 1, -1, 2, 10]
        self.texts = [*known.texts, *WORDS[:6]]

    def of_arguments(
        self, arguments: dict[str, Any], others: list[dict[str, Any]] | None = None
    ) -> dict[str, Any]:
        """Return a row with one or two values changed, or taken from another row."""
        if not arguments:
            return arguments
        changed = dict(arguments)
        for name in self.rng.sample(list(changed), min(len(changed), self.rng.choice((1, 1, 2)))):
            if others and self.rng.random() < 0.2:
                changed[name] = self.rng.choice(others).get(name, changed[name])
            else:
                changed[name] = self.of_value(changed[name])
        return changed

    def of_value(self, value: Any, depth: int = 0) -> Any:
        """Return a changed copy of a value, of the same kind."""
        change = self._CHANGES.get(kind_of(value) or "")
        return change(self, value, depth) if change else value

    def _bool(self, value: bool, depth: int) -> bool:
        return not value

    def _int(self, value: int, depth: int) -> int:
        rng = self.rng
        match rng.randrange(8):
            case 0 | 1:
                return value + rng.choice((1, -1))
            case 2:
                return value + rng.randint(-12, 12)
            case 3:
                return -value if value > 0 else abs(value) + 1
            case 4:
                return value * rng.choice((2, 2, 10, 1_000)) if abs(value) < 10**6 else value // 2
            case 5:
                return value // 2 if rng.random() < 0.5 else value // 10
            case 6:
                number = rng.choice(self.numbers)
                return int(number) + rng.choice((0, 0, 1, -1)) if abs(number) < 1e15 else value
        return rng.randint(0, 99)

    def _float(self, value: float, depth: int) -> float:
        rng = self.rng
        match rng.randrange(5):
            case 0:
                return value + 1
            case 1:
                return round(value + rng.uniform(-5, 5), 2)
            case 2:
                return -value
            case 3:
                return float(rng.choice(self.numbers))
        return round(value * rng.choice((0.5, 2, 10)), 4)

    def _str(self, value: str, depth: int) -> str:
        rng = self.rng
        at = rng.randint(0, len(value))
        match rng.randrange(10):
            case 0:
                return value[:at] + rng.choice(self._letters(value)) + value[at:]
            case 1:
                return value[:at] + value[at + 1 :]
            case 2:
                return value[:at] + rng.choice(self._letters(value)) + value[at + 1 :]
            case 3:
                return value[:at] + value[:at][::-1] if rng.random() < 0.5 else value[::-1]
            case 4:
                return (value + value)[:MAX_LENGTH]
            case 5:
                if value and rng.random() < 0.3:  # several times, as a separator stands
                    return rng.choice(self.texts).join([value[:at], value[at:], value])[:MAX_LENGTH]
                return value[:at] + rng.choice(self.texts) + value[at:]
            case 6:
                return rng.choice((value.upper(), value.lower(), value.title(), value.swapcase()))
            case 7:
                return value[at:] + value[:at]
            case 8:
                return rng.choice(self.texts) if depth == 0 else value[:at]
        return plain_text(rng)

    def _letters(self, value: str) -> str:
        return (value or "a") * 2 + "a Z0.,-" if self.rng.random() < 0.7 else "éß0 \t_9zA"

    def _bytes(self, value: bytes, depth: int) -> bytes:
        at = self.rng.randint(0, len(value))
        return value[:at] + bytes([self.rng.randrange(256)]) + value[at + self.rng.randint(0, 1) :]

    def _list(self, value: list[Any], depth: int) -> list[Any]:
        rng = self.rng
        items = list(value)
        at = rng.randint(0, max(len(items) - 1, 0))
        if not items:
            return [rng.choice(self.numbers)] if rng.random() < 0.5 else [rng.choice(self.texts)]
        match rng.randrange(10):
            case 7:
                items[at] = rng.choice(items)
            case 0:
                del items[at]
            case 1:
                items.insert(at, items[at])
            case 2:
                items.append(self.of_value(items[at], depth + 1))
            case 3:
                rng.shuffle(items)
            case 4:
                items.reverse()
            case 5:
                items = (items + items)[:MAX_LENGTH]
            case 6:
                try:
                    items.sort()
                except TypeError:
                    items.reverse()
            case _:
                for _ in range(rng.choice((1, 1, 2, 3))):
                    at = rng.randrange(len(items))
                    items[at] = self.of_value(items[at], depth + 1)
        return items[:MAX_LENGTH]

    def _tuple(self, value: tuple[Any, ...], depth: int) -> tuple[Any, ...]:
        if not value or (depth == 0 and self.rng.random() < 0.25):
            return tuple(self._list(list(value), depth))
        at = self.rng.randrange(len(value))
        if self.rng.random() < 0.1:
            return (*value[:at], self.rng.choice(value), *value[at + 1 :])
        return (*value[:at], self.of_value(value[at], depth + 1), *value[at + 1 :])

    def _set(self, value: set[Any] | frozenset[Any], depth: int) -> set[Any] | frozenset[Any]:
        items = listed(value)
        return type(value)(self._list(items, depth) if items else (1, 2))

    def _dict(self, value: dict[Any, Any], depth: int) -> dict[Any, Any]:
        rng = self.rng
        changed = dict(value)
        if not changed:
            return {rng.choice(self.texts): 1}
        key = rng.choice(list(changed))
        match rng.randrange(8):
            case 0:
                del changed[key]
            case 1:
                new = self.of_value(key, depth + 1)
                changed[new] = self.of_value(changed[key], depth + 1)
            case _:
                changed[key] = self.of_value(changed[key], depth + 1)
        return changed

    _CHANGES: dict[str, Callable[[Mutations, Any, int], Any]] = {  # noqa: RUF012
        "bool": _bool,
        "int": _int,
        "float": _float,
        "str": _str,
        "bytes": _bytes,
        "list": _list,
        "tuple": _tuple,
        "set": _set,
        "dict": _dict,
    }
