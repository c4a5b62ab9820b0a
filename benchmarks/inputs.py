"""Inputs by synthesis against those that language models wrote, and against a naive search.

The functions are those of the Case2Code test set, run in the sandbox, process by process. The
naive search knows one pool of values and the literals of the code, and changes a little what
returned; it infers no types. As a second stage, refinement works on the model's inputs.

Every figure is of 30 cases a function at most, chosen of all that were run much as curation
does: next comes the case that runs most lines not run yet, then one that returned an output not
seen yet, then one that returned, then the shortest. A case that returned what has no literal, as
a generator, counts as returned, but its output as none. Coverage is of the executable lines of
the function's body; "covered" is the share of functions with all of them run, "none" that without
a returned case. CPU seconds are those of this process and of the cases. A function that could not
be run counts as one without cases; those whose written inputs cannot be read, as they make
objects, are left out of the rows of the language model.
"""

from __future__ import annotations

import ast
import logging
import random
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from math import isnan
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.case2code import DATA, written_inputs
from benchmarks.measuring import arguments, verdict
from c2c_tasks import literals
from c2c_tasks.config import InputOptions, SandboxOptions
from c2c_tasks.inputs.synthesis import SynthesisWriter, refine
from c2c_tasks.inputs.synthesis.inference import understand
from c2c_tasks.inputs.synthesis.mutation import Mutations
from c2c_tasks.inputs.synthesis.range_of_outputs import most_outputs
from c2c_tasks.records import Case, Execution, Function, Inputs, extend
from c2c_tasks.sandbox.execution import Refine, execute
from c2c_tasks.sandbox.process import ProcessLauncher
from c2c_tasks.shards import StepReport

MAX_CASES = 30
LIMIT = SandboxOptions().case_seconds
RETURNED = ("returned", "unrepresentable")
MODEL, TEXT, SYNTHESIS, SECOND_STAGE, NAIVE = (
    "language model",
    "synthesis, first inputs",
    "synthesis",
    "both, in turn",
    "naive search",
)
BARS = {
    "coverage": 0.965,
    "covered": 0.90,
    "3 outputs": 0.80,
    "none": 0.01,
}
"""What synthesis alone must reach; of functions with no returned case, at most so many."""
QUALITY = ("coverage", "covered", "returned", "2 outputs", "3 outputs", "none")


@dataclass(frozen=True)
class Result:
    """What one function's cases came to, of those that are counted."""

    covered: float
    cases: int
    returned: int
    outputs: int
    seconds: float = 0.0
    """Of all cases that were run."""


def main() -> int:
    """Run the benchmark; return the exit status."""
    chosen = arguments(__doc__)
    logging.disable(logging.WARNING)
    if not DATA.is_file():
        print(f"{DATA} is not there; name its folder by C2C_TEST_DATA", file=sys.stderr)
        return 2
    functions = list(written_inputs())[:: 4 if chosen.quick else 1]
    written = [function for function in functions if function.arguments]
    contestants: dict[str, Callable[[], list[Result]]] = {
        MODEL: lambda: run(written, len(written)),
        NAIVE: lambda: run(map(naive_inputs, functions), len(functions), naive_refine),
        TEXT: lambda: run(synthesised(functions), len(functions)),
        SYNTHESIS: lambda: run(synthesised(functions), len(functions), refine),
        SECOND_STAGE: lambda: run(written, len(written), refine),
    }
    rows = {}
    for name, contestant in contestants.items():
        started, spent = time.perf_counter(), time.process_time()
        results = contestant()
        spent = time.process_time() - spent + sum(result.seconds for result in results)
        figures = figures_of(results)
        figures["CPU s"] = spent / len(results)
        figures["functions/s"] = len(results) / (time.perf_counter() - started)
        rows[name] = figures
    table = Table(
        title=f"{len(functions)} functions, {len(written)} with inputs of a language model",
        title_justify="left",
    )
    for heading in ("", *rows[MODEL]):
        table.add_column(heading, justify="right" if heading else "left")
    for name, figures in rows.items():
        table.add_row(name, *(f"{figure:.3f}" for figure in figures.values()))
    Console(width=120).print(table)
    bound = sum(most_outputs(understand(function).entry) < 3 for function in functions)
    print(f"{bound} of the functions return one of at most two values, whatever they are given")
    missed = misses(rows)
    for miss in missed:
        print(f"missed: {miss}")
    print("figures that miss their bar:")
    return verdict(len(missed), 0, chosen.check)


def misses(rows: dict[str, dict[str, float]]) -> list[str]:
    """Return the figures that miss: of synthesis its bars, of the second stage the model's."""
    found = []
    for name, bar in BARS.items():
        figure = rows[SYNTHESIS][name]
        if figure > bar if name == "none" else figure < bar:
            found.append(f"{SYNTHESIS}: {name} {figure:.3f}, bar {bar}")
    for name in QUALITY:
        figure, model = rows[SECOND_STAGE][name], rows[MODEL][name]
        best = 0.0 if name == "none" else 1.0
        beaten = figure < model if name == "none" else figure > model
        if not beaten and figure != best:
            found.append(f"{SECOND_STAGE}: {name} {figure:.3f}, the model's {model:.3f}")
    return found


def figures_of(results: list[Result]) -> dict[str, float]:
    """Return the figures of a table's row by heading."""
    count = len(results)
    cases = sum(result.cases for result in results)
    return {
        "coverage": sum(result.covered for result in results) / count,
        "covered": sum(result.covered == 1 for result in results) / count,
        "returned": sum(result.returned for result in results) / max(cases, 1),
        "2 outputs": sum(result.outputs >= 2 for result in results) / count,
        "3 outputs": sum(result.outputs >= 3 for result in results) / count,
        "none": sum(result.returned == 0 for result in results) / count,
        "cases": cases / count,
    }


def run(inputs: Iterable[Inputs], count: int, refine: Refine | None = None) -> list[Result]:
    """Run functions in the sandbox; return a result for each of `count`."""
    options = SandboxOptions(launcher="process", determinism_runs=False)
    report = StepReport("execute", "memory:")
    rows = execute(inputs, options, report, launcher=ProcessLauncher(options), refine=refine)
    results = [result_of(execution) for execution in rows]
    return results + [Result(0.0, 0, 0, 0)] * (count - len(results))


def result_of(execution: Execution) -> Result:
    """Return what a function's cases came to."""
    cases = counted(execution)
    body = set(execution.body_lines)
    covered = body.intersection(line for case in cases for line in case.covered_lines)
    outputs = {case.output for case in cases if case.outcome == "returned"}
    return Result(
        seconds=sum(LIMIT if isnan(value) else value for value in execution.case_seconds),
        covered=len(covered) / len(body) if body else 1.0,
        cases=len(cases),
        returned=sum(case.outcome in RETURNED for case in cases),
        outputs=len(outputs),
    )


def counted(execution: Execution) -> list[Case]:
    """Return the cases that are counted."""
    uncovered, outputs = set(execution.body_lines), set()
    left = [case for case in execution.cases if case.outcome in ("raised", *RETURNED)]
    chosen: list[Case] = []

    def rank(case: Case) -> tuple[int, bool, bool, int]:
        gain = len(uncovered.intersection(case.covered_lines))
        raised = case.outcome == "raised"
        return -gain, raised or case.output in outputs, raised, len(case.arguments)

    while left and len(chosen) < MAX_CASES:
        best = min(left, key=rank)
        left.remove(best)
        chosen.append(best)
        uncovered.difference_update(best.covered_lines)
        outputs.add(best.output)
    return chosen


def synthesised(functions: Iterable[Function]) -> Iterable[Inputs]:
    """Yield the inputs that the synthesis writer writes."""
    options = InputOptions(inputs_per_function=MAX_CASES)
    return SynthesisWriter(options).write(functions, StepReport("inputs", "memory:"))


POOL: tuple[Any, ...] = (
    0, 1, 2, 5, 10, -1, 100, 3.5, True, None, "", "a", "abc", "hello world", "12", [], [1, 2, 3],
    [3, 1, 2], ["a", "b"], [[1, 2], [3, 4]], {}, {"a": 1}, (1, 2), {1, 2},
)  # fmt: skip


def naive_inputs(function: Function) -> Inputs:
    """Return inputs of values from one pool, and of the code's literals."""
    rng = random.Random(function.function_id)
    return extend(Inputs, function, arguments=_drawn(function, rng, MAX_CASES), writer="naive")


def naive_refine(function: Function, cases: list[Case]) -> list[str]:
    """Return as many new draws as changes of inputs that returned."""
    rng = random.Random(f"{function.function_id}:{len(cases)}")
    mutations = Mutations(understand(function), rng)
    seeds = [literals.loads(case.arguments) for case in cases if case.outcome == "returned"]
    changed = [mutations.of_arguments(rng.choice(seeds)) for _ in range(15) if seeds]
    return [*_drawn(function, rng, 30 - len(changed)), *_written(changed)]


def _drawn(function: Function, rng: random.Random, count: int) -> list[str]:
    constants = [
        node.value for node in ast.walk(ast.parse(function.program)) if type(node) is ast.Constant
    ]
    pool = [*POOL, *(value for value in constants if isinstance(value, int | float | str))]
    names = [parameter.name for parameter in function.parameters if "var_" not in parameter.kind]
    return _written([{name: rng.choice(pool) for name in names} for _ in range(count)])


def _written(rows: Iterable[object]) -> list[str]:
    found = []
    for row in rows:
        with suppress(literals.Unrepresentable):
            found.append(literals.dumps(row, 2_000))
    return list(dict.fromkeys(found))


if __name__ == "__main__":
    raise SystemExit(main())
