from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from c2c_tasks.config import CaseOptions
from c2c_tasks.curation.splits import split_of

SHARES = st.floats(0.0, 0.49)


def test_splits_have_their_shares() -> None:
    options = CaseOptions(validation_share=0.1, test_share=0.2)
    counts = Counter(split_of(f"{n:064x}", options) for n in range(10_000))
    assert 900 < counts["validation"] < 1_100
    assert 1_850 < counts["test"] < 2_150


def test_a_split_never_changes_between_versions() -> None:
    options = CaseOptions(validation_share=0.3, test_share=0.3)
    splits = [split_of(f"{n:064x}", options) for n in range(6)]
    assert splits == ["train", "validation", "test", "validation", "test", "test"]


@given(st.text(), SHARES, SHARES, SHARES, SHARES)
def test_other_shares_move_nothing_between_test_and_validation(
    cluster: str, test: float, validation: float, other_test: float, other_validation: float
) -> None:
    before = split_of(cluster, CaseOptions(test_share=test, validation_share=validation))
    after = split_of(cluster, CaseOptions(test_share=other_test, validation_share=other_validation))
    assert {before, after} != {"test", "validation"}


@given(st.text())
def test_no_share_no_rows(cluster: str) -> None:
    assert split_of(cluster, CaseOptions(test_share=0.0, validation_share=0.0)) == "train"
