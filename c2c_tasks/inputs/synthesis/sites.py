"""One call in a program, as the walk hands it to what knows the callee."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from c2c_tasks.inputs.synthesis.uses import Use

if TYPE_CHECKING:
    from c2c_tasks.inputs.synthesis.expressions import Environment, Expressions


@dataclass(slots=True)
class CallSite:
    """A call whose arguments have been walked."""

    walk: Expressions
    node: ast.Call
    env: Environment
    name: str
    """Name of the function or method."""
    arguments: list[Use]
    """Uses of the positional arguments."""
    first: Use = field(init=False)
    """The first argument; of a call that has none, a use that nothing else knows."""

    def __post_init__(self) -> None:
        self.first = self.arguments[0].root() if self.arguments else Use()

    def walk_key(self, item: Use) -> None:
        """Apply the function that is given as ``key=`` to an item."""
        for keyword in self.node.keywords:
            if keyword.arg == "key":
                self.walk.apply(keyword.value, [item], self.env)
