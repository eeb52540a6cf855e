# SPDX-License-Identifier: Apache-2.0
"""Few take a version first, and nobody waits for ever."""

from __future__ import annotations

from collections import Counter

from filterd.feed.rings import APART_S, LONGEST_S, may_take_at, ring_of

IDS = [b"appliance %d" % number for number in range(20_000)]


def test_one_in_a_hundred_is_first_and_nine_more_come_next() -> None:
    counted = Counter(ring_of(one, 7) for one in IDS)
    assert 150 < counted[0] < 250
    assert 1_650 < counted[1] < 1_950
    assert counted[2] == len(IDS) - counted[0] - counted[1]


def test_the_first_are_others_for_each_version() -> None:
    first = [{one for one in IDS if ring_of(one, version) == 0} for version in (7, 8)]
    assert len(first[0] & first[1]) < 20


def test_rings_are_twelve_hours_apart() -> None:
    at = sorted({may_take_at(one, 7, 1_000.0, None) for one in IDS})
    assert at == [1_000.0, 1_000.0 + 12 * 3_600, 1_000.0 + 24 * 3_600]


def test_an_appliance_is_in_the_same_ring_whenever_it_is_asked() -> None:
    assert ring_of(IDS[0], 7) == ring_of(IDS[0], 7)


def test_a_publisher_who_never_rests_keeps_nobody_waiting_for_ever() -> None:
    last = next(one for one in IDS if ring_of(one, 9) == 2)
    published_at, waiting_since = 10 * LONGEST_S, 10 * LONGEST_S - LONGEST_S
    assert may_take_at(last, 9, published_at, waiting_since) == published_at
    assert may_take_at(last, 9, published_at, published_at) == published_at + 2 * APART_S
