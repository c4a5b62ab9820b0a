"""What a pure function may name: builtins, and members of the standard library.

Allowed is what gives the same result every time and leaves no trace outside the function.
These tables keep honest code honest; hostile code is held by the sandbox, and what depends on
time or hash seeds in spite of them is found by running twice.
"""

from __future__ import annotations

import ast
import builtins
import sys


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


WHOLE_MODULES = _names(
    """
    abc array ast base64 binascii bisect calendar cmath collections collections.abc colorsys
    contextlib copy csv dataclasses datetime decimal difflib enum errno fnmatch fractions
    functools graphlib hashlib heapq hmac html html.entities html.parser ipaddress itertools
    json keyword math numbers operator pprint queue quopri re reprlib statistics stat string
    stringprep struct textwrap typing unicodedata urllib.parse xml.sax.saxutils
    """
)
"""Modules of which every member may be used that `DENIED` does not name."""

_PATHS = _names(
    """
    altsep basename commonpath commonprefix curdir dirname extsep isabs join normcase normpath
    pardir pathsep sep split splitdrive splitext
    """
)
MEMBERS: dict[str, frozenset[str]] = {
    "bz2": frozenset({"compress", "decompress"}),
    "codecs": _names(
        """
        BOM_UTF8 BOM_UTF16 BOM_UTF16_BE BOM_UTF16_LE BOM_UTF32 BOM_UTF32_BE BOM_UTF32_LE decode
        encode charmap_build escape_decode escape_encode
        """
    ),
    "email.utils": frozenset({"formataddr", "getaddresses", "parseaddr", "quote", "unquote"}),
    "http": frozenset({"HTTPStatus"}),
    "io": frozenset({"BytesIO", "StringIO"}),
    "lzma": frozenset({"compress", "decompress"}),
    "ntpath": _PATHS,
    "os": _names(
        """
        sep altsep pathsep linesep extsep curdir pardir
        """
    ),
    "os.path": _PATHS,
    "pathlib": frozenset({"PurePath", "PurePosixPath", "PureWindowsPath"}),
    "posixpath": _PATHS,
    "shlex": frozenset({"join", "quote", "split"}),
    "sys": frozenset({"maxsize", "maxunicode", "float_info", "int_info", "hash_info"}),
    "types": _names(
        """
        BuiltinFunctionType BuiltinMethodType EllipsisType FunctionType GeneratorType
        GenericAlias LambdaType MappingProxyType MethodType ModuleType NoneType
        NotImplementedType SimpleNamespace UnionType
        """
    ),
    "uuid": _names(
        """
        NAMESPACE_DNS NAMESPACE_OID NAMESPACE_URL NAMESPACE_X500 UUID uuid3 uuid5
        """
    ),
    "zlib": frozenset({"adler32", "compress", "crc32", "decompress"}),
}
"""Modules of which only these members may be used."""

DENIED = _names(
    """
    calendar.prcal calendar.prmonth calendar.prweek calendar.setfirstweekday codecs.open
    contextlib.chdir contextlib.redirect_stderr contextlib.redirect_stdout csv.register_dialect
    csv.unregister_dialect datetime.datetime.fromtimestamp hashlib.file_digest pprint.PrettyPrinter
    pprint.pp pprint.pprint xml.sax.saxutils.XMLGenerator xml.sax.saxutils.prepare_input_source
    """
)
"""Members of whole modules that read a clock, or write, or change what others see."""

DENIED_BUILTINS: dict[str, str] = {
    **dict.fromkeys(("breakpoint", "help", "input", "open", "print"), "performs_io"),
    **dict.fromkeys(("copyright", "credits", "exit", "license", "quit"), "performs_io"),
    **dict.fromkeys(("__import__", "compile", "eval", "exec"), "dynamic_code"),
    **dict.fromkeys(("globals", "locals", "vars"), "dynamic_code"),
    "id": "object_identity",
    "hash": "hash_seed",
}
"""Builtins that a pure function does not use, with the reason for a rejection."""

CLOCKS = frozenset({"now", "today", "utcnow"})
"""Attributes that are clocks, whatever they are taken from."""

INTROSPECTION = _names(
    """
    __builtins__ __closure__ __code__ __globals__ __loader__ __spec__ __subclasses__ cr_frame
    f_back f_builtins f_globals f_locals gi_frame tb_frame
    """
)
"""Attributes by which code reaches what is not its own."""

_BUILTINS = frozenset(dir(builtins)) | {"exit", "quit", "copyright", "credits", "license"}
_MODULE_ATTRIBUTES = _names(
    """
    __annotations__ __builtins__ __cached__ __doc__ __file__ __loader__ __name__ __package__
    __path__ __spec__
    """
)
_PACKAGES = frozenset(name.rpartition(".")[0] for name in (*WHOLE_MODULES, *MEMBERS) if "." in name)


def is_builtin(name: str) -> bool:
    """Tell whether Python itself binds a name, where nothing else does."""
    return name in _BUILTINS


def builtin_violation(name: str) -> str | None:
    """Return why a name that the module does not bind cannot be used, or None."""
    if name in _MODULE_ATTRIBUTES:
        return "module_attribute"
    if name in DENIED_BUILTINS:
        return DENIED_BUILTINS[name]
    return None if name in _BUILTINS else "unresolved_name"


def import_violation(statement: ast.Import | ast.ImportFrom, alias: ast.alias) -> str | None:
    """Return why one part of an import statement is denied, or None.

    A module may be imported where anything in it may be used.
    """
    if alias.name == "*":
        return "star_import"
    path = alias.name
    if isinstance(statement, ast.ImportFrom):
        if statement.level:
            return "relative_import"
        path = f"{statement.module}.{alias.name}"
    if path in WHOLE_MODULES or path in MEMBERS or path in _PACKAGES:
        return None
    return use_violation(path)


def use_violation(path: str) -> str | None:
    """Return why a dotted path, from a module down to the use of a member, is denied, or None."""
    if path.startswith("."):
        return "relative_import"
    parts = path.split(".")
    prefixes = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
    if not DENIED.isdisjoint(prefixes):
        return "impure_module"
    for length, prefix in zip(range(len(parts), 0, -1), prefixes, strict=True):
        if prefix in WHOLE_MODULES:
            return None
        if prefix in MEMBERS:
            used = parts[length] if length < len(parts) else ""
            return None if used in MEMBERS[prefix] else "impure_module"
    return "impure_module" if parts[0] in sys.stdlib_module_names else "third_party_import"
