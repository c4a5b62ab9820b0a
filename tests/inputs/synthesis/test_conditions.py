"""Which conditions lead to which lines."""

from __future__ import annotations

import ast

from c2c_tasks.inputs.synthesis.conditions import Layout, layout_of

PROGRAM = """\
def f(x, y):
    if x > 1:
        return 1
    elif y:
        a = 2
    for item in y:
        while item:
            b = 3
    try:
        c = int(x)
    except (ValueError, TypeError):
        return 4
    if not y:
        d = 5
    else:
        raise KeyError
    return a
"""


def layout(program: str) -> Layout:
    entry = ast.parse(program).body[0]
    assert isinstance(entry, ast.FunctionDef)
    return layout_of(entry)


def path(found: Layout, line: int) -> list[str]:
    return [
        f"{'' if step.outcome else 'not '}{step.role} {ast.unparse(step.node)}"
        for step in found.paths[line]
    ]


def test_paths() -> None:
    found = layout(PROGRAM)
    passed = "not test x > 1"
    assert path(found, 3) == ["test x > 1"]
    assert path(found, 5) == [passed, "test y"]
    assert path(found, 8) == [passed, "loop y", "test item"]
    assert path(found, 10) == [passed]
    assert path(found, 12) == [passed, "raises (ValueError, TypeError)"]
    assert path(found, 14) == [passed, "test not y"]
    assert path(found, 17) == [passed, "test not y"], "the other branch has left"


def test_names_and_what_loops_run_over() -> None:
    found = layout("""\
def f(rows, table):
    a, b = rows[0]
    n = len(rows)
    m = 1
    m = 2
    for i, (p, q) in enumerate(rows):
        pass
    for key, value in table.items():
        pass
    return [w for w in rows if w > 3]
""")
    definitions = {name: ast.unparse(node) for name, node in found.definitions.items()}
    loops = {name: ast.unparse(node) for name, node in found.loops.items()}
    assert definitions == {"a": "rows[0][0]", "b": "rows[0][1]", "n": "len(rows)"}
    assert loops == {"key": "table", "value": "table.values()", "w": "rows"}
    assert [ast.unparse(test) for test in found.tests] == ["w > 3"]
