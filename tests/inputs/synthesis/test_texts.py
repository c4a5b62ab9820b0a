"""Texts that a program can make something of."""

from __future__ import annotations

import random
import re
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2c_tasks.inputs.synthesis.texts import MAX_MATCH, alphabet_of, matching, number_text, text
from c2c_tasks.inputs.synthesis.uses import Use


@pytest.mark.parametrize(
    "pattern",
    [
        r"\d{4}-\d\d",
        r"(a|bc)+d?",
        r"^[A-Z][a-z_]*$",
        r"(?P<q>['\"])x(?P=q)",
        r"[^abc]\s\w",
        r"\$(\d+)\.(\d{2})",
        r"(?:foo|bar)(?=!)!",
        r"a{2,3}?b*+",
        r"(?i)hello",
        r".+@.+\.com",
    ],
)
def test_texts_match_their_pattern(pattern: str) -> None:
    made = [matching(pattern, random.Random(seed)) or "" for seed in range(40)]
    found = [re.search(pattern.replace("*+", "*"), each) is not None for each in made]
    assert sum(found) >= 20
    assert len(set(made)) > 1 or pattern == "(?i)hello"


def test_patterns_that_are_none() -> None:
    assert matching("(", random.Random(1)) is None
    assert matching("[z-a]", random.Random(1)) is None


@given(st.text(alphabet="ab()[]{}|*+?.^$\\d0123456789,-=!<>:P", max_size=20), st.integers())
def test_any_pattern_gives_a_short_text_or_none(pattern: str, seed: int) -> None:
    made = matching(pattern, random.Random(seed))
    assert made is None or len(made) <= MAX_MATCH


def test_dates_are_in_the_format_that_is_parsed() -> None:
    use = Use()
    use.patterns["strptime:%Y/%m/%d %H:%M"] = None
    parsed = 0
    for seed in range(40):
        made = text(use, random.Random(seed))
        if re.fullmatch(r"\d{4}/\d\d/\d\d \d\d:\d\d", made):
            assert datetime.strptime(made, "%Y/%m/%d %H:%M")
            parsed += 1
    assert parsed >= 10


def test_the_alphabet_is_what_the_program_tells_apart() -> None:
    use = Use()
    assert alphabet_of(use) == []
    for letter in "()":
        use.get("item").add_literal(letter)
    assert alphabet_of(use) == ["(", ")", "a", "x"]


def test_fragments_and_affixes_are_in_the_texts() -> None:
    use = Use()
    use.prefixes["<<"], use.suffixes[">>"], use.fragments["--"] = None, None, None
    made = [text(use, random.Random(seed)) for seed in range(60)]
    assert sum(each.startswith("<<") for each in made) >= 15
    assert sum(each.endswith(">>") for each in made) >= 15
    assert sum("--" in each for each in made) >= 5


def test_numbers_in_texts_are_numbers() -> None:
    for seed in range(30):
        int(number_text(random.Random(seed), whole=True))
        float(number_text(random.Random(seed), whole=False))
