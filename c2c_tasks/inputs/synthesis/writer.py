"""The writer that needs no model: inputs made from what the program's text says."""

from __future__ import annotations

import random
from collections.abc import Generator, Iterable

from c2c_tasks.config import InputOptions
from c2c_tasks.inputs.synthesis.inference import Knowledge, UnreadableProgram, understand
from c2c_tasks.inputs.synthesis.proposals import Proposals
from c2c_tasks.records import Function, Inputs, extend
from c2c_tasks.shards import StepReport


class SynthesisWriter:
    """Writes inputs by inference of types; runs nothing, asks nobody."""

    name = "synthesis"

    def __init__(self, options: InputOptions) -> None:
        self.options = options

    def write(
        self, functions: Iterable[Function], report: StepReport
    ) -> Generator[Inputs, None, None]:
        """Yield inputs for each function that any can be written for, in order.

        Dropped, and counted by reason: ``unsupported_parameters`` (only objects of classes,
        or functions, would do), ``unreadable_program``.
        """
        report.facts["writer"] = {"name": self.name}
        stage = report.stage("inputs", "functions")
        for function in functions:
            try:
                known = understand(function)
                arguments = propose(function, known, self.options.inputs_per_function)
            except (UnreadableProgram, RecursionError) as error:
                stage.drop("unreadable_program")
                report.problem(
                    f"{function.entry_point} of {function.path}: {error}",
                    function_id=function.function_id,
                )
                continue
            if not arguments or unsupported(function, known):
                stage.drop("unsupported_parameters")
                continue
            stage.keep()
            report.count("inputs_written", len(arguments))
            yield extend(Inputs, function, arguments=arguments, writer=self.name)


def unsupported(function: Function, known: Knowledge) -> bool:
    """Tell whether a parameter needs what no literal is: an object of a class, a function."""
    for parameter in function.parameters:
        use = known.uses[parameter.name].root()
        if parameter.default is not None or "optional" in use.flags or known.examples:
            continue
        if parameter.kind.startswith("var_"):
            continue
        if use.attributes or "called" in use.flags:
            return True
    return False


def propose(function: Function, known: Knowledge, count: int) -> list[str]:
    """Return up to `count` distinct rows of arguments as canonical literals."""
    proposals = Proposals(function, known, random.Random(function.function_id))
    if not function.parameters:
        proposals.add({})
        return proposals.rows
    proposals.add_examples()
    profile = proposals.main_profile()
    missing = count - len(proposals.rows)
    share = min(1.0, 0.35 + proposals.confidence())
    main = max(round(missing * share), min(missing, 8))
    proposals.add_systematic(profile, main)
    known_kinds = {tuple(shape.kinds() for shape in profile.values())}
    attempts = 0
    while len(proposals.rows) < count and attempts < 12:
        attempts += 1
        other = proposals.other_profile(1.0 + attempts / 6)
        kinds = tuple(shape.kinds() for shape in other.values())
        if kinds not in known_kinds:
            known_kinds.add(kinds)
            proposals.add_systematic(other, min(3, count - len(proposals.rows)))
    if len(proposals.rows) < count:
        proposals.add_random(profile, count - len(proposals.rows))
    return proposals.rows[:count]
