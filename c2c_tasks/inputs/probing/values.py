"""Values of a type for probes: those first at which functions of one type differ."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import chain, count, cycle, islice
from typing import Any

from c2c_tasks.inputs.probing.signature import Type
from c2c_tasks.inputs.synthesis.uses import hashable

_INTEGERS = (7, 0, 1, 11, 2, 9, 3, -1, 4, 49, 6, 100, 944, 97, -12, 400, 28, 153, 10, 64)
"""Small and large, prime and not, perfect, of a leap year or not, the sum of its digits' cubes.
A recursion that goes down by one returns on all."""
_SMALL = (2, 0, 1, 3, 5, -1, 4, 12, 6, 8, 9, 10, -3, 7, 18, 15)
"""For integers beside others: many have a divisor in common, most are an index or a width."""
_FLOATS = (2.5, 0.0, 1.0, -1.5, 3.7, 0.5, 10.0, 100.0, -0.25, 7.0, 1.25, 12.5, 0.1, 3.0, -8.0, 36.6)
_TEXTS = (
    "Hello, World!",
    "",
    "a",
    "racecar",
    "aaabbbccd",
    "2002",
    "The quick brown fox. It jumps",
    "SHOUT",
    "  MiXeD\tCaSe 42 \n",
    "snake_case_name",
    "1010",
    "(a[b]{c})",
    "one,two;three,,four",
    "http://host.org/a-b/c.txt?key=value&x=1#top",
    "Was it a car\nor a cat I saw?",
    'Naïve "CAFÉ" isn\'t 日本',
    "user@mail.com: *x* <b>5 + 7</b>",
    "-3.5",
    "camelCaseName",
    "))((",
)
_WORDS = ("apple", "b", "ant", "Dog", "cat", "level", "a1", "", "banana", "x y", "10", "zoo")
"""Texts beside others, and in containers."""
_NUMBER_LISTS = (
    (3, 1, 2),
    (),
    (5,),
    (1, 2, 3, 4),
    (2, 2, 2),
    (1, 3, 2, 5, 4),
    (4, 3, 2, 1),
    (10, -5, 7, 7, 3),
    (1, 2, 3, 2, 1),
    (-3, -7, -2),
    (0, 0),
    (6, 2, 8, 4, 2, 2),
    (-1, 0, 1),
    (1, 2, 2, 3, 7, 9),
    (9, 1, 9),
    (12, 15, 18, 100, 36),
)
"""Sorted up and down, a heap, the same backwards, with repetition, with a gap, without a sign."""
_ANYTHING: tuple[Any, ...] = (
    7, "abc", [3, 1, 2], 2.5, None, {"a": 1}, "", True, [], "Hello, World!", (1, "x"), 0,
    ["b", "a"], -3, [[1], [2, 3]], "10", {3}, {"b": [1], "a": None}, "x y", 1234567, (), 0.0,
)  # fmt: skip
_LENGTHS = (4, 0, 1, 5, 3, 2, 6, 3, 7, 4)
_POOL = 12
"""Different values that containers are filled from."""
_SEQUENCES = ("list", "tuple")


def values(type_: Type, rng: random.Random, *, alone: bool) -> Iterator[Any]:
    """Yield values of a type without end; what has few values yields them again.

    Values of a type that stands alone, and not beside others or in a container, may be larger.
    """
    match type_:
        case ("any",):
            return cycle(_ANYTHING)
        case ("none",):
            return cycle([None])
        case ("bool",):
            return cycle([True, False])
        case ("int",) if alone:
            return _and_more(_INTEGERS, lambda: rng.randint(-50, 400))
        case ("int",):
            return _and_more(_SMALL, lambda: rng.randint(-5, 30))
        case ("float",):
            return _and_more(_FLOATS, lambda: round(rng.uniform(-20, 120), 2))
        case ("str",):
            return _and_more(_TEXTS if alone else _WORDS + _TEXTS, lambda: _text(rng))
        case ("bytes",):
            return (text.encode() for text in values(("str",), rng, alone=alone))
        case ("dict", key, value):
            return _dicts(key, value, rng)
        case (kind, item):
            return map(_MAKERS[kind], _lists(item, rng, alone=alone))
    raise ValueError(f"no type of probes: {type_}")


def _and_more(first: tuple[Any, ...], more: Callable[[], Any]) -> Iterator[Any]:
    yield from first
    while True:
        yield more()


def _text(rng: random.Random) -> str:
    letters = rng.choice(("abc", "0123456789", "aAbB zZ", "xyz.,-_ ", "()[]{}"))
    return "".join(rng.choices(letters, k=rng.randint(2, 9)))


def _lists(item: Type, rng: random.Random, *, alone: bool = False) -> Iterator[list[Any]]:
    if alone and item in (("int",), ("float",)):
        kind = int if item == ("int",) else float
        yield from ([*map(kind, numbers)] for numbers in _NUMBER_LISTS)
    pool = list(islice(values(item, rng, alone=False), _POOL))
    for number in count():
        length = _LENGTHS[number % len(_LENGTHS)]
        if item[0] in _SEQUENCES:
            yield _rows(item, length, number, rng)
            continue
        few = pool[:3] if number % 4 == 3 else pool  # so that some repeat
        yield _arranged(rng.choices(few, k=length), number)


def _rows(item: Type, length: int, number: int, rng: random.Random) -> list[Any]:
    """Return rows: as many items in each as there are rows, pairs, or as it comes."""
    inner = _lists(item[1], rng)
    rows = []
    for _ in range(length):
        size = (length, 2, rng.randint(0, 3))[number % 3]
        items = list(islice(chain.from_iterable(inner), size))
        rows.append(tuple(items) if item[0] == "tuple" else items)
    return rows


def _arranged(items: list[Any], number: int) -> list[Any]:
    """Return items sorted, sorted backwards, all the same, or as they are."""
    with suppress(TypeError):
        match number % 8:
            case 1 | 3 | 6 | 7:
                return sorted(items, reverse=number % 8 == 6)
            case 4:
                return items[:1] * len(items)
    return items


def _dicts(key: Type, value: Type, rng: random.Random) -> Iterator[dict[Any, Any]]:
    keys = _lists(key, rng)
    held = values(value, rng, alone=False)
    while True:
        yield {name: next(held) for name in next(keys) if hashable(name)}


def _as_set(items: list[Any]) -> set[Any]:
    """Return a set of items; of integers, of those that every interpreter has in one order."""
    return {abs(item) % 8 if type(item) is int else item for item in items if hashable(item)}


_MAKERS: dict[str, Callable[[list[Any]], Any]] = {"list": list, "tuple": tuple, "set": _as_set}
