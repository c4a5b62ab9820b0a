from __future__ import annotations

import faulthandler
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2c_tasks.sandbox import outbox
from c2c_tasks.sandbox.frames import read_frame
from c2c_tasks.sandbox.outbox import HELD_BYTES, Outbox


def fill(box: Outbox, head: bytes, answer: bytes) -> None:
    receiving, sending = os.pipe()
    os.write(sending, answer)
    os.close(sending)
    size = 0
    while got := box.read(receiving, size):
        size += got
    os.close(receiving)
    box.add(head, size)


@given(st.lists(st.tuples(st.binary(max_size=20), st.binary(max_size=2_000)), max_size=5))
def test_answers_come_as_they_were_added(answers: list[tuple[bytes, bytes]]) -> None:
    receiving, sending = os.pipe()
    box = Outbox(sending)
    for _ in range(2):  # the memory is used again
        for head, answer in answers:
            fill(box, head, answer)
        box.send()
        assert [read_frame(receiving) for _ in answers] == [
            head + answer for head, answer in answers
        ]
    os.close(sending)
    assert read_frame(receiving) is None
    os.close(receiving)


def test_what_is_held_is_due_after_a_while_or_when_it_is_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    box = Outbox(os.open(os.devnull, os.O_WRONLY))
    assert not box.is_due()
    fill(box, b"head", b"answer")
    assert not box.is_due()
    monkeypatch.setattr(outbox, "HELD_SECONDS", 0)
    assert box.is_due()
    monkeypatch.undo()
    box.send()
    assert not box.is_due()
    for _ in range(HELD_BYTES // 50_000 + 1):
        fill(box, b"head", bytes(50_000))
    assert box.is_due()


def test_a_child_has_no_copy() -> None:
    box = Outbox(os.open(os.devnull, os.O_WRONLY))
    fill(box, b"head", b"answer")
    pid = os.fork()
    if pid == 0:
        faulthandler.disable()
        os._exit(b"answer" in bytes(box._view[:6]))  # ended by SIGSEGV: there is nothing
    assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == 11
