from __future__ import annotations

from dataclasses import replace

import pytest

from c2c_tasks.inputs.probing.adequacy import can_tell
from c2c_tasks.literals import dumps
from c2c_tasks.records import Case
from tests.inputs.conftest import FunctionOf

PROBES = [
    Case(arguments=dumps({"x": x}), outcome="returned", output=dumps(output))
    for x, output in [("a=b", "<a>"), ("key", "<key>"), (12, "XII"), ([3] * 40, None)]
]


@pytest.mark.parametrize(
    "body",
    [
        "return x.split('=')",
        "return '<' + x",  # which it makes
        "return f'<{x}>'",
        "return '<%s>' % x",
        "return x > 12 and len(x) < 40",
        "return x * 1000 + 3.14",
        "x += 86400\n    return x",
        "return {1000: 'X'}[x]",
        "return sum(c in 'aeiou' for c in x)",
        "return 'abcdefghijklmnopqrstuvwxyz'.find(x)",
        "'A docstring with :: in it.'\n    return x",
        "if x is None:\n        raise ValueError('no :: there')\n    return x",
        "assert x, 'no :: there'\n    return x",
        "y: 'list[::]' = x\n    return y",
        "return x.encode('utf-8')",
        "return min(x, float('inf'))",
        "if isinstance(x, list):\n        return x\n    return [x]",
        "if isinstance(x, list):\n        y = 1\n    else:\n        y = 2\n    return y",
        "if not isinstance(x, str):\n        raise TypeError\n    return x",
    ],
)
def test_what_probes_hold_they_can_tell(function_of: FunctionOf, body: str) -> None:
    assert can_tell(function_of(f"def f(x):\n    {body}\n"), PROBES)


@pytest.mark.parametrize(
    "body",
    [
        "return x.split('::')",
        "return x.replace('&', '')",
        "return x.startswith(b'\\xff')",
        "return x in '+-'",
        "return x == 'open sesame'",
        "import re\n    return re.sub('[aeiou]', '', x)",
        "return x % 86400",
        "return x // 41",
        "return x[:100]",
        "return x if x < 1000 else 0",
        "return f'{x:,}'",
        "return f'{x:.2f}'",
        "return isinstance(x, list)",
        "return [y for y in x if type(y) is int]",
        "if isinstance(x, list):\n        x = x[0]\n    return x",
    ],
)
def test_what_probes_lack_they_cannot_tell(function_of: FunctionOf, body: str) -> None:
    assert not can_tell(function_of(f"def f(x):\n    {body}\n"), PROBES)


def test_helpers_and_tables_count_as_the_function_does(function_of: FunctionOf) -> None:
    call = "def f(x):\n    return g(x)\n"
    assert not can_tell(function_of(f"def g(x):\n    return x.split('::')\n{call}"), PROBES)
    assert not can_tell(function_of(f"SIGN = '::'\n{call}"), PROBES)


def test_nothing_is_told_of_what_cannot_be_parsed(function_of: FunctionOf) -> None:
    function = replace(function_of("def f(x):\n    return x\n"), program="def f(x) return x")
    assert not can_tell(function, PROBES)
