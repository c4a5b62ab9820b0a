"""Licences by text: wrapped, commented, incomplete, restricted, several in one file."""

from __future__ import annotations

import importlib.metadata
import textwrap
from pathlib import Path

import pytest

from c2c_tasks.sources.licence_names import UNRECOGNISED, licences_in
from c2c_tasks.sources.licence_texts import RESTRICTED, licence_of_tags, licence_of_text

GRANT = """Permission is hereby granted, free of charge, to any person obtaining a copy of this \
software and associated documentation files (the "Software"), to deal in the Software without \
restriction, including without limitation the rights to use, copy, modify, merge, publish, \
distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the \
Software is furnished to do so"""
NOTICE = """, subject to the following conditions: The above copyright notice and this permission \
notice shall be included in all copies or substantial portions of the Software"""
AS_IS = """. THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, \
INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE \
AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, \
DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT \
OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE."""
MIT = GRANT + NOTICE + AS_IS
CONDITIONS = """Redistribution and use in source and binary forms, with or without modification, \
are permitted provided that the following conditions are met: 1. Redistributions of source code \
must retain the above copyright notice, this list of conditions and the following disclaimer. 2. \
Redistributions in binary form must reproduce the above copyright notice, this list of conditions \
and the following disclaimer in the documentation. """
ADVERTISING = """3. All advertising materials mentioning features or use of this software must \
display the following acknowledgement. """
ENDORSEMENT = """3. Neither the name of the copyright holder nor the names of its contributors may \
be used to endorse or promote products derived from this software without permission. """
DISCLAIMER = """THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS". IN NO \
EVENT SHALL THEY BE LIABLE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE."""
TO_USE = """Permission to use, copy, modify, and/or distribute this software for any purpose with \
or without fee is hereby granted"""
ALL_COPIES = """, provided that the above copyright notice and this permission notice appear in \
all copies"""
IN_NO_EVENT = """. THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES. IN NO \
EVENT SHALL THE AUTHOR BE LIABLE FOR ANY DAMAGES ARISING OUT OF THE USE OR PERFORMANCE OF THIS \
SOFTWARE."""
TEXTS = {
    "MIT": MIT,
    "MIT-0": GRANT + AS_IS,
    "BSD-4-Clause": CONDITIONS + ADVERTISING + ENDORSEMENT + DISCLAIMER,
    "BSD-3-Clause": CONDITIONS + ENDORSEMENT + DISCLAIMER,
    "BSD-2-Clause": CONDITIONS + DISCLAIMER,
    "ISC": TO_USE + ALL_COPIES + IN_NO_EVENT,
    "0BSD": TO_USE + IN_NO_EVENT,
}
OWNER = "Copyright (c) 2020-2024 Jane Doe and the contributors of a project of some renown\n\n"


@pytest.mark.parametrize("licence", TEXTS)
@pytest.mark.parametrize("width", [40, 79, 10_000])
@pytest.mark.parametrize("sign", ["", "# ", " * "])
def test_layout_does_not_matter(licence: str, width: int, sign: str) -> None:
    wrapped = textwrap.fill(TEXTS[licence], width)
    assert licence_of_text(textwrap.indent(OWNER + wrapped, sign)) == licence


def test_several_licences_in_one_file() -> None:
    assert (
        licence_of_text(f"{OWNER}{MIT}\n\nSome parts are\n{OWNER}{TEXTS['ISC']}") == "MIT AND ISC"
    )


@pytest.mark.parametrize(
    "rider",
    [
        '"Commons Clause" License Condition v1.0',
        "You may not use it for commercial purposes, nor make commercial use of it.",
        "The Software shall be used for Good, not Evil.",
        "It must not be used as training data of machine learning models.",
    ],
)
def test_a_restriction_beside_a_licence(rider: str) -> None:
    assert licence_of_text(f"{OWNER}{rider}\n{MIT}") == f"MIT AND {RESTRICTED}"
    middle = MIT.replace(". THE SOFTWARE", f". {rider} THE SOFTWARE")
    assert RESTRICTED in str(licence_of_text(middle))


@pytest.mark.parametrize(
    ("text", "licence"),
    [
        ("All rights reserved. You may look at this and touch nothing.", UNRECOGNISED),
        (f"{MIT} {'Further words that nobody has read. ' * 20}", f"MIT AND {UNRECOGNISED}"),
        (f"{MIT} Or use it under the GNU GPL.", f"MIT AND {UNRECOGNISED}"),
        (MIT[:300], UNRECOGNISED),
        ("MIT", "MIT"),
        ("This project is licensed under the Apache License 2.0.", "Apache-2.0"),
        ("SPDX-License-Identifier: ISC", "ISC"),
        ("GNU AFFERO GENERAL PUBLIC LICENSE\nVersion 3, 19 November 2007", "AGPL-3.0-only"),
        ("available under the terms of *either* of the licenses\nfound in LICENSE.A", None),
        ("", None),
        (" \n---\n", None),
    ],
)
def test_texts_that_are_more_or_less(text: str, licence: str | None) -> None:
    assert licence_of_text(text) == licence


def test_long_texts_are_read_in_linear_time() -> None:
    repeated = "permission is hereby granted free of charge to any person obtaining " * 10_000
    assert licence_of_text(repeated) == UNRECOGNISED


@pytest.mark.parametrize(
    ("head", "licence"),
    [
        ("# SPDX-License-Identifier: MIT\nx = 1", "MIT"),
        ("/* SPDX-License-Identifier: mit OR Apache-2.0 */", "MIT OR Apache-2.0"),
        ("# SPDX-License-Identifier: MIT\n# SPDX-License-Identifier: ISC", "MIT AND ISC"),
        ("x = 'SPDX'", None),
    ],
)
def test_tags(head: str, licence: str | None) -> None:
    assert licence_of_tags(head) == licence


def test_the_licences_of_installed_packages() -> None:
    """What their authors declare is what their texts are recognised as."""
    agreed, doubted = 0, []
    for distribution in importlib.metadata.distributions():
        declared = distribution.metadata.get("License-Expression")
        texts = [
            file for file in distribution.files or () if file.name in ("LICENSE", "LICENSE.md")
        ]
        if declared in TEXTS and len(texts) == 1 and "dist-info" in str(texts[0]):
            text = Path(str(texts[0].locate())).read_text(encoding="utf-8", errors="replace")
            found = licence_of_text(text)
            agreed += found == declared
            if declared not in licences_in(found or "") and found != UNRECOGNISED:
                doubted.append((distribution.name, declared, found))
    assert agreed >= 20
    assert not doubted
