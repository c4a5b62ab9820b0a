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


def {name}():
    exec(compile({tests!r}, "<tests>", "exec", dont_inherit=True), globals())
    return 'the tests passed'
"""


def program_with_tests(problem: Problem, code: Code) -> Calls | None:
    """Return the call that runs a problem's tests; None where the code lacks the entry point."""
    if callee_of(code.tree, problem.entry_point) is None:
        return None
    name = "check_answer"
    while name in code.text or name in problem.tests:
        name += "_"
    program = _PROGRAM.format(code=code.text, name=name, tests=problem.tests)
    return Calls(program, name, [CHECK.arguments], [0], None)
