"""Each item of each answer that a grammar derives is an input of the function."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from c2c_tasks.inputs import prompts
from c2c_tasks.inputs.grammar import inputs_grammar
from c2c_tasks.inputs.parsing import parse_answer
from c2c_tasks.inputs.value_types import ANY, parameter_types

_TOKEN = re.compile(
    r'\s*(?:Regex\("(?P<regex>(?:[^"\\]|\\.)*)"\)|"(?P<text>(?:[^"\\]|\\.)*)"'
    r"|(?P<look>\(= \[.*?[^\\]\]\))|(?P<name>\w+)|(?P<count>\{\d+,\d+\})|(?P<mark>[()|]))"
)


def _tokens(text: str) -> list[tuple[str, str]]:
    found, position = [], 0
    while position < len(text.rstrip()):
        match = _TOKEN.match(text, position)
        assert match and match.lastgroup, text[position:]
        found.append((match.lastgroup, match[match.lastgroup]))
        position = match.end()
    return found


def _alternatives(tokens: list[tuple[str, str]]) -> Any:
    """Parse up to a closing bracket: alternatives of sequences of (kind, what, least, most)."""
    sequences: list[list[Any]] = [[]]
    while tokens and tokens[0] != ("mark", ")"):
        kind, what = tokens.pop(0)
        if (kind, what) == ("mark", "|"):
            sequences.append([])
        elif kind == "count":
            least, most = map(int, what[1:-1].split(","))
            sequences[-1][-1] = (*sequences[-1][-1][:2], least, most)
        elif (kind, what) == ("mark", "("):
            sequences[-1].append(("group", _alternatives(tokens), 1, 1))
            assert tokens.pop(0) == ("mark", ")")
        elif kind != "look":
            sequences[-1].append((kind, what, 1, 1))
    return sequences


@st.composite
def derivations(draw: Any, grammar: str) -> str:
    """A text that the grammar derives."""
    rules = {}
    for line in grammar.splitlines():
        name, _, text = line.partition(" ::= ")
        assert name not in rules
        rules[name] = _alternatives(_tokens(text))

    def derive(sequences: Any) -> str:
        parts = []
        for kind, what, least, most in draw(st.sampled_from(sequences)):
            for _ in range(draw(st.integers(least, min(most, least + 2)))):
                if kind == "text":
                    parts.append(what.replace("\\n", "\n"))
                elif kind == "regex":
                    pattern = re.sub(r"\\(.)", r"\1", what)
                    parts.append(draw(st.from_regex(f"(?:{pattern})", fullmatch=True)))
                else:
                    parts.append(derive(rules[what] if kind == "name" else what))
        return "".join(parts)

    return derive(rules["root"])


PROGRAMS = (
    "def f(x): return x",
    "def f(): return 1",
    "def f(grösse, match, ﬁeld=1): return grösse",
    "def f(a, b=1, c='x'): return a",
    "def f(a=1, b=2, c=3): return a",
    "def f(a, b=1, *args, c, d=2, **kwargs): return kwargs.get('width')",
    "def f(*args): return sum(args)",
    "def f(**kwargs): return kwargs['colour']",
    "def f(a, b=1, /, c=2, *, d=3): return a",
    "def f(a=1, b=2, /, *rest): return rest",
    "def f(a, b, c, d, e, g, h, i=0): return a + b",
    "def f(n: int, x: float, s: str | None = None, t: bytes = b''): return n",
    "def f(xs: list[int], d: dict[str, list[float]], q: set[str]): return xs",
    "def f(pairs):\n    return [a.upper() + str(b * 2) for a, b in pairs]",
    "def f(tree):\n    return [f(t) for t in tree] if isinstance(tree, list) else tree",
    "def f(x, **x_): return x.whatever()",
    "def f(g): return g(1)",
)


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_is_derived_is_taken(program: str, function_of: Any) -> None:
    function = function_of(program)
    grammar = inputs_grammar(function, 3)
    assert grammar is not None

    @given(derivations(grammar))
    @settings(max_examples=15, suppress_health_check=list(HealthCheck))
    def check(answer: str) -> None:
        items = answer.count("\ndict(")
        assert 1 <= items <= 3
        read = parse_answer(answer, function)
        assert read.refused.keys() <= {"repeated"}, answer
        assert len(read.arguments) + read.refused.get("repeated", 0) == items
        cut = parse_answer(answer[:-4], function)  # in the last item
        assert cut.arguments == read.arguments[: len(cut.arguments)]
        assert len(cut.arguments) + cut.refused.get("repeated", 0) >= items - 1

    check()


def test_all_repetitions_are_bounded(function_of: Any) -> None:
    for program in PROGRAMS:
        grammar = inputs_grammar(function_of(program), 30)
        assert grammar is not None
        assert not re.search(r"[^\\][*+](?![^\[]*\])", grammar.replace("[-+]", "")), grammar


def test_rules_of_values_are_the_same_in_all_grammars(function_of: Any) -> None:
    known: dict[str, str] = {}
    for program in PROGRAMS:
        for line in (inputs_grammar(function_of(program), 30) or "").splitlines():
            name, _, text = line.partition(" ::= ")
            if not name.startswith(("item", "from_", "surplus", "keyword", "root")):
                assert known.setdefault(name, text) == text


def test_no_grammar_where_a_name_cannot_be_a_keyword(function_of: Any) -> None:
    function = function_of("def f(x): return x")
    for name in (".0", "class", "ﬁ", ""):
        odd = replace(function, parameters=[replace(function.parameters[0], name=name)])
        assert inputs_grammar(odd, 30) is None
    assert inputs_grammar(function, 0) is None


@pytest.mark.parametrize(
    ("program", "kinds"),
    [
        ("def f(n: int): return n", {"int"}),
        ("def f(x: float): return x", {"int", "float"}),
        ("def f(s: str | None): return s", {"str", "none"}),
        ("def f(x): return x", ANY.kinds),
        ("def f(x: Foo): return x.foo", ANY.kinds),
    ],
)
def test_types(program: str, kinds: set[str], function_of: Any) -> None:
    (allowed,) = parameter_types(function_of(program)).values()
    assert allowed.kinds == kinds


def test_a_program_that_cannot_be_read_takes_any_value(function_of: Any) -> None:
    function = replace(function_of("def f(x): return x"), program="def f(x) return")
    assert parameter_types(function) == {"x": ANY}
    assert inputs_grammar(function, 2) is not None


def test_the_answers_shown_are_of_the_form_of_the_grammar(function_of: Any) -> None:
    chat = prompts.chat(function_of("def f(x): return x"), 9) or []
    for message in chat:
        if message["role"] == "assistant":
            assert re.fullmatch(r"\[\n(?:dict\(.*\),\n)+\]", message["content"])
