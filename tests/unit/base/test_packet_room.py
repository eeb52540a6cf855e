# SPDX-License-Identifier: Apache-2.0
"""What fits one packet is measured in octets."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from filterd.base.packet_room import PACKET_OCTETS, ROWS_OCTETS, PacketRoom, json_octets

ROWS = st.lists(st.lists(st.text() | st.integers() | st.floats(allow_nan=False), max_size=5))


@given(ROWS)
def test_rows_take_as_much_as_they_do_in_a_message(rows: list[Any]) -> None:
    assert len(json.dumps(rows)) <= sum(map(json_octets, rows)) + 2


@given(st.lists(st.integers(0, 300)), st.integers(1, 1_000))
def test_a_room_takes_no_more_than_it_has(sizes: list[int], most: int) -> None:
    room = PacketRoom(most)
    taken = [size for size in sizes if room.takes(size)]
    assert sum(taken) + room.left == most
    assert all(size in taken or size > most - sum(taken) for size in sizes)


@given(st.dictionaries(st.integers(), st.integers(0, 300)), st.integers(1, 1_000))
def test_what_waits_is_taken_out_once_and_what_never_fits_is_lost(
    sizes: dict[int, int], most: int
) -> None:
    waiting, taken, lost = dict(sizes), list[int](), list[int]()
    while waiting:
        room = PacketRoom(most)
        found = list(room.take_out(waiting, 7, lambda _, size: size, lost.append))
        assert sum(size for _, size in found) <= most
        taken += [key for key, _ in found]
    assert taken == [key for key, size in sizes.items() if size <= most]
    assert lost == [size for size in sizes.values() if size > most]


def test_a_kernel_as_shipped_takes_such_a_packet_with_what_stands_around_the_rows() -> None:
    buffer = 2 * 212_992 - 32  # net.core.wmem_max as shipped; 32 octets are the kernel's own
    assert ROWS_OCTETS + 16_384 < PACKET_OCTETS < buffer / 2
