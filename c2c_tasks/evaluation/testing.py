"""Problems that have tests instead of cases: the answer, then the tests, run as one program."""

from __future__ import annotations

from c2c_tasks.evaluation.code_extraction import Code
from c2c_tasks.evaluation.passing import Calls
from c2c_tasks.evaluation.records import Problem
from c2c_tasks.evaluation.signatures import callee_of
from c2c_tasks.records import Case

CHECK = Case(arguments="{}", outcome="returned", output="'the tests passed'")
"""What a program comes to whose tests passed."""

_PROGRAM = """{code}


def {name}(answer={entry_point}):
    import functools, sys

    def look(value):
        for kind in type(value).__mro__:
            equal = kind.__dict__.get("__eq__")
            of_library = kind.__module__.partition(".")[0] in sys.stdlib_module_names
            if equal is not None and type(equal) is not type(int.__eq__) and not of_library:
                raise TypeError("the answer returns an object with an equality of its own")
        if isinstance(value, dict):
            value = [*value.keys(), *value.values()]
        if isinstance(value, (list, tuple, set, frozenset)):
            for item in value:
                look(item)

    def watched(*positional, **named):
        value = answer(*positional, **named)
        look(value)
        return value

    functools.update_wrapper(watched, answer)
    names = {{**globals(), {entry_point!r}: watched}}
    exec(compile({tests!r}, "<tests>", "exec", dont_inherit=True), names)
    return 'the tests passed'
"""
"""The tests see the entry point alone changed: an object that is equal to everything, which an
answer may return to cheat, is none that they get to see."""


def program_with_tests(problem: Problem, code: Code) -> Calls | None:
    """Return the call that runs a problem's tests; None where the code lacks the entry point."""
    if callee_of(code.tree, problem.entry_point) is None:
        return None
    name = "check_answer"
    while name in code.text or name in problem.tests:
        name += "_"
    program = _PROGRAM.format(
        code=code.text, name=name, entry_point=problem.entry_point, tests=problem.tests
    )
    return Calls(program, name, [CHECK.arguments], [0], None)
