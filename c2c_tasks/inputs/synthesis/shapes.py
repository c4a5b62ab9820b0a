"""Shapes: the types that inputs are generated in, chosen by the evidence."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice

from c2c_tasks.inputs.synthesis.hints import PRIOR
from c2c_tasks.inputs.synthesis.uses import INTEGER, KINDS, Evidence, Use, evidence, mostly, unify

MAX_DEPTH = 3
"""Nesting of containers in generated values."""
MAX_FIELDS = 64
"""Members told apart in one container; a quarter of that for each level down."""
_CONTAINERS = ("list", "tuple", "set", "dict")
_NESTED = evidence(0.0, list=-1.6, tuple=-1.2, set=-3.0, dict=-1.6, none=-2.0, bool=-0.8,
                   float=-0.3, bytes=-1.0)  # fmt: skip
"""Items are scalars rather than containers, where nothing is known of them."""
_DEEPEST = evidence(0.0, list=-1e6, tuple=-1e6, set=-1e6, dict=-1e6)
_HASHED = evidence(0.0, list=-40, set=-40, dict=-40, tuple=-2.0, float=-1.0, bool=-1.5, none=-2.0,
                   str=0.6)  # fmt: skip
Choice = Callable[[list[float]], str]


@dataclass(slots=True)
class Shape:
    """The type chosen for a use, and for what is in it."""

    kind: str
    use: Use
    item: Shape | None = None
    """Items of a list, tuple or set; keys of a dict."""
    value: Shape | None = None
    """Values of a dict."""
    fields: dict[int | str, Shape] = field(default_factory=dict)
    """Members at known positions or keys."""

    @property
    def is_record(self) -> bool:
        """Whether it is a list or tuple some of whose members are told apart."""
        return self.kind in ("list", "tuple") and bool(self.fields)

    def kinds(self) -> tuple[object, ...]:
        """Return the shape's kinds alone, for comparing."""
        return (
            self.kind,
            self.item and self.item.kinds(),
            self.value and self.value.kinds(),
            tuple((key, member.kinds()) for key, member in self.fields.items()),
        )


def likeliest(scores: list[float]) -> str:
    """Return the kind of the highest score."""
    return KINDS[scores.index(max(scores))]


def sampled(rng: random.Random, heat: float) -> Choice:
    """Return a choice of kinds by their likelihood, levelled as `heat` is over 1."""

    def choose(scores: list[float]) -> str:
        top = max(scores)
        weights = [math.exp((score - top) / heat) for score in scores]
        return rng.choices(KINDS, weights)[0]

    return choose


def scores_of(use: Use, depth: int = 0) -> list[float]:
    """Return the log-likelihood of each kind, with what is likely before any evidence."""
    scores = list(PRIOR)
    if depth:
        scores = _plus(scores, _NESTED)
    seen = use.root().scores
    return _plus(scores, tuple(seen)) if seen else scores


def settle(use: Use, seen: set[Use] | None = None) -> None:
    """Bring together what a use's items tell of it, and it of them; once, before shaping."""
    use = use.root()
    seen = set() if seen is None else seen
    if use in seen:
        return
    seen.add(use)
    for inner in (use.item, use.value, use.index, use.part, *use.fields.values(), *use.variants):
        if inner is not None:
            settle(inner, seen)
    use = use.root()
    for inner in (use.item, use.value, *(use.fields[key] for key in _positions(use))):
        if inner is not None:
            _tell_container(use, inner.root())
    if _is_looked_up(use):
        use.observe(mostly("dict", 2.5))
    kind = likeliest(scores_of(use))
    if kind == "dict":
        _settle_dict(use)
    elif kind in ("list", "tuple", "str", "set"):
        _settle_sequence(use)


def _is_looked_up(use: Use) -> bool:
    """Tell a dict by that it is indexed with what was looked for in it."""
    return use.item is not None and use.index is not None and use.item.root() is use.index.root()


def _settle_dict(use: Use) -> None:
    """Let what a dict is indexed with be its keys, numbers as well as names."""
    if use.index is not None:
        unify(use.get("item"), use.index)
    for key in _positions(use):
        use.get("item").observe(INTEGER)
        use.get("item").add_literal(key)
        unify(use.get("value"), use.root().fields.pop(key))
    if not use.root().fields:
        use.get("item")


def _settle_sequence(use: Use) -> None:
    """Let what a subscript gives be an item, and the subscript a small number."""
    if use.value is not None:
        unify(use.get("item"), use.value)
    use = use.root()
    if use.index is not None:
        use.index.observe(INTEGER, 0.5)
        use.index.flag("small")
        use.index.flag("index")
    if not _is_record(use):
        for key in _positions(use):
            unify(use.get("item"), use.root().fields.pop(key))


def _positions(use: Use) -> list[int]:
    return [key for key in use.fields if isinstance(key, int)]


def _is_record(use: Use) -> bool:
    """Tell a record, whose members differ in kind, from a list of one kind."""
    if "unpacked" in use.flags and use.item is None and use.value is None:
        return True
    kinds = {likeliest(scores_of(use.fields[key], 1)) for key in _positions(use)}
    return len(kinds) > 1 and len(kinds - {"int", "float", "bool"}) >= 1 and use.item is None


def _tell_container(use: Use, inner: Use) -> None:
    """Tell a text from a list by what is done with one item, and a row from a text."""
    if inner is use:
        return
    if (inner.value is not None or inner.index is not None) and not inner.part:
        inner.observe(evidence(0.0, list=1.5))
    texts = [value for value in inner.literals.values() if isinstance(value, str)]
    if texts:
        single = all(len(text) == 1 for text in texts)
        use.observe(evidence(0.0, str=1.6 if single else -2.5))
    elif inner.scores is not None:
        if inner.score("str") <= -2.5:
            use.observe(evidence(0.0, str=-3.5))
        elif inner.lengths == {1: None} or any(flag.startswith("is") for flag in inner.flags):
            use.observe(evidence(0.0, str=1.6))


def shape_of(use: Use, choose: Choice) -> Shape:
    """Return the shape of a use, with the kinds that `choose` chooses."""
    return _shape(use, choose, 0, {}, ())


def _shape(
    use: Use,
    choose: Choice,
    depth: int,
    chosen: dict[Use, str],
    above: tuple[Use, ...],
    more: Evidence | None = None,
) -> Shape:
    use = use.root()
    if use.variants and (use.scores is None or choose(_variant_scores(len(use.variants))) != "int"):
        variant = use.variants[len(above) % len(use.variants)]
        if choose is not likeliest:
            variant = use.variants[_index_by(choose, len(use.variants))]
        use = _with_knowledge(variant.root(), use)
    kind = chosen.get(use)
    if kind is None or above:
        scores = scores_of(use, depth)
        if more is not None:
            scores = _plus(scores, more)
        if depth >= MAX_DEPTH or above.count(use) >= 2:
            scores = _plus(scores, _DEEPEST)
        kind = choose(scores)
        chosen[use] = kind
    shape = Shape(kind, use)
    if kind not in _CONTAINERS:
        return shape
    above = (*above, use)
    hashed = _HASHED if kind in ("set", "dict") else None
    shape.item = _shape(use.item or Use(), choose, depth + 1, chosen, above, hashed)
    if kind == "dict":
        shape.value = _shape(use.value or Use(), choose, depth + 1, chosen, above)
    if kind != "set":
        wanted = str if kind == "dict" else int
        for key, member in islice(use.fields.items(), MAX_FIELDS // 4**depth):
            if isinstance(key, wanted):
                shape.fields[key] = _shape(member, choose, depth + 1, chosen, above)
    return shape


def _variant_scores(count: int) -> list[float]:
    """Scores that choose ``int`` for the use itself, anything else for one of its variants."""
    return [0.8, *([math.log(min(count, 4) / 3)] * 3), *([-40.0] * (len(KINDS) - 4))]


def _index_by(choose: Choice, count: int) -> int:
    scores = [0.0] * min(count, len(KINDS)) + [-40.0] * max(0, len(KINDS) - count)
    return KINDS.index(choose(scores))


def _with_knowledge(variant: Use, use: Use) -> Use:
    """Let a variant that says only its kind share what the use says of its items."""
    if variant.item is None and variant.value is None and not variant.fields:
        variant.item, variant.value = use.item, use.value
        variant.fields = dict(use.fields)
    if not variant.literals:
        kind = likeliest(scores_of(variant))
        variant.literals = {key: v for key, v in use.literals.items() if key[0] == kind}
    if variant.part is None and use.part is not None:
        variant.part, variant.separator = use.part, use.separator
    return variant


def _plus(scores: list[float], more: Evidence) -> list[float]:
    return [a + b for a, b in zip(scores, more, strict=True)]
