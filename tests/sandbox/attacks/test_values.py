"""Attacks by values: what is returned lies about what it is, or cannot be written down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.sandbox.attacks.arena import attack

if TYPE_CHECKING:
    from tests.sandbox.attacks.arena import Attack, Batch


OPTIONS = {"function_seconds": 1}  # an object's end may come when no case's clock is running


def test_attack(attack: Attack, batch: Batch) -> None:
    batch.check(attack)


def test_nothing_is_left(batch: Batch) -> None:
    batch.check_the_rest()


# Numbers and text


@attack("unrepresentable")
def integer_over_the_limit_of_digits(x: int) -> Any:
    return 10**5000


@attack("unrepresentable")
def integer_with_the_limit_taken_away(x: int) -> Any:
    import sys

    sys.set_int_max_str_digits(0)
    return 10**100_000


@attack("returned 1" + "0" * 3_999)
def integer_just_short_enough(x: int) -> Any:
    return 10**3999


@attack("returned [float('nan'), float('inf'), float('-inf'), -0.0]")
def floats_without_a_literal(x: int) -> Any:
    return [float("nan"), float("inf"), -float("inf"), -0.0]


@attack("unrepresentable")
def nan_as_a_key(x: int) -> Any:
    return {float("nan"): 1, float("nan") * 1: 2}


@attack("unrepresentable")
def complex_without_a_literal(x: int) -> Any:
    return complex(float("nan"), -0.0)


@attack(r"returned ['\ud800', '\x00', '\u2028\u202e', '\\n']")
def odd_text(x: int) -> Any:
    return ["\ud800", "\0", "\u2028\u202e", r"\n"]


@attack("raised ValueError")
def message_with_a_surrogate(x: int) -> Any:
    raise ValueError("\ud800\0\n" * 300)


@attack("returned {'a': 1}")
def argument_changed(x: Any) -> Any:
    x = {"a": 1}
    locals()["x"] = None
    return x


@attack("returned [1, 2, [3]]", arguments=("{'x': [1, 2]}",))
def argument_mutated(x: list[Any]) -> Any:
    x.append([3])
    return x


@attack("returned [1, 1]", "returned [2, 1]", arguments=("{'x': 1}", "{'x': 2}"))
def default_mutated(x: int, seen: list[int] = []) -> Any:
    seen.append(x)
    return [x, len(seen)]


# Objects


@attack("unrepresentable")
def generator(x: int) -> Any:
    return (i for i in range(3))


@attack("unrepresentable")
def endless_generator(x: int) -> Any:
    while True:
        yield x


@attack("unrepresentable")
def iterators(x: int) -> Any:
    return [iter([1]), map(str, [1]), range(3)]


@attack("unrepresentable")
async def coroutine(x: int) -> Any:
    return x


@attack("unrepresentable")
def module_returned(x: int) -> Any:
    import sys

    return sys


@attack("unrepresentable")
def subclass_of_int(x: int) -> Any:
    class Number(int):
        def __repr__(self) -> str:
            return "666"

    return Number(1)


@attack("unrepresentable")
def subclass_of_str(x: int) -> Any:
    class Text(str):
        def __len__(self) -> int:
            return 0

        def __str__(self) -> str:
            return "666"

    return Text("x" * 10**6)


@attack("unrepresentable")
def subclass_of_list(x: int) -> Any:
    class Items(list):
        def __iter__(self) -> Any:
            while True:
                yield 1

    return [Items([1])]


@attack("unrepresentable")
def subclass_of_dict(x: int) -> Any:
    class Pairs(dict):
        def items(self) -> Any:
            while True:
                pass

    return {"a": Pairs(a=1)}


@attack("unrepresentable")
def subclass_of_bool_s_kind(x: int) -> Any:
    import enum

    class Flag(enum.IntEnum):
        YES = 1

    return Flag.YES


@attack("unrepresentable")
def evil_repr(x: int) -> Any:
    class Evil:
        def __repr__(self) -> str:
            while True:
                pass

        __str__ = __format__ = __repr__

    return [Evil()]


@attack("unrepresentable")
def evil_class(x: int) -> Any:
    class Evil:
        @property
        def __class__(self) -> Any:
            return int

        def bit_length(self) -> int:
            return 1

        def __repr__(self) -> str:
            return "666"

    return Evil()


@attack("unrepresentable")
def evil_reduce(x: int) -> Any:
    class Evil:
        def __reduce__(self) -> Any:
            import os

            return os._exit, (1,)

        __reduce_ex__ = __reduce__

    return (Evil(), Evil)


@attack("unrepresentable")
def evil_members_of_a_set(x: int) -> Any:
    class Evil:
        def __hash__(self) -> int:
            return 1

        def __eq__(self, other: object) -> bool:
            return False

        def __lt__(self, other: object) -> bool:
            while True:
                pass

    return {Evil(), Evil(), 1}


@attack("unrepresentable")
def evil_keys(x: int) -> Any:
    class Evil(str):
        armed = False

        def __hash__(self) -> int:
            while Evil.armed:
                pass
            return 1

    value = {Evil("a"): 1}
    Evil.armed = True
    return value


@attack("timed_out")
def evil_metaclass(x: int) -> Any:
    class Meta(type):
        def __getattribute__(cls, name: str) -> Any:
            while True:
                pass

        def __instancecheck__(cls, instance: object) -> bool:
            return True

    class Evil(metaclass=Meta):
        pass

    return Evil()


@attack("killed")
def evil_del(x: int) -> Any:
    class Evil:
        def __del__(self) -> None:
            import os

            os._exit(1)

    return [Evil()]


@attack("timed_out")
def endless_del(x: int) -> Any:
    class Evil:
        def __del__(self) -> None:
            while True:
                pass

    return [Evil()]
