# SPDX-License-Identifier: Apache-2.0
"""When the clock cannot be right, and who is asked about time servers then."""

from __future__ import annotations

from dataclasses import replace

import pytest

from filterd.lists.rules import Pin
from filterd.policy.model import ListenAddress, Tls, UpstreamServer
from filterd.resolve.clock_bootstrap import UnsetClock
from filterd.version import RELEASED_AT
from tests.support.policies import a_policy, wire

STRICT = UpstreamServer("192.0.2.1", 853, Tls.STRICT, "dns.example", trusted=True)
PLAIN = UpstreamServer("192.0.2.1")
OPPORTUNISTIC = UpstreamServer("192.0.2.2", 853, Tls.OPPORTUNISTIC)
POLICY = a_policy(
    pins=[
        Pin(wire("pool.ntp.example"), subtree=True, reason="time"),
        Pin(wire("time.example"), reason="time"),
        Pin(wire("exams.example"), subtree=True, reason="exams"),
    ]
)
YEAR_S = 366 * 86_400


def unset_clock(*upstreams: UpstreamServer, built_at: object = None) -> UnsetClock:
    return UnsetClock(POLICY, built_at, upstreams or (STRICT,))


def in_clear(name: str, now: float = 0.0) -> bool:
    route = unset_clock().route_of(wire(name), now)
    assert route is None or route.servers == (PLAIN,)
    return route is not None


@pytest.mark.parametrize("name", ["time.example", "pool.ntp.example", "2.vn.pool.ntp.example"])
def test_time_servers_are_asked_for_in_clear_until_the_clock_is_known(name: str) -> None:
    assert in_clear(name)
    assert in_clear(name, RELEASED_AT - 1)
    assert not in_clear(name, RELEASED_AT)


@pytest.mark.parametrize(
    "name", ["www.example", "a.time.example", "ntp.example", "exams.example", "example", "."]
)
def test_nothing_else_ever_is(name: str) -> None:
    assert not in_clear(name)


def test_only_who_must_prove_its_name_is_asked_otherwise() -> None:
    route = unset_clock(OPPORTUNISTIC, STRICT, PLAIN).route_of(wire("time.example"), 0.0)
    assert route is not None
    assert route.servers == (OPPORTUNISTIC, PLAIN)


def test_filterd_does_not_ask_itself_where_a_neighbour_does_the_tls() -> None:
    policy = replace(POLICY, listen=(ListenAddress("127.0.0.1"),))
    neighbour = UpstreamServer("127.0.0.1", 853, Tls.STRICT, "dns.example")
    route = UnsetClock(policy, None, (neighbour, STRICT)).route_of(wire("time.example"), 0.0)
    assert route is not None
    assert route.servers == (PLAIN,)


def test_where_nobody_must_prove_its_name_nothing_changes() -> None:
    assert unset_clock(PLAIN, OPPORTUNISTIC).route_of(wire("time.example"), 0.0) is None


def test_lists_that_were_compiled_since_the_release_tell_a_later_time() -> None:
    built_at = RELEASED_AT + YEAR_S
    clock = unset_clock(built_at=built_at)
    assert clock.floor == built_at


@pytest.mark.parametrize(
    "built_at",
    [None, "2026", 0, -1.0, RELEASED_AT - 1, RELEASED_AT + 20 * YEAR_S, float("nan"), float("inf")],
)
def test_what_cannot_be_when_they_were_compiled_is_passed_over(built_at: object) -> None:
    assert unset_clock(built_at=built_at).floor == RELEASED_AT
