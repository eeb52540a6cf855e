# SPDX-License-Identifier: Apache-2.0
"""The feed under clocks that are wrong, jump, or exceed 32 bits.

Whatever the clock shows, whole lists block every must-block name. Expiry is judged only
by a plausible clock; an expired feed leaves its last good lists in force for ever; and
once the clock is right again, the next run leads to the published version.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import ExpiredError
from filterd.base.state_folder import SHIPPED
from filterd.feed.schedule import LISTS, ring_of
from filterd.feed.standing import Freshness, freshness
from filterd.feed.sync import Became
from filterd.version import RELEASED_AT
from tests.support.clock import FakeClock
from tests.support.feed_site import FIRST, SECOND, Follower, Published, judged_at_once
from tests.support.publisher import DAY_S, NOW

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.long

HOUR_S, YEAR_S = 3_600.0, 366 * DAY_S
NOTHING = SHIPPED
SIGNED_OFF_AT = float(2**31)
"""The second that 32 bits do not hold any more, in January 2038."""

UNSET = {
    "1970": 0.0,
    "a day before the release": RELEASED_AT - DAY_S,
    "before 1970": -DAY_S,
}
"""Clocks that cannot be right."""
AHEAD = {
    "two years ahead": NOW + 2 * YEAR_S,
    "2038": SIGNED_OFF_AT - 1,
    "after 2038": SIGNED_OFF_AT + 1,
    "twenty years ahead": NOW + 20 * YEAR_S,
}
"""Clocks that could be right, for all that an appliance knows."""


@pytest.fixture(scope="module", autouse=True)
def _no_waiting_for_the_disk() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    made = Published(tmp_path_factory.mktemp("published"))
    with judged_at_once(made):
        yield made


@pytest.fixture
def fresh(tmp_path: Path, published: Published) -> Follower:
    """A site that has never run, and whose clock is right."""
    site = Follower(tmp_path / "fresh", published)
    site.found()
    return site


@pytest.fixture
def established(fresh: Follower) -> Follower:
    """A site that has run once."""
    fresh.run(FIRST)
    return fresh


def shown_freshness(site: Follower) -> Freshness:
    return freshness(site.site.standing.read(), site.clock.wall(), site.site.floor.read())


def set_clock(site: Follower, wall: float) -> None:
    site.clock.set_wall(wall - site.clock.wall())


@pytest.mark.parametrize("clock", UNSET)
def test_a_fresh_site_whose_clock_is_not_set_takes_what_is_signed(
    fresh: Follower, clock: str
) -> None:
    set_clock(fresh, UNSET[clock])
    assert fresh.run(FIRST).became is Became.ACTIVATED
    assert fresh.check_consistent(FIRST) == FIRST
    assert shown_freshness(fresh) is Freshness.UNKNOWN
    assert fresh.site.floor.read() == RELEASED_AT
    set_clock(fresh, NOW)
    fresh.check_taken(SECOND)
    assert shown_freshness(fresh) is Freshness.FRESH
    assert fresh.site.floor.read() == NOW


@pytest.mark.parametrize("clock", AHEAD)
def test_a_fresh_site_whose_clock_is_ahead_keeps_what_ships_and_does_not_believe_the_clock(
    fresh: Follower, clock: str
) -> None:
    set_clock(fresh, AHEAD[clock])
    with pytest.raises(ExpiredError, match="check the clock"):
        fresh.run(FIRST)
    assert fresh.check_consistent(NOTHING) == NOTHING
    assert fresh.site.floor.read() == RELEASED_AT
    set_clock(fresh, NOW)
    fresh.check_taken(FIRST)


@pytest.mark.parametrize("clock", UNSET)
def test_a_site_that_forgets_the_time_goes_on(established: Follower, clock: str) -> None:
    set_clock(established, UNSET[clock])
    assert established.run(SECOND).became is Became.ACTIVATED
    assert established.check_consistent(SECOND) == SECOND
    assert shown_freshness(established) is Freshness.UNKNOWN
    assert established.site.floor.read() == NOW
    set_clock(established, NOW + HOUR_S)
    established.check_taken(SECOND)
    assert shown_freshness(established) is Freshness.FRESH


@pytest.mark.parametrize("clock", AHEAD)
def test_a_site_whose_clock_runs_ahead_keeps_its_lists_and_comes_back(
    established: Follower, clock: str
) -> None:
    set_clock(established, AHEAD[clock])
    with pytest.raises(ExpiredError):
        established.run(SECOND)
    assert established.check_consistent(FIRST) == FIRST
    assert shown_freshness(established) is Freshness.VERY_OLD
    assert established.site.floor.read() == NOW
    set_clock(established, NOW)
    established.check_taken(SECOND)
    assert shown_freshness(established) is Freshness.FRESH


@pytest.mark.parametrize("jump", [HOUR_S, -HOUR_S, YEAR_S, -YEAR_S])
@pytest.mark.parametrize("at_once", [True, False])
def test_a_jump_between_two_runs_keeps_nothing_from_coming(
    established: Follower, jump: float, at_once: bool
) -> None:
    established.clock.set_wall(jump)
    if jump == YEAR_S:
        with pytest.raises(ExpiredError):
            established.run(SECOND, at_once=at_once)
    else:
        established.run(SECOND, at_once=at_once)
    established.check_consistent(FIRST, SECOND)
    established.clock.set_wall(-jump)
    established.clock.advance(LISTS.longest_wait_s)
    established.run(SECOND, at_once=at_once)
    assert established.check_consistent(SECOND) == SECOND


@pytest.mark.parametrize("clock", [*UNSET.values(), NOW - HOUR_S, NOW - YEAR_S])
def test_a_clock_that_stays_behind_delays_runs_by_two_days_at_most(
    established: Follower, clock: float
) -> None:
    set_clock(established, clock)
    while not ring_of(established.site.appliance.appliance_id(), SECOND):
        established.site.appliance.id_path.unlink()
    waits = established.run(SECOND, at_once=False)
    assert waits.became is Became.WAITS
    assert waits.at <= clock + LISTS.longest_wait_s
    established.clock.advance(LISTS.longest_wait_s)
    assert established.run(SECOND, at_once=False).became is Became.ACTIVATED


def test_an_expired_feed_keeps_its_last_good_lists_for_ever_and_gets_louder(
    established: Follower,
) -> None:
    expired_on, seen = list[int](), list[Freshness]()
    for day in (*range(1, 40), *range(50, 1_000, 50)):
        set_clock(established, NOW + day * DAY_S)
        try:
            established.run(FIRST)
        except ExpiredError:
            expired_on.append(day)
            seen.append(shown_freshness(established))
        else:
            assert not seen, "what had expired came back"
    assert established.check_consistent(FIRST) == FIRST
    # For thirty days the last word of the publisher held, and was verified anew each night.
    assert expired_on[0] == 30
    assert seen[0] is Freshness.OLD
    assert seen[-1] is Freshness.VERY_OLD


def test_a_feed_that_is_not_reached_is_old_after_a_week_and_very_old_after_a_month(
    established: Follower,
) -> None:
    days = dict[int, Freshness]()
    for day in range(1, 400):
        established.clock.advance(DAY_S)
        days[day] = shown_freshness(established)
    assert {days[day] for day in range(1, 7)} == {Freshness.FRESH}
    assert {days[day] for day in range(7, 30)} == {Freshness.OLD}
    assert {days[day] for day in range(30, 400)} == {Freshness.VERY_OLD}
    assert established.check_consistent(FIRST) == FIRST


@pytest.mark.parametrize("then", [NOW + 3 * YEAR_S, SIGNED_OFF_AT - DAY_S, SIGNED_OFF_AT + DAY_S])
def test_a_time_at_which_something_was_signed_is_believed_however_far_it_is(
    tmp_path: Path, then: float
) -> None:
    published = Published(tmp_path / "published", now=then)
    site = Follower(tmp_path / "site", published, FakeClock(then))
    site.found()
    with judged_at_once(published):
        site.run(FIRST)
        assert site.check_consistent(FIRST) == FIRST
        assert shown_freshness(site) is Freshness.FRESH
        assert site.site.floor.read() == then
        set_clock(site, then - YEAR_S)
        assert shown_freshness(site) is Freshness.UNKNOWN
        site.check_taken(SECOND)


def test_control_a_clock_that_is_believed_at_once_lets_nothing_come_any_more(
    fresh: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("filterd.feed.signed.tuf_refresh._floor", lambda *_: 0.0)
    set_clock(fresh, 40 * YEAR_S)  # a board from 2010, by its clock
    fresh.run(FIRST)
    set_clock(fresh, NOW + 20 * YEAR_S)
    with pytest.raises(ExpiredError):
        fresh.run(SECOND)
    monkeypatch.setattr("filterd.feed.appliance_files._FARTHEST_S", 100 * YEAR_S)
    fresh.site.floor.note(fresh.clock.wall())
    set_clock(fresh, NOW)
    fresh.run(SECOND)
    assert shown_freshness(fresh) is Freshness.UNKNOWN
