"""What the cases of a function came to so far, and what they still lack."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass, field

from c2c_tasks import literals
from c2c_tasks.inputs.signatures import Arguments
from c2c_tasks.inputs.synthesis.conditions import FunctionNode
from c2c_tasks.inputs.synthesis.range_of_outputs import most_outputs
from c2c_tasks.records import Case

ENOUGH_RETURNED = 12
MOST_RETURNED = 24
"""Cases that returned, past which it does not matter how many others raised."""
RAISED_SHARE = 0.1
"""Share of raised cases up to which `ENOUGH_RETURNED` is enough."""
ENOUGH_OUTPUTS = 8
"""Distinct outputs past which more inputs of the same lines teach little."""
FEW_OUTPUTS = 3
MIN_TRIES = 20
"""Cases before it is asked whether inputs of other kinds would do better."""
PATIENCE = 120
"""Cases without progress after which what is missing is taken to be out of reach."""
SHORT_PATIENCE = 45
"""The same, where only more of what there is already is missing."""


@dataclass(slots=True)
class Outcomes:
    """The cases of a function, read."""

    rows: list[tuple[Case, Arguments]]
    returned: list[tuple[Case, Arguments]] = field(default_factory=list)
    """Those that returned, though it may be what has no literal."""
    outputs: Counter[str | None] = field(default_factory=Counter)
    """Literals of what was returned."""
    wanted_outputs: float = ENOUGH_OUTPUTS
    missing: list[int] = field(default_factory=list)
    """Lines that no case ran."""
    idle: int = 0
    """Cases since the last one that ran a new line, or gave a new output or return in need."""

    @property
    def lacks_returned(self) -> bool:
        """Whether too few cases return."""
        raised = len(self.rows) - len(self.returned)
        few = len(self.returned) < ENOUGH_RETURNED
        return few or (
            raised > RAISED_SHARE * len(self.rows) and len(self.returned) < MOST_RETURNED
        )

    @property
    def lacks_outputs(self) -> bool:
        """Whether there are too few different outputs, of those that there can be."""
        return len(self.outputs) < self.wanted_outputs

    @property
    def is_stuck(self) -> bool:
        """Whether there are too few outputs for the function to be of use, after some tries."""
        few = len(self.outputs) < min(FEW_OUTPUTS, self.wanted_outputs)
        return few and len(self.rows) >= MIN_TRIES

    @property
    def is_enough(self) -> bool:
        """Whether nothing is lacking, or what is lacking is not to be had."""
        if self.missing or self.is_stuck or not self.returned:
            return self.idle >= PATIENCE
        return not (self.lacks_returned or self.lacks_outputs) or self.idle >= SHORT_PATIENCE

    def seeds(self) -> list[Arguments]:
        """Return returned rows, those first that gave a rare output or ran a rare line."""
        lines = Counter(line for case, _ in self.returned for line in case.covered_lines)

        def rarity(row: tuple[Case, Arguments]) -> tuple[int, int]:
            case, _ = row
            rarest = min((lines[line] for line in case.covered_lines), default=0)
            return rarest, self.outputs[case.output]

        return [arguments for _, arguments in sorted(self.returned, key=rarity)]


def outcomes_of(entry: FunctionNode, cases: list[Case]) -> Outcomes:
    """Return what the cases, in the order they were run, came to."""
    found = Outcomes([(case, _read(case.arguments)) for case in cases])
    found.wanted_outputs = min(ENOUGH_OUTPUTS, most_outputs(entry))
    lines: set[int] = set()
    for case, arguments in found.rows:
        found.idle += 1
        if not lines.issuperset(case.covered_lines):
            lines.update(case.covered_lines)
            found.idle = 0
        if case.outcome not in ("returned", "unrepresentable"):
            continue
        if len(found.returned) < ENOUGH_RETURNED:
            found.idle = 0
        found.returned.append((case, arguments))
        if case.output is not None:
            if case.output not in found.outputs and found.lacks_outputs:
                found.idle = 0
            found.outputs[case.output] += 1
    found.missing = uncovered_lines(entry, lines)
    return found


def uncovered_lines(entry: FunctionNode, covered: set[int]) -> list[int]:
    """Return the lines of statements of the entry point that did not run.

    None where no line ran at all: coverage was not asked for.
    """
    if not covered:
        return []
    lines = {
        node.lineno
        for statement in entry.body
        for node in ast.walk(statement)
        if isinstance(node, ast.stmt) and not _is_silent(node)
    }
    return sorted(lines - covered)


def _is_silent(node: ast.stmt) -> bool:
    """Tell statements that no line event belongs to."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    return isinstance(node, ast.Global | ast.Nonlocal | ast.Try | ast.TryStar)


def _read(arguments: str) -> Arguments:
    value = literals.loads(arguments)
    assert isinstance(value, dict)
    return value
