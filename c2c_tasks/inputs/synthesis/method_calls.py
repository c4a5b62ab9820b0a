"""What calls of methods tell of their owners and arguments."""

from __future__ import annotations

from collections.abc import Callable

from c2c_tasks.inputs.synthesis.library_calls import call_regex
from c2c_tasks.inputs.synthesis.relations import alike, iterate, made, subscript
from c2c_tasks.inputs.synthesis.sites import CallSite
from c2c_tasks.inputs.synthesis.uses import (
    ABSENT,
    EXACT,
    FORMATTED,
    HASHABLE,
    STRING,
    Use,
    evidence,
    learn,
    unify,
)

NEW_TEXT = frozenset({
    "replace", "expandtabs", "zfill", "ljust", "rjust", "center", "translate", "removeprefix",
    "removesuffix", "format", "encode", "decode", "swapcase",
})  # fmt: skip
"""Methods that make a text of a text."""
_NEARLY_SAME = frozenset({
    "lower", "upper", "strip", "lstrip", "rstrip", "title", "capitalize", "casefold",
})  # fmt: skip
"""Methods past which a text is still looked at as if it were the owner."""
_TO_INTEGER = frozenset({"find", "rfind", "index", "rindex", "count", "bit_length"})


def call_method(site: CallSite, owner: Use) -> Use:
    """Return the use of what a method gives, having recorded what the call tells."""
    owner = owner.root()
    if "regex" in owner.flags:
        return call_regex(site.name, [owner, *site.arguments])
    site.walk.attribute(owner, site.name)
    handle = _METHODS.get(site.name)
    result = handle(site, owner) if handle is not None else None
    return result if result is not None else _made_of_text(site.name, owner)


def _made_of_text(name: str, owner: Use) -> Use:
    if name in _NEARLY_SAME and owner.constant is ABSENT:
        return owner
    if name in NEW_TEXT or name in _NEARLY_SAME:
        result = made("bytes" if name == "encode" else "str")
        result.origin = ("same", owner, None)
        return result
    if name in _TO_INTEGER:
        return made("int")
    if name == "copy":
        return owner
    if name.startswith("is"):
        owner.flag(name)
        return made("bool")
    return Use()


def _texts(site: CallSite) -> list[str]:
    return [use.constant for use in site.arguments if isinstance(use.constant, str)]


def _split(site: CallSite, owner: Use) -> Use:
    texts = _texts(site)
    parts = owner.get("part")
    if parts.scores is None:
        parts.observe(EXACT["list"])
        parts.get("item").observe(EXACT["str"])
    if site.name == "splitlines":
        owner.separator = "\n"
    elif owner.separator is None:
        owner.separator = texts[0] if texts else ""
    elif texts and texts[0]:
        owner.fragments.setdefault(texts[0])
    if "partition" in site.name:
        parts.lengths.setdefault(2)
    return parts


def _affix(site: CallSite, owner: Use) -> Use:
    given = site.first.constant
    if given is ABSENT:
        site.first.observe(STRING)
    affixes = owner.prefixes if site.name == "startswith" else owner.suffixes
    for text in given if isinstance(given, tuple) else (given,):
        if isinstance(text, bytes):
            owner.observe(EXACT["bytes"], 2.0)
            text = text.decode("latin-1")
        if isinstance(text, str):
            affixes.setdefault(text)
    return made("bool")


def _join(site: CallSite, owner: Use) -> Use:
    iterate(site.first).observe(EXACT["str"])
    return made("str")


def _items(site: CallSite, owner: Use) -> Use:
    pair = made("tuple")
    pair.fields.update({0: owner.get("item"), 1: owner.get("value")})
    return made("list", pair)


def _keys(site: CallSite, owner: Use) -> Use:
    return made("list", owner.get("item"))


def _values(site: CallSite, owner: Use) -> Use:
    return made("list", owner.get("value"))


def _look_up(site: CallSite, owner: Use) -> Use:
    key = site.first
    if not site.arguments:
        return Use()
    if isinstance(owner.constant, dict):
        return subscript(owner, key)
    if isinstance(key.constant, str):
        slot = owner.field(key.constant)
    else:
        unify(owner.get("item"), key)
        key.observe(HASHABLE)
        slot = owner.get("value")
    if len(site.arguments) > 1 and site.arguments[1].constant is not ABSENT:
        learn(slot, site.arguments[1].constant, 1.0)
    return slot


def _pop(site: CallSite, owner: Use) -> Use:
    return _look_up(site, owner) if owner.best() == "dict" else owner.get("item")


def _put(site: CallSite, owner: Use) -> Use:
    owner.constant = ABSENT
    if site.arguments:
        alike(owner.get("item"), site.arguments[-1])
    return Use()


def _combine(site: CallSite, owner: Use) -> Use:
    owner.constant = ABSENT
    if site.arguments:
        item = iterate(site.first)
        if site.name != "update":
            alike(owner.get("item"), item)
    return owner


def _sort(site: CallSite, owner: Use) -> Use:
    site.walk_key(owner.get("item"))
    return Use()


def _format(site: CallSite, owner: Use) -> Use:
    for argument in site.arguments:
        argument.observe(FORMATTED, 0.5)
    return made("str")


def _search(site: CallSite, owner: Use) -> None:
    texts = _texts(site)
    if site.name == "replace":  # of a date, it takes no positional arguments
        for use in site.arguments[:2]:
            if use.constant is ABSENT:
                use.observe(STRING)
    if texts:
        owner.fragments.setdefault(texts[0])
    elif isinstance(site.first.constant, bytes):
        owner.observe(EXACT["bytes"], 2.0)
        owner.fragments.setdefault(site.first.constant.decode("latin-1"))
    elif owner.score("list") < -1.0 < owner.score("str"):
        site.first.observe(EXACT["str"])
    elif site.first.best() in ("int", "float"):
        owner.observe(evidence(0.0, str=-4.0))
    elif site.name in ("count", "index") and site.arguments:
        alike(owner.get("item"), site.first)


_METHODS: dict[str, Callable[[CallSite, Use], Use | None]] = {
    "items": _items,
    "keys": _keys,
    "values": _values,
    "pop": _pop,
    "join": _join,
    "format": _format,
    **dict.fromkeys(("get", "setdefault"), _look_up),
    **dict.fromkeys(("split", "rsplit", "splitlines", "partition", "rpartition"), _split),
    **dict.fromkeys(("startswith", "endswith"), _affix),
    **dict.fromkeys(("append", "add", "remove", "discard", "insert", "appendleft"), _put),
    **dict.fromkeys(
        ("extend", "update", "union", "intersection", "difference", "issubset"), _combine
    ),
    **dict.fromkeys(("sort", "reverse"), _sort),
    **dict.fromkeys(("count", "index", "find", "rfind", "rindex", "replace"), _search),
}
