"""What is known of the values that flow through a program.

A `Use` stands for one value of unknown type: a parameter, an item of it, the part between
two separators. Evidence is a log-likelihood for each kind of value; uses that must be of
one type are unified, as type variables are, and then share all that is known of either.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from c2c_tasks.inputs.constants import listed

KINDS: Final = (
    "int",
    "float",
    "bool",
    "none",
    "str",
    "bytes",
    "list",
    "tuple",
    "set",
    "dict",
)
Evidence = tuple[float, ...]
UNLIKELY = -4.0
"""Log-likelihood of a kind that an operation does not support. Finite: the operation may
stand in a branch that other kinds do not reach."""
LEAST = -40.0
"""Where evidence against a kind stops to add up."""

_OF_ITS_KIND = frozenset({"prefix", "suffix", "part", "sum"})
"""Origins whose operand is of the same kind as what they make."""
_TYPES: Mapping[type, str] = {
    int: "int",
    float: "float",
    bool: "bool",
    type(None): "none",
    str: "str",
    bytes: "bytes",
    list: "list",
    tuple: "tuple",
    set: "set",
    frozenset: "set",
    dict: "dict",
}
ABSENT: Final = object()
"""Marks a use that is not a constant; None is one."""


def kind_of(value: object) -> str | None:
    """Return the kind of a value, or None where it is of no kind that inputs have."""
    return _TYPES.get(type(value))


def hashable(value: object) -> bool:
    """Tell whether a value may be a key or an item of a set."""
    try:
        hash(value)
    except TypeError:
        return False
    return True


def evidence(default: float = UNLIKELY, **kinds: float) -> Evidence:
    """Return the evidence of log-likelihoods by kind, `default` for kinds not named."""
    return tuple(kinds.get(kind, default) for kind in KINDS)


def mostly(kind: str, weight: float) -> Evidence:
    """Return evidence for one kind, and neither way for the others."""
    return evidence(0.0, **{kind: weight})


NUMBER = evidence(int=0, float=-0.8, bool=-2.5)
INTEGER = evidence(int=0, bool=-2.5)
ADDED = evidence(int=0, float=-0.8, str=-0.5, list=-1.2, tuple=-2.5, bytes=-3, bool=-2.5)
MULTIPLIED = evidence(int=0, float=-0.8, str=-2.5, list=-3, bool=-2.5)
ORDERED = evidence(int=0, float=-0.8, str=-0.9, list=-2.5, tuple=-2.5, bool=-2.5, set=-3)
STRING = evidence(str=0, bytes=-3.5)
INDEXED = evidence(list=0, str=-0.6, dict=-0.9, tuple=-1.2, bytes=-3)
SEQUENCE = evidence(list=0, str=-0.4, tuple=-1.2, bytes=-3, dict=-3)
ASSIGNED_ITEM = evidence(list=0, dict=-0.2)
ITERABLE = evidence(list=0, str=-0.8, tuple=-1.5, set=-1.5, dict=-1.5, bytes=-3)
SIZED = evidence(list=0, str=-0.2, tuple=-1.5, set=-1.5, dict=-1.2, bytes=-3)
CONTAINER = evidence(list=0, str=-0.5, dict=-0.5, set=-1.0, tuple=-1.2, bytes=-3.5)
TABLE = evidence(dict=0)
FORMATTED = evidence(
    0.0, str=0.3, int=0.2, bytes=-2, list=-0.7, dict=-0.7, set=-1, tuple=-1, none=-1
)
HASHABLE = evidence(0.0, list=-3, set=-3, dict=-3)
EXACT = {kind: evidence(**{kind: 0.0}) for kind in KINDS}
"""Evidence that a value is of one kind."""


class Use:
    """One value of unknown type, and what the program does with it."""

    __slots__ = (
        "_into",
        "attributes",
        "constant",
        "fields",
        "flags",
        "fragments",
        "index",
        "item",
        "lengths",
        "literals",
        "origin",
        "part",
        "patterns",
        "prefixes",
        "remainders",
        "returned",
        "scores",
        "separator",
        "suffixes",
        "value",
        "variants",
    )

    def __init__(self, constant: Any = ABSENT) -> None:
        self._into: Use | None = None
        self.scores: list[float] | None = None
        self.constant = constant
        """The value, where the source writes it."""
        self.item: Use | None = None
        """What iteration yields; a dict's keys."""
        self.value: Use | None = None
        """What a subscript gives."""
        self.index: Use | None = None
        """What stands in the subscript."""
        self.fields: dict[int | str, Use] = {}
        """What constant subscripts and unpacking give."""
        self.literals: dict[tuple[str, Any], Any] = {}
        """Scalars that the value is compared with."""
        self.fragments: dict[str, None] = {}
        """Texts that are looked for in the value."""
        self.prefixes: dict[str, None] = {}
        self.suffixes: dict[str, None] = {}
        self.patterns: dict[str, None] = {}
        """Regular expressions that the value is matched with."""
        self.lengths: dict[int, None] = {}
        """Lengths that the program tells apart or needs."""
        self.remainders: dict[tuple[int, int], None] = {}
        """Divisors and remainders that the program tells apart."""
        self.separator: str | None = None
        """What a text is split at; ``""`` stands for white space."""
        self.part: Use | None = None
        """What splitting a text gives."""
        self.variants: list[Use] = []
        """The value where a check of its type has told it apart."""
        self.flags: dict[str, None] = {}
        """``small``: a count of steps; ``number_text``, ``integer_text``, ``json``, ``date``:
        a text of that form; ``optional``: compared with None; ``called``."""
        self.attributes: dict[str, None] = {}
        """Attributes read that no kind has."""
        self.origin: tuple[str, Use, Any] | None = None
        """The operation that made the value, its operand, and its constant."""
        self.returned: Use | None = None
        """What a call of the value gives."""

    def root(self) -> Use:
        """Return the use that this one was unified into."""
        use = self
        while use._into is not None:
            use = use._into
        return use

    def observe(self, seen: Evidence, weight: float = 1.0, depth: int = 0) -> None:
        """Add evidence, to what the value is a part or a sum of, too."""
        use = self.root()
        origin = use.origin
        if origin is not None and origin[0] in _OF_ITS_KIND and depth < 4:
            origin[1].observe(seen, weight, depth + 1)
        if use.scores is None:
            use.scores = [weight * score for score in seen]
        else:
            use.scores = [
                max(old + weight * new, LEAST) for old, new in zip(use.scores, seen, strict=True)
            ]

    def score(self, kind: str) -> float:
        """Return the log-likelihood of a kind, 0 where nothing was observed."""
        scores = self.root().scores
        return scores[KINDS.index(kind)] if scores else 0.0

    def best(self) -> str | None:
        """Return the likeliest kind, or None where nothing was observed."""
        scores = self.root().scores
        return KINDS[scores.index(max(scores))] if scores else None

    def get(self, role: str) -> Use:
        """Return the use in a role (``item``, ``value``, ``index``, ``part``, ``returned``)."""
        use = self.root()
        found: Use | None = getattr(use, role)
        if found is None:
            found = Use()
            setattr(use, role, found)
        return found.root()

    def field(self, key: int | str) -> Use:
        """Return the use of what a constant subscript gives."""
        return self.root().fields.setdefault(key, Use()).root()

    def add_literal(self, value: Any) -> None:
        """Record a scalar that the value is compared with."""
        literals = self.root().literals
        if len(literals) < 40:
            literals[type(value).__name__, value] = value

    def flag(self, name: str) -> None:
        """Set a flag."""
        self.root().flags[name] = None


_ROLES = ("item", "value", "index", "part", "returned")
_SETS = (
    "fields",
    "literals",
    "fragments",
    "prefixes",
    "suffixes",
    "patterns",
    "lengths",
    "remainders",
    "flags",
    "attributes",
)


def unify(first: Use, second: Use) -> Use:
    """Make two uses one; return it. What is known of either is known of both."""
    kept, gone = first.root(), second.root()
    if kept is gone:
        return kept
    gone._into = kept
    if gone.scores is not None:
        kept.observe(tuple(gone.scores))
    kept.constant = ABSENT
    for key, use in gone.fields.items():
        if key in kept.fields:
            unify(kept.fields[key], use)
    for name in _SETS:
        mine = getattr(kept, name)
        for key, value in getattr(gone, name).items():
            mine.setdefault(key, value)
    kept.variants.extend(gone.variants)
    kept.separator = kept.separator if kept.separator is not None else gone.separator
    kept.origin = kept.origin or gone.origin
    for role in _ROLES:
        kept = kept.root()  # what a role unifies may be this very use: `x.extend(x[0])`
        mine, theirs = getattr(kept, role), getattr(gone, role)
        if mine is not None and theirs is not None:
            unify(mine, theirs)
        elif theirs is not None:
            setattr(kept, role, theirs)
    return kept.root()


def learn(use: Use, value: Any, weight: float = 2.0, depth: int = 0) -> None:
    """Take a value that the program is known to be given as evidence."""
    kind = kind_of(value)
    if kind is None or depth > 5:
        return
    use.observe(EXACT[kind], weight / -UNLIKELY)
    if kind in ("list", "tuple", "set"):
        items = listed(value)[:8]
        if kind == "tuple" and len({type(item) for item in items}) > 1:
            for position, item in enumerate(items):
                learn(use.field(position), item, weight, depth + 1)
        else:
            for item in items:
                learn(use.get("item"), item, weight / len(items), depth + 1)
    elif kind == "dict" and _is_record(use, value):
        for key, item in list(value.items())[:8]:
            learn(use.field(key), item, weight, depth + 1)
    elif kind == "dict":
        for key, item in list(value.items())[:8]:
            learn(use.get("item"), key, weight / len(value), depth + 1)
            learn(use.get("value"), item, weight / len(value), depth + 1)


def _is_record(use: Use, table: dict[Any, Any]) -> bool:
    """Tell a dict with a name for each of its values from one that counts or maps alike ones."""
    if not all(isinstance(key, str) for key in table):
        return False
    return (
        any(key in table for key in use.root().fields)
        or len({type(item) for item in table.values()}) > 1
    )


_CLASS_OF = {kind: cls for cls, kind in _TYPES.items() if cls is not frozenset}
_RARER = {"bytes": -3.0, "tuple": -1.0, "bool": -2.5, "float": -0.8, "none": -4.0}


@cache
def having_attribute(name: str) -> Evidence | None:
    """Return evidence for the kinds that have an attribute; None where none has it."""
    if name.startswith("__"):
        return evidence(0.0)
    if name in ("real", "imag", "numerator", "denominator"):
        return evidence(int=0.0, float=-0.3)
    having = [kind for kind in KINDS if hasattr(_CLASS_OF[kind], name)]
    return evidence(**{kind: _RARER.get(kind, 0.0) for kind in having}) if having else None
