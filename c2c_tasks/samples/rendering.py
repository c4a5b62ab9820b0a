"""The ways in which cases are written down.

A rendering may refuse a case that it cannot show truthfully (a table cell of a thousand
characters, a NaN in an equation); then another rendering is taken.
"""

from __future__ import annotations

import builtins
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from c2c_tasks.samples.examples import Example

Kind = Literal["calls", "tests", "records"]
MAX_CELL = 80
"""Characters of a value in a table; longer ones make it unreadable."""
MAX_LINE = 300
"""Characters of a value inside a sentence."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """One way to write cases down."""

    name: str
    kind: Kind
    """``calls`` and ``tests`` name the function; ``records`` give arguments and results alone."""
    render: Callable[[Sequence[Example]], str]
    accepts: Callable[[Example], bool]

    @property
    def names_function(self) -> bool:
        """Whether the function's name can be read off."""
        return self.kind != "records"


def code_span(text: str) -> str:
    """Return `text` as inline code of Markdown, whatever backticks it holds."""
    ticks = "`" * _free_ticks(text, least=1)
    padding = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{padding}{text}{padding}{ticks}"


def code_block(text: str, language: str = "python") -> str:
    """Return `text` as a fenced block of Markdown, whatever fences it holds."""
    ticks = "`" * _free_ticks(text, least=3)
    return f"{ticks}{language}\n{text.rstrip()}\n{ticks}"


def _free_ticks(text: str, least: int) -> int:
    """Return the least length of a run of backticks that `text` does not have."""
    run = longest = 0
    for character in text:
        run = run + 1 if character == "`" else 0
        longest = max(longest, run)
    return max(least, longest + 1) if longest >= least else least


def _arrows(examples: Sequence[Example]) -> str:
    return code_block("\n".join(f"{e.call} -> {e.outcome}" for e in examples), "")


def _comments(examples: Sequence[Example]) -> str:
    return code_block("\n".join(f"{e.call}  # {e.outcome}" for e in examples))


def _keyword_list(examples: Sequence[Example]) -> str:
    return "\n".join(f"- {code_span(e.keyword_call)} {_said(e)}" for e in examples)


def _numbered_list(examples: Sequence[Example]) -> str:
    return "\n".join(
        f"{number}. {code_span(e.call)} {_said(e)}" for number, e in enumerate(examples, start=1)
    )


def _said(example: Example) -> str:
    verb = "raises" if example.raised else "returns"
    return f"{verb} {code_span(example.output or example.exception)}"


def _doctests(examples: Sequence[Example]) -> str:
    return code_block("\n".join(_doctest(e) for e in examples))


def _doctest(example: Example) -> str:
    if example.raised:
        message = example.exception_message
        what = f"{example.exception_type}: {message}" if message else example.exception_type
        return f">>> {example.call}\nTraceback (most recent call last):\n    ...\n{what}"
    if example.output == "None":
        return f">>> {example.call} is None\nTrue"
    return f">>> {example.call}\n{example.output}"


def _fits_doctest(example: Example) -> bool:
    """Return whether a doctest of it would pass: it compares text, and knows qualified names."""
    if example.raised:
        return example.exception_message.isprintable() and _is_builtin_exception(example)
    return "float('" not in (example.output or "") and not _holds_set(example.returned)


def _is_builtin_exception(example: Example) -> bool:
    found = getattr(builtins, example.exception_type, None)
    return isinstance(found, type) and issubclass(found, BaseException)


def _holds_set(value: Any) -> bool:
    """Return whether a value is printed in an order that depends on hash seeds."""
    match value:
        case set() | frozenset():
            return len(value) > 1
        case list() | tuple():
            return any(map(_holds_set, value))
        case dict():
            return any(map(_holds_set, value)) or any(map(_holds_set, value.values()))
    return False


def _assertions(examples: Sequence[Example]) -> str:
    return code_block("\n".join(_assertion(e) for e in examples))


def _assertion(example: Example) -> str:
    if example.raised:
        return f"with pytest.raises({example.exception_type}):\n    {example.call}"
    operator = "is" if example.output in ("None", "True", "False") else "=="
    return f"assert {example.call} {operator} {example.output}"


def _test_functions(examples: Sequence[Example]) -> str:
    lines = (f"    {line}" for e in examples for line in _assertion(e).splitlines())
    name = examples[0].call.partition("(")[0].strip("_")
    return code_block("\n".join([f"def test_{name}():", *lines]))


def _fits_assertion(example: Example) -> bool:
    if example.raised:
        return _is_builtin_exception(example)  # the test would have to import any other
    return "float('nan')" not in (example.output or "")  # NaN equals nothing, not even itself


def _table(examples: Sequence[Example]) -> str:
    names = list(dict.fromkeys(name for e in examples for name in e.literals))
    columns = [*(code_span(name) for name in names), "Result"]
    rows = [[*(_cell(e, name) for name in names), _cell_outcome(e)] for e in examples]
    lines = [columns, ["---"] * len(columns)]
    lines += [[cell.replace("|", "\\|") for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(example: Example, name: str) -> str:
    return code_span(example.literals[name]) if name in example.literals else ""


def _cell_outcome(example: Example) -> str:
    return _said(example) if example.raised else code_span(example.output or "")


def _fits_table(example: Example) -> bool:
    return bool(example.literals) and _longest(example) <= MAX_CELL


def _longest(example: Example) -> int:
    return max(map(len, [*example.literals.values(), example.outcome]))


def _dicts(examples: Sequence[Example]) -> str:
    return code_block("\n".join(f"{e.arguments} => {e.outcome}" for e in examples), "")


def _json_lines(examples: Sequence[Example]) -> str:
    return code_block(
        "\n".join(json.dumps(_as_json(e), ensure_ascii=False) for e in examples), "json"
    )


def _as_json(example: Example) -> dict[str, Any]:
    if example.raised:
        error = {"type": example.exception_type, "message": example.exception_message}
        return {"input": dict(example.values), "error": error}
    return {"input": dict(example.values), "output": example.returned}


def _fits_json(example: Example) -> bool:
    return _is_json([*example.values.values(), example.returned])


def _is_json(value: Any) -> bool:
    """Return whether JSON writes the value so that it reads back with the same type."""
    match value:
        case None | bool() | int():
            return True
        case float():
            return math.isfinite(value)
        case str():
            return not any("\ud800" <= character <= "\udfff" for character in value)
        case list():
            return all(_is_json(item) for item in value)
        case dict():
            return all(type(key) is str and _is_json(key) for key in value) and all(
                _is_json(item) for item in value.values()
            )
    return False


def _sentences(examples: Sequence[Example]) -> str:
    return "\n".join(f"- {_sentence(e)}" for e in examples)


def _sentence(example: Example) -> str:
    terms = [code_span(f"{name} = {text}") for name, text in example.literals.items()]
    given = f"Given {enumerate_terms(terms)}" if terms else "Given no arguments"
    if not example.raised:
        return f"{given}, the result is {code_span(example.output or '')}."
    message = code_span(repr(example.exception_message))
    with_message = f" with the message {message}" if example.exception_message else ""
    return f"{given}, {code_span(example.exception_type)} is raised{with_message}."


def _fits_sentence(example: Example) -> bool:
    return _longest(example) <= MAX_LINE


def enumerate_terms(terms: Sequence[str]) -> str:
    """Return terms joined as English does: ``a``, ``a and b``, ``a, b and c``."""
    *first, last = terms
    return f"{', '.join(first)} and {last}" if first else last


def _blocks(examples: Sequence[Example]) -> str:
    return "\n\n".join(_block(number, e) for number, e in enumerate(examples, start=1))


def _block(number: int, example: Example) -> str:
    label = "Error" if example.raised else "Output"
    outcome = example.output or example.exception
    body = code_block(f"Input: {_assigned(example)}\n{label}: {outcome}", "")
    return f"Example {number}\n\n{body}"


def _assignments(examples: Sequence[Example]) -> str:
    return code_block("\n".join(f"{_assigned(e)}  ->  {e.outcome}" for e in examples), "")


def _assigned(example: Example) -> str:
    return ", ".join(f"{name} = {text}" for name, text in example.literals.items()) or "(nothing)"


def _always(_: Example) -> bool:
    return True


RENDERINGS: tuple[Rendering, ...] = (
    Rendering("arrows", "calls", _arrows, _always),
    Rendering("comments", "calls", _comments, _always),
    Rendering("keyword_list", "calls", _keyword_list, _fits_sentence),
    Rendering("numbered_list", "calls", _numbered_list, _fits_sentence),
    Rendering("doctests", "calls", _doctests, _fits_doctest),
    Rendering("assertions", "tests", _assertions, _fits_assertion),
    Rendering("test_function", "tests", _test_functions, _fits_assertion),
    Rendering("table", "records", _table, _fits_table),
    Rendering("dicts", "records", _dicts, _always),
    Rendering("json_lines", "records", _json_lines, _fits_json),
    Rendering("sentences", "records", _sentences, _fits_sentence),
    Rendering("blocks", "records", _blocks, _always),
    Rendering("assignments", "records", _assignments, _always),
)
"""Every rendering, by name unique."""
