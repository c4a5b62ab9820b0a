"""Grading answers against the released evaluation's way of doing it.

The problems are the programs of the Case2Code test set with what the inputs that it carries come
to; each has ten answers, no two with the same code: local names and docstrings differ, and two of
ten do something else than the program. Grading them takes finding the code in the answer, running
it on every case and comparing what it comes to, the start of runners included, as many at a time
as there are cores.

The released way, re-created from its description of itself: of each answer's first fenced block, a
file is written, after the guard that the release puts first and before the cases, and run by a
`python` of its own, the one below this environment, which starts faster than it; what it prints
is cut up, and compared as text with what the program printed. A pool of processes does that.
"""

from __future__ import annotations

import ast
import logging
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

from benchmarks.case2code import DATA, written_inputs
from benchmarks.measuring import arguments, show, take_turns, verdict
from c2c_tasks.config import GradingOptions, SandboxOptions
from c2c_tasks.evaluation.grading import grade
from c2c_tasks.evaluation.records import Answer, Problem
from c2c_tasks.sandbox.choice import choose_launcher
from c2c_tasks.sandbox.execution import execute
from c2c_tasks.sandbox.launchers import Launcher
from c2c_tasks.shards import StepReport

BAR = 1 / 12
SAMPLES = 10
CORES = len(os.sched_getaffinity(0))
SECONDS = 10
PYTHON = getattr(sys, "_base_executable", None) or sys.executable

GUARD = """
import sys
import copy
import json
import faulthandler
import builtins
import os
import shutil
import subprocess
import sqlite3

faulthandler.disable()
for name in ("exit", "quit", "open", "help"):
    setattr(builtins, name, None)
os.environ["OMP_NUM_THREADS"] = "1"
for name in ("kill", "makedirs", "system", "putenv", "remove", "removedirs", "rmdir", "fchdir",
             "setuid", "fork", "forkpty", "killpg", "rename", "renames", "truncate", "replace",
             "unlink", "fchmod", "fchown", "chmod", "chown", "chroot", "getcwd", "chdir"):
    setattr(os, name, None)
shutil.rmtree = shutil.move = shutil.chown = None
subprocess.Popen = None
for name in ("ipdb", "joblib", "resource", "psutil", "tkinter"):
    sys.modules[name] = None
sqlite3.connect = None
"""
CALLS = """
for example in examples:
    print("<|EX|>", json.dumps(repr(example)))
print("<|START|>")
for example in examples:
    print("<|OUT|>")
    try:
        print("<|RETURN|>", json.dumps(repr({entry_point}(**example))))
    except Exception as error:
        print("<|EXCEPTION|>", json.dumps(f"{{type(error)}}: {{error}}"))
print("<|END|>")
"""


@dataclass(frozen=True)
class Task:
    """A problem as the released way has it."""

    entry_point: str
    examples: str
    expected: tuple[str, ...] = ()


def main() -> int:
    """Run the benchmark; return the exit status."""
    chosen = arguments(__doc__)
    logging.disable(logging.WARNING)
    if not DATA.is_file():
        print(f"{DATA} is not there; name its folder by C2C_TEST_DATA", file=sys.stderr)
        return 2
    launcher = choose_launcher(OPTIONS)
    problems = list(islice(_problems(launcher), 40 if chosen.quick else None))
    answers = [answer for problem in problems for answer in _answers(problem)]
    tasks = _tasks(problems)
    name = f"graded ({launcher.facts['launcher']})"
    ours: dict[tuple[str, int], bool] = {}
    theirs: dict[tuple[str, int], bool] = {}
    contestants = {
        "a python each": lambda: theirs.update(_processes(tasks, answers)),
        name: lambda: ours.update(_graded(problems, answers, launcher)),
    }
    timings = take_turns(contestants, 2 if chosen.quick else 3)
    cases = sum(len(problem.cases) for problem in problems) / len(problems)
    title = (
        f"{len(answers):,} answers to {len(problems)} problems, {cases:.1f} cases each, "
        f"{CORES} at a time"
    )
    show(title, timings, "a python each", len(answers), "answers")
    _show_agreement(ours, theirs)
    return verdict(timings[name].ratio(timings["a python each"])[1], BAR, chosen.check)


OPTIONS = SandboxOptions(workers=CORES, coverage=False, refine_rounds=0)


def _show_agreement(ours: dict[tuple[str, int], bool], theirs: dict[tuple[str, int], bool]) -> None:
    """Print how often both ways come to the same verdict, and the answers where they do not."""
    counts = Counter((ours[key], theirs[key]) for key in ours)
    same = counts[True, True] + counts[False, False]
    print(
        f"same verdict on {same:,} of {len(ours):,} answers: {counts[True, True]:,} right, "
        f"{counts[False, False]:,} wrong; only ours passes {counts[True, False]}, "
        f"only theirs {counts[False, True]}"
    )


def _problems(launcher: Launcher) -> Iterator[Problem]:
    """Yield a problem for each program of the set with two sound cases or more."""
    seen = set()
    functions = (function for function in written_inputs() if function.arguments)
    report = StepReport("execute", "memory:")
    for row in execute(functions, OPTIONS, report, launcher=launcher):
        sound = [c for c in row.cases if c.deterministic and c.outcome in ("returned", "raised")]
        if len(sound) < 2 or row.function_id in seen:
            continue
        seen.add(row.function_id)
        shown = min(10, len(sound) - 1)
        yield Problem(
            problem_id=row.function_id,
            task="induction",
            prompt="",
            program=row.program,
            entry_point=row.entry_point,
            parameters=row.parameters,
            cases=sound,
            shown_cases=list(range(shown)),
            held_cases=list(range(shown, len(sound))),
        )


def _answers(problem: Problem) -> Iterator[Answer]:
    """Yield ten answers: eight with other names for local variables, two that are wrong."""
    texts = set()
    for sample in range(SAMPLES):
        tree = ast.parse(problem.program)
        (function,) = (
            node
            for node in tree.body
            if isinstance(node, ast.FunctionDef) and node.name == problem.entry_point
        )
        _Renaming(function, sample).visit(function)
        if sample >= SAMPLES - 2:
            _Wrong(sample).visit(function)
        function.body.insert(0, ast.Expr(ast.Constant(f"Infer the rule, attempt {sample}.")))
        code = ast.unparse(tree)
        texts.add(code)
        text = f"Here is the function:\n\n```python\n{code}\n```\n\nIt fits the examples."
        yield Answer(problem_id=problem.problem_id, sample=sample, text=text)
    assert len(texts) == SAMPLES


class _Renaming(ast.NodeTransformer):
    """Gives local variables of a function, not its parameters, another name."""

    def __init__(self, function: ast.FunctionDef, sample: int) -> None:
        nodes = list(ast.walk(function))
        stored = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        kept = {n.arg for n in nodes if isinstance(n, ast.arg | ast.keyword)}
        for node in nodes:
            if isinstance(node, ast.Global | ast.Nonlocal):
                kept |= set(node.names)
        self._names = {name: f"{name}_{sample}" for name in stored - kept}

    def visit_Name(self, node: ast.Name) -> ast.Name:
        node.id = self._names.get(node.id, node.id)
        return node


class _Wrong(ast.NodeTransformer):
    """Makes a function return something else."""

    def __init__(self, sample: int) -> None:
        self._sample = sample

    def visit_Return(self, node: ast.Return) -> ast.Return:
        value = node.value or ast.Constant(None)
        return ast.Return(ast.List([value, ast.Constant(self._sample)], ast.Load()))


def _graded(
    problems: list[Problem], answers: list[Answer], launcher: Launcher
) -> dict[tuple[str, int], bool]:
    report = StepReport("grade", "memory:")
    grades = grade(problems, answers, GradingOptions(), OPTIONS, report, launcher=launcher)
    verdicts = {(grade.problem_id, grade.sample): grade.passed_all for grade in grades}
    assert len(verdicts) == len(answers)
    return verdicts


def _tasks(problems: list[Problem]) -> dict[str, Task]:
    """Return the problems as the released way has them, with what their programs print."""
    tasks = {
        problem.problem_id: Task(
            problem.entry_point,
            f"examples = [{', '.join(case.arguments for case in problem.cases)}]",
        )
        for problem in problems
    }
    with tempfile.TemporaryDirectory() as folder, multiprocessing.Pool(CORES) as pool:
        jobs = [(tasks[problem.problem_id], problem.program) for problem in problems]
        outputs = pool.starmap(partial(_printed, folder), jobs, chunksize=1)
    return {
        problem_id: Task(task.entry_point, task.examples, tuple(output))
        for (problem_id, task), output in zip(tasks.items(), outputs, strict=True)
    }


def _processes(tasks: dict[str, Task], answers: list[Answer]) -> dict[tuple[str, int], bool]:
    """Grade as the release does."""
    with tempfile.TemporaryDirectory() as folder, multiprocessing.Pool(CORES) as pool:
        pending = {
            (answer.problem_id, answer.sample): pool.apply_async(
                _is_right, (folder, tasks[answer.problem_id], answer.text)
            )
            for answer in answers
        }
        return {key: result.get() for key, result in pending.items()}


def _is_right(folder: str, task: Task, text: str) -> bool:
    code = text.split("```python", 1)[-1].split("```", 1)[0].strip()
    return _printed(folder, task, code) == list(task.expected)


def _printed(folder: str, task: Task, code: str) -> Sequence[str]:
    """Run a program in an interpreter of its own; return what it printed for each example."""
    path = Path(folder, f"exec_{os.getpid()}.py")
    calls = CALLS.format(entry_point=task.entry_point)
    path.write_text(f"{GUARD}\n\n{code}\n\n{task.examples}\n{calls}")
    try:
        ended = subprocess.run(
            [PYTHON, str(path)], capture_output=True, check=False, text=True, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        return []
    found = re.search(r"<\|START\|>\n(.*)<\|END\|>", ended.stdout, re.DOTALL)
    if ended.returncode or found is None:
        return []
    parts = [part.strip() for part in found[1].split("<|OUT|>") if part.strip()]
    return [part.rpartition("<|RETURN|>")[2].strip() for part in parts]


if __name__ == "__main__":
    raise SystemExit(main())
