"""Rows of arguments: values of several parameters put together, each row once."""

from __future__ import annotations

import math
import random

from c2c_tasks import literals
from c2c_tasks.inputs.constants import listed
from c2c_tasks.inputs.signatures import Arguments
from c2c_tasks.inputs.synthesis.boundaries import Boundaries
from c2c_tasks.inputs.synthesis.caution import Caution
from c2c_tasks.inputs.synthesis.inference import Knowledge
from c2c_tasks.inputs.synthesis.mutation import Mutations
from c2c_tasks.inputs.synthesis.outcomes import Outcomes
from c2c_tasks.inputs.synthesis.shapes import (
    Shape,
    likeliest,
    sampled,
    scores_of,
    settle,
    shape_of,
)
from c2c_tasks.inputs.synthesis.uses import kind_of
from c2c_tasks.inputs.synthesis.values import Values
from c2c_tasks.records import Function

MAX_ROW_CHARACTERS = 4_000
"""Length of one row's literal; larger ones teach a reader of the dataset nothing."""
MAX_EXAMPLES = 10
Profile = dict[str, Shape]


class Proposals:
    """Gathers rows for one function: canonical, distinct, none that was tried before."""

    def __init__(
        self,
        function: Function,
        known: Knowledge,
        rng: random.Random,
        outcomes: Outcomes | None = None,
    ) -> None:
        self.function = function
        self.known = known
        self.rng = rng
        self.rows: list[str] = []
        self.seen = {case.arguments for case, _ in outcomes.rows} if outcomes else set()
        self.caution = Caution(known.entry, outcomes)
        self.values = Values(known, rng)
        self.boundaries = Boundaries(self.values)
        self.mutations = Mutations(known, rng)
        for use in known.uses.values():
            settle(use)
        self.optional = {
            p.name for p in function.parameters if p.default is not None or "var_" in p.kind
        }
        self.kinds = {p.name: p.kind for p in function.parameters}

    def add(self, arguments: Arguments) -> bool:
        """Take a row unless it is there already, has no literal, is too long, or may not end."""
        try:
            row = literals.dumps(self._normal(arguments), MAX_ROW_CHARACTERS)
        except literals.Unrepresentable:
            return False
        if row in self.seen or not self.caution.allows(arguments):
            return False
        self.seen.add(row)
        self.rows.append(row)
        return True

    def _normal(self, arguments: Arguments) -> Arguments:
        """Return the row in header order, ``*args`` a tuple and what precedes it given."""
        row: Arguments = {}
        for parameter in self.function.parameters:
            name = parameter.name
            if name not in arguments:
                if parameter.default is None and not parameter.kind.startswith("var_"):
                    raise literals.Unrepresentable(f"no value for {name}")
                continue
            value = arguments[name]
            if parameter.kind == "var_positional":
                if len(row) < sum("positional" in p.kind for p in self.function.parameters) - 1:
                    continue  # a default before it would take the first of its values
                value = tuple(listed(value) if isinstance(value, list | tuple | set) else [value])
            elif parameter.kind == "var_keyword":
                value = {
                    key: item
                    for key, item in (value.items() if isinstance(value, dict) else ())
                    if isinstance(key, str) and key.isidentifier() and key not in self.kinds
                }
            row[name] = value
        return row

    # -- profiles ----------------------------------------------------------------------------

    def main_profile(self) -> Profile:
        """Return the likeliest shape of each parameter."""
        return {name: shape_of(use, likeliest) for name, use in self.known.uses.items()}

    def other_profile(self, heat: float = 1.0) -> Profile:
        """Return shapes drawn by their likelihood."""
        choose = sampled(self.rng, heat)
        return {name: shape_of(use, choose) for name, use in self.known.uses.items()}

    def confidence(self) -> float:
        """Return the probability that the likeliest kinds of all parameters are right."""
        product = 1.0
        for use in self.known.uses.values():
            scores = scores_of(use)
            for other in (use.root().item, use.root().value):
                if other is not None and max(scores) in (scores[6], scores[7], scores[9]):
                    product *= _share(scores_of(other, 1))
            product *= _share(scores)
        return product

    # -- rows --------------------------------------------------------------------------------

    def add_examples(self) -> None:
        """Take the calls that the docstring writes, and small changes of them."""
        for example in self.known.examples[:MAX_EXAMPLES]:
            self.add(example)
        for example in self.known.examples[:3]:
            self.add(self.mutations.of_arguments(example))

    def add_systematic(self, profile: Profile, count: int) -> None:
        """Add `count` rows in which each parameter's interesting values come one by one."""
        names = list(profile)
        queues = {name: self.boundaries.of(shape) for name, shape in profile.items()}
        positions = dict.fromkeys(names, 0)
        goal, attempts = len(self.rows) + count, 0
        while len(self.rows) < goal and attempts < 4 * count:
            attempts += 1
            self.values.gentle = attempts <= 3
            row = self.random_row(profile)
            self.values.gentle = False
            if attempts > 3:
                share = 1.0 if len(names) == 1 else 0.6
                if len(names) == 1 and attempts % 3 == 0:
                    share = 0.0  # every third row is random, whatever there is to be tried
                for name in names:
                    queue = queues[name]
                    if positions[name] < len(queue) and self.rng.random() < share:
                        row[name] = queue[positions[name]]
                        positions[name] += 1
                if len(names) > 1:
                    self.relate(row, profile)
            self.add(row)

    def add_random(self, profile: Profile, count: int) -> None:
        """Add `count` random rows."""
        goal, attempts = len(self.rows) + count, 0
        while len(self.rows) < goal and attempts < 3 * count:
            attempts += 1
            row = self.random_row(profile)
            self.relate(row, profile)
            self.add(row)

    def random_row(self, profile: Profile) -> Arguments:
        """Return a row of random values; parameters with defaults are left out at times."""
        rng = self.rng
        self.values.size = rng.choice((3, 4, 2, 5, 1, 6, None, 8))
        self.values.density = rng.choice((1.0, 1.0, 1.0, 1.0, 0.95, 0.5))
        row: Arguments = {}
        for name, shape in profile.items():
            if name in self.optional and rng.random() < 0.35:
                continue
            if "optional" in shape.use.flags and rng.random() < 0.12:
                row[name] = None
                continue
            row[name] = self.values.random(shape)
        return row

    def relate(self, row: Arguments, profile: Profile) -> None:
        """Make values of two parameters meet: an item of the one, a copy, a position in it."""
        names = [name for name in row if name in profile]
        if len(names) < 2:
            return
        rng = self.rng
        for name in names:
            for other in names:
                if name == other or rng.random() > 0.5:
                    continue
                self._relate(row, name, other, profile)

    def _relate(self, row: Arguments, name: str, other: str, profile: Profile) -> None:
        rng, value, given = self.rng, row[name], row[other]
        use, container = profile[name].use.root(), profile[other].use.root()
        kind = kind_of(value)
        if isinstance(given, list | tuple | dict | set | str) and given:
            members = listed(given)
            unified = container.item is not None and container.item.root() is use
            indexes = container.index is not None and container.index.root() is use
            if unified and rng.random() < 0.7:
                row[name] = rng.choice(members)
                return
            if indexes and kind == "int" and not isinstance(given, dict):
                row[name] = rng.randrange(len(given))
                return
            if kind_of(members[0]) == kind and not isinstance(given, str) and rng.random() < 0.3:
                row[name] = rng.choice(members)
                return
            if kind == "int" and isinstance(given, list | str) and rng.random() < 0.35:
                row[name] = rng.choice((rng.randrange(len(given)), len(given), 1))
                return
            if kind == "str" and isinstance(given, str) and rng.random() < 0.3:
                start = rng.randrange(len(given))
                row[name] = given[start : start + rng.randint(1, 4)]
                return
        if kind == kind_of(given) and kind != "bool" and rng.random() < 0.3:
            row[name] = given if rng.random() < 0.4 else self.mutations.of_value(given)


def _share(scores: list[float]) -> float:
    top = max(scores)
    return 1.0 / sum(math.exp(score - top) for score in scores)
