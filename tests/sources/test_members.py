"""Names alone tell which members of a folder or an archive are code of its own."""

from __future__ import annotations

import pytest

from c2c_tasks.sources.members import is_own_python, is_unsafe


@pytest.mark.parametrize("path", ["a.py", "./a.py", "p/a.PY", "p.q/a.py", "packages/a.py"])
def test_own_python(path: str) -> None:
    assert is_own_python(path)
    assert not is_unsafe(path)


@pytest.mark.parametrize(
    "path", ["a.pyc", "py", ".a.py", "p/.q/a.py", "x/site-packages/a.py", "__pycache__/a.py"]
)
def test_not_own_python(path: str) -> None:
    assert not is_own_python(path)


@pytest.mark.parametrize("path", ["", "/a.py", "\\a.py", "a/../b.py", "..", "c:a.py", "a\\..\\b"])
def test_unsafe(path: str) -> None:
    assert is_unsafe(path)


@pytest.mark.parametrize("path", ["a..py", "..a/b.py", "a/b:c.py", "...", "1:a.py"])
def test_safe(path: str) -> None:
    assert not is_unsafe(path)
