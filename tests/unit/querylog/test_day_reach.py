# SPDX-License-Identifier: Apache-2.0
"""The devices of a day are counted up to a bound, by tier and grade."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from filterd.base.packet_room import PacketRoom
from filterd.querylog import day_reach
from filterd.querylog.counts import MOST_DEVICES
from filterd.querylog.day_reach import DayReach, ReachRow, distinct

if TYPE_CHECKING:
    import pytest

DAY = "2026-11-28"


def added(*cells: tuple[str, str, str, set[int]], most: int = 5) -> list[ReachRow]:
    reach = DayReach()
    for cell in cells:
        reach.add(DAY, [(*cell[:3], "", cell[3])], most)
    return list(reach.take(1_000, PacketRoom()))


def test_a_device_that_is_known_by_both_address_and_mac_counts_once() -> None:
    assert distinct({2, 3}) == 1
    assert distinct({2, 4, 3}) == 2


def test_devices_of_two_grades_are_of_one_tier() -> None:
    rows = added(("6", "games", "blocked", {3, 5}), ("7", "games", "blocked", {5, 7}))
    assert {(row.scope, row.id, row.devices) for row in rows} == {
        ("tier", "lower-secondary", 3),
        ("grade", "6", 2),
        ("grade", "7", 2),
    }


def test_rows_beyond_the_bound_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(day_reach, "MOST_KEPT", 4)
    assert len(added(*(("6", str(n), "pass", {3}) for n in range(9)))) == 4


MACS = st.sets(st.integers(1, 40).map(lambda one: 2 * one + 1))


@given(st.lists(MACS, max_size=6), st.integers(5, 8))
def test_of_sets_that_are_capped_the_number_up_to_k_is_exact(sets: list[set[int]], k: int) -> None:
    capped = [set(sorted(one)[:MOST_DEVICES]) for one in sets]
    rows = added(*(("6", "", "pass", one) for one in capped), most=k)
    known = max((row.devices for row in rows), default=0)
    assert known == min(k, len(set().union(*sets)))


def test_rows_that_have_no_room_come_with_the_next_batch() -> None:
    reach = DayReach()
    reach.add(DAY, [("6", str(number), "pass", "", {3}) for number in range(50)], 5)
    found = list[ReachRow]()
    while reach:
        rows = list(reach.take(1_000, PacketRoom(500)))
        assert 0 < len(rows) < 10
        found += rows
    assert len({(row.scope, row.category) for row in found}) == len(found) == 100
