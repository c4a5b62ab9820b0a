"""The rules of purity, applied to one statement."""

from __future__ import annotations

from collections.abc import Mapping

from c2c_tasks.extraction.allowed import CLOCKS, INTROSPECTION, import_violation, use_violation
from c2c_tasks.extraction.bindings import bound_by_import, imported_path
from c2c_tasks.extraction.scan import Scan


def violation(scan: Scan, imported: Mapping[str, str]) -> str | None:
    """Return why a module-level statement is not pure, or None.

    `imported` gives the dotted path of each name that the module imports. Objects of names that
    the statement needs of its module may be changed by no function.
    """
    if scan.needed is None:
        return "does_not_compile"
    paths = dict(imported)
    for statement, alias in scan.imports:
        if reason := import_violation(statement, alias):
            return reason
        paths[bound_by_import(alias)] = imported_path(statement, alias)
    if scan.is_asynchronous:
        return "asynchronous"
    for names in scan.chains:
        if reason := _chain_violation(names, paths):
            return reason
    for name in sorted(scan.read & paths.keys()):
        if reason := use_violation(paths[name]):
            return reason
    if scan.has_global or not scan.mutated_inside.isdisjoint(scan.needed):
        return "global_mutation"
    if not scan.mutated.isdisjoint(scan.mutable_defaults):
        return "mutable_default"
    return None


def _chain_violation(names: list[str], paths: Mapping[str, str]) -> str | None:
    """Return why ``a.b.c`` may not be used, or None."""
    if not INTROSPECTION.isdisjoint(names):
        return "introspection"
    if not CLOCKS.isdisjoint(names[1:]):
        return "impure_module"
    if names[0] in paths:
        return use_violation(".".join([paths[names[0]], *names[1:]]))
    return None
