"""Values worth trying first: what the program tells apart, and the bounds of a kind."""

from __future__ import annotations

from typing import Any

from c2c_tasks.inputs.synthesis.shapes import Shape
from c2c_tasks.inputs.synthesis.texts import alphabet_of, as_bytes, text
from c2c_tasks.inputs.synthesis.uses import Use, kind_of
from c2c_tasks.inputs.synthesis.values import NOTABLE, Values, numbers_of

_INTEGERS = (0, 1, 2, 3, 5, 10, -1, 4, 7, 12, 100, -5, 6, 8, 9, 15, 17, 28, 50, 1000, -100, 2024,
             *NOTABLE)  # fmt: skip
_SMALL = (0, 1, 2, 3, 5, 4, 6, 8, 10, 7, 12, -1)
_CODE_POINTS = (65, 97, 48, 32, 122, 955)
_FLOATS = (0.5, 1.0, 2.5, -1.5, 0.0, 10.0, 3.14159, 100.25, 0.1, -0.75, 1e-3, 72.0)
_TEXTS = (
    "", "a", "hello", "Hello World", "abc", "12", "racecar", "a b c", "Python 3", "aabbc", "ZZ",
)  # fmt: skip
_FORMS = frozenset({
    "integer_text", "number_text", "date", "path", "json", "url", "email", "dna", "time",
    "encoding", "error_handler",
})  # fmt: skip


class Boundaries:
    """Lists values of shapes for one function, those first that its text calls for."""

    def __init__(self, values: Values) -> None:
        self.values = values
        self.rng = values.rng

    def of(self, shape: Shape) -> list[Any]:
        """Return the values to try; None among the first where the program looks for it."""
        values = self._of_kind(shape)
        if "optional" in shape.use.flags:
            values.insert(1, None)
        return values

    def _of_kind(self, shape: Shape) -> list[Any]:
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
                texts = [as_bytes(value) for value in self._texts(use) if isinstance(value, str)]
                return [b"", b"abc", b"\x00\x01\xff", *dict.fromkeys(texts)]
            case "dict":
                return self._dicts(shape)
        return self._sequences(shape)

    def _integers(self, use: Use) -> list[int | float]:
        found: dict[int, None] = {}
        for value in numbers_of(use):
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
            base = _CODE_POINTS
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
            found.update(dict.fromkeys(self.values.split_text(use) for _ in range(6)))
        for length in use.lengths:
            if 0 < length <= 60:
                sizes = (length, length - 1, length + 1)
                found.update(dict.fromkeys(self._run(use, size) for size in sizes))
        found.update(dict.fromkeys(value.upper() for value in literals if value.islower()))
        if use.lengths == {1: None}:
            found.update(dict.fromkeys([*alphabet_of(use), *"aZ5 .b"]))
            return [value for value in found if len(value) == 1]
        found.update(dict.fromkeys(alphabet_of(use)[:6]))
        if not _FORMS.isdisjoint(use.flags):
            found.update(dict.fromkeys(text(use, self.rng) for _ in range(6)))
        found.update(dict.fromkeys(_TEXTS))
        return list(found)

    def _run(self, use: Use, length: int) -> str:
        letters = alphabet_of(use) or list("abcdef")
        return "".join(self.rng.choices(letters, k=max(length, 0)))

    def _sequences(self, shape: Shape) -> list[Any]:
        if shape.is_record:
            return [self.values.random(shape) for _ in range(6)]
        item = shape.item
        if item is None:
            return []
        single = self.of(item)[:12]
        made: list[list[Any]] = []
        lengths = [length for length in shape.use.lengths if length <= 60]
        made += [self.values.items(item, length) for length in lengths[:4]]
        made.append([self.values.random(item) for _ in range(4)])
        made += [[], single[:1], single[:3]]
        made.append([single[0]] * max([3, *lengths]) if single else [])
        if item.kind in ("int", "float", "str"):
            ordered = sorted(self.values.random(item) for _ in range(5))
            made += [ordered, ordered[::-1]]
        for value in list(item.use.literals.values())[:6]:
            if kind_of(value) == item.kind:
                made.append([value, self.values.random(item), value])
        made += [self.values.items(item, length + 1) for length in lengths[:3]]
        return [self.values.collected(shape, items) for items in made]

    def _dicts(self, shape: Shape) -> list[Any]:
        full = [self.values.random(shape) for _ in range(4)]
        partial = []
        if len(shape.fields) > 1:
            for key in list(shape.fields)[:6]:
                partial.append({k: v for k, v in full[0].items() if k != key})
                partial.append({k: v for k, v in full[1].items() if k == key})
        return [*full, {}, *partial]
