# SPDX-License-Identifier: Apache-2.0
"""The bounded reader never passes its end, whoever asks."""

from __future__ import annotations

from struct import Struct

import pytest

from filterd.errors import TruncatedMessageError
from filterd.wire.cursor import Cursor


def test_take_reads_and_steps_over() -> None:
    cursor = Cursor(b"abcdef", 1)
    assert (cursor.take(2), cursor.take(3)) == (b"bc", b"def")
    assert cursor.at_end


def test_unpack_reads_integers_in_network_order() -> None:
    assert Cursor(b"\x01\x02\x03").unpack(Struct("!HB")) == (0x0102, 3)


@pytest.mark.parametrize("size", [4, 100, 70_000])
def test_reading_past_the_end_is_refused_and_moves_nothing(size: int) -> None:
    cursor = Cursor(b"abc")
    with pytest.raises(TruncatedMessageError):
        cursor.take(size)
    assert cursor.offset == 0


def test_a_narrowed_cursor_stops_where_rdata_ends() -> None:
    cursor = Cursor(b"abcdef", 1, 3)
    cursor.advance(2)
    with pytest.raises(TruncatedMessageError):
        cursor.advance(1)


def test_move_to_past_the_end_is_refused() -> None:
    with pytest.raises(TruncatedMessageError):
        Cursor(b"abcdef", 0, 3).move_to(4)


def test_the_error_says_where() -> None:
    with pytest.raises(TruncatedMessageError) as caught:
        Cursor(b"abcdef", 4).take(3)
    assert caught.value.offset == 4
