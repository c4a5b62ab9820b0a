"""The grammar of the answers that a prompt asks for, for engines that decode under one.

The text is EBNF as XGrammar reads it, which vLLM takes as ``structured_outputs.grammar``. An
answer is a list with one item a line, so that an answer that is cut off lacks one item.

An engine compiles each grammar: for every state of every rule it finds the tokens that may
come next. Four things keep that, and the choice of each token, cheap (measured with XGrammar
0.2.8):

- Rules of values have the same text in all grammars. The engine keeps compiled rules by
  their content, so that it compiles long ones (texts, numbers) once, and not once a function.
- Scalars are ``Regex(...)``: automata without references, whose masks are complete. A
  repeated group, ``(a | b){0,80}``, is a rule that is called, and a mask costs 10,000 times more.
- Every rule of a value says what may follow it (``(= [,)\\]}:])``). Without it every token that
  ends the value and goes on is tried anew, at each step.
- Nothing is recursive: `value_3` is made of `value_2`.
"""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Iterator, Sequence

from c2c_tasks.inputs.synthesis.uses import KINDS
from c2c_tasks.inputs.value_types import (
    ANY,
    CONTAINERS,
    MAX_DEPTH,
    SCALARS,
    ValueType,
    parameter_types,
)
from c2c_tasks.records import Function, Parameter
from c2c_tasks.syntax import parse_expression

MAX_TEXT = 80
"""Characters of a text; half as many bytes."""
MAX_SCALARS = 24
"""Items of a container that holds no containers."""
MAX_CONTAINERS = 16
"""Items of a container that may hold containers."""
MAX_KEYWORDS = 6
"""Members of ``**kwargs``."""
MAX_WRITTEN_NAMES = 20
"""Names that a program writes as texts, offered as keys of ``**kwargs``."""
_WRITTEN_NAME = re.compile(r"""["']([A-Za-z_][A-Za-z0-9_]{0,29})["']""")
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
_FOLLOWED = r" (= [,)\]}:])"
_CHARACTER = r'[^"\\\x00-\x1f\x7f-\x9f\ud800-\udfff]'
_ESCAPE = r"""\\([\\"'nrt]|x[0-9a-f]{2}|u([0-9a-ce-f][0-9a-f]|d[0-7])[0-9a-f]{2})"""
_INTEGER = "-?(0|[1-9][0-9]{0,19})"
_FRACTION = r"\.[0-9]{1,17}"
_EXPONENT = "e[-+]?[0-9][0-9]?"
# Not `(fraction)?(exponent)?`: XGrammar 0.2.8 takes 05 for an integer with such a fraction.
_FLOATS = (_INTEGER + _FRACTION, _INTEGER + _EXPONENT, _INTEGER + _FRACTION + _EXPONENT)
_PATTERNS = {
    "str": f'"({_CHARACTER}|{_ESCAPE}){{0,{MAX_TEXT}}}"',
    "bytes": rf"""b"([ !#-[\]-~]|\\([\\"'nrt]|x[0-9a-f]{{2}})){{0,{MAX_TEXT // 2}}}\"""",
    "int": _INTEGER,
    "float": "|".join(_FLOATS),
    "number": "|".join((_INTEGER, *_FLOATS)),
    "bool": "True|False",
    "none": "None",
}
"""The scalars, as regular expressions. No control character and no half of a pair of
surrogates can be derived; neither can NaN, which has no literal as a key."""


def inputs_grammar(function: Function, inputs: int) -> str | None:
    """Return the grammar of answers with 1 to `inputs` inputs of a function.

    `parse_answer` takes each item of each answer that it derives, repeated ones left out. None
    where a parameter's name cannot be a keyword of a call, as in records made by hand, or where
    no inputs are asked for.
    """
    names = [parameter.name for parameter in function.parameters]
    if inputs < 1 or len(set(names)) < len(names) or not all(map(_is_keyword_argument, names)):
        return None
    values = _Values()
    items = _Items(function, values)
    count = inputs if names else 1
    rules = {"root": f'"[\\n" item{{1,{count}}} "]"', "item": f'"dict(" {items.rest(0)}'}
    return "\n".join(
        f"{name} ::= {text}" for name, text in (rules | items.rules | values.rules).items()
    )


def _is_keyword_argument(name: str) -> bool:
    """Tell whether ``dict(NAME=0)`` reads back as that name: the parser normalises some."""
    if not name.isidentifier() or keyword.iskeyword(name):
        return False
    node = parse_expression(f"dict({name}=0)")
    return isinstance(node, ast.Call) and [k.arg for k in node.keywords] == [name]


class _Items:
    """The rules of one function: its parameters in order, those with a default or not."""

    def __init__(self, function: Function, values: _Values) -> None:
        self.parameters = function.parameters
        self.rules: dict[str, str] = {}
        self.ordered = any(p.kind == "var_positional" for p in self.parameters)
        types = parameter_types(function)
        self.values = {p.name: self.value(p, types[p.name], values) for p in self.parameters}
        self.rules.update(_keywords(function, values, types))

    def value(self, parameter: Parameter, allowed: ValueType, values: _Values) -> str:
        if parameter.kind == "var_keyword":
            return "keywords"
        if parameter.kind == "var_positional":
            item = values.rule(allowed, MAX_DEPTH - 1)
            more = values.more(item)
            self.rules["surplus"] = (
                f'("(" {item} ",)" | "(" {item} {more}{{1,{MAX_CONTAINERS - 1}}} ")"){_FOLLOWED}'
            )
            return "surplus"
        return values.rule(allowed, MAX_DEPTH)

    def rest(self, position: int, started: bool = False, gap: bool = False) -> str:
        """Return what may stand from a parameter on.

        `started` tells that an argument stands before, `gap` that a positional one was left out:
        then there is no ``*args``, and no further argument that goes by its position alone.
        """
        if position == len(self.parameters):
            return '"),\\n"'
        parameter = self.parameters[position]
        by_position = parameter.kind in ("positional_only", "var_positional")
        if gap and by_position:
            return self.rest(position + 1, started, gap)
        comma = ", " if started else ""
        following = self.rest(position + 1, True, gap)
        written = f'"{comma}{parameter.name}=" {self.values[parameter.name]} {following}'
        if parameter.default is None and not parameter.kind.startswith("var_"):
            return written
        skips = parameter.kind == "positional_only" or (
            parameter.kind == "positional_or_keyword" and self.ordered
        )
        left_out = self.rest(position + 1, started, gap or skips)
        name = f"from_{position}{'_started' * started}{'_gap' * gap}"
        self.rules[name] = f"{written} | {left_out}"
        return name


def _keywords(
    function: Function, values: _Values, types: dict[str, ValueType]
) -> Iterator[tuple[str, str]]:
    """Yield the rules of ``**kwargs``: no key of it may be the name of a parameter.

    Keys are the names that the program writes as texts, and such as begin with a letter that
    no parameter's name begins with.
    """
    collector = next((p.name for p in function.parameters if p.kind == "var_keyword"), None)
    if collector is None:
        return
    taken = {p.name for p in function.parameters}
    written = dict.fromkeys(_WRITTEN_NAME.findall(function.program))
    keys = [name for name in written if name not in taken][:MAX_WRITTEN_NAMES]
    letters = "".join(sorted(set(_LETTERS) - {name[0] for name in taken}))
    keys.append(f"[{letters}][a-z0-9_]{{0,15}}" if letters else "_[0-9]{1,3}")
    value = values.rule(types[collector], MAX_DEPTH - 1)
    yield "keyword", _regex(f'"({"|".join(keys)})"')
    yield "keyword_more", f'(", " keyword ": " {value}){_FOLLOWED}'
    yield (
        "keywords",
        f'("{{" keyword ": " {value} keyword_more{{0,{MAX_KEYWORDS - 1}}} "}}"){_FOLLOWED}',
    )


class _Values:
    """The rules of values: a rule's name tells its text, whatever function it is for."""

    def __init__(self) -> None:
        self.rules: dict[str, str] = {}

    def rule(self, allowed: ValueType, depth: int) -> str:
        """Return the name of the rule of a type's values, with up to `depth` containers."""
        kinds = allowed.kinds if depth else allowed.kinds & SCALARS or SCALARS
        if not kinds & CONTAINERS:
            return self.scalar(kinds)
        item, member = allowed.item or ANY, allowed.value or ANY
        inner = self.rule(item, depth - 1)
        name = "_or_".join(kind for kind in KINDS if kind in kinds) + f"_of_{inner}"
        value = self.rule(member, depth - 1) if "dict" in kinds else ""
        name += f"_to_{value}" if value else ""
        if allowed == ANY:
            name = f"value_{depth}"
        if name in self.rules:
            return name
        key = self.key() if kinds & {"set", "dict"} else ""
        nested = depth > 1 and bool((item.kinds | member.kinds) & CONTAINERS)
        most = (MAX_CONTAINERS if nested else MAX_SCALARS) - 1
        alternatives = [self.scalar(kinds & SCALARS)] if kinds & SCALARS else []
        if "list" in kinds:
            alternatives += ['"[]"', f'"[" {inner} {self.more(inner)}{{0,{most}}} "]"']
        if "tuple" in kinds:
            more = f"{self.more(inner)}{{1,{most}}}"
            alternatives += ['"()"', f'"(" {inner} ",)"', f'"(" {inner} {more} ")"']
        if "set" in kinds:
            alternatives += ['"set()"', f'"{{" {key} {self.more(key)}{{0,{most}}} "}}"']
        if "dict" in kinds:
            self.rules[f"{key}_to_{value}"] = f'(", " {key} ": " {value}){_FOLLOWED}'
            pairs = f'{key} ": " {value} {key}_to_{value}{{0,{most}}}'
            alternatives += ['"{}"', f'"{{" {pairs} "}}"']
        return self.put(name, alternatives)

    def key(self) -> str:
        """Return the rule of keys and of items of a set, any that can be."""
        scalar = self.scalar(SCALARS)
        more = f"{self.more(scalar)}{{1,{MAX_SCALARS - 1}}}"
        return self.put("key", [scalar, f'"(" {scalar} ",)"', f'"(" {scalar} {more} ")"'])

    def scalar(self, kinds: frozenset[str]) -> str:
        """Return the rule of scalars: texts apart, as their automaton is the long one."""
        others: list[str] = [kind for kind in KINDS if kind in kinds - {"str"}]
        if others[:2] == ["int", "float"]:
            others[:2] = ["number"]
        names = ["str"] if "str" in kinds else []
        if others:
            names.append("_or_".join(others))
            self.rules[names[-1]] = _regex("|".join(_PATTERNS[kind] for kind in others))
        if "str" in kinds:
            self.rules["str"] = _regex(_PATTERNS["str"])
        if len(names) == 1:
            return names[0]
        return self.put("scalar" if kinds == SCALARS else "_or_".join(names), names)

    def more(self, item: str) -> str:
        """Return the rule of a further item."""
        self.rules[f"more_{item}"] = f'(", " {item}){_FOLLOWED}'
        return f"more_{item}"

    def put(self, name: str, alternatives: Sequence[str]) -> str:
        self.rules[name] = f"({' | '.join(alternatives)}){_FOLLOWED}"
        return name


def _regex(pattern: str) -> str:
    escaped = pattern.replace("\\", "\\\\").replace('"', '\\"')
    return f'Regex("{escaped}"){_FOLLOWED}'
