"""How strong the grading is: what it lets pass of programs with one fault.

The programs are those of the Case2Code test set, with the cases that a language model wrote, run in
the sandbox. As answers to their own problems they must score 100 %, and no search may find an input
on which they differ from themselves. Mutants of them are graded as answers too: on the cases that a
prompt would show, on those held back, then by the differential check, whose budget grows as long
as any survive.

What survives all is an equivalent mutant, or the grading is too weak. Two reasons are found here:
the bytecode is the same, or the line of the fault ran on no input that was written for the program
and on which it returned (so that it cannot be seen, as far as a thousand inputs show). All others
were read by a person, and `benchmarks.examined_mutants` says why each is equivalent. One that is
not there is undecided: it is printed with its change, to be looked at, and `--check` fails. Under a
load that makes cases time out, a few of other mutants may be killed, or other inputs written.
"""

from __future__ import annotations

import ast
import difflib
import logging
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from types import CodeType

from rich.console import Console
from rich.table import Table

from benchmarks.case2code import DATA, written_inputs
from benchmarks.examined_mutants import EQUIVALENT
from benchmarks.measuring import arguments, verdict
from c2c_tasks.config import SandboxOptions
from c2c_tasks.config.evaluation import GradingOptions, ProblemOptions
from c2c_tasks.evaluation.case_file import problems_of_executions
from c2c_tasks.evaluation.differential import search
from c2c_tasks.evaluation.differential_inputs import first_rows, further_rows
from c2c_tasks.evaluation.domain import Domain
from c2c_tasks.evaluation.grading import grade
from c2c_tasks.evaluation.mutation import Mutant, spread
from c2c_tasks.evaluation.mutation_operators import OPERATORS
from c2c_tasks.evaluation.records import Answer, Grade, Problem
from c2c_tasks.records import Case, Function, Inputs, extend
from c2c_tasks.sandbox.execution import execute
from c2c_tasks.sandbox.process import ProcessLauncher
from c2c_tasks.shards import StepReport

MUTANTS, QUICK_MUTANTS = 500, 100
BUDGETS = (30, 100, 300, 1_000)
REFERENCE_BUDGET = 100
REACHING = 1_000
"""Inputs written to see which lines run."""
UNDECIDED = 0
"""Survivors that nobody has found equivalent. The mutants are the same in each run, so there is
no reason to leave any unread."""
SANDBOX = SandboxOptions(launcher="process")


@dataclass(frozen=True)
class Row:
    """A mutant, and what became of it."""

    problem: Problem
    mutant: Mutant
    grade: Grade
    killed_by: str
    """The stage that told it from the program; empty for one that survived."""


def main() -> int:
    """Run the study; return the exit status."""
    chosen = arguments(__doc__, numbers={"seed": "of the mutants that are drawn, 0 unless given"})
    logging.disable(logging.WARNING)
    if not DATA.is_file():
        print(f"{DATA} is not there; name its folder by C2C_TEST_DATA", file=sys.stderr)
        return 2
    launcher = ProcessLauncher(SANDBOX)
    problems = problems_of(list(written_inputs())[:: 5 if chosen.quick else 1], launcher)
    right = references(problems, launcher)
    count = QUICK_MUTANTS if chosen.quick else MUTANTS
    programs = [problem.program for problem in problems]
    mutants = spread(programs, count, chosen.seed or 0)
    rows = list(judged(problems, mutants, launcher))
    show(rows)
    undecided = examine([row for row in rows if not row.killed_by], launcher)
    print(f"{right} of {len(problems)} programs pass as answers to their own problems")
    print("survivors that are undecided:")
    status = verdict(undecided, UNDECIDED, chosen.check)
    return 1 if chosen.check and right < len(problems) else status


def problems_of(functions: Sequence[Inputs], launcher: ProcessLauncher) -> list[Problem]:
    """Return the problems of the functions that have enough sound cases, and print why not all."""
    report = StepReport("problems", "memory:")
    executions = execute(functions, SANDBOX, report, launcher=launcher)
    problems, _ = problems_of_executions(executions, ProblemOptions(), report)
    dropped = {
        reason: count
        for stage in report.stages
        if stage.unit != "cases"
        for reason, count in stage.dropped.items()
    }
    cases = sum(len(problem.cases) for problem in problems)
    print(f"{len(problems)} of {len(functions)} functions with {cases} sound cases; {dropped}")
    return problems


def references(problems: Sequence[Problem], launcher: ProcessLauncher) -> int:
    """Return how many programs pass as answers to their own problems, and are not refuted."""
    answers = [
        Answer(problem_id=problem.problem_id, sample=0, text=fenced(problem.program))
        for problem in problems
    ]
    graded = grade(problems, answers, GradingOptions(), SANDBOX, _report(), launcher=launcher)
    options = GradingOptions(differential_inputs=REFERENCE_BUDGET)
    passed = 0
    for found in search(problems, graded, options, SANDBOX, _report(), launcher=launcher):
        passed += found.passed_differential
        if not found.passed_differential:
            print(f"not right for itself: {found.problem_id}: {found.detail}{found.counterexample}")
    return passed


def judged(
    problems: Sequence[Problem], mutants: Sequence[tuple[int, Mutant]], launcher: ProcessLauncher
) -> Iterator[Row]:
    """Yield what became of each mutant."""
    started = time.perf_counter()
    answers = [
        Answer(problem_id=problems[at].problem_id, sample=number, text=fenced(mutant.program))
        for number, (at, mutant) in enumerate(mutants)
    ]
    graded = list(grade(problems, answers, GradingOptions(), SANDBOX, _report(), launcher=launcher))
    print(f"{len(graded)} mutants graded on the cases in {time.perf_counter() - started:.0f} s")
    by_id = {problem.problem_id: problem for problem in problems}
    left = []
    for found in graded:
        _, mutant = mutants[found.sample]
        row = Row(by_id[found.problem_id], mutant, found, "")
        if found.passed_all:
            left.append(row)
        else:
            yield replace(row, killed_by="held" if found.passed_seen else "seen")
    for budget in BUDGETS:
        started = time.perf_counter()
        options = GradingOptions(differential_inputs=budget)
        grades = [row.grade for row in left]
        found_rows = search(problems, grades, options, SANDBOX, _report(), launcher=launcher)
        searched = [replace(row, grade=found) for row, found in zip(left, found_rows, strict=True)]
        left = [row for row in searched if row.grade.counterexample is None]
        for row in searched:
            if row.grade.counterexample is not None:
                print(f"killed with {budget}: {name_of(row)}, by {row.grade.counterexample}")
                yield replace(row, killed_by=str(budget))
        print(
            f"{len(searched)} searched with {budget} inputs at most, "
            f"{len(searched) - len(left)} killed in {time.perf_counter() - started:.0f} s"
        )
    yield from left


def show(rows: Sequence[Row]) -> None:
    """Print how many mutants each stage killed, by operator."""
    stages = ["seen", "held", *map(str, BUDGETS)]
    titles = ["seen cases", "held cases", *(f"{budget} inputs" for budget in BUDGETS)]
    table = Table(title=f"{len(rows)} mutants, by what killed them", title_justify="left")
    for heading in ("", "mutants", *titles, "survived"):
        table.add_column(heading, justify="right" if heading else "left")
    for operator in (*OPERATORS, "all"):
        counts = Counter(row.killed_by for row in rows if operator in ("all", row.mutant.operator))
        cells = [counts.total(), *(counts[stage] for stage in stages), counts[""]]
        table.add_row(operator.replace("_", " "), *map(str, cells))
    Console(width=120).print(table)


def examine(survivors: Sequence[Row], launcher: ProcessLauncher) -> int:
    """Print why each survivor is equivalent, or its change; return how many are undecided."""
    lines = reached([row.problem for row in survivors], launcher)
    reasons: Counter[str] = Counter()
    for row in survivors:
        ran = lines.get(row.problem.problem_id, frozenset())
        if bytecode(row.problem.program) == bytecode(row.mutant.program):
            kind, reason = "same bytecode", ""
        elif ran.isdisjoint(statement_lines(row.problem.program, row.mutant.line)):
            kind, reason = "never runs", EQUIVALENT.get(name_of(row), "")
        elif name_of(row) in EQUIVALENT:
            kind, reason = "read by a person", EQUIVALENT[name_of(row)]
        else:
            kind, reason = "undecided", change(row)
        reasons[kind] += 1
        tried = row.grade.differential_inputs
        print(f"{kind}: {name_of(row)} ({tried} inputs){': ' if reason else ''}{reason}")
    print(", ".join(f"{count} {kind}" for kind, count in reasons.most_common()))
    return reasons["undecided"]


def name_of(row: Row) -> str:
    """Return what a person calls a mutant by."""
    before, after = (" ".join(t.split())[:60] for t in (row.mutant.before, row.mutant.after))
    return f"{row.problem.entry_point}, line {row.mutant.line}: {before} -> {after}"


def change(row: Row) -> str:
    """Return the whole program, with the change in it."""
    before = ast.unparse(ast.parse(row.problem.program)).splitlines()
    after = row.mutant.program.splitlines()
    lines = difflib.unified_diff(before, after, lineterm="", n=len(before))
    return "\n" + "\n".join([*lines][3:])


def bytecode(program: str) -> object:
    """Return what the compiler makes of a program, line numbers left out."""
    return _plain(compile(ast.parse(ast.unparse(ast.parse(program))), "", "exec", optimize=2))


def _plain(code: CodeType) -> object:
    constants = [_plain(c) if isinstance(c, CodeType) else (type(c), c) for c in code.co_consts]
    return code.co_code, code.co_names, code.co_varnames, code.co_exceptiontable, repr(constants)


def reached(problems: Sequence[Problem], launcher: ProcessLauncher) -> dict[str, frozenset[int]]:
    """Return the lines of each program that ran on inputs on which it returned."""
    domains = {problem.problem_id: Domain.of(problem.cases) for problem in problems}
    inputs = {
        problem.problem_id: extend(
            Inputs,
            _function(problem),
            arguments=[*(case.arguments for case in problem.cases)],
            writer="study",
        )
        for problem in problems
    }
    options = SANDBOX.model_copy(update={"determinism_runs": False, "refine_rounds": 10})

    def more(function: Function, cases: list[Case]) -> list[str]:
        count = REACHING // 10
        domain = domains[function.function_id]
        first = first_rows(function, domain, count // 2) if len(cases) < count else []
        return first + further_rows(function, cases, domain, count - len(first), "reached")

    rows = execute(inputs.values(), options, _report(), launcher=launcher, refine=more)
    return {
        row.function_id: frozenset(
            line for case in row.cases if case.outcome == "returned" for line in case.covered_lines
        )
        for row in rows
    }


def statement_lines(program: str, line: int) -> set[int]:
    """Return the lines of the statement that a line is in, without those of its block."""
    found = {line}
    for node in ast.walk(ast.parse(program)):
        if isinstance(node, ast.stmt) and not hasattr(node, "body"):
            lines = set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
            if line in lines:
                found |= lines
    return found


def fenced(program: str) -> str:
    """Return a program as the text of an answer."""
    return f"```python\n{program}\n```"


def _function(problem: Problem) -> Function:
    return Function(
        function_id=problem.problem_id,
        program=problem.program,
        entry_point=problem.entry_point,
        parameters=problem.parameters,
        repository="",
        path="",
        first_line=1,
        last_line=1,
        licence=None,
        dump="",
        source_sha256="",
    )


def _report() -> StepReport:
    return StepReport("study", "memory:")


if __name__ == "__main__":
    raise SystemExit(main())
