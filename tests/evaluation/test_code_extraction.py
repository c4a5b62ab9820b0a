"""Code in answers: every way that models write it, and every text besides."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c2c_tasks.evaluation.code_extraction import extract_code
from c2c_tasks.syntax import parse_module

PROGRAM = "import math\n\nLIMIT = 3\n\n\ndef f(x):\n    return math.floor(x) + LIMIT"
PROMPT = """from typing import List


def f(x: List[int]) -> int:
    ''' Add.
    >>> f([1])
    1
    '''
"""


@pytest.mark.parametrize(
    "rendering",
    [
        "{}",
        "{}\n",
        "\n\n{}\n\n",
        "```python\n{}\n```",
        "```py\n{}\n```",
        "```Python\n{}\n```",
        "```python3\n{}\n```",
        "``` python \n{}\n```",
        '```python title="a.py"\n{}\n```',
        "```\n{}\n```",
        "~~~\n{}\n~~~",
        "~~~python\n{}\n~~~",
        "````python\n{}\n````",
        "Sure! Here it is:\n\n```python\n{}\n```\n\nIt adds `LIMIT`. Ask me for more.",
        "Here it is: ```python\n{}\n```",
        "```python\n{}```",
        "```python\n{}\n",
        "Text\n```python\n{}",
        "{}\n```\n\nThis function adds 3.\n",
        "{}\n\nThis function adds 3.\n",
        "This is the function:\n\n{}\n\nIt adds 3 (or so).",
        "The function:\n{}\nDone!",
        "<think>def f(x): return 1\n```python\ndef f(x): return 2\n```</think>\n```python\n{}\n```",
        "I think\n```python\ndef f(x): return 2\n```</think>\n{}",
        "```python\ndef f(x):\n    return 0\n```\nNo, better:\n```python\n{}\n```",
        "```python\n{}\n```\nCall it:\n```python\nprint(f(1))\n```\n",
        "```python\n{}\n```\nIt prints:\n```\n4\n```\n",
        "```python\n{}\n```\nInstall:\n```bash\npip install numpy\n```\n",
        "```python\n{}\n\nassert f(1) == 4\nprint(f(2))\n```",
        "```python\n{}\n\nif __name__ == '__main__':\n    print(f(1))\n```",
        "```python\n{}\n\nresult = f(1)\nprint(result)\n```",
        "```python\n{}\n```\nUse it:\n```python\nf = f(1)\nprint(f)\n```",
        "```python\n{}\n\nf = f(1)\nprint(f)\n```",
        "```python\n{}\n\n\ndef main(",
        "```python\n{}\n\nprint(f(1.5",
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_renderings(rendering: str, newline: str) -> None:
    text = rendering.replace("{}", PROGRAM).replace("\n", newline)
    assert extract_code(text, "f").strip() == PROGRAM


def test_indented_fences_lose_their_indentation() -> None:
    lines = "\n".join(f"   {line}" for line in PROGRAM.split("\n"))
    text = f"1. Like this:\n\n   ```python\n{lines}\n   ```\n"
    assert extract_code(text, "f") == PROGRAM
    quoted = "\n".join(f"> {line}" for line in ["```python", *PROGRAM.split("\n"), "```"])
    assert extract_code(quoted, "f") == PROGRAM


def test_a_fence_in_a_docstring_does_not_end_the_block() -> None:
    program = 'def f(x):\n    """Add.\n\n    ```\n    f(1)\n    ```\n    """\n    return x'
    assert extract_code(f"```python\n{program}\n```\nSo it is.\n", "f") == program


def test_helpers_come_from_earlier_blocks() -> None:
    text = (
        "```python\nimport math\n```\n```python\nunused = 1\n```\n"
        "```python\ndef helper(x):\n    return math.floor(x)\n\nprint(helper(1))\n```\n"
        "```python\ndef f(x):\n    return helper(x)\n```\n"
    )
    found = extract_code(text, "f")
    assert "import math" in found and "def helper" in found
    assert "unused" not in found and "print" not in found


def test_imports_from_the_future_stay_first() -> None:
    future = "from __future__ import annotations\n"
    function = f"{future}\ndef f(x: Unknown):\n    return math.e\n"
    text = f"```python\nimport math\n```\n```python\n{function}```"
    code = extract_code(text, "f")
    compile(code, "code", "exec")
    assert code.startswith(future) and "import math" in code


def test_what_fills_a_table_after_the_function_is_kept() -> None:
    program = "TABLE = {}\ndef f(x):\n    return TABLE[x]\nTABLE.update({1: 2})"
    for use in ("", "\nprint(f(1))", "\nprint(TABLE.keys())"):
        assert extract_code(f"```python\n{program}{use}\n```", "f") == program


def test_a_mark_of_byte_order_is_no_code() -> None:
    assert extract_code("\ufeffdef f(x):\n    return x\n", "f") == "def f(x):\n    return x"


def test_prose_between_plain_code() -> None:
    text = (
        "First some imports:\nimport math\nNow, a helper.\ndef helper(x):\n    return math.pi\n"
        "And at last:\ndef f(x):\n    return helper(x)\nThat is all."
    )
    found = extract_code(text, "f")
    assert "import math" in found and "def helper" in found and "That is" not in found


def test_without_the_entry_point_the_last_function_counts() -> None:
    text = "```python\ndef g(x):\n    return 1\n```\n```python\ndef h(x):\n    return 2\n```"
    assert extract_code(text, "f") == "def h(x):\n    return 2"


@pytest.mark.parametrize(
    "text",
    ["", " \n", "I do not know.", "42", "```python\n```", "```\n4\n```", "def f(x):", "def f(x",
     "```python\ndef f(x) return x\n```", "<think>def f(x): return x", "\ud800def", "\0"],
)  # fmt: skip
def test_no_code(text: str) -> None:
    assert extract_code(text, "f") == ""


def test_a_truncated_answer_keeps_whole_statements() -> None:
    text = f"```python\n{PROGRAM}\n\n\ndef g(x):\n    return f("
    assert extract_code(text, "f", truncated=True) == PROGRAM
    # `OTHER = fl` may have been about to become `OTHER = float(...)`.
    assert extract_code(f"```python\n{PROGRAM}\n\nOTHER = fl", "f", truncated=True) == PROGRAM
    assert extract_code("```python\ndef f(x):\n    return [", "f", truncated=True) == ""
    assert extract_code("```python\ndef f(x):\n    return x", "f", truncated=True) != ""


@pytest.mark.parametrize(
    "program",
    [
        "f = lambda x: x",
        "def g(x):\n    return x\n\nf = g",
        "from functools import partial\n\nf = partial(max, 3)",
        "class f:\n    pass",
        "def f(x):\n    return x\n\nf = max(f, f)",
        "try:\n    from math import gcd as f\nexcept ImportError:\n    f = None",
        "import functools\n\n\n@functools.cache\ndef f(x):\n    return x",
        "TABLE = dict(a=1)\n\n\ndef f(x):\n    return TABLE[x]",
        "def f(x):\n    return TABLE[x]\n\nTABLE = dict(a=1)",
    ],
)
def test_entry_points_of_all_kinds(program: str) -> None:
    assert extract_code(f"Here:\n```python\n{program}\n```", "f") == program
    assert extract_code(f"Here it is\n{program}\n", "f").strip() == program


@pytest.mark.parametrize(
    "completion",
    [
        "    return sum(x)\n",
        "    return sum(x)\n\n\nprint(f([1]))\n\ndef g(",
        "    return sum(x)\n```\n\nThis adds.",
        "return sum(x)",
        "    total = sum(x)\n    return total\n",
        "total = sum(x)\n    return total\n",
        "```python\n    return sum(x)\n```",
        "```python\nreturn sum(x)\n```",
        "```python\ntotal = sum(x)\nreturn total\n```",
        "```python\ndef add(values):\n    return sum(values)\nreturn add(x)\n```",
        "def add(values):\n        return sum(values)\n\n    return add(x)",
        "Sure:\n```python\ndef f(x: List[int]) -> int:\n    return sum(x)\n```",
        "def f(x: List[int]) -> int:\n    return sum(x)\n",
        f"```python\n{PROMPT}    return sum(x)\n```",
    ],
)
def test_completions_of_a_prompt(completion: str) -> None:
    code = extract_code(completion, "f", prefix=PROMPT)
    names: dict[str, object] = {}
    exec(code, names)
    assert names["f"]([1, 2]) == 3  # type: ignore[operator]


def test_a_prompts_helpers_are_kept() -> None:
    prompt = f"def helper(x):\n    return x\n\n\n{PROMPT}"
    code = extract_code("```python\ndef f(x):\n    return helper(x)\n```", "f", prefix=prompt)
    assert code.count("def helper") == 1
    for nothing in ("", "I cannot.", "# no", "    # no\n"):
        assert extract_code(nothing, "f", prefix=prompt) == ""


STATEMENTS = st.sampled_from(
    [
        "import math",
        "LIMIT = 10",
        "TEXT = '''a\n```\nb\n'''",
        "def helper(a):\n    if a:\n        return 1\n    else:\n        return 2",
        "class Thing:\n    x = 1\n\n    def get(self):\n        return self.x",
        "try:\n    import json\nexcept ImportError:\n    json = None",
        "VALUES = [\n    1,\n    2,\n]",
        "# a comment",
        "@staticmethod\ndef other():\n    '''Say `no`.'''\n    return 'no'",
    ]
)
PROGRAMS = st.lists(STATEMENTS, max_size=4).map(
    lambda parts: "\n\n".join([*parts, "def f(x):\n    return x"])
)
RENDERINGS = st.tuples(
    st.sampled_from(["", "Sure!\n", "Here is the function, as you asked:\n\n", "**f**:\n"]),
    st.sampled_from(["````python\n{}\n````", "~~~~\n{}\n~~~~", "````py\n{}"]),
    st.sampled_from(["", "\n", "\n\nIt works (I hope).\n", "\n\n````\n>>> f(1)\n1\n````\n"]),
)


@given(PROGRAMS, RENDERINGS)
def test_any_program_comes_back_from_any_rendering(
    program: str, rendering: tuple[str, str, str]
) -> None:
    before, fence, after = rendering
    if fence.endswith("{}"):
        after = ""
    text = before + fence.replace("{}", program) + after
    assert extract_code(text, "f") == program


@given(
    st.text(st.sampled_from("`~ \n\tdefx():#'\"\\<>think/=\r\0\ud8001@[]{}"), max_size=200),
    st.booleans(),
)
@settings(max_examples=300)
def test_never_raises(text: str, truncated: bool) -> None:
    for prefix in ("", PROMPT):
        found = extract_code(text, "f", truncated=truncated, prefix=prefix)
        parse_module(found)


@pytest.mark.parametrize(
    "piece",
    ["```python\n", "`", "~~~\n", "x = (\n", "def f(x):\n", "```\ndef f(", "<think>", "</think>",
     " ", "\n", "a", "(", "'''", '"""\n', "x = 1\n", "def f(x):\n    return 1\n", "@", "x=",
     "```python\ndef f(x):\n    return 1\n```\n", "import ", "if x:\n ", "\\\n", "x = 1\n)\n"],
)  # fmt: skip
def test_time_is_bounded(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    for prefix in ("", PROMPT) if "`" in piece or "~" in piece else ("",):
        started = time.process_time()
        extract_code(text, "f", prefix=prefix)
        assert time.process_time() - started < 5
