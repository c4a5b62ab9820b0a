"""Values of shapes: the ones worth trying first, and random ones."""

from __future__ import annotations

import random
from typing import Any

from c2c_tasks.inputs.synthesis.inference import Knowledge
from c2c_tasks.inputs.synthesis.shapes import Shape
from c2c_tasks.inputs.synthesis.texts import WORDS, alphabet_of, text
from c2c_tasks.inputs.synthesis.uses import Use, kind_of

_INTEGERS = (0, 1, 2, 3, 5, 10, -1, 4, 7, 12, 100, -5, 6, 8, 9, 15, 17, 28, 50, 1000, -100, 2024)
_SMALL = (0, 1, 2, 3, 5, 4, 6, 8, 10, 7, 12, -1)
_FLOATS = (0.5, 1.0, 2.5, -1.5, 0.0, 10.0, 3.14159, 100.25, 0.1, -0.75, 1e-3, 72.0)
_TEXTS = ("", "a", "hello", "Hello World", "abc", "12", "racecar", "a b c", "Python 3", "aabbc", "ZZ")
_LENGTHS = (3, 5, 2, 4, 1, 6, 8, 0)
_MIXED = (1, "a", 2.5, None, True, [1, 2], (3, 4), "text", 0, -1, {"a": 1})
MAX_TEXT = 2_000


class Values:
    """Makes values of shapes for one function. The same seed makes the same values."""

    def __init__(self, known: Knowledge, rng: random.Random) -> None:
        self.known = known
        self.rng = rng
        self.size: int | None = None
        """Length that the containers of one input share, where they share one."""
        self.gentle = False
        """True for plain values: small numbers, nothing odd, on which loops end."""

    # -- values worth trying first ---------------------------------------------------------

    def interesting(self, shape: Shape) -> list[Any]:
        """Return the values that the program tells apart and the bounds of the kind."""
        use = shape.use
        match shape.kind:
            case "int":
                return self._integers(use)
            case "float":
                floats = [float(n) for n in self._integers(use) if abs(n) < 10**15]
                fractions = [v for v in use.literals.values() if isinstance(v, float)]
                near = [v + d for v in fractions for d in (0.0, 0.01, -0.01)]
                return [*near, *floats[: 2 * len(use.literals)], *_FLOATS]
            case "bool":
                return [True, False]
            case "none":
                return [None]
            case "str":
                return self._texts(use)
            case "bytes":
                return [b"", b"abc", b"hello world", b"\x00\x01\xff", b"12"]
            case "dict":
                return self._dicts(shape)
        return self._sequences(shape)

    def _integers(self, use: Use) -> list[int | float]:
        found: dict[int, None] = {}
        for value in _numbers(use):
            near = (int(value), int(value) + 1, int(value) - 1)
            found.update(dict.fromkeys(near if abs(value) < 10**9 else near[:1]))
        for divisor, remainder in use.remainders:
            if 0 < divisor < 10**6:
                found.update(dict.fromkeys(remainder + divisor * k for k in (1, 2, 3, 7)))
        if "small" in use.flags:
            found = {value: None for value in found if -100 <= value <= 2_000}
        base: tuple[int, ...] = _SMALL if "small" in use.flags else _INTEGERS
        if "natural" in use.flags:
            base = tuple(value for value in base if value >= 0)
        if "code_point" in use.flags:
            base = (65, 97, 48, 32, 122, 955)
        found.update(dict.fromkeys(base))
        return list(found)

    def _texts(self, use: Use) -> list[Any]:
        literals = [value for value in use.literals.values() if isinstance(value, str)]
        found: dict[str, None] = dict.fromkeys(literals)
        for prefix in use.prefixes:
            found.update(dict.fromkeys((prefix + "abc", prefix)))
        for suffix in use.suffixes:
            found.update(dict.fromkeys(("abc" + suffix, suffix)))
        for fragment in use.fragments:
            found.update(dict.fromkeys((f"ab{fragment}cd", fragment)))
        for pattern in use.patterns:
            found.update(dict.fromkeys(text(use, self.rng) for _ in range(3)) if pattern else {})
        if use.part is not None:
            found.update(dict.fromkeys(self._split_text(use) for _ in range(6)))
        for length in use.lengths:
            if 0 < length <= 60:
                sizes = (length, length - 1, length + 1)
                found.update(dict.fromkeys(self._run(use, size) for size in sizes))
        found.update(dict.fromkeys(value.upper() for value in literals if value.islower()))
        if use.lengths == {1: None}:
            found.update(dict.fromkeys([*alphabet_of(use), *"aZ5 .b"]))
            return [value for value in found if len(value) == 1]
        found.update(dict.fromkeys(alphabet_of(use)[:6]))
        forms = any(f in use.flags for f in ("integer_text", "number_text", "date", "path", "json"))
        if forms or use.flags and any(f in use.flags for f in ("url", "email", "dna", "time")):
            found.update(dict.fromkeys(text(use, self.rng) for _ in range(6)))
        found.update(dict.fromkeys(_TEXTS))
        return list(found)

    def _run(self, use: Use, length: int) -> str:
        letters = alphabet_of(use) or list("abcdef")
        return "".join(self.rng.choices(letters, k=max(length, 0)))

    def _sequences(self, shape: Shape) -> list[Any]:
        if shape.fields and _is_fixed(shape):
            return [self.random(shape) for _ in range(6)]
        item = shape.item
        if item is None:
            return []
        single = self.interesting(item)[:12]
        made: list[list[Any]] = []
        lengths = [length for length in shape.use.lengths if length <= 60]
        made += [self._items(item, length) for length in lengths[:4]]
        made.append([self.random(item) for _ in range(4)])
        made += [[], single[:1], single[:3]]
        made.append([single[0]] * max([3, *lengths]) if single else [])
        numbers = item.kind in ("int", "float", "str")
        if numbers:
            ordered = sorted((self.random(item) for _ in range(5)), key=_order)
            made += [ordered, ordered[::-1]]
        for value in list(item.use.literals.values())[:6]:
            if kind_of(value) == item.kind:
                made.append([value, self.random(item), value])
        made += [self._items(item, length + 1) for length in lengths[:3]]
        return [self._collect(shape, items) for items in made]

    def _dicts(self, shape: Shape) -> list[Any]:
        full = [self.random(shape) for _ in range(4)]
        partial = []
        if len(shape.fields) > 1:
            for key in list(shape.fields)[:6]:
                partial.append({k: v for k, v in full[0].items() if k != key})
                partial.append({k: v for k, v in full[1].items() if k == key})
        return [*full, {}, *partial]

    # -- random values ---------------------------------------------------------------------

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
                return text(use, rng, rng.randint(0, 8)).encode()
            case "dict":
                return self._dict(shape)
        if shape.fields and _is_fixed(shape):
            return self._record(shape)
        assert shape.item is not None
        return self._collect(shape, self._items(shape.item, self.length(shape)))

    def _number(self, kind: str, use: Use) -> int | float:
        rng = self.rng
        roll = rng.random()
        numbers = _numbers(use)
        value: int | float
        if self.gentle and "code_point" not in use.flags:
            value = rng.randint(2, 12)
        elif numbers and roll < 0.4:
            value = rng.choice(numbers) + rng.choice((-1, 0, 0, 1, rng.randint(-9, 9)))
            if "small" in use.flags:
                value = min(value, 500)
        elif use.remainders and roll < 0.6:
            divisor, remainder = rng.choice(list(use.remainders))
            value = remainder + abs(divisor) * rng.randint(0, 12)
        elif "code_point" in use.flags:
            value = rng.randint(32, 126)
        elif "small" in use.flags:
            value = rng.choice((rng.randint(0, 6), rng.randint(0, 20), rng.randint(-2, 40)))
        elif self.known.numbers and roll > 0.93 and "small" not in use.flags:
            value = rng.choice(self.known.numbers)
        else:
            value = rng.choice(
                (
                    rng.randint(0, 9),
                    rng.randint(0, 30),
                    rng.randint(1, 100),
                    rng.randint(-20, 20),
                    rng.randint(0, 1000) if roll < 0.8 else rng.randint(-10_000, 100_000),
                )
            )
        if "natural" in use.flags:
            value = abs(value)
        if kind == "int":
            return int(value)
        return float(value) if roll < 0.4 else round(value + rng.random(), 2)

    def _text(self, use: Use) -> str:
        rng = self.rng
        literals = [v for v in use.literals.values() if isinstance(v, str)]
        if literals and rng.random() < 0.45:
            return rng.choice(literals)
        if use.part is not None and rng.random() < 0.8:
            return self._split_text(use)
        if "closed" not in use.flags and self.known.texts and rng.random() < 0.06:
            return rng.choice(self.known.texts)
        length = None
        if use.lengths and rng.random() < 0.6:
            length = rng.choice(list(use.lengths))
        elif self.size is not None and rng.random() < 0.5:
            length = self.size
        return text(use, rng, length)[:MAX_TEXT]

    def _split_text(self, use: Use) -> str:
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
        for position in range(min(count, 12)):
            member = parts_use.fields.get(position, item).root()
            part = self._text(member) if member is not use else rng.choice(WORDS)
            if separator.strip() == "" and not member.literals:
                part = part.replace(" ", "") or rng.choice(WORDS)
            parts.append(part.replace(separator, "") if separator else part)
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

    def _items(self, item: Shape, length: int) -> list[Any]:
        if item.use.scores is None and not self.gentle and self.rng.random() < 0.1:
            return [self.rng.choice(_MIXED) for _ in range(length)]
        if item.kind not in ("list", "tuple") or item.fields:
            span = None
            if item.kind == "int" and not item.use.literals and self.rng.random() < 0.3:
                span = self.rng.choice((2, 4, length + 1))  # few values, so that some repeat
            absent = 0.25 if "optional" in item.use.flags else 0.0
            return [
                None if absent and self.rng.random() < absent
                else self.rng.randrange(span) if span
                else self.random(item)
                for _ in range(length)
            ]
        before = self.size
        if self.rng.random() < 0.85:  # rows of one length, often as many as there are rows
            self.size = length if self.rng.random() < 0.6 else self.rng.randint(1, 4)
        rows = [self.random(item) for _ in range(length)]
        self.size = before
        return rows

    def _record(self, shape: Shape) -> Any:
        length = max(int(key) + 1 if int(key) >= 0 else -int(key) for key in shape.fields)
        if "unpacked" in shape.use.flags and shape.use.lengths:
            length = max(shape.use.lengths)
        members = [
            self.random(shape.fields.get(i) or shape.fields.get(i - length) or _item(shape))
            for i in range(min(length, 40))
        ]
        return self._collect(shape, members)

    def _collect(self, shape: Shape, items: list[Any]) -> Any:
        if shape.kind == "tuple":
            return tuple(items)
        if shape.kind == "set":
            return {item for item in items if _hashable(item)}
        return items

    def _dict(self, shape: Shape) -> dict[Any, Any]:
        made: dict[Any, Any] = {}
        density = self.rng.choice((1.0, 1.0, 0.95, 0.95, 0.5))
        for key, member in shape.fields.items():
            if self.rng.random() < density:
                absent = "optional" in member.use.flags and self.rng.random() < 0.2
                made[key] = None if absent else self.random(member)
        if shape.item is None or shape.value is None:
            return made
        if not shape.fields or shape.use.item is not None and shape.use.item.root().scores:
            for _ in range(self.rng.choice((1, 2, 3, 4, 0, 5))):
                key = self.random(shape.item)
                if shape.item.kind == "str" and (not key or " " in key or "\n" in key):
                    key = self.rng.choice(WORDS)
                if _hashable(key):
                    made[key] = self.random(shape.value)
        return made


def _numbers(use: Use) -> list[int | float]:
    return [
        value
        for value in use.literals.values()
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e18
    ]


def _is_fixed(shape: Shape) -> bool:
    return shape.kind in ("list", "tuple") and bool(shape.fields)


def _item(shape: Shape) -> Shape:
    return shape.item if shape.item is not None else Shape("int", Use())


def _order(value: Any) -> Any:
    return value


def _hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True
