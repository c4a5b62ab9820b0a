from __future__ import annotations

from types import CodeType

import pytest

from c2c_tasks.sandbox.coverage import executable_lines, line_recorder

PROGRAM = '''\
import functools

@functools.lru_cache
def f(
    x,
    y=2,
):
    """Say something."""
    def inner(z):
        return z + y
    if x:
        return [i
                for i in range(inner(x))]
    return None
'''


def code_of(program: str) -> tuple[CodeType, CodeType]:
    module = compile(program, "<program>", "exec", dont_inherit=True)
    (function,) = (c for c in module.co_consts if isinstance(c, CodeType) and c.co_name == "f")
    return module, function


def test_the_header_and_the_docstring_are_no_executable_lines() -> None:
    assert executable_lines(code_of(PROGRAM)[1]) == {9, 10, 11, 12, 13, 14}


def test_a_body_on_the_line_of_def_counts() -> None:
    assert executable_lines(code_of("def f(x): return x\n")[1]) == {1}


@pytest.mark.parametrize(("argument", "lines"), [(0, [9, 11, 14]), (1, [9, 10, 11, 12, 13])])
def test_lines_that_ran(argument: int, lines: list[int]) -> None:
    module, _ = code_of(PROGRAM)
    namespace: dict[str, object] = {"__name__": "program"}
    exec(module, namespace)
    function = namespace["f"]
    assert callable(function)
    recorder = line_recorder(module)
    try:
        for _ in range(2):  # a second time, as the first: nothing is remembered
            function.cache_clear()  # type: ignore[attr-defined]
            recorder.clear()
            recorder.start()
            function(argument)
            recorder.stop()
            assert recorder.lines() == lines
    finally:
        recorder.close()
