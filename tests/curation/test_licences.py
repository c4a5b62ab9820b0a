"""The policy over SPDX expressions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2c_tasks.curation.licences import PERMISSIVE, Policy, is_permissive, licence_refusal

COPYLEFT = ("GPL-3.0-only", "LGPL-2.1-or-later", "AGPL-3.0-only", "MPL-2.0", "EPL-2.0")
OTHERS = ("CC-BY-NC-4.0", "BUSL-1.1", "LicenseRef-mine", "LicenseRef-unrecognised", "NONE")


@pytest.mark.parametrize("licence", sorted(PERMISSIVE))
def test_each_licence_on_the_list(licence: str) -> None:
    assert is_permissive(licence)


@pytest.mark.parametrize("licence", [*COPYLEFT, *OTHERS, "gpl", "MIT OR", "(", "MIT ISC", ""])
def test_what_is_not_permissive(licence: str) -> None:
    assert not is_permissive(licence)


@pytest.mark.parametrize(
    ("expression", "permissive"),
    [
        ("MIT OR GPL-3.0-only", True),
        ("MIT AND GPL-3.0-only", False),
        ("MIT AND (GPL-3.0-only OR ISC)", True),
        ("(MIT AND GPL-3.0-only) OR MPL-2.0", False),
        ("Apache-2.0 WITH LLVM-exception", True),
        ("GPL-2.0-only WITH Classpath-exception-2.0", False),
        ("mit or gpl-3.0", True),
    ],
)
def test_expressions(expression: str, permissive: bool) -> None:
    assert is_permissive(expression) is permissive


@pytest.mark.parametrize(
    ("licence", "policy", "refusal"),
    [
        ("MIT", "permissive", None),
        ("GPL-3.0-only", "permissive", "licence_not_permissive"),
        ("GPL-3.0-only", "permissive_or_unknown", "licence_not_permissive"),
        ("LicenseRef-unrecognised", "permissive_or_unknown", "licence_not_permissive"),
        ("GPL-3.0-only", "any", None),
        (None, "permissive", "licence_unknown"),
        ("", "permissive", "licence_unknown"),
        ("NOASSERTION", "permissive", "licence_unknown"),
        (None, "permissive_or_unknown", None),
        (None, "any", None),
    ],
)
def test_policies(licence: str | None, policy: Policy, refusal: str | None) -> None:
    assert licence_refusal(licence, policy) == refusal


# A tree of licences: a leaf, or a word and its branches.
Tree = str | tuple[str, list["Tree"]]
TREES = st.recursive(
    st.sampled_from([*sorted(PERMISSIVE)[:40], *COPYLEFT]),
    lambda branch: st.tuples(
        st.sampled_from(["AND", "OR"]), st.lists(branch, min_size=2, max_size=4)
    ),
    max_leaves=12,
)


def written(tree: Tree) -> str:
    if isinstance(tree, str):
        return tree
    word, branches = tree
    return "(" + f" {word} ".join(map(written, branches)) + ")"


def allowed(tree: Tree) -> bool:
    if isinstance(tree, str):
        return tree in PERMISSIVE
    word, branches = tree
    return (any if word == "OR" else all)(map(allowed, branches))


@given(TREES)
def test_or_needs_one_and_and_needs_all(tree: Tree) -> None:
    assert is_permissive(written(tree)) is allowed(tree)


@given(st.text(max_size=60))
def test_no_text_breaks_the_policy(text: str) -> None:
    assert licence_refusal(text, "any") is None
    assert licence_refusal(text, "permissive") in (
        None,
        "licence_unknown",
        "licence_not_permissive",
    )
