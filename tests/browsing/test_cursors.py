from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2c_tasks.browsing.cursors import Position, read_cursor, write_cursor
from c2c_tasks.browsing.refusals import InvalidRequest

numbers = st.integers(0, 1 << 30)


@given(numbers, numbers, numbers)
def test_a_cursor_comes_back(file: int, group: int, row: int) -> None:
    position = Position(file, group, row)
    assert read_cursor(write_cursor(position, "a search"), "a search") == position


def test_no_cursor_is_the_beginning() -> None:
    assert read_cursor(None, "x") == read_cursor("", "x") == Position(0, 0, 0)


@given(st.text())
def test_any_other_text_is_refused_and_nothing_else(text: str) -> None:
    if text:
        with pytest.raises(InvalidRequest):
            read_cursor(text, "a search")


@pytest.mark.parametrize(
    "text",
    ["[]", '["{}",1,2]', '["{}",1,2,3,4]', '["{}",-1,0,0]', '["{}",1.5,0,0]', '["{}",true,0,0]',
     '["{}",null,0,0]', '["other",0,0,0]', "{}", "[" * 140, '["{}",1e999,0,0]'],
)  # fmt: skip
def test_made_up_positions_are_refused(text: str) -> None:
    good = base64.urlsafe_b64decode(write_cursor(Position(), "a search") + "===").decode()
    digest = good[2:14]
    cursor = base64.urlsafe_b64encode(text.replace("{}", digest).encode()).decode().rstrip("=")
    with pytest.raises(InvalidRequest, match="none of this search"):
        read_cursor(cursor, "a search")


def test_a_cursor_is_of_its_search_alone() -> None:
    with pytest.raises(InvalidRequest):
        read_cursor(write_cursor(Position(1, 2, 3), "one"), "another")
