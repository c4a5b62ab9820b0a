"""What kinds of values a parameter may be given: wide where the program says little."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from c2c_tasks.inputs.synthesis.inference import UnreadableProgram, understand
from c2c_tasks.inputs.synthesis.shapes import scores_of, settle
from c2c_tasks.inputs.synthesis.uses import KINDS, Use, kind_of
from c2c_tasks.records import Function

MAX_DEPTH = 3
"""Containers in containers; what is in the innermost are scalars."""
SLACK = (7.0, 14.0)
"""Log-likelihood that a kind may fall short of the likeliest one and is still allowed: of a
parameter, and of what is in one, of which less is known. One operation that a kind does not
support counts 4, an annotation of another kind 6."""
CONTAINERS = frozenset(("list", "tuple", "set", "dict"))
SCALARS = frozenset(KINDS) - CONTAINERS


@dataclass(frozen=True, slots=True)
class ValueType:
    """The kinds that a value may have, and those of what is in it where it is a container."""

    kinds: frozenset[str]
    item: ValueType | None = None
    """Items of a list, tuple or set. None stands for any value."""
    value: ValueType | None = None
    """Values of a dict. None stands for any value."""


ANY = ValueType(frozenset(KINDS))


def parameter_types(function: Function) -> dict[str, ValueType]:
    """Return the type of each parameter; of ``*args`` its items', of ``**kwargs`` its values'.

    The evidence is the synthesis writer's. A kind is left out only where there is much of it:
    what is allowed and wrong costs one input, what is forbidden and right costs the function.
    """
    try:
        uses = understand(function).uses
    except UnreadableProgram:
        return {parameter.name: ANY for parameter in function.parameters}
    for use in uses.values():
        settle(use)
    types: dict[str, ValueType] = {}
    for parameter in function.parameters:
        use = uses[parameter.name].root()
        if parameter.kind == "var_positional":
            members = [use.item, *use.fields.values()]
            types[parameter.name] = _union(_member_types(members, 0))
        elif parameter.kind == "var_keyword":
            members = [use.value, *use.fields.values()]
            types[parameter.name] = _union(_member_types(members, 0))
        else:
            types[parameter.name] = _type(use, 0, declared=parameter.annotation is not None)
    return types


def _type(use: Use, depth: int, declared: bool = False, above: tuple[Use, ...] = ()) -> ValueType:
    """Return the type of a use that stands in `depth` containers.

    What nobody declared is an integer as little as it is no other number, a list as little as
    it is no tuple. What holds itself, as in a function that calls itself on an item of its own
    argument, ends somewhere: it may be anything.
    """
    use = use.root()
    if (
        use in above
        or use.scores is None
        or use.flags.keys() & {"callable", "class", "called"}
        or use.attributes
    ):
        return ANY
    kinds = _kinds(use, depth)
    if not declared:
        kinds |= {"float"} if "int" in kinds else set()
        kinds |= {"list", "tuple"} if kinds & {"list", "tuple"} else set()
    if len(kinds) == len(KINDS):
        return ANY
    if depth >= MAX_DEPTH or not kinds & CONTAINERS or use.variants:
        return ValueType(kinds)
    named = [member for key, member in use.fields.items() if isinstance(key, str)]
    placed = [member for key, member in use.fields.items() if isinstance(key, int)]
    item = _union(_member_types([use.item, *placed], depth + 1, (*above, use)))
    value = _union(_member_types([use.value, *named, *placed], depth + 1, (*above, use)))
    return ValueType(kinds, item, value)


def _kinds(use: Use, depth: int) -> frozenset[str]:
    scores = scores_of(use, depth)
    least = max(scores) - SLACK[min(depth, 1)]
    kinds = {kind for kind, score in zip(KINDS, scores, strict=True) if score >= least}
    for variant in use.variants:
        if variant.root().scores is None:
            return ANY.kinds
        kinds |= _kinds(variant.root(), depth)
    kinds |= {kind for value in use.literals.values() if (kind := kind_of(value))}
    if "optional" in use.flags:
        kinds.add("none")
    if "float" in kinds:
        kinds.add("int")
    return frozenset(kinds)


def _member_types(
    uses: Iterable[Use | None], depth: int, above: tuple[Use, ...] = ()
) -> list[ValueType]:
    return [_type(use, depth, above=above) for use in uses if use is not None]


def _union(types: list[ValueType]) -> ValueType:
    """Return the type of a value of one of some types; any value where there are none."""
    if not types:
        return ANY
    first, *others = types
    for other in others:
        if first == ANY or other == ANY:
            return ANY
        kinds = first.kinds | other.kinds
        first = ValueType(kinds, _common(first, other, "item"), _common(first, other, "value"))
    return first


def _common(first: ValueType, other: ValueType, role: str) -> ValueType | None:
    """Return what is in a value of either type: None, any value, where one says nothing."""
    known = [t for t in (first, other) if t.kinds & CONTAINERS]
    members = [getattr(t, role) for t in known]
    if not members or None in members:
        return None
    return _union(members)
