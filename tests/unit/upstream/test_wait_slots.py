# SPDX-License-Identifier: Apache-2.0
"""Places for waiting exchanges under load."""

from __future__ import annotations

import pytest

from filterd.upstream import wait_slots
from filterd.upstream.wait_slots import GIVES_WAY_AFTER_S, WaitSlots

GREEDY, HONEST = "192.0.2.1", "192.0.2.2"


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wait_slots, "MOST_PLACES", 8)
    monkeypatch.setattr(wait_slots, "MOST_AN_ASKER", 3)


def taken(*askers: str | None) -> WaitSlots[int]:
    given: WaitSlots[int] = WaitSlots()
    for number, asker in enumerate(askers):
        given.take(number, asker, float(number))
    return given


def test_where_there_is_room_nothing_is_in_the_way() -> None:
    assert taken(GREEDY, GREEDY).in_the_way(GREEDY) is None


def test_who_has_its_share_waits_for_its_own() -> None:
    given = taken(HONEST, GREEDY, GREEDY, GREEDY)
    assert given.in_the_way(GREEDY) == 1
    assert given.in_the_way(HONEST) is None


def test_where_all_places_are_taken_the_oldest_is_in_the_way() -> None:
    assert taken(*"abcdefgh").in_the_way(HONEST) == 0


def test_nobody_in_particular_has_no_share() -> None:
    assert taken(None, None, None, None).in_the_way(None) is None


@pytest.mark.parametrize(
    ("waited_s", "gives"), [(GIVES_WAY_AFTER_S - 0.01, False), (GIVES_WAY_AFTER_S, True)]
)
def test_what_waits_for_longer_than_an_answer_takes_gives_way(waited_s: float, gives: bool) -> None:
    assert taken(GREEDY).gives_way(0, waited_s) is gives


def test_what_another_waits_for_too_is_not_one_s_share() -> None:
    given = taken(GREEDY, GREEDY, GREEDY)
    given.share(0, GREEDY)
    assert given.in_the_way(GREEDY) == 0
    given.share(0, HONEST)
    assert given.in_the_way(GREEDY) is None
    assert len(given) == 3


def test_a_place_given_back_is_free_and_leaves_nothing_behind() -> None:
    given = taken(GREEDY, GREEDY, GREEDY, HONEST)
    given.share(2, HONEST)
    for number in (0, 1, 2, 3, 0):
        given.free(number)
    given.share(0, HONEST)
    assert (len(given), given._by_asker) == (0, {})
