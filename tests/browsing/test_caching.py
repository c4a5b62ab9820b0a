from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from c2c_tasks.browsing.caching import Recent


def test_what_was_used_last_is_kept() -> None:
    recent: Recent[int, int] = Recent(2)
    made: list[int] = []

    def get(key: int) -> int:
        return recent.get(key, lambda: made.append(key) or key * 10)

    assert [get(key) for key in (1, 2, 1, 3, 1, 2)] == [10, 20, 10, 30, 10, 20]
    assert made == [1, 2, 3, 2]
    recent.forget(1)
    recent.forget(99)
    assert get(1) == 10
    assert made[-1] == 1


def test_what_fails_is_not_kept() -> None:
    recent: Recent[int, int] = Recent(2)
    with pytest.raises(ZeroDivisionError):
        recent.get(1, lambda: 1 // 0)
    assert recent.get(1, lambda: 5) == 5


def test_threads_may_share_it() -> None:
    recent: Recent[int, int] = Recent(5)
    with ThreadPoolExecutor(8) as pool:
        keys = [number % 9 for number in range(2_000)]
        assert list(pool.map(lambda key: recent.get(key, lambda: key), keys)) == keys
