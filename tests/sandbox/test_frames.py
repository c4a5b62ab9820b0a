from __future__ import annotations

import os
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2c_tasks.sandbox.frames import (
    HEADER,
    MAX_PAYLOAD,
    Decoder,
    FrameError,
    encode,
    read_frame,
    write_frame,
)


@given(st.lists(st.binary(max_size=300)), st.integers(1, 50))
def test_payloads_come_back_whatever_the_pieces(payloads: list[bytes], size: int) -> None:
    stream = b"".join(encode(payload) for payload in payloads)
    decoder = Decoder()
    pieces = (stream[i : i + size] for i in range(0, len(stream), size))
    assert [payload for piece in pieces for payload in decoder.feed(piece)] == payloads


@given(st.binary(min_size=1, max_size=100), st.data())
def test_a_flipped_bit_never_passes(payload: bytes, data: st.DataObject) -> None:
    frame = bytearray(encode(payload))
    position = data.draw(st.integers(0, len(frame) - 1))
    frame[position] ^= 1 << data.draw(st.integers(0, 7))
    with suppress(FrameError):
        assert list(Decoder().feed(bytes(frame))) == []  # the length grew: more is awaited


def test_a_length_over_the_limit_is_refused_before_the_payload() -> None:
    with pytest.raises(FrameError, match="claims 4294967295 bytes"):
        list(Decoder().feed(HEADER.pack(0xFFFFFFFF, 0)))
    with pytest.raises(FrameError, match="over the limit"):
        encode(bytes(MAX_PAYLOAD + 1))


def test_reading_takes_one_frame_and_not_a_byte_more() -> None:
    receiving, sending = os.pipe()
    write_frame(sending, b"first")
    write_frame(sending, b"second")
    os.close(sending)
    assert read_frame(receiving) == b"first"
    assert os.read(receiving, 100) == encode(b"second")
    assert read_frame(receiving) is None


def test_a_stream_that_ends_inside_a_frame_is_an_error() -> None:
    receiving, sending = os.pipe()
    os.write(sending, encode(b"payload")[:-1])
    os.close(sending)
    with pytest.raises(FrameError, match="ends inside"):
        read_frame(receiving)
