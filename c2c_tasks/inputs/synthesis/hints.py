"""What annotations, docstrings and names say of parameters."""

from __future__ import annotations

import ast
import re
from functools import lru_cache

from c2c_tasks.inputs.constants import NotConstant, constant_value
from c2c_tasks.inputs.synthesis.uses import EXACT, Use, evidence, learn, mostly
from c2c_tasks.syntax import parse_expression

_SCALARS = {
    "int": "int", "float": "float", "bool": "bool", "str": "str", "bytes": "bytes",
    "None": "none", "NoneType": "none", "complex": "float", "Decimal": "float",
    "Text": "str", "AnyStr": "str", "Path": "str", "PathLike": "str", "bytearray": "bytes",
    "string": "str", "integer": "int", "boolean": "bool", "number": "int",
}  # fmt: skip
_CONTAINERS = {
    "list": "list", "List": "list", "Sequence": "list", "MutableSequence": "list",
    "Iterable": "list", "Iterator": "list", "Collection": "list", "Container": "list",
    "deque": "list", "tuple": "tuple", "Tuple": "tuple", "set": "set", "Set": "set",
    "AbstractSet": "set", "FrozenSet": "set", "frozenset": "set", "dict": "dict",
    "Dict": "dict", "Mapping": "dict", "MutableMapping": "dict", "defaultdict": "dict",
    "OrderedDict": "dict", "Counter": "dict", "ndarray": "list", "array": "list",
    "Generator": "list",
}  # fmt: skip
_OPEN = frozenset({
    "Any", "object", "TypeVar", "T", "Optional", "Union", "Hashable", "Final", "Annotated",
    "ClassVar",
})  # fmt: skip
_STRENGTH = 1.5


@lru_cache(maxsize=4096)
def _parsed(annotation: str) -> ast.expr | None:
    try:
        return parse_expression(annotation)
    except SyntaxError:
        return None


def of_annotation(use: Use, annotation: str) -> None:
    """Take an annotation's text as evidence."""
    node = _parsed(annotation.strip())
    if node is not None:
        _annotated(use, node, 0)


def _annotated(use: Use, node: ast.expr, depth: int) -> None:
    if depth > 5:
        return
    match node:
        case ast.Constant(value=None):
            use.flag("optional")
        case ast.Constant(value=str(text)):
            inner = _parsed(text.strip())
            if inner is not None:
                _annotated(use, inner, depth + 1)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            _named(use, name)
        case ast.BinOp(op=ast.BitOr()):
            _union(use, _alternatives(node), depth)
        case ast.Subscript(value=ast.Name(id=name) | ast.Attribute(attr=name), slice=slice_):
            arguments = slice_.elts if isinstance(slice_, ast.Tuple) else [slice_]
            _generic(use, name, arguments, depth)


def _named(use: Use, name: str) -> None:
    kind = _SCALARS.get(name) or _CONTAINERS.get(name)
    if kind == "none":
        use.flag("optional")
    elif kind is not None:
        use.observe(EXACT[kind], _STRENGTH)
        if name in ("Path", "PathLike"):
            use.flag("path")
    elif name == "Callable":
        use.flag("callable")
    elif name not in _OPEN and len(name) > 1:
        use.flag("class")


def _alternatives(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _alternatives(node.left) + _alternatives(node.right)
    return [node]


def _union(use: Use, members: list[ast.expr], depth: int) -> None:
    known = []
    for member in members:
        if isinstance(member, ast.Constant) and member.value is None:
            use.flag("optional")
        else:
            known.append(member)
    if len(known) == 1:
        _annotated(use, known[0], depth + 1)
        return
    scores: dict[str, float] = {}
    for member in known:
        variant = Use()
        _annotated(variant, member, depth + 1)
        best = variant.best()
        if best is None:
            return
        use.variants.append(variant)
        scores[best] = -0.2 * len(scores)
    use.observe(evidence(**scores))


def _generic(use: Use, name: str, arguments: list[ast.expr], depth: int) -> None:
    if name == "Optional":
        use.flag("optional")
        for argument in arguments[:1]:
            _annotated(use, argument, depth + 1)
    elif name == "Union":
        _union(use, arguments, depth)
    elif name == "Literal":
        _closed(use, arguments)
    elif name in ("Annotated", "Final", "ClassVar"):
        for argument in arguments[:1]:
            _annotated(use, argument, depth + 1)
    elif name == "Callable":
        use.flag("callable")
    elif name in _CONTAINERS:
        _contained(use, name, arguments, depth)
    else:
        use.flag("class")


def _closed(use: Use, members: list[ast.expr]) -> None:
    for member in members:
        try:
            value = constant_value(member)
        except NotConstant:
            continue
        learn(use, value, 2.0)
        use.add_literal(value)
    use.flag("closed")


def _contained(use: Use, name: str, arguments: list[ast.expr], depth: int) -> None:
    kind = _CONTAINERS[name]
    use.observe(EXACT[kind], _STRENGTH)
    if kind == "dict":
        for role, argument in zip(("item", "value"), arguments, strict=False):
            _annotated(use.get(role), argument, depth + 1)
        if name == "Counter":
            use.get("value").observe(EXACT["int"])
    elif kind == "tuple" and not _is_open(arguments):
        use.root().lengths = {len(arguments): None}
        use.flag("unpacked")
        for position, argument in enumerate(arguments):
            _annotated(use.field(position), argument, depth + 1)
    elif arguments:
        _annotated(use.get("item"), arguments[0], depth + 1)


def _is_open(arguments: list[ast.expr]) -> bool:
    """Tell ``tuple[int, ...]`` from a tuple of so many members."""
    return not arguments or (isinstance(arguments[-1], ast.Constant) and arguments[-1].value is ...)


_DOCSTRING_TYPES = (
    (re.compile(r":type\s+(\w+):\s*([^\n]{1,60})"), 4.0),
    (re.compile(r":param\s+(\w+):\s*([^\n]{1,60})"), 2.5),
    (re.compile(r"^\s*(\w+)\s*\(([^)\n]{1,60})\)\s*:", re.M), 4.0),
    (re.compile(r"^\s*(\w+)\s*:\s*([^\n]{1,60})$", re.M), 2.0),
    (re.compile(r":param\s+(\w+)\s+(\w+):"), 4.0),
)
_WORDS = (
    (r"list of (str|string|word|name|char)", "list", "str"),
    (r"list of (int|num|float|integer)", "list", "int"),
    (r"list of (list|tuple|pair)", "list", "list"),
    (r"list of dict", "list", "dict"),
    (r"\b(list|array|sequence|vector)\b", "list", None),
    (r"\b(dict|dictionary|mapping|hash)\b", "dict", None),
    (r"\btuple\b", "tuple", None),
    (r"\bset\b of", "set", None),
    (r"\b(str|string|text|word|sentence|filename|path|url)\b", "str", None),
    (r"\b(float|real|decimal)\b", "float", None),
    (r"\b(int|integer|count|number of|index)\b", "int", None),
    (r"\b(bool|boolean|whether|flag)\b", "bool", None),
    (r"\bnumber\b", "int", None),
)
_WORD_PATTERNS = [(re.compile(pattern, re.I), kind, item) for pattern, kind, item in _WORDS]


def of_docstring(text: str, uses: dict[str, Use]) -> None:
    """Take a docstring's list of parameters as evidence."""
    text = text[:6_000]
    for pattern, weight in _DOCSTRING_TYPES:
        for found in pattern.finditer(text):
            name, words = found.groups()
            if name not in uses and words in uses:
                name, words = words, name  # `:param str text:`
            if name in uses:
                _described(uses[name], words, weight)


def _described(use: Use, words: str, weight: float) -> None:
    for pattern, kind, item in _WORD_PATTERNS:
        if pattern.search(words):
            use.observe(mostly(kind, weight))
            if item is not None:
                use.get("item").observe(mostly(item, weight))
            return


_NAMES: tuple[tuple[str, str, str, str], ...] = (
    # pattern of the name's words, kind, kind of items, flag
    (r"matrix|grid|board|table|mat|image|img|maze|pixels", "list", "list", "rectangular"),
    (r"words|names|strings|lines|texts|tokens|keys|labels|files|paths|strs|columns|urls|tags"
     r"|sentences|letters|items", "list", "str", ""),
    (r"nums|numbers|arr|array|values|vals|scores|prices|weights|digits|data|integers|coords"
     r"|points|vector|vec|heights|costs|nlist|numlist|sequence|seq|a_list|alist|lst|list|l1|l2"
     r"|list1|list2|arr1|arr2|A|B|xs|ys|ints|results|elements|rows", "list", "int", ""),
    (r"date|day_str|birthday|dob", "str", "", "date"),
    (r"path|filename|filepath|file|dir|directory|folder|fname", "str", "", "path"),
    (r"url|uri|link|href", "str", "", "url"),
    (r"email|mail", "str", "", "email"),
    (r"time_str|timestamp|timestr", "str", "", "time"),
    (r"dna|rna", "str", "", "dna"),
    (r"version", "str", "", "version"),
    (r"encoding|charset|codec", "str", "", "encoding"),
    (r"errors", "str", "", "error_handler"),
    (r"s|str|string|text|word|sentence|name|line|msg|message|title|label|content|prefix|suffix"
     r"|pattern|key|char|ch|letter|letters|phrase|password|s1|s2|str1|str2|word1|word2|string1"
     r"|string2|txt|token|code|description|input_string|username|color|colour|filename|html"
     r"|sequence_str|lang|language|t|st|stng|cmd|command|source|body|alphabet|delimiter|sep"
     r"|separator|unit|country|city|first|last|first_name|last_name|domain|ip|address|query",
     "str", "", ""),
    (r"d|dict|dictionary|mapping|config|options|params|settings|kwargs|dic|counts|attrs|hash"
     r"|json|metadata|row|record|graph|inventory|lookup|my_dict", "dict", "", ""),
    (r"flag|verbose|is_\w+|has_\w+|use_\w+|reverse|debug|strict|inplace|ascending|enabled",
     "bool", "", ""),
    (r"rate|ratio|price|temp|temperature|celsius|fahrenheit|alpha|beta|lat|lon|radius|mass|speed"
     r"|velocity|probability|p|weight|amount|percent|percentage|distance|angle|theta|f|lr|factor"
     r"|tolerance|epsilon|eps|mean|std|sigma|mu|balance|salary", "float", "", ""),
    (r"n|num|number|i|j|k|x|y|z|m|a|b|c|count|size|index|idx|year|month|day|hour|minute|second"
     r"|age|value|val|length|width|height|start|end|low|high|limit|max|min|total|num1|num2|base"
     r"|level|position|pos|step|steps|depth|left|right|hours|minutes|seconds|x1|x2|y1|y2|w|h|r"
     r"|integer|score|digit|target|level|number1|number2|power|exponent|row|col", "int", "", ""),
)  # fmt: skip
_NAME_PATTERNS = [
    (re.compile(rf"(?:{pattern})", re.I), kind, item, flag) for pattern, kind, item, flag in _NAMES
]
_SUFFIXES = (
    (re.compile(r"_?(list|array|arr|lst|s_list)$", re.I), "list"),
    (re.compile(r"_?(dict|map|mapping|dic)$", re.I), "dict"),
    (re.compile(r"_?(str|string|text|name|word|path|file|key|title|msg|message)$", re.I), "str"),
    (re.compile(r"_?(num|number|count|index|size|len|length|id|idx|year|n)$", re.I), "int"),
    (re.compile(r"_?(set)$", re.I), "set"),
    (re.compile(r"_?(tuple|pair)$", re.I), "tuple"),
    (re.compile(r"[a-z]{3,}[^s]s$"), "list"),
)
PRIOR = evidence(0.0, int=0.9, str=0.7, list=0.4, dict=-0.4, float=-0.4, tuple=-1.2, set=-1.8,
                 bytes=-2.5, bool=-1.2, none=-3.0)  # fmt: skip
"""What parameters are when nothing is known of them."""


@lru_cache(maxsize=8192)
def _name_hint(name: str) -> tuple[str, str, str] | None:
    name = name[-40:]
    for pattern, kind, item, flag in _NAME_PATTERNS:
        if pattern.fullmatch(name):
            return kind, item, flag
    for pattern, kind in _SUFFIXES:
        if pattern.search(name):
            return kind, "", ""
    return None


def of_name(name: str, use: Use) -> None:
    """Take a parameter's name as weak evidence."""
    hint = _name_hint(name)
    if hint is None:
        return
    kind, item, flag = hint
    use.observe(mostly(kind, 1.3))
    if kind == "int":
        use.observe(mostly("float", 0.6))
    if item:
        role = "item" if use.root().item is not None or use.root().value is None else "value"
        use.get(role).observe(mostly(item, 1.0))
    if flag:
        use.flag(flag)
