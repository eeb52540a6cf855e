# SPDX-License-Identifier: Apache-2.0
"""How much one client may ask."""

from __future__ import annotations

import pytest

from filterd.policy.model import RateLimit
from filterd.server.limiter import Limiter
from tests.support.clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def _admitted(limiter: Limiter, address: str, times: int = 100) -> int:
    return sum(limiter.admits(address) for _ in range(times))


def test_a_client_may_ask_a_burst_at_once(clock: FakeClock) -> None:
    assert _admitted(Limiter(RateLimit(10, 20), clock), "192.0.2.1") == 20


def test_then_as_many_a_second_as_the_rate(clock: FakeClock) -> None:
    limiter = Limiter(RateLimit(10, 20), clock)
    _admitted(limiter, "192.0.2.1")
    clock.advance(1)
    assert _admitted(limiter, "192.0.2.1") == 10


def test_a_pause_gives_no_more_than_a_burst(clock: FakeClock) -> None:
    limiter = Limiter(RateLimit(10, 20), clock)
    _admitted(limiter, "192.0.2.1")
    clock.advance(3600)
    assert _admitted(limiter, "192.0.2.1") == 20


def test_one_client_does_not_use_up_another_s(clock: FakeClock) -> None:
    limiter = Limiter(RateLimit(10, 20), clock)
    _admitted(limiter, "192.0.2.1")
    assert limiter.admits("192.0.2.2")


def test_the_addresses_of_one_ipv6_network_are_one_client(clock: FakeClock) -> None:
    limiter = Limiter(RateLimit(10, 20), clock)
    _admitted(limiter, "2001:db8::1")
    assert not limiter.admits("2001:db8::2")
    assert limiter.admits("2001:db8:0:1::1")
