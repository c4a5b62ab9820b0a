"""Licences by the names that people give them, as SPDX expressions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from license_expression import Licensing

UNRECOGNISED = "LicenseRef-unrecognised"
"""A licence that is stated and not understood."""

_LONGEST = 300
"""Characters of a licence's name or expression; more is a text, or no licence."""


@lru_cache(maxsize=4_096)
def expression(stated: str) -> str | None:
    """Return the SPDX expression of a licence as it is stated; None where nothing is said.

    Read are SPDX identifiers and expressions in any case, common names (``BSD 3-Clause``,
    ``GPLv3+``), trove classifiers, and names joined by "or", "and", a comma or a slash. A
    comma or a slash says nothing of a choice, so it counts as AND. What is not understood becomes
    a ``LicenseRef-`` of its own, which no policy takes for permissive. A family without a version
    or a clause count, as ``BSD``, is one too: ``LicenseRef-BSD``.
    """
    text = " ".join(stated.split()).strip(" \"'")
    if text.startswith("License ::"):
        text = text.rpartition("::")[2].strip()
    if text.casefold() in _NOTHING:
        return None
    if len(text) > _LONGEST:
        return UNRECOGNISED
    return _spdx(text) or _named(text) or _compound(text) or _reference(text)


def all_of(stated: Iterable[str | None]) -> str | None:
    """Return the expression that asks for all of some licences, each once.

    A list of licences says which were found, and not that one may be chosen.
    """
    parts: dict[str, None] = {}
    for name in stated:
        if name and (spdx := expression(name)):
            parts.update(dict.fromkeys([spdx] if " OR " in spdx else spdx.split(" AND ")))
    return _joined(list(parts), "AND")


def licences_in(spdx: str) -> list[str]:
    """Return the licences of an SPDX expression, without its exceptions."""
    return [name for name in re.split(r"[\s()]+", _EXCEPTION.sub("", spdx)) if name not in _WORDS]


def is_definite(spdx: str) -> bool:
    """Tell whether an expression is made of licences that SPDX knows."""
    return "LicenseRef-" not in spdx


def is_family(spdx: str) -> bool:
    """Tell whether what an expression leaves open is no more than which of a family is meant."""
    names = [name for name in licences_in(spdx) if not is_definite(name)]
    return bool(names) and _FAMILIES.issuperset(names)


def _joined(parts: list[str], word: str) -> str | None:
    if len(parts) < 2:
        return parts[0] if parts else None
    other = " OR " if word == "AND" else " AND "
    return f" {word} ".join(f"({part})" if other in part else part for part in parts)


@cache
def _licensing() -> Licensing:
    from license_expression import get_spdx_licensing

    return get_spdx_licensing()


def _spdx(text: str) -> str | None:
    from license_expression import ExpressionError

    licensing = _licensing()
    try:
        parsed = licensing.parse(text)
    # Its parser fails in more ways than it documents.
    except (ExpressionError, AttributeError, IndexError, TypeError, ValueError):
        return None
    if parsed is None:
        return None
    unknown = licensing.unknown_license_keys(parsed)
    if any(not key.startswith(("LicenseRef-", "DocumentRef-")) or " " in key for key in unknown):
        return None
    return str(parsed.render())


def _named(text: str) -> str | None:
    name = _normal(re.sub(r"\([^)]*\)", " ", text))
    if name in _NAMES:
        return _NAMES[name]
    if found := _GPL.fullmatch(name):
        kind = _GPL_KINDS[found["kind"]]
        number = found["number"]
        if number is None:
            return _ANY_GPL[kind]
        number = number if "." in number else f"{number}.0"
        return f"{kind}-{number}-{'or-later' if found['later'] else 'only'}"
    return None


def _compound(text: str) -> str | None:
    for separator, word in ((r"\s+or\s+", "OR"), (r"\s+and\s+|\s*[/,;&|+]\s*", "AND")):
        parts = [part for part in re.split(separator, text, flags=re.IGNORECASE) if part.strip()]
        if len(parts) > 1:
            found = [_spdx(part) or _named(part) for part in parts]
            if all(found):
                return _joined(list(dict.fromkeys(part for part in found if part)), word)
    return None


def _reference(text: str) -> str:
    name = re.sub(r"[^A-Za-z0-9.-]+", "-", text).strip("-.")[:60].rstrip("-.")
    return f"LicenseRef-{name}" if name else UNRECOGNISED


def _normal(text: str) -> str:
    words = re.findall(r"[a-z0-9.]+\+?|\+", text.casefold())
    kept = (word.strip(".") for word in words if word.strip(".") not in _FILLERS)
    return " ".join(re.sub(r"^v(?=\d)", "", word) for word in kept)


_NOTHING = {
    *("", "-", "none", "null", "unknown", "noassertion", "no license", "no-license", "no_license"),
    *("n/a", "na", "tbd", "todo", "undefined", "osi approved", "dfsg approved", "see license"),
    *("see license file", "see license.txt", "license", "license.txt", "file: license"),
    *("dual license", "dual licensed", "dual"),
}
"""Words of those who say nothing, casefolded."""

_WORDS = {"AND", "OR", "WITH", ""}
_EXCEPTION = re.compile(r" WITH \S+")

_FILLERS = {
    *("a", "licence", "licences", "license", "licensed", "licenses", "of", "open", "s", "software"),
    *("source", "terms", "the", "under", "v", "version"),
}

# What is left of a name once the fillers are gone.
_SPELLINGS = {
    "0BSD": "0bsd|zero clause bsd|bsd zero clause",
    "Apache-2.0": "apache|asl|apache 2.0|apache 2|apache2|apache2.0|asl 2.0|asl2|asl 2|apl2|al2"
    "|al 2.0|apache foundation 2.0",
    "Artistic-2.0": "artistic 2.0|artistic 2",
    "BSD-2-Clause": "bsd 2 clause|2 clause bsd|bsd 2|bsd2|bsd 2clause|two clause bsd"
    "|bsd two clause|simplified bsd|bsd simplified|freebsd",
    "BSD-3-Clause": "bsd 3 clause|3 clause bsd|bsd 3|bsd3|bsd 3clause|three clause bsd"
    "|bsd three clause|bsd 3 clause new|new bsd|bsd new|modified bsd|revised bsd",
    "BSL-1.0": "boost|boost 1.0|bsl 1.0",
    "CC0-1.0": "cc0|cc0 1.0|cc0 1.0 universal|cc0 1.0 universal public domain dedication",
    "EPL-1.0": "epl 1.0|eclipse public 1.0",
    "EPL-2.0": "epl 2.0|eclipse public 2.0",
    "EUPL-1.1": "eupl 1.1|eupl1.1|european union public 1.1",
    "EUPL-1.2": "eupl 1.2|eupl1.2|european union public 1.2",
    "HPND": "historical permission notice and disclaimer",
    "ISC": "isc|iscl",
    "LicenseRef-BSD": "bsd|bsd like|bsd style|bsd derived",
    "LicenseRef-MPL": "mpl|mozilla public",
    "LicenseRef-ZPL": "zpl|zope public",
    "LicenseRef-public-domain": "public domain|publicdomain|pd",
    "MIT": "mit|mit expat|expat|x11 mit|mit x11",
    "MIT-0": "mit 0|mit no attribution",
    "MPL-1.1": "mpl 1.1|mozilla public 1.1",
    "MPL-2.0": "mpl 2.0|mpl 2|mpl2|mpl2.0|mozilla public 2.0",
    "NCSA": "university illinois ncsa",
    "PSF-2.0": "psf|psf 2.0|psfl|python foundation",
    "PostgreSQL": "postgresql",
    "Python-2.0": "python|python 2.0",
    "UPL-1.0": "universal permissive",
    "Unlicense": "unlicense|unlicence",
    "W3C": "w3c",
    "WTFPL": "wtfpl|do what the fuck you want to public|do what fuck you want to public",
    "ZPL-2.1": "zpl 2.1|zope public 2.1",
    "Zlib": "zlib|zlib libpng",
}
_NAMES = {name: licence for licence, names in _SPELLINGS.items() for name in names.split("|")}

_FAMILIES = {"LicenseRef-BSD", "LicenseRef-MPL", "LicenseRef-ZPL"}
_ANY_GPL = {"GPL": "GPL-1.0-or-later", "LGPL": "LGPL-2.0-or-later", "AGPL": "AGPL-1.0-or-later"}

_GPL_SPELLINGS = {
    "GPL": "gpl|general public",
    "AGPL": "agpl|affero general public|affero gpl",
    "LGPL": "lgpl|lesser general public|library general public|library or lesser general public"
    "|lesser gpl",
}
_GPL_KINDS = {name: kind for kind, names in _GPL_SPELLINGS.items() for name in names.split("|")}
_GPL = re.compile(
    rf"(?:gnu )?(?P<kind>{'|'.join(_GPL_KINDS)})(?: ?v)? ?(?P<number>[123](?:\.[01])?)?"
    r"(?P<later> or later| or newer| or above| and later| ?\+)?(?: only)?"
)
