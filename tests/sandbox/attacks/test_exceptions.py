"""Attacks by exceptions and entry points: what describes them is the function's code too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.sandbox.attacks.arena import attack

if TYPE_CHECKING:
    from tests.sandbox.attacks.arena import Attack, Batch


def test_attack(attack: Attack, batch: Batch) -> None:
    batch.check(attack)


def test_nothing_is_left(batch: Batch) -> None:
    batch.check_the_rest()


@attack("timed_out")
def exception_with_an_endless_str(x: int) -> Any:
    class Evil(Exception):
        def __str__(self) -> str:
            while True:
                pass

    raise Evil


@attack("raised Exception")
def exception_whose_str_raises(x: int) -> Any:
    class Evil(Exception):
        def __str__(self) -> str:
            raise Evil

    raise Evil


@attack("raised Exception")
def exception_whose_str_is_no_text(x: int) -> Any:
    class Evil(Exception):
        def __str__(self) -> Any:
            return 666

    raise Evil


@attack("raised Evil")
def exception_whose_class_has_no_name(x: int) -> Any:
    import os

    class Meta(type):
        @property
        def __name__(cls) -> Any:
            os._exit(1)

    class Evil(Exception, metaclass=Meta):
        pass

    raise Evil


@attack("raised " + "E" * 100)
def exception_with_a_long_name(x: int) -> Any:
    raise type("E" * 10**6, (Exception,), {})


@attack("raised ExceptionGroup")
def exception_group(x: int) -> Any:
    raise ExceptionGroup("666", [ValueError(i) for i in range(10_000)])


@attack("raised TypeError")
def raised_that_is_no_exception(x: int) -> Any:
    raise 666


@attack("dropped: failed_to_load", module=True)
def entry_point_that_is_no_function() -> None:
    class Evil:
        def __getattr__(self, name: str) -> Any:
            while True:
                pass

    f = Evil()


@attack("returned 1", module=True)
def entry_point_that_wraps_itself() -> None:
    def f(x: int) -> int:
        return x

    f.__wrapped__ = f


@attack("raised TypeError", module=True)
def entry_point_that_wraps_another() -> None:
    def f(x):
        return x

    def g(y, z):
        return "666"

    g.__wrapped__ = f
    f = g
