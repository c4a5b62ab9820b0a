"""What calls tell: of methods, of builtins, of the standard library, of the program's own."""

from __future__ import annotations

import ast
from functools import cache
from typing import TYPE_CHECKING, Any

from c2c_tasks.inputs.synthesis.uses import (
    ABSENT,
    EXACT,
    FORMATTED,
    HASHABLE,
    INTEGER,
    KINDS,
    NUMBER,
    SEQUENCE,
    SIZED,
    STRING,
    Evidence,
    Use,
    evidence,
    learn,
    mostly,
    unify,
)

if TYPE_CHECKING:
    from c2c_tasks.inputs.synthesis.expressions import Environment, Expressions

_TYPES: dict[str, type] = {
    "int": int,
    "float": float,
    "bool": bool,
    "none": type(None),
    "str": str,
    "bytes": bytes,
    "list": list,
    "tuple": tuple,
    "set": set,
    "dict": dict,
}
_RARER = {"bytes": -3.0, "tuple": -1.0, "bool": -2.5, "float": -0.8, "none": -4.0}


@cache
def having_attribute(name: str) -> Evidence | None:
    """Return evidence for the kinds that have an attribute; None where none has it."""
    if name.startswith("__"):
        return evidence(0.0)
    having = [kind for kind in KINDS if hasattr(_TYPES[kind], name)]
    if not having or name in ("real", "imag", "numerator", "denominator"):
        return evidence(int=0.0, float=-0.3) if having else None
    return evidence(**{kind: _RARER.get(kind, 0.0) for kind in having})


_SAME_TEXT = frozenset(
    "replace expandtabs zfill ljust rjust center translate removeprefix removesuffix format "
    "encode decode swapcase".split()
)
_NEARLY_SAME = frozenset("lower upper strip lstrip rstrip title capitalize casefold".split())
"""Methods past which a text is still looked at as if it were the owner."""
_TO_INT = frozenset("find rfind index rindex count bit_length".split())
_NUMERIC = frozenset("sum abs round divmod pow".split())
_TEXTUAL_MODULES = frozenset(
    "os path re json datetime string textwrap html urllib parse shlex base64 hashlib "
    "unicodedata difflib fnmatch binascii time".split()
)
_REGEX = frozenset("match search findall finditer fullmatch split sub subn compile".split())
_DATE_PARSERS = frozenset(("strptime", "fromisoformat"))
_ITERATING = frozenset(
    "Counter deque OrderedDict defaultdict chain combinations permutations product groupby "
    "accumulate mean median mode stdev variance fsum heapify nlargest nsmallest cycle islice "
    "combinations_with_replacement starmap takewhile dropwhile zip_longest pairwise".split()
)


def call(walk: Expressions, node: ast.Call, env: Environment) -> Use:
    """Walk a call; return the use of what it gives."""
    match node.func:
        case ast.Name(id=name) if name in env:
            return _call_of_value(walk, env[name], node, env)
        case ast.Name(id=name):
            result = walk.call_function(name, node, env)
            return result if result is not None else _builtin(walk, name, node, env)
        case ast.Attribute(value=ast.Name(id=module), attr=name) if module not in env:
            return _library(walk, module, name, node, env)
        case ast.Attribute(value=ast.Attribute(value=ast.Name(id=top), attr=module), attr=name) if (
            top not in env
        ):
            return _library(walk, module, name, node, env)
        case ast.Attribute(value=owner, attr=name):
            return _method(walk, walk.expression(owner, env), name, node, env)
    walk.expression(node.func, env)
    _arguments(walk, node, env)
    return Use()


def _arguments(walk: Expressions, node: ast.Call, env: Environment) -> list[Use]:
    uses = [walk.expression(argument, env) for argument in node.args]
    for keyword in node.keywords:
        walk.expression(keyword.value, env)
    return uses


def _call_of_value(walk: Expressions, use: Use, node: ast.Call, env: Environment) -> Use:
    use = use.root()
    arguments = _arguments(walk, node, env)
    if use.returned is not None:
        signature = use.fields
        for position, argument in enumerate(arguments):
            if position in signature:
                bind(signature[position], argument)
        return use.returned.root()
    if not walk.guards:
        use.flag("called")
    return Use()


def bind(parameter: Use, argument: Use) -> None:
    """Record that an argument is passed as a parameter."""
    argument = argument.root()
    if argument.constant is not ABSENT:
        learn(parameter, argument.constant, 0.7)
    else:
        unify(parameter, argument)


def _method(walk: Expressions, owner: Use, name: str, node: ast.Call, env: Environment) -> Use:
    owner = owner.root()
    arguments = _arguments(walk, node, env)
    if "regex" in owner.flags:
        return _regex(name, [owner, *arguments])
    walk.attribute(owner, name)
    texts = [use.constant for use in arguments if isinstance(use.constant, str)]
    known = owner.constant
    first = arguments[0] if arguments else None
    match name:
        case "split" | "rsplit" | "splitlines" | "partition" | "rpartition":
            return _split(owner, name, texts)
        case "startswith" | "endswith":
            _affixes(owner, name, first)
            return _made("bool")
        case "join":
            if first is not None:
                walk.iterate(first).observe(EXACT["str"])
            return _made("str")
        case "items" | "keys" | "values" | "get" | "setdefault" | "pop" if not (
            name == "pop" and owner.best() != "dict"
        ):
            return _lookup(walk, owner, name, arguments)
        case "pop":
            return owner.get("item")
        case "append" | "add" | "remove" | "discard" | "insert" | "appendleft":
            owner.constant = ABSENT
            if arguments:
                walk.alike(owner.get("item"), arguments[-1])
            return Use()
        case "extend" | "update" | "union" | "intersection" | "difference" | "issubset":
            owner.constant = ABSENT
            if first is not None:
                item = walk.iterate(first)
                if name != "update":
                    walk.alike(owner.get("item"), item)
            return owner
        case "sort" | "reverse":
            _key_function(walk, node, owner.get("item"), env)
            return Use()
        case "format":
            for argument in arguments:
                argument.observe(FORMATTED, 0.5)
            return _made("str")
        case "count" | "index" | "find" | "rfind" | "rindex" | "replace":
            for text in texts[:1]:
                owner.fragments.setdefault(text)
            if first is not None and not texts:
                if owner.score("list") < -1.0 < owner.score("str"):
                    first.observe(EXACT["str"])
                elif first.best() in ("int", "float"):
                    owner.observe(evidence(0.0, str=-4.0))
    if name in _NEARLY_SAME and known is ABSENT:
        return owner
    if name in _SAME_TEXT or name in _NEARLY_SAME:
        result = _made("bytes" if name == "encode" else "str")
        result.origin = ("same", owner, None)
        return result
    if name in _TO_INT or known is not ABSENT and name in ("index", "find"):
        return _made("int")
    if name == "copy":
        return owner
    if name.startswith("is"):
        owner.flag(name)
        return _made("bool")
    return Use()


def _made(kind: str, item: Use | None = None) -> Use:
    use = Use()
    use.observe(EXACT[kind])
    use.item = item
    return use


def _split(owner: Use, name: str, texts: list[str]) -> Use:
    owner = owner.root()
    parts = owner.get("part")
    if parts.scores is None:
        parts.observe(EXACT["list"])
        parts.get("item").observe(EXACT["str"])
    if name == "splitlines":
        owner.separator = "\n"
    elif owner.separator is None:
        owner.separator = texts[0] if texts else ""
    elif texts and texts[0]:
        owner.fragments.setdefault(texts[0])
    if "partition" in name:
        parts.lengths.setdefault(2)
    return parts


def _affixes(owner: Use, name: str, argument: Use | None) -> None:
    if argument is None or argument.constant is ABSENT:
        if argument is not None:
            argument.observe(STRING)
        return
    given = argument.constant
    texts = given if isinstance(given, tuple) else (given,)
    affixes = owner.prefixes if name == "startswith" else owner.suffixes
    for text in texts:
        if isinstance(text, str):
            affixes.setdefault(text)


def _lookup(walk: Expressions, owner: Use, name: str, arguments: list[Use]) -> Use:
    match name:
        case "items":
            pair = _made("tuple")
            pair.fields.update({0: owner.get("item"), 1: owner.get("value")})
            return _made("list", pair)
        case "keys":
            return _made("list", owner.get("item"))
        case "values":
            return _made("list", owner.get("value"))
    if not arguments:
        return Use()
    if isinstance(owner.constant, dict):
        return walk.subscript(owner, arguments[0])
    key = arguments[0]
    if isinstance(key.constant, str):
        slot = owner.field(key.constant)
    else:
        unify(owner.get("item"), key)
        key.observe(HASHABLE)
        slot = owner.get("value")
    if len(arguments) > 1 and arguments[1].constant is not ABSENT:
        learn(slot, arguments[1].constant, 1.0)
    return slot


def _key_function(walk: Expressions, node: ast.Call, item: Use, env: Environment) -> None:
    for keyword in node.keywords:
        if keyword.arg == "key" and isinstance(keyword.value, ast.Lambda):
            walk.apply_lambda(keyword.value, [item], env)


def _builtin(walk: Expressions, name: str, node: ast.Call, env: Environment) -> Use:
    if name in ("map", "filter") and len(node.args) >= 2:
        return _mapped(walk, name, node, env)
    if name == "isinstance" and node.args:
        walk.expression(node.args[0], env)
        return _made("bool")
    arguments = _arguments(walk, node, env)
    first = arguments[0] if arguments else Use()
    match name:
        case "len":
            first.observe(SIZED)
            result = _made("int")
            result.origin = ("len", first, None)
            return result
        case "range":
            for argument in arguments:
                argument.observe(INTEGER)
                argument.flag("small")
            return _made("list", _made("int"))
        case "enumerate":
            pair = _made("tuple")
            pair.fields.update({0: _made("int"), 1: walk.iterate(first)})
            return _made("list", pair)
        case "zip":
            pair = _made("tuple")
            pair.fields.update({i: walk.iterate(use) for i, use in enumerate(arguments)})
            return _made("list", pair)
        case "sorted" | "list" | "tuple" | "set" | "frozenset" | "reversed" | "iter":
            if not arguments:
                return _made("list" if name == "iter" else name)
            if name in ("list", "tuple") and first.root().fields and first.constant is ABSENT:
                return first
            if name in ("list", "tuple") and first.best() in ("list", "tuple"):
                return first
            item = walk.iterate(first)
            if name == "reversed":
                first.observe(SEQUENCE)
            _key_function(walk, node, item, env)
            if name in ("set", "frozenset"):
                item.observe(HASHABLE)
            return _made(name if name in ("tuple", "set") else "list", item)
        case "max" | "min" | "next" | "any" | "all":
            return _extreme(walk, name, node, arguments, env)
        case "sum":
            item = walk.iterate(first)
            item.observe(NUMBER)
            first.observe(evidence(0.0, str=-4))
            return item if item.origin is None else _made("int")
        case "int" | "float":
            return _to_number(name, first, arguments)
        case "str" | "repr" | "print" | "bool" | "hash" | "id" | "type":
            if name == "str" and arguments:
                first.observe(mostly("int", 0.4))
            return _made("str" if name in ("str", "repr") else "bool" if name == "bool" else "int")
        case "ord":
            first.observe(STRING)
            first.root().lengths = {1: None}
            result = _made("int")
            result.origin = ("ord", first, None)
            return result
        case "chr" | "bin" | "hex" | "oct":
            first.observe(INTEGER)
            first.flag("code_point" if name == "chr" else "natural")
            return _made("str")
    if name in _NUMERIC:
        for argument in arguments:
            argument.observe(NUMBER)
        result = Use()
        result.observe(NUMBER)
        result.origin = ("same", first, None) if name in ("abs", "round") else None
        return result
    return _library(walk, "", name, node, env, arguments)


def _mapped(walk: Expressions, name: str, node: ast.Call, env: Environment) -> Use:
    function, items = node.args[0], [walk.iterate(walk.expression(a, env)) for a in node.args[1:]]
    match function:
        case ast.Lambda():
            made = walk.apply_lambda(function, items, env)
        case ast.Name(id="int" | "float" as kind):
            made = _to_number(kind, items[0], items)
        case ast.Name(id="str" | "repr"):
            made = _made("str")
        case _:
            made = Use()
    return _made("list", made if name == "map" else items[0])


def _extreme(
    walk: Expressions, name: str, node: ast.Call, arguments: list[Use], env: Environment
) -> Use:
    if len(arguments) == 1 or name == "next":
        item = walk.iterate(arguments[0])
        _key_function(walk, node, item, env)
        if name in ("max", "min"):
            arguments[0].root().lengths.setdefault(1)
        return _made("bool") if name in ("any", "all") else item
    result = Use()
    for use in arguments:
        if use.constant is ABSENT:
            use.observe(NUMBER, 0.6)
            result = use
        else:
            for other in arguments:
                walk.comparison(other, use) if other is not use else None
    return result


def _to_number(name: str, use: Use, arguments: list[Use]) -> Use:
    use = use.root()
    result = _made(name)
    if len(arguments) > 1 and name == "int":  # int(text, base)
        use.observe(EXACT["str"])
        use.flag("integer_text")
        return result
    use.observe(evidence(int=0, str=-0.3, float=-0.3 if name == "int" else 0.0, bool=-2.5))
    use.flag("integer_text" if name == "int" else "number_text")
    result.origin = ("number", use, None)
    return result


def _library(
    walk: Expressions,
    module: str,
    name: str,
    node: ast.Call,
    env: Environment,
    arguments: list[Use] | None = None,
) -> Use:
    uses = _arguments(walk, node, env) if arguments is None else arguments
    first = uses[0] if uses else Use()
    if module in ("str", "bytes", "list", "dict", "int", "float", "set", "tuple") and uses:
        walk.attribute(first, name)  # str.lower(x)
        first.observe(EXACT[module])
        return _made("str") if name in _SAME_TEXT else Use()
    if module == "re" and name in _REGEX and uses:
        return _regex(name, uses)
    if module == "json" and name == "loads":
        first.observe(EXACT["str"])
        first.flag("json")
    elif name in _DATE_PARSERS:
        first.observe(EXACT["str"])
        first.flag("date")
        if len(uses) > 1 and isinstance(uses[1].constant, str):
            first.root().patterns.setdefault("strptime:" + uses[1].constant)
    elif module in ("math", "cmath") and name not in ("fsum", "prod", "dist"):
        for use in uses:
            use.observe(INTEGER if name in ("gcd", "lcm", "factorial", "comb", "perm") else NUMBER)
            if name in ("sqrt", "log", "log2", "log10", "factorial", "isqrt", "comb"):
                use.flag("natural")
            if name in ("factorial", "comb", "perm"):
                use.flag("small")
        return _number()
    elif name in _ITERATING and uses:
        target = uses[-1] if module == "functools" else first
        if target.constant is ABSENT:
            return _iterating(walk, name, target)
    elif name == "deepcopy" or name == "copy":
        return first
    elif name == "reduce" and len(uses) > 1:
        item = walk.iterate(uses[1])
        if isinstance(node.args[0], ast.Lambda):
            return walk.apply_lambda(node.args[0], [Use(), item], env)
        return Use()
    elif module in _TEXTUAL_MODULES and name not in ("dumps", "sleep", "date", "timedelta"):
        first.observe(evidence(-2.0, str=0.0, bytes=-1.5))
        if module in ("path", "os"):
            for use in uses:
                use.observe(STRING, 0.5)
            first.flag("path")
        return _made("str")
    elif name in ("datetime", "date", "timedelta", "Decimal", "Fraction"):
        for use in uses:
            use.observe(NUMBER, 0.5)
    return Use()


def _iterating(walk: Expressions, name: str, target: Use) -> Use:
    item = walk.iterate(target)
    if name in ("mean", "median", "stdev", "variance", "fsum", "accumulate"):
        item.observe(NUMBER)
        target.root().lengths.setdefault(2)
        return _number() if name != "accumulate" else _made("list", item)
    if name == "Counter":
        item.observe(HASHABLE)
        counts = _made("dict", item)
        counts.value = _made("int")
        return counts
    if name in ("combinations", "permutations", "product", "groupby", "pairwise"):
        return _made("list", _made("tuple", item))
    return _made("list", item)


def _regex(name: str, uses: list[Use]) -> Use:
    position = 2 if name in ("sub", "subn") else 1
    pattern: Any = uses[0].constant
    if len(uses) > position:
        text = uses[position]
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
        return _made("list", _made("str"))
    return _made("str") if name == "sub" else Use()


def _number() -> Use:
    use = Use()
    use.observe(NUMBER)
    return use

