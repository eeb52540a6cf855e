# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from filterd.daemon.policy_clock import PolicyClock
from filterd.daemon.shared_page import SharedPage
from filterd.policy.unknown_time import UNKNOWN_LEAD_S, is_known
from tests.support.clock import FakeClock


def test_where_nobody_keeps_the_time_it_shows_the_machines() -> None:
    clock = FakeClock()
    policy = PolicyClock(clock, SharedPage())
    clock.set_wall(3600.0)
    assert policy.wall() == policy.least() == clock.wall()


def test_a_clock_that_is_set_moves_it_only_with_the_page() -> None:
    clock, page = FakeClock(), SharedPage()
    policy, before = PolicyClock(clock, page), clock.wall()
    page.lead_s = before - clock.monotonic()
    clock.set_wall(3600.0)
    assert policy.wall() == before
    page.lead_s += 60.0
    assert policy.wall() == before + 60.0


def test_of_an_unknown_time_the_floor_is_certain() -> None:
    clock, page = FakeClock(), SharedPage()
    page.lead_s, page.floor = UNKNOWN_LEAD_S, 1_764_000_000.0
    policy = PolicyClock(clock, page)
    assert not is_known(policy.wall())
    assert policy.least() == page.floor
