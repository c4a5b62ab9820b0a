"""What the text of a program says of its parameters."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Any

import pytest

from c2c_tasks.inputs.synthesis.inference import UnreadableProgram, understand
from c2c_tasks.inputs.synthesis.shapes import Shape, likeliest, settle, shape_of


def shape(function_of: Any, program: str, name: str = "x") -> Shape:
    known = understand(function_of(program))
    for use in known.uses.values():
        settle(use)
    return shape_of(known.uses[name], likeliest)


def spelled(found: Shape | None) -> str:
    """A shape as an annotation: ``list[int]``."""
    if found is None:
        return "?"
    match found.kind:
        case "list" | "set" | "tuple" if not found.is_record:
            return f"{found.kind}[{spelled(found.item)}]"
        case "tuple" | "list":
            return f"{found.kind}[{', '.join(spelled(m) for _, m in sorted(found.fields.items()))}]"
        case "dict" if found.fields:
            return "{" + ", ".join(f"{k}: {spelled(m)}" for k, m in found.fields.items()) + "}"
        case "dict":
            return f"dict[{spelled(found.item)}, {spelled(found.value)}]"
    return found.kind


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        ("int", "int"),
        ("float", "float"),
        ("bytes", "bytes"),
        ("list[str]", "list[str]"),
        ("List[List[int]]", "list[list[int]]"),
        ("Optional[str]", "str"),
        ("'set[int]'", "set[int]"),
        ("tuple[int, str]", "tuple[int, str]"),
        ("tuple[float, ...]", "tuple[float]"),
        ("Dict[str, list[bool]]", "dict[str, list[bool]]"),
        ("typing.Mapping[str, float]", "dict[str, float]"),
        ("bool | None", "bool"),
        ("Iterable[bytes]", "list[bytes]"),
        ("Literal['a', 'b']", "str"),
        ("Annotated[float, 'm']", "float"),
    ],
)
def test_annotations(annotation: str, expected: str, function_of: Any) -> None:
    assert spelled(shape(function_of, f"def f(x: {annotation}): return x")) == expected


@pytest.mark.parametrize("annotation", ["list[()]", "Optional[()]", "Annotated[()]", "tuple[()]",
                                        "dict[()]", "Union[()]", "Literal[()]", "x[", "'x['",
                                        "Callable[[int], str]", "1 + 1", "Foo[int]"])  # fmt: skip
def test_odd_annotations_do_no_harm(annotation: str, function_of: Any) -> None:
    function = function_of("def f(x): return x + 1")
    parameters = [replace(function.parameters[0], annotation=annotation)]
    assert understand(replace(function, parameters=parameters)).uses.keys() == {"x"}


@pytest.mark.parametrize(
    ("default", "expected"),
    [
        ("0", "int"),
        ("1.5", "float"),
        ("'a'", "str"),
        ("True", "bool"),
        ("(1, 2)", "tuple[int]"),
        ("[0.5]", "list[float]"),
        ("{'a': 1}", "dict[str, int]"),
        ("b''", "bytes"),
    ],
)
def test_defaults(default: str, expected: str, function_of: Any) -> None:
    assert spelled(shape(function_of, f"def f(x={default}): return x")) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return q.upper()", "str"),
        ("return q.split(',')", "str"),
        ("return ' '.join(q)", "list[str]"),
        ("return [i + 1 for i in q]", "list[int]"),
        ("return [w.lower() for w in q]", "list[str]"),
        ("return sum(q) / len(q)", "list[int]"),
        ("return {k: v.strip() for k, v in q.items()}", "dict[str, str]"),
        ("return q['name'].title() + str(q['age'] + 1)", "{name: str, age: int}"),
        ("return [row[0] * 2 for row in q if row[1] == 'a']", "list[list[int, str]]"),
        ("return [a + b.upper() for a, b in q]", "list[list[str, str]]"),
        ("return [[c * 2 for c in row] for row in q]", "list[list[int]]"),
        ("return q & {1, 2}", "int"),
        ("return range(q)", "int"),
        ("return q % 2 == 0", "int"),
        ("return math.sqrt(q)", "int"),
        ("return re.sub('a', 'b', q)", "str"),
        ("return sorted(q, key=lambda p: p['n'] + 1)", "list[{n: int}]"),
        ("q.append(1)\n    return q", "list[int]"),
        ("for i in range(len(q)):\n        q[i] = q[i] // 2\n    return q", "list[int]"),
        ("return helper(q)", "str"),
        ("def inner(y):\n        return y.upper()\n    return inner(q)", "str"),
        ("return list(map(lambda w: w.strip(), q))", "list[str]"),
        (
            "match q:\n        case {'kind': 'a', 'size': 3}:\n            return 1",
            "{kind: str, size: int}",
        ),
        ("return datetime.datetime(q, 1, 1)", "int"),
        ("return datetime.datetime.strptime(q, '%Y')", "str"),
        ("return len(frozenset(q))", "list[int]"),
        ("return [q[i + 1] in q[i] for i in range(len(q) - 1)]", "list[str]"),
        ("return max(q, key=sum)", "list[list[int]]"),
        ("return sorted(q, key=len)", "list[str]"),
        ("return min(q, key=operator.itemgetter('n'))", "list[{n: int}]"),
        ("return list(map(sum, q))", "list[list[int]]"),
        ("return list(map(helper, q))", "list[str]"),
        ("return sorted(q, key=helper)", "list[str]"),
        ("return sorted(q, key=str.lower)", "list[str]"),
        ("return functools.reduce(lambda a, b: a + b.strip(), q)", "list[str]"),
        ("return [sum(row) for row in zip(*q)]", "list[list[int]]"),
        ("return [a * b for a, b in itertools.combinations(q, 2)]", "list[int]"),
        ("return heapq.nlargest(q, [3, 1, 2])", "int"),
        ("return heapq.nlargest(2, q, key=lambda p: p['n'] + 1)", "list[{n: int}]"),
        ("return dict(collections.ChainMap({}, q))", "dict[str, int]"),
        ("return q[:2] + 'x'", "str"),
        ("return (q[:2] + q[3:]).upper()", "str"),
        ("return sum(q + q)", "list[int]"),
        ("return 'a-b'.replace('a', q)", "str"),
        ("return q.startswith(b'GIF8')", "bytes"),
        ("return q.find(b'x') + 1", "bytes"),
        ("return q.pattern if type(q) == type('') else q.strip()", "str"),
    ],
)
def test_use_in_the_body(body: str, expected: str, function_of: Any) -> None:
    program = f"""\
import collections, datetime, functools, heapq, itertools, math, operator, re

def helper(text):
    return text.capitalize()

def f(q):
    {body}
"""
    assert spelled(shape(function_of, program, "q")) == expected


def test_what_is_looked_for_and_then_looked_up_is_a_key(function_of: Any) -> None:
    program = "def f(x, k):\n    if k in x:\n        return x[k]\n    return 0\n"
    assert spelled(shape(function_of, program)).startswith("dict")


def test_a_range_is_as_long_as_what_it_indexes(function_of: Any) -> None:
    program = "def f(x):\n    return [x[i] * 2 for i in range(7)]\n"
    assert 7 in understand(function_of(program)).uses["x"].root().lengths


def test_names_and_numbers_outside_of_the_function(function_of: Any) -> None:
    program = "MODE = 0o170\ndef g(y): return y & 255\ndef f(x): return g(x) == MODE, b'\\xff'\n"
    known = understand(function_of(program))
    assert {0o170, 255} <= set(known.numbers)
    assert known.texts == ["\xff"]
    assert ast.unparse(known.constants["MODE"]) == "120"


def test_collectors(function_of: Any) -> None:
    program = "def f(*x, **y):\n    return [i.upper() for i in x], y\n"
    assert spelled(shape(function_of, program)) == "tuple[str]"
    assert spelled(shape(function_of, program, "y")).startswith("dict[str, ")


@pytest.mark.parametrize(
    ("docstring", "expected"),
    [
        (":param x: list of strings", "list[str]"),
        (":type x: dict", "dict"),
        ("Args:\n        x (float): a rate", "float"),
        ("x : string\n        The name.", "str"),
    ],
)
def test_docstrings(docstring: str, expected: str, function_of: Any) -> None:
    program = f'def f(x):\n    """{docstring}"""\n    return x\n'
    assert spelled(shape(function_of, program)).startswith(expected)


def test_a_constant_is_sought_through_what_is_done_before(function_of: Any) -> None:
    program = """\
def f(a, b, c, d, e):
    if a % 7 == 3: return 1
    if b * 2 + 1 == 43: return 2
    if c.lower().startswith("ab"): return 3
    if len(d) > 9: return 4
    if e[:2] == "0x": return 5
"""
    uses = {name: use.root() for name, use in understand(function_of(program)).uses.items()}
    assert (7, 3) in uses["a"].remainders
    assert 21 in uses["b"].literals.values()
    assert "ab" in uses["c"].prefixes
    assert 9 in uses["d"].lengths
    assert "0x" in uses["e"].prefixes


def test_constants_of_the_program(function_of: Any) -> None:
    program = 'def f(x):\n    """No 12 of these."""\n    return x + 3.5, "key", 10**9, b"", True\n'
    known = understand(function_of(program))
    assert known.numbers == [3.5, 10, 9]
    assert known.texts == ["key"]


@pytest.mark.parametrize(
    "program",
    ["def f(x:", "x = 1", "class f: pass", "def f(x):\n    return " + "(" * 300 + ")" * 300],
)
def test_programs_that_cannot_be_read(program: str, function_of: Any) -> None:
    function = replace(function_of("def f(x): return x"), program=program)
    with pytest.raises(UnreadableProgram, match="f: "):
        understand(function)
