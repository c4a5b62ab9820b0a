"""Licences by their texts.

A text is read as words alone, so that wrapping, punctuation, comment signs and copyright lines do
not matter. A licence is recognised by phrases of its own that follow each other within its
length; what stays when the recognised licences are taken out decides whether there is more to it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from c2c_tasks.sources.licence_names import UNRECOGNISED, all_of, expression, is_definite

RESTRICTED = "LicenseRef-restricted"
"""A licence with a further restriction, as on commercial use."""

_LONGEST_NAME = 200
"""Characters of a file that names a licence in place of its text."""

_MAX_REST = 80
"""Words beside the recognised licences that may be titles, names and thanks."""


@dataclass(frozen=True, slots=True)
class _Text:
    licence: str
    """SPDX identifier; empty for words that need not be known: they say nothing of their own."""
    longest: int
    """Characters from the first phrase to the end of the last one, at most."""
    phrases: tuple[str, ...]


def licence_of_text(text: str) -> str | None:
    """Return the SPDX expression of a licence file's text, or None where it has no words.

    It joins all licences that the text holds by AND. Words that are no known licence's add
    `UNRECOGNISED`, restrictions beside a known licence add `RESTRICTED`.
    """
    if len(text) <= _LONGEST_NAME and (named := _named(text)):
        return named
    words = _words(_COPYRIGHT.sub(" ", text))
    if not words:
        return None
    found: dict[str, None] = {}
    for known in _LONG:
        words = _without(words, known, found)
    restricted = _RESTRICTIONS.search(words) is not None
    for known in _SHORT:
        words = _without(words, known, found)
    if restricted:
        found[RESTRICTED] = None
    if not found or words.count(" ") > _MAX_REST or _MENTIONS.search(words):
        found[UNRECOGNISED] = None
    return all_of(found)


def _named(text: str) -> str | None:
    if tag := licence_of_tags(text):
        return tag
    line = " ".join(text.split()).strip("# *=-.")
    if introduced := _INTRODUCTION.fullmatch(line):
        line = introduced[1]
    named = expression(line) if line else None
    return named if named and is_definite(named) else None


def licence_of_tags(head: str) -> str | None:
    """Return the expression of the ``SPDX-License-Identifier`` tags in a text, or None.

    Several tags are joined by AND, as REUSE does (https://reuse.software/spec).
    """
    return all_of(tag.rstrip("*/->#}\"' \t") for tag in _TAG.findall(head))


def _without(words: str, known: _Text, found: dict[str, None]) -> str:
    """Take a licence out of the words, wherever it is, and note that it was found."""
    start = 0
    while (start := words.find(known.phrases[0], start)) >= 0:
        end = start
        for phrase in known.phrases:
            place = words.find(phrase, end, start + known.longest)
            if place < 0:
                break
            end = place + len(phrase)
        else:
            words = f"{words[:start]}{words[end:]}"
            found[known.licence] = None
            continue
        start += 1
    return words


def _words(text: str) -> str:
    words = re.sub(r"[^a-z0-9]+", " ", text.casefold()).strip()
    return words.replace("licence", "license").replace("sublicence", "sublicense")


_TAG = re.compile(r"SPDX-License-Identifier:[ \t]*([^\r\n]+)")
_COPYRIGHT = re.compile(r"^.*(?:copyright\s*(?:\(c\)|©|\d{4}|by\b)|\(c\)\s*\d|©).*$", re.I | re.M)
_INTRODUCTION = re.compile(r"(?:this \w+|\S+) is (?:released|licensed) under (.+)", re.I)

_RESTRICTIONS = re.compile(
    r"\bcommons clause\b|\bnon ?commercial\b|\bcommercial use\b|\bcommercially\b"
    r"|\b(?:academic|educational|research|personal|evaluation|internal)"
    r"(?: or \w+| and \w+)? (?:use|purposes?) only\b|\bnot be sold\b|\bnot sell\b"
    r"|\bfor good not evil\b|\bmachine learning\b|\bartificial intelligence\b|\btraining data\b"
    r"|\badditional (?:restrictions?|terms|conditions)\b|\bfield of (?:use|endeavor)\b|\bmilitary\b"
)

_MENTIONS = re.compile(
    r"\b(?:gnu (?:affero |lesser |library )?general public license|[al]?gpl(?:v?\d)?"
    r"|gnu gpl|creative commons)\b"
)
"""Copyleft that is spoken of outside of a text that was recognised."""

_BSD = (
    "redistribution and use in source and binary forms",
    "source code must retain the",
    "binary form must reproduce the",
)
_DAMAGE = "possibility of such damage"

# Texts whose own words may sound like restrictions.
_LONG = (
    _Text(
        "Apache-2.0",
        14_000,
        (
            "apache license version 2 0 january 2004",
            "grant of patent license",
            "redistribution you may reproduce and distribute copies of the work",
            "accepting any such warranty or additional liability",
        ),
    ),
    _Text(
        "",
        1_000,
        ("appendix how to apply the apache license to your work", "within third party archives"),
    ),
    _Text(
        "",
        5_000,
        (
            "a history of the software python was created in the early 1990s",
            "to make these releases possible",
        ),
    ),
    _Text("", 100, ("under the terms of either of the licenses found in",)),
    _Text(
        "Python-2.0",
        20_000,
        (
            "python software foundation license version 2",
            "beopen python open source license agreement version 1",
            "cnri",
            "use or performance of this software",
        ),
    ),
    _Text(
        "PSF-2.0",
        4_000,
        (
            "license agreement is between the python software foundation",
            "agrees to be bound by the terms and conditions of this license agreement",
        ),
    ),
    _Text(
        "MPL-2.0",
        20_000,
        (
            "mozilla public license version 2 0 1 definitions",
            "incompatible with secondary licenses as defined by the mozilla public license v 2 0",
        ),
    ),
    _Text(
        "MPL-2.0",
        600,
        ("subject to the terms of the mozilla public license v 2 0", "mozilla org mpl 2 0"),
    ),
    _Text(
        "Unlicense",
        2_000,
        (
            "this is free and unencumbered software released into the public domain",
            "anyone is free to copy modify publish use",
            "dealings in the software",
        ),
    ),
    *(
        _Text(licence, 60_000, (title, end))
        for licence, title, end in (
            (
                "AGPL-3.0-only",
                "gnu affero general public license version 3 19 november 2007",
                "for more information on this and how to apply and follow the gnu agpl see",
            ),
            (
                "GPL-3.0-only",
                "gnu general public license version 3 29 june 2007",
                "if this is what you want to do use the gnu lesser general public license instead"
                " of this license",
            ),
            (
                "LGPL-3.0-only",
                "gnu lesser general public license version 3 29 june 2007",
                "permanent authorization for you to choose that version for the library",
            ),
            (
                "LGPL-2.1-only",
                "gnu lesser general public license version 2 1 february 1999",
                "that s all there is to it",
            ),
            (
                "LGPL-2.0-only",
                "gnu library general public license version 2 june 1991",
                "that s all there is to it",
            ),
            (
                "GPL-2.0-only",
                "gnu general public license version 2 june 1991",
                "use the gnu library general public license instead of this license",
            ),
            (
                "GPL-2.0-only",
                "gnu general public license version 2 june 1991",
                "use the gnu lesser general public license instead of this license",
            ),
            (
                "CC0-1.0",
                "creative commons legal code cc0 1 0 universal",
                "with respect to this cc0 or use of the work",
            ),
            ("CC0-1.0", "cc0 1 0 universal", "with respect to this cc0 or use of the work"),
        )
    ),
    *(
        _Text(licence, 400, ("under the terms of the", f"{title} as published by the free"))
        for licence, title in (
            ("AGPL-1.0-or-later", "gnu affero general public license"),
            ("LGPL-2.0-or-later", "gnu lesser general public license"),
            ("LGPL-2.0-or-later", "gnu library general public license"),
            ("GPL-1.0-or-later", "gnu general public license"),
        )
    ),
    # Of these the title is enough: none is permissive.
    *(
        _Text(licence, 100, (title,))
        for licence, title in (
            ("AGPL-3.0-only", "gnu affero general public license version 3"),
            ("LGPL-3.0-only", "gnu lesser general public license version 3"),
            ("LGPL-2.1-only", "gnu lesser general public license version 2 1"),
            ("GPL-3.0-only", "gnu general public license version 3"),
            ("GPL-2.0-only", "gnu general public license version 2"),
            ("MPL-1.1", "mozilla public license version 1 1"),
            ("MPL-2.0", "mozilla public license version 2 0"),
            ("EPL-2.0", "eclipse public license v 2 0"),
            ("EPL-1.0", "eclipse public license v 1 0"),
            ("EUPL-1.2", "european union public license v 1 2"),
            ("CC-BY-4.0", "creative commons attribution 4 0 international"),
            ("CC-BY-SA-4.0", "creative commons attribution sharealike 4 0 international"),
        )
    ),
)

_SHORT = (
    _Text(
        "Apache-2.0",
        700,
        (
            "licensed under the apache license version 2 0",
            "you may not use this file except in compliance with the license",
            "limitations under the license",
        ),
    ),
    _Text(
        "BSL-1.0",
        2_000,
        (
            "permission is hereby granted free of charge to any person or organization obtaining",
            "must be included in all copies of the software",
            "dealings in the software",
        ),
    ),
    _Text(
        "X11",
        1_800,
        (
            "permission is hereby granted free of charge to any person obtaining",
            "to deal in the software without restriction",
            "copyright notice and this permission notice shall be included in all copies",
            "except as contained in this notice the name",
            "authorization",
        ),
    ),
    _Text(
        "MIT",
        1_500,
        (
            "permission is hereby granted free of charge to any person obtaining",
            "without restriction",
            "and or sell copies of the",
            "copyright notice and this permission notice shall be included in all copies",
            "provided as is without warranty of any kind",
            "dealings in the",
        ),
    ),
    _Text(
        "MIT-0",
        1_200,
        (
            "permission is hereby granted free of charge to any person obtaining",
            "to deal in the software without restriction",
            "to whom the software is furnished to do so the software is provided as is",
            "dealings in the software",
        ),
    ),
    _Text(
        "0BSD",
        900,
        (
            "permission to use copy modify and or distribute this software for any purpose with or"
            " without fee is hereby granted the software is provided as is",
            "performance of this software",
        ),
    ),
    *(
        _Text(
            "ISC",
            1_000,
            (
                f"permission to use copy modify {words} for any purpose with or without fee is"
                " hereby granted provided that the above copyright notice and this permission"
                " notice appear in all copies",
                "performance of this software",
            ),
        )
        for words in (
            "and or distribute this software",
            "and distribute this software",
            "and distribute this software and its documentation",
        )
    ),
    _Text(
        "HPND",
        1_800,
        (
            "permission to use copy modify",
            "distribute this software and its documentation for any purpose and without fee is"
            " hereby granted provided that",
            "appear in supporting documentation",
            "this software",
        ),
    ),
    _Text("Apache-1.1", 2_800, (*_BSD, "the end user documentation included with", _DAMAGE)),
    _Text("BSD-4-Clause", 2_400, (*_BSD, "all advertising materials mentioning", _DAMAGE)),
    _Text("BSD-3-Clause-Clear", 2_200, (_BSD[0], "subject to the limitations in the", _DAMAGE)),
    _Text("BSD-3-Clause", 2_100, (*_BSD, "products derived from this", _DAMAGE)),
    _Text("BSD-2-Clause", 1_600, (*_BSD, _DAMAGE)),
    _Text(
        "Zlib",
        1_200,
        (
            "provided as is without any express or implied warrant",
            "permission is granted to anyone to use this software for any purpose",
            "must not be misrepresented",
            "may not be removed or altered from any source distribution",
        ),
    ),
    _Text(
        "WTFPL",
        900,
        ("do what the fuck you want to public license", "just do what the fuck you want to"),
    ),
)
