"""Licences by name: what people write, as SPDX expressions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2c_tasks.sources.licence_names import UNRECOGNISED, all_of, expression, licences_in


@pytest.mark.parametrize(
    ("stated", "spdx"),
    [
        ("mit", "MIT"),
        ("The MIT License (MIT)", "MIT"),
        ("apache-2.0", "Apache-2.0"),
        ("Apache License, Version 2.0", "Apache-2.0"),
        ("BSD 3-Clause", "BSD-3-Clause"),
        ("New BSD License", "BSD-3-Clause"),
        ("Simplified BSD", "BSD-2-Clause"),
        ("PSF", "PSF-2.0"),
        ("The Unlicense", "Unlicense"),
        ("gpl-3.0", "GPL-3.0-only"),
        ("GPLv3+", "GPL-3.0-or-later"),
        ("GPL v2 or later", "GPL-2.0-or-later"),
        ("GNU LGPL v2.1", "LGPL-2.1-only"),
        ("GNU Lesser General Public License", "LGPL-2.0-or-later"),
        ("License :: OSI Approved :: MIT License", "MIT"),
        (
            "License :: OSI Approved :: GNU General Public License v3 or later (GPLv3+)",
            "GPL-3.0-or-later",
        ),
        ("License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)", "MPL-2.0"),
        ("mit or apache-2.0", "MIT OR Apache-2.0"),
        ("MIT License or Apache License 2.0", "MIT OR Apache-2.0"),
        ("MIT/Apache-2.0", "MIT AND Apache-2.0"),
        ("MIT, BSD", "MIT AND LicenseRef-BSD"),
        ("Apache-2.0 WITH LLVM-exception", "Apache-2.0 WITH LLVM-exception"),
        ("BSD", "LicenseRef-BSD"),
        ("My own terms!", "LicenseRef-My-own-terms"),
        ("MIT OR", "LicenseRef-MIT-OR"),
        ("x" * 400, UNRECOGNISED),
        ("(((", UNRECOGNISED),
        ("UNKNOWN", None),
        ("License :: OSI Approved", None),
        ("NOASSERTION", None),
        (" ", None),
    ],
)
def test_names(stated: str, spdx: str | None) -> None:
    assert expression(stated) == spdx


@pytest.mark.parametrize(
    ("stated", "spdx"),
    [
        ([], None),
        (["", None], None),
        (["mit", "MIT License", "isc"], "MIT AND ISC"),
        (["MIT OR GPL-2.0", "ISC"], "(MIT OR GPL-2.0-only) AND ISC"),
        (["MIT AND ISC", "ISC", "GPL-3.0"], "MIT AND ISC AND GPL-3.0-only"),
    ],
)
def test_a_list_asks_for_all(stated: list[str | None], spdx: str | None) -> None:
    assert all_of(stated) == spdx


def test_licences_of_an_expression() -> None:
    assert licences_in("MIT AND (ISC OR GPL-2.0-only WITH Classpath-exception-2.0)") == [
        "MIT",
        "ISC",
        "GPL-2.0-only",
    ]


@given(st.text(max_size=400))
def test_any_text_gives_an_expression_that_stays(stated: str) -> None:
    spdx = expression(stated)
    if spdx is not None:
        assert expression(spdx) == spdx
        spdx.encode()
