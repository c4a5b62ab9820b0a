"""What calls of the standard library tell of their arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from c2c_tasks.inputs.synthesis.relations import iterate, made, of_one_kind
from c2c_tasks.inputs.synthesis.sites import CallSite
from c2c_tasks.inputs.synthesis.uses import (
    ABSENT,
    EXACT,
    HASHABLE,
    INTEGER,
    NUMBER,
    STRING,
    Use,
    evidence,
)

_CLASSES = frozenset({"str", "bytes", "list", "dict", "int", "float", "set", "tuple"})
_REGEX = frozenset({
    "match", "search", "findall", "finditer", "fullmatch", "split", "sub", "subn", "compile",
})  # fmt: skip
_DATE_PARSERS = frozenset({"strptime", "fromisoformat"})
_DATE_PARTS = frozenset({"datetime", "date", "timedelta", "Decimal", "Fraction"})
_TEXTUAL_MODULES = frozenset({
    "os", "path", "re", "json", "datetime", "string", "textwrap", "html", "urllib", "parse",
    "shlex", "base64", "hashlib", "unicodedata", "difflib", "fnmatch", "binascii", "time",
})  # fmt: skip
_STATISTICS = frozenset({"mean", "median", "stdev", "variance", "fsum"})
_GROUPING = frozenset({"combinations", "permutations", "product", "groupby", "pairwise"})
_ITERATING = _STATISTICS | _GROUPING | {
    "Counter", "deque", "OrderedDict", "defaultdict", "chain", "accumulate", "mode", "heapify",
    "cycle", "islice", "combinations_with_replacement", "starmap",
    "takewhile", "dropwhile", "zip_longest",
}  # fmt: skip
_OF_INTEGERS = frozenset({"gcd", "lcm", "factorial", "comb", "perm"})
_OF_NATURALS = frozenset({"sqrt", "log", "log2", "log10", "factorial", "isqrt", "comb"})
_GROWING = frozenset({"factorial", "comb", "perm"})


def call_library(site: CallSite, module: str) -> Use:
    """Return the use of what ``module.name(…)`` gives; `module` is "" for an imported name."""
    name, first = site.name, site.first
    if module in _CLASSES and site.arguments:  # str.lower(x)
        site.walk.attribute(first, name)
        first.observe(EXACT[module])
        return Use()
    if module == "re" and name in _REGEX and site.arguments:
        return call_regex(name, site.arguments)
    if name in _DATE_PARSERS or (module, name) == ("json", "loads"):
        _parse(site)
    elif module in ("math", "cmath") and name not in ("fsum", "prod", "dist"):
        return _mathematics(site)
    elif name in _HANDLED:
        return _HANDLED[name](site)
    elif name in _ITERATING and first.constant is ABSENT:
        return _iterate(name, first)
    elif name in _DATE_PARTS:
        for use in site.arguments:
            use.observe(NUMBER, 0.5)
    elif module in _TEXTUAL_MODULES and name not in ("dumps", "sleep"):
        return _textual(site, module)
    return Use()


def _parse(site: CallSite) -> None:
    site.first.observe(EXACT["str"])
    site.first.flag("json" if site.name == "loads" else "date")
    if len(site.arguments) > 1 and isinstance(site.arguments[1].constant, str):
        site.first.root().patterns.setdefault("strptime:" + site.arguments[1].constant)


def _mathematics(site: CallSite) -> Use:
    for use in site.arguments:
        use.observe(INTEGER if site.name in _OF_INTEGERS else NUMBER)
        if site.name in _OF_NATURALS:
            use.flag("natural")
        if site.name in _GROWING:
            use.flag("small")
    return _number()


def _iterate(name: str, given: Use) -> Use:
    item = iterate(given)
    if name in _STATISTICS or name == "accumulate":
        item.observe(NUMBER)
        given.root().lengths.setdefault(2)
        return made("list", item) if name == "accumulate" else _number()
    if name == "Counter":
        item.observe(HASHABLE)
        counts = made("dict", item)
        counts.value = made("int")
        return counts
    return made("list", of_one_kind(item) if name in _GROUPING else item)


def _reduce(site: CallSite) -> Use:
    if len(site.arguments) < 2:
        return Use()
    item = iterate(site.arguments[1])
    return site.walk.apply(site.node.args[0], [Use(), item], site.env)


def _some_of(site: CallSite) -> Use:
    """``heapq.nlargest(n, items)``."""
    if len(site.arguments) < 2:
        return Use()
    site.first.observe(INTEGER, 2.0)
    site.first.flag("small")
    item = iterate(site.arguments[1])
    site.walk_key(item)
    return made("list", item)


def _chain_dicts(site: CallSite) -> Use:
    for use in site.arguments:
        use.observe(EXACT["dict"])
    return made("dict")


_HANDLED: dict[str, Callable[[CallSite], Use]] = {
    "copy": lambda site: site.first,
    "deepcopy": lambda site: site.first,
    "reduce": _reduce,
    "nlargest": _some_of,
    "nsmallest": _some_of,
    "ChainMap": _chain_dicts,
}


def _textual(site: CallSite, module: str) -> Use:
    site.first.observe(evidence(-2.0, str=0.0, bytes=-1.5))
    if module in ("path", "os"):
        for use in site.arguments:
            use.observe(STRING, 0.5)
        site.first.flag("path")
    return made("str")


def call_regex(name: str, uses: list[Use]) -> Use:
    """Record a call of `re`: the pattern, then the replacement, if any, and the text."""
    position = 2 if name in ("sub", "subn") else 1
    pattern: Any = uses[0].constant
    if len(uses) > position:
        text = uses[position]
        if isinstance(pattern, bytes):
            text.observe(EXACT["bytes"], 2.0)
            pattern = pattern.decode("latin-1")
        else:
            text.observe(STRING)
        if isinstance(pattern, str):
            text.root().patterns.setdefault(pattern)
    if not isinstance(pattern, str):
        uses[0].observe(STRING)
    if name == "compile":
        compiled = Use(pattern) if isinstance(pattern, str) else Use()
        compiled.flag("regex")
        return compiled
    if name in ("findall", "split"):
        return made("list", made("str"))
    return made("str") if name == "sub" else Use()


def _number() -> Use:
    use = Use()
    use.observe(NUMBER)
    return use
