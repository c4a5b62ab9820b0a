"""Random values of shapes."""

from __future__ import annotations

import random
from typing import Any

from c2c_tasks.inputs.synthesis.inference import Knowledge
from c2c_tasks.inputs.synthesis.shapes import Shape
from c2c_tasks.inputs.synthesis.texts import WORDS, as_bytes, text
from c2c_tasks.inputs.synthesis.uses import Use, hashable

_LENGTHS = (3, 5, 2, 4, 1, 6, 8, 0)
_MIXED = (1, "a", 2.5, None, True, [1, 2], (3, 4), "text", 0, -1, {"a": 1})
NOTABLE = (6, 28, 64, 97, 121, 153, 220, 370, 496, 1221, 1900, 2000, 1024, 12321)
"""Numbers of which something is true that is true of few: perfect, palindromic, of a leap year."""
MAX_TEXT = 2_000
MAX_ITEMS = 1_000
"""Items of a value, those of its items included."""
MAX_NESTED_TEXTS = 3
"""Texts split out of texts; a program may split a part as it does the whole."""


class Values:
    """Makes values of shapes for one function. The same seed makes the same values."""

    def __init__(self, known: Knowledge, rng: random.Random) -> None:
        self.known = known
        self.rng = rng
        self.size: int | None = None
        """Length that the containers of one input share, where they share one."""
        self.density = 1.0
        """Share of the known keys that the dicts of one input have."""
        self.gentle = False
        """True for plain values: small numbers, nothing odd, on which loops end."""
        self._room = MAX_ITEMS
        self._nested_texts = 0

    def random(self, shape: Shape) -> Any:
        """Return a random value of a shape."""
        rng, use = self.rng, shape.use
        match shape.kind:
            case "int" | "float":
                return self._number(shape.kind, use)
            case "bool":
                return rng.random() < 0.5
            case "none":
                return None
            case "str":
                return self._text(use)
            case "bytes":
                return as_bytes(text(use, rng, rng.randint(0, 8)))
            case "dict":
                return self._dict(shape)
        if shape.is_record:
            return self._record(shape)
        assert shape.item is not None
        return self.collected(shape, self.items(shape.item, self.length(shape)))

    def _number(self, kind: str, use: Use) -> int | float:
        rng = self.rng
        roll = rng.random()
        value = self._number_told_apart(use, roll)
        if value is None:
            value = self._plain_number(use, roll)
        if "natural" in use.flags:
            value = abs(value)
        if kind == "int":
            return int(value)
        return float(value) if roll < 0.4 else round(value + rng.random(), 2)

    def _number_told_apart(self, use: Use, roll: float) -> int | float | None:
        """Return a number near one that the program compares with; None for any number."""
        rng = self.rng
        if self.gentle and "code_point" not in use.flags:
            return rng.randint(0, 2) if "index" in use.flags else rng.randint(2, 12)
        numbers = numbers_of(use)
        if numbers and roll < 0.4:
            value = rng.choice(numbers) + rng.choice((-1, 0, 0, 1, rng.randint(-9, 9)))
            return min(value, 500) if "small" in use.flags else value
        if use.remainders and roll < 0.6:
            divisor, remainder = rng.choice(list(use.remainders))
            return remainder + abs(divisor) * rng.randint(0, 12)
        return None

    def _plain_number(self, use: Use, roll: float) -> int | float:
        rng = self.rng
        if "code_point" in use.flags:
            return rng.randint(32, 126)
        if "index" in use.flags:
            return rng.choice((0, 1, 2, 3, rng.randint(0, 5), rng.randint(-3, 12)))
        if "small" in use.flags:
            return rng.choice((rng.randint(0, 6), rng.randint(0, 20), rng.randint(-2, 40)))
        if roll > 0.93:
            return rng.choice((*self.known.numbers, *NOTABLE))
        choices = (
            rng.randint(0, 9),
            rng.randint(0, 30),
            rng.randint(1, 100),
            rng.randint(-20, 20),
            rng.randint(0, 1000) if roll < 0.8 else rng.randint(-10_000, 100_000),
        )
        return rng.choice(choices)

    def _text(self, use: Use) -> str:
        rng = self.rng
        literals = [v for v in use.literals.values() if isinstance(v, str)]
        if literals and rng.random() < 0.45:
            return rng.choice(literals)
        if use.part is not None and rng.random() < 0.8 and self._nested_texts < MAX_NESTED_TEXTS:
            return self.split_text(use)
        if "closed" not in use.flags and self.known.texts and rng.random() < 0.06:
            return rng.choice(self.known.texts)
        length = None
        if use.lengths and rng.random() < 0.6:
            length = rng.choice(list(use.lengths))
        elif self.size is not None and rng.random() < 0.5:
            length = self.size
        return text(use, rng, length)[:MAX_TEXT]

    def split_text(self, use: Use) -> str:
        """Return a text whose parts, once it is split, are what the program wants of them."""
        parts_use = use.part.root() if use.part is not None else Use()
        item = parts_use.get("item") if parts_use.item is None else parts_use.item.root()
        rng = self.rng
        lengths = list(parts_use.lengths) or [1, 2, 3, 4, 5]
        count = max(lengths) if parts_use.lengths and rng.random() < 0.7 else rng.choice(lengths)
        if "unpacked" not in parts_use.flags and rng.random() < 0.5:
            count += rng.randint(0, 3)
        separator = use.separator if use.separator is not None else " "
        parts = []
        self._nested_texts += 1
        for position in range(min(count, 12)):
            member = parts_use.fields.get(position, item).root()
            part = self._text(member) if member is not use else rng.choice(WORDS)
            if separator.strip() == "" and not member.literals:
                part = part.replace(" ", "") or rng.choice(WORDS)
            parts.append(part.replace(separator, "") if separator else part)
        self._nested_texts -= 1
        return (separator or " ").join(parts)

    def length(self, shape: Shape) -> int:
        """Return a length for a container."""
        rng, lengths = self.rng, list(shape.use.lengths)
        if lengths and ("unpacked" in shape.use.flags or rng.random() < 0.3):
            return min(rng.choice(lengths), 60)
        if self.size is not None and rng.random() < 0.75:
            return max(self.size, *lengths) if lengths and max(lengths) < 20 else self.size
        length = rng.choice(_LENGTHS)
        return max(length, min(max(lengths), 30)) if lengths and rng.random() < 0.8 else length

    def items(self, item: Shape, length: int) -> list[Any]:
        """Return so many items, fewer where the value has no room for them."""
        room = self._room
        length = min(length, room)
        self._room = room // max(length, 1)
        items = self._items(item, length)
        self._room = room
        return items

    def _items(self, item: Shape, length: int) -> list[Any]:
        if item.use.scores is None and not self.gentle and self.rng.random() < 0.1:
            return [self.rng.choice(_MIXED) for _ in range(length)]
        if item.kind not in ("list", "tuple") or item.fields:
            span = None
            if item.kind == "int" and not item.use.literals and self.rng.random() < 0.3:
                span = self.rng.choice((2, 4, length + 1))  # few values, so that some repeat
            absent = 0.25 if "optional" in item.use.flags else 0.0
            return [self._item(item, span, absent) for _ in range(length)]
        before = self.size
        if self.rng.random() < 0.85:  # rows of one length, often as many as there are rows
            self.size = length if self.rng.random() < 0.6 else self.rng.randint(1, 4)
        rows = [self.random(item) for _ in range(length)]
        self.size = before
        return rows

    def _item(self, item: Shape, span: int | None, absent: float) -> Any:
        if absent and self.rng.random() < absent:
            return None
        return self.rng.randrange(span) if span else self.random(item)

    def _record(self, shape: Shape) -> Any:
        length = max(int(key) + 1 if int(key) >= 0 else -int(key) for key in shape.fields)
        if "unpacked" in shape.use.flags and shape.use.lengths:
            length = max(shape.use.lengths)
        others = shape.item if shape.item is not None else Shape("int", Use())
        room = self._room
        length = min(length, 40)
        self._room = room // max(length, 1)
        members = [
            self.random(shape.fields.get(i) or shape.fields.get(i - length) or others)
            for i in range(min(length, room))
        ]
        self._room = room
        return self.collected(shape, members)

    def collected(self, shape: Shape, items: list[Any]) -> Any:
        """Return items as the list, tuple or set that a shape asks for."""
        if shape.kind == "tuple":
            return tuple(items)
        if shape.kind == "set":
            if shape.use.best() != "set":
                return _ordered_alike(items)
            return {item for item in items if hashable(item)}
        return items

    def _dict(self, shape: Shape) -> dict[Any, Any]:
        made: dict[Any, Any] = {}
        density = self.density
        for key, member in shape.fields.items():
            if self.rng.random() < density:
                absent = "optional" in member.use.flags and self.rng.random() < 0.2
                made[key] = None if absent else self.random(member)
        if shape.item is None or shape.value is None:
            return made
        keys_vary = shape.use.item is not None and shape.use.item.root().scores is not None
        if not shape.fields or keys_vary:
            for _ in range(self.rng.choice((1, 2, 3, 4, 0, 5))):
                key = self.random(shape.item)
                if shape.item.kind == "str" and (not key or " " in key or "\n" in key):
                    key = self.rng.choice(WORDS)
                if hashable(key):
                    made[key] = self.random(shape.value)
        return made


def _ordered_alike(items: list[Any]) -> set[Any]:
    """Return a set of those items that any interpreter goes through in one order, at least one.

    A program that is not made for sets is likely to let their order show, and texts have
    another with each hash seed.
    """
    numbers = {item for item in items if isinstance(item, int) and 0 <= item < 8}
    return numbers or {item for item in items[:1] if hashable(item)}


def numbers_of(use: Use) -> list[int | float]:
    """Return the numbers that a value is compared with, infinite and huge ones left out."""
    return [
        value
        for value in use.literals.values()
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e18
    ]
