"""Which licences allow a file to be used: a policy over SPDX expressions."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from license_expression import Licensing

Policy = Literal["permissive", "permissive_or_unknown", "any"]
LicenceRefusal = Literal["licence_not_permissive", "licence_unknown"]

# The licence list of the Blue Oak Council, version 15, ratings Model, Gold, Silver and Bronze
# (https://blueoakcouncil.org/list/15). Those rated Lead lack an essential element.
_BLUE_OAK = """
BlueOak-1.0.0 BSD-2-Clause-Patent

ADSL Apache-2.0 APAFML BSD-1-Clause BSD-2-Clause BSD-2-Clause-FreeBSD BSD-2-Clause-NetBSD
BSD-2-Clause-Views BSL-1.0 DSDP ECL-1.0 ECL-2.0 hdparm ImageMagick Intel-ACPI ISC Linux-OpenIB MIT
MIT-Modern-Variant MIT-testregex MIT-Wu MS-PL MulanPSL-1.0 Mup PostgreSQL SHL-0.5 Spencer-99 UPL-1.0
Xerox Xfig

0BSD AFL-1.1 AFL-1.2 AFL-2.0 AFL-2.1 AFL-3.0 AMDPLPA AML AMPAS ANTLR-PD ANTLR-PD-fallback Apache-1.0
Apache-1.1 Artistic-2.0 Bahyph Barr bcrypt-Solar-Designer BSD-3-Clause BSD-3-Clause-Attribution
BSD-3-Clause-Clear BSD-3-Clause-HP BSD-3-Clause-LBNL BSD-3-Clause-Modification
BSD-3-Clause-No-Nuclear-License-2014 BSD-3-Clause-No-Nuclear-Warranty BSD-3-Clause-Open-MPI
BSD-3-Clause-Sun BSD-4-Clause BSD-4-Clause-Shortened BSD-4-Clause-UC BSD-Source-Code bzip2-1.0.5
bzip2-1.0.6 CC0-1.0 CFITSIO Clips CNRI-Jython CNRI-Python CNRI-Python-GPL-Compatible Cube curl
eGenix Entessa FTL fwlw HPND-Fenneberg-Livingston HPND-sell-regexpr HTMLTIDY IBM-pibs ICU Info-ZIP
Intel JasPer-2.0 Libpng libpng-2.0 libtiff LPPL-1.3c LZMA-SDK-9.22 MIT-0 MIT-advertising MIT-CMU
MIT-enna MIT-feh MIT-open-group MITNFA MTLL MulanPSL-2.0 Multics Naumen NCSA Net-SNMP NetCDF
NICTA-1.0 NIST-Software NTP OGL-Canada-2.0 OLDAP-2.0 OLDAP-2.0.1 OLDAP-2.1 OLDAP-2.2 OLDAP-2.2.1
OLDAP-2.2.2 OLDAP-2.3 OLDAP-2.4 OLDAP-2.5 OLDAP-2.6 OLDAP-2.7 OLDAP-2.8 OML OpenSSL PHP-3.0 PHP-3.01
Plexus PSF-2.0 Python-2.0 Ruby Saxpath SGI-B-2.0 SMLNJ SunPro SWL Symlinks TCL TCP-wrappers UCAR
Unicode-DFS-2015 Unicode-DFS-2016 UnixCrypt Unlicense VSL-1.0 W3C X11 XFree86-1.1 xlock Xnet xpp
Zlib zlib-acknowledgement ZPL-2.0 ZPL-2.1
"""

# Not on that list, and permissive all the same: later versions and spellings of what is on it,
# two plain grants that many Python projects have, and families of which every member is on it.
_FURTHER = """
Python-2.0.1 Unicode-3.0 HPND WTFPL
LicenseRef-BSD LicenseRef-public-domain LicenseRef-scancode-public-domain
LicenseRef-scancode-net-snmp
"""

PERMISSIVE: frozenset[str] = frozenset((_BLUE_OAK + _FURTHER).split())
"""Licences that ask for no more than that their notice is kept, by SPDX identifier."""


def is_permissive(licence: str) -> bool:
    """Tell whether an SPDX expression allows use under permissive licences alone.

    Of alternatives (OR) one is enough, of a conjunction (AND) all are needed. An exception (WITH)
    grants more than its licence, so the licence decides. What is no expression is not permissive.
    """
    return _is_permissive(licence)


def licence_refusal(licence: str | None, policy: Policy) -> LicenceRefusal | None:
    """Return why a file under `licence` may not be used, or None where it may.

    None, an empty text and ``NOASSERTION`` are unknown. A licence that is stated and not
    recognised is not: somebody wrote down terms.
    """
    if policy == "any":
        return None
    if not licence or licence == "NOASSERTION":
        return None if policy == "permissive_or_unknown" else "licence_unknown"
    return None if is_permissive(licence) else "licence_not_permissive"


@cache
def _licensing() -> Licensing:
    from license_expression import get_spdx_licensing

    return get_spdx_licensing()


@lru_cache(maxsize=16_384)
def _is_permissive(licence: str) -> bool:
    from license_expression import ExpressionError

    try:
        parsed = _licensing().parse(licence)
    # Its parser fails in more ways than it documents.
    except (ExpressionError, AttributeError, IndexError, RecursionError, TypeError, ValueError):
        return False
    return parsed is not None and _allows(parsed)


def _allows(node: Any) -> bool:
    from license_expression import LicenseSymbol, LicenseWithExceptionSymbol

    if isinstance(node, LicenseWithExceptionSymbol):
        node = node.license_symbol
    if isinstance(node, LicenseSymbol):
        return node.key in PERMISSIVE
    verdicts = [_allows(part) for part in node.args]
    return any(verdicts) if isinstance(node, _licensing().OR) else all(verdicts)
