# SPDX-License-Identifier: Apache-2.0
"""An entry holds what was put, and the times of its life."""

from __future__ import annotations

import gc
import tracemalloc
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.policy.model import UpstreamServer
from filterd.resolve import cache_entry
from filterd.resolve.cache_entry import CacheEntry, Failures
from filterd.upstream import Resolution, Route, UpstreamQuestion
from filterd.wire import Ede, EdeCode, RebuiltSections

_NUMBERS = st.integers(0, 2**31)
_SECTIONS = st.builds(
    RebuiltSections,
    st.binary(max_size=300),
    st.integers(0, 65_535),
    st.integers(0, 65_535),
    st.integers(0, 65_535),
    st.lists(st.integers(0, 65_535)).map(tuple),
    st.lists(_NUMBERS).map(tuple),
    st.integers(5, 259),
)
RESOLUTIONS = st.builds(
    Resolution,
    st.integers(0, 4_095),
    _SECTIONS,
    st.lists(st.binary(max_size=255), max_size=3).map(tuple),
    _NUMBERS,
    st.lists(st.builds(Ede, st.integers(0, 65_535), st.text(max_size=9)), max_size=3).map(tuple),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)


@given(RESOLUTIONS, st.floats(0, 1e9))
def test_an_entry_expires_with_its_ttl(resolution: Resolution, now: float) -> None:
    entry = CacheEntry(resolution, now, now)
    assert entry.expires_at == now + resolution.ttl_s
    assert (entry.hits, entry.refreshed) == (0, False)


@given(RESOLUTIONS)
def test_what_is_refreshed_once_is_not_refreshed_again(resolution: Resolution) -> None:
    entry = CacheEntry(resolution, 5.0, 65.0)
    assert entry.refresh_at <= entry.expires_at or resolution.ttl_s < 10
    entry.refreshed = True
    assert entry.refresh_at == inf


ROUTE, ELSEWHERE = Route(()), Route((UpstreamServer("192.0.2.9"),))
WHY = (Ede(22),)


def _key(name: str = "dead", route: Route = ROUTE) -> UpstreamQuestion:
    return UpstreamQuestion(name.encode(), 1, False, False, route)


DEAD, LIVE = _key("dead"), _key("live")


@pytest.fixture
def failures() -> Failures:
    return Failures(1_000_000)


def _held_for(failures: Failures, now: float, at_least_s: float = 0.0) -> int:
    """Return how many whole seconds from ``now`` on it holds."""
    return next(s for s in range(1_000) if not failures.holding(DEAD, now + s, at_least_s))


def test_what_never_failed_may_be_asked(failures: Failures) -> None:
    assert failures.holding(DEAD, 0.0) is None


def test_each_failure_holds_twice_as_long_as_the_last_up_to_a_minute(failures: Failures) -> None:
    now, held = 100.0, []
    for _ in range(7):
        failures.remember(DEAD, WHY, now, now)
        held.append(_held_for(failures, now))
        now += held[-1]
    assert held == [5, 10, 20, 40, 60, 60, 60]


def test_a_failure_after_a_long_calm_is_a_first_one(failures: Failures) -> None:
    for now, held in ((0, 5), (5, 10), (15 + 59, 20), (94 + 61, 5)):
        failures.remember(DEAD, WHY, now, now)
        assert _held_for(failures, now) == held


def test_what_many_waited_for_is_one_failure(failures: Failures) -> None:
    for began_at in (0.0, 0.5, 3.9, 4.0):
        failures.remember(DEAD, WHY, began_at, 4.0)
    assert _held_for(failures, 4.0) == 5


def test_it_has_its_reason(failures: Failures) -> None:
    failures.remember(DEAD, (Ede(6, "bogus"), *(Ede(n) for n in range(1_000))), 0.0, 1.0)
    failure = failures.holding(DEAD, 2.0)
    assert failure is not None
    assert failure.edes[0] == Ede(6, "bogus")
    assert len(failure.edes) == 4


def test_with_a_better_answer_at_hand_a_failure_is_held_longer(failures: Failures) -> None:
    failures.remember(DEAD, WHY, 0.0, 1.0)
    assert _held_for(failures, 1.0, at_least_s=30.0) == 30
    assert _held_for(failures, 1.0, at_least_s=2.0) == 5


def test_a_good_answer_ends_it(failures: Failures) -> None:
    failures.remember(DEAD, WHY, 0.0, 1.0)
    failures.forget(DEAD, 2.0)
    assert failures.holding(DEAD, 2.0) is None
    assert (len(failures), failures.used_octets) == (0, 0)
    failures.remember(DEAD, WHY, 3.0, 3.0)
    assert _held_for(failures, 3.0) == 5


def test_other_servers_may_know_better(failures: Failures) -> None:
    failures.remember(DEAD, WHY, 0.0, 1.0)
    assert failures.holding(_key("dead", ELSEWHERE), 1.0) is None


def test_what_failed_while_its_route_was_silent_ends_with_the_silence(failures: Failures) -> None:
    failures.remember(DEAD, WHY, 1.0, 5.0)
    failures.forget(_key("live", ELSEWHERE), 6.0)
    assert failures.holding(DEAD, 6.0) is not None
    failures.forget(LIVE, 6.0)
    assert failures.holding(DEAD, 6.0) is None


def test_what_failed_while_others_were_answered_is_dead_by_itself(failures: Failures) -> None:
    failures.forget(LIVE, 2.0)
    failures.remember(DEAD, WHY, 1.0, 5.0)
    failures.forget(LIVE, 6.0)
    assert failures.holding(DEAD, 6.0) is not None


def test_it_is_excused_once(failures: Failures) -> None:
    """Else a dead name would be asked for again with every answer to another one."""
    now, asked = 0.0, 0
    while now < 300.0:
        now += 1.0
        if failures.holding(DEAD, now) is None:
            asked += 1
            failures.remember(DEAD, WHY, now, now)
        failures.forget(LIVE, now + 0.5)
    assert asked <= 9


def test_a_route_is_silent_after_some_failures_and_until_its_next_answer(
    failures: Failures,
) -> None:
    for number in range(3):
        assert not failures.is_silent(ROUTE)
        for _ in range(5):  # who waited for the same exchange
            failures.remember(_key(str(number)), WHY, number, number + 0.5)
    assert failures.is_silent(ROUTE)
    assert not failures.is_silent(ELSEWHERE)
    failures.forget(LIVE, 9.0)
    assert not failures.is_silent(ROUTE)


def test_a_route_that_finds_names_bogus_is_not_silent(failures: Failures) -> None:
    """Else a client that asks for three such names would get old answers for all clients."""
    for number in range(9):
        failures.remember(_key(str(number)), (Ede(EdeCode.DNSSEC_BOGUS),), number, number + 0.5)
    assert not failures.is_silent(ROUTE)


def test_they_are_bounded_and_the_oldest_leaves_first() -> None:
    failures = Failures(10_000)
    for number in range(100):
        failures.remember(_key(str(number)), WHY, number, number)
        assert failures.used_octets <= 10_000
    assert failures.holding(_key("99"), 99.0) is not None
    assert failures.holding(_key("98"), 98.0) is not None
    assert failures.holding(_key("0"), 0.0) is None


def test_the_bound_holds_for_the_memory_that_is_really_taken() -> None:
    failures = Failures(500_000)
    gc.collect()
    tracemalloc.start()
    number = 0
    while number <= 3 * len(failures):
        edes = (Ede(22), Ede(0, "\U0001f600" * 50 + str(number)))
        failures.remember(_key(str(number).rjust(255)), edes, number, number)
        number += 1
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 500_000 / 4 < taken <= 500_000


def test_routes_that_reloads_leave_behind_are_bounded(failures: Failures) -> None:
    for port in range(1_000):
        failures.forget(_key("live", Route((UpstreamServer("192.0.2.1", port),))), 1.0)
    assert len(failures._routes) <= 64


def test_a_route_that_answers_in_the_moment_in_which_it_was_asked_was_not_silent(
    failures: Failures,
) -> None:
    """So a failure then is of the name itself: a later answer for another does not end it."""
    failures.forget(LIVE, 5.0)
    failures.remember(DEAD, WHY, 5.0, 6.0)
    failures.forget(LIVE, 7.0)
    assert failures.holding(DEAD, 7.0) is not None
    failures.remember(LIVE, WHY, 7.5, 8.0)
    failures.forget(_key("third"), 8.5)
    assert failures.holding(LIVE, 8.6) is None


def test_an_answer_counts_for_its_own_route(failures: Failures) -> None:
    for number in range(9):
        failures.remember(DEAD, WHY, float(number), number + 0.5)
    assert failures.is_silent(ROUTE)
    failures.forget(DEAD._replace(route=ELSEWHERE), 99.0)
    assert failures.is_silent(ROUTE)
    failures.forget(DEAD, 99.0)
    assert not failures.is_silent(ROUTE)


def test_an_answer_at_the_moment_of_a_failure_does_not_end_it(failures: Failures) -> None:
    failures.remember(DEAD, WHY, 1.0, 5.0)
    failures.forget(LIVE, 5.0)
    assert failures.holding(DEAD, 6.0) is not None


@pytest.mark.parametrize(
    ("edes", "is_silent"),
    [
        ((), True),
        ((Ede(EdeCode.NETWORK_ERROR),), True),
        ((Ede(EdeCode.DNSSEC_BOGUS), Ede(EdeCode.NETWORK_ERROR)), False),
    ],
)
def test_a_failure_that_is_of_the_name_says_nothing_of_its_route(
    failures: Failures, edes: tuple[Ede, ...], is_silent: bool
) -> None:
    for number in range(3):
        failures.remember(_key(str(number)), edes, number, number + 0.5)
    assert failures.is_silent(ROUTE) is is_silent


def test_the_calm_after_which_a_failure_is_a_first_one_is_a_minute(failures: Failures) -> None:
    for now, held in ((0, 5), (65, 10), (65 + 70.5, 5)):
        failures.remember(DEAD, WHY, now, now)
        assert _held_for(failures, now) == held


def test_a_second_failure_while_others_were_answered_is_of_the_name(failures: Failures) -> None:
    failures.remember(DEAD, WHY, 0.0, 1.0)
    failures.forget(LIVE, 2.0)
    failures.remember(DEAD, WHY, 1.5, 6.0)
    failures.forget(LIVE, 7.0)
    assert failures.holding(DEAD, 7.0) is not None


def test_an_answer_begins_the_count_of_its_route_anew(failures: Failures) -> None:
    failures.forget(LIVE, 0.0)
    for number in range(1, 3):
        failures.remember(_key(str(number)), WHY, number, number + 0.5)
    assert not failures.is_silent(ROUTE)
    failures.remember(_key("3"), WHY, 3.0, 3.5)
    assert failures.is_silent(ROUTE)


def test_a_failure_that_comes_again_takes_its_room_once() -> None:
    failures = Failures(1_000_000)
    failures.remember(DEAD, WHY, 0.0, 0.0)
    once = failures.used_octets
    failures.remember(LIVE, WHY, 0.0, 0.0)
    failures.remember(DEAD, WHY, 1.0, 1.0)
    assert failures.used_octets == 2 * once
    assert [*failures.by_question] == [LIVE, DEAD], "it is the newest"
    exact = Failures(once)
    exact.remember(DEAD, WHY, 0.0, 0.0)
    assert len(exact) == 1


def test_at_no_moment_are_there_more_routes_than_the_bound(failures: Failures) -> None:
    for port in range(200):
        failures.forget(_key("live", Route((UpstreamServer("192.0.2.1", port),))), 1.0)
        assert len(failures._routes) <= 64


def test_errors_that_are_of_a_name_are_those_of_dnssec_and_of_its_servers() -> None:
    """RFC 8914; Signature Expired before Valid is 25, Unsupported NSEC3 Iterations is 27."""
    assert {1, 2, 5, 6, 7, 8, 9, 10, 11, 12, 25, 27} == cache_entry._OF_THE_NAME
    assert (cache_entry._MOST_EDES, cache_entry._MOST_ROUTES) == (4, 64)
