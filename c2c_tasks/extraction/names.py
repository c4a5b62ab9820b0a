"""The names that a statement needs from its module, as the compiler tells."""

from __future__ import annotations

import symtable

# With it annotations are text, and the symbol table leaves the names in them out.
_FUTURE = "from __future__ import annotations\n"


def needed_names(text: str) -> frozenset[str]:
    """Return the names that a module-level statement reads or binds in the module's scope.

    Names in annotations are not among them, nor are those that the statement itself makes
    local; but from Python 3.12 on those of a comprehension outside any function are (PEP 709).
    Raises SyntaxError where the statement parses but cannot be compiled.
    """
    table = symtable.symtable(_FUTURE + text, "<statement>", "exec")
    names = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced()}
    inner = table.get_children()
    while inner:
        scope = inner.pop()
        names.update(symbol.get_name() for symbol in scope.get_symbols() if symbol.is_global())
        inner.extend(scope.get_children())
    return frozenset(names)
