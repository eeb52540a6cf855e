# SPDX-License-Identifier: Apache-2.0
"""How much one client may ask, and which is served first; both twins pass the same tests."""

from __future__ import annotations

import random
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest

from filterd.fastpath import _rate_limit as reference
from filterd.fastpath import rate_limit as live
from filterd.fastpath.rate_limit import Limiter, Treatment
from filterd.policy.model import RateLimit
from tests.support.clock import FakeClock
from tests.support.twins import MODULES, both

if TYPE_CHECKING:
    from types import ModuleType

    from filterd.fastpath._rate_limit import SourceTable

KEY = bytes(range(16))
HONEST, FORGER = "192.0.2.1", "192.0.2.66"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=both("limiter"))
def module(request: pytest.FixtureRequest) -> ModuleType:
    twin: ModuleType = request.param
    return twin


class Asked:
    """A table of one twin, asked by text."""

    def __init__(
        self, module: ModuleType, rate: RateLimit | None = None, sets: int = reference.SETS
    ) -> None:
        rate = rate or RateLimit(10, 20)
        self.table: SourceTable = module.SourceTable(KEY, rate.queries_a_second, rate.burst, sets)
        self.now = 1_000.0
        self.may_ask = True
        self.checks = 0

    def permits(self, address: str, interface: int) -> bool:
        assert ip_address(address)
        assert interface >= 0
        self.checks += 1
        return self.may_ask

    def judge(self, address: str, interface: int = 1) -> Treatment:
        packed = ip_address(address).packed
        return Treatment(self.table.judge(packed, interface, self.now, self.permits))

    def crowd(self, address: str) -> Treatment:
        return Treatment(self.table.crowd(ip_address(address).packed, 1, self.now, self.permits))

    def served(self, address: str, times: int = 100) -> int:
        return sum(self.judge(address) <= Treatment.SERVE_LAST for _ in range(times))

    def introduce(self, *addresses: str) -> None:
        """Let sources ask and wait until they are known."""
        for address in addresses:
            assert self.judge(address) <= Treatment.SERVE_LAST
        self.now += reference.KNOWN_AFTER_S


@pytest.fixture
def asked(module: ModuleType) -> Asked:
    return Asked(module)


def forged(count: int) -> list[str]:
    rng = random.Random(count)
    return [
        f"10.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(256)}" for _ in range(count)
    ]


def test_a_client_may_ask_a_burst_at_once(asked: Asked) -> None:
    assert asked.served(HONEST) == 20


def test_over_the_rate_the_verdict_is_a_hint_and_never_a_ban(asked: Asked) -> None:
    asked.served(HONEST)
    assert {asked.judge(HONEST) for _ in range(1000)} == {Treatment.HINT_RATE}
    asked.now += 1
    assert asked.judge(HONEST) == Treatment.SERVE_LAST


def test_then_as_many_a_second_as_the_rate(asked: Asked) -> None:
    asked.served(HONEST)
    asked.now += 1
    assert asked.served(HONEST) == 10


def test_a_pause_gives_no_more_than_a_burst(asked: Asked) -> None:
    asked.served(HONEST)
    asked.now += 3600
    assert asked.served(HONEST) == 20


@pytest.mark.parametrize("back_s", [0.5, 1e3, 1e9, 1e300])
def test_a_time_that_goes_back_costs_no_client_its_answers(asked: Asked, back_s: float) -> None:
    """A batch has the time of its begin, and what came by TCP meanwhile a later one."""
    assert asked.judge(HONEST) == Treatment.SERVE_LAST
    asked.now -= back_s
    assert asked.judge(HONEST) == Treatment.SERVE_LAST
    assert asked.judge("192.0.2.9") == Treatment.SERVE_LAST
    asked.now += back_s
    assert [asked.judge(HONEST) for _ in range(18)] == [Treatment.SERVE_LAST] * 18
    assert asked.judge(HONEST) == Treatment.HINT_RATE


def test_another_limit_holds_at_once(asked: Asked) -> None:
    asked.table.configure(1, 2)
    assert asked.served(HONEST) == 2


def test_one_client_does_not_use_up_another_s(asked: Asked) -> None:
    asked.served(HONEST)
    assert asked.judge("192.0.2.2") == Treatment.SERVE_LAST


def test_devices_of_one_ipv6_network_have_limits_of_their_own(asked: Asked) -> None:
    assert asked.served("2001:db8::1") == 20
    assert asked.served("2001:db8::2") == 20


def test_the_newcomers_of_one_ipv6_network_share_a_limit(asked: Asked) -> None:
    addresses = [f"2001:db8::{n:x}" for n in range(1, 1001)]
    limit = 20 * reference.NETWORK_CLIENTS
    assert sum(asked.judge(address) == Treatment.SERVE_LAST for address in addresses) == limit
    assert asked.judge("2001:db8:0:1::1") == Treatment.SERVE_LAST


def test_a_known_client_does_not_share_it(asked: Asked) -> None:
    asked.introduce("2001:db8::ffff")
    for n in range(1, 1001):
        asked.judge(f"2001:db8::{n:x}")
    assert asked.judge("2001:db8::ffff") == Treatment.SERVE_FIRST


def test_a_link_local_address_means_something_only_with_its_interface(asked: Asked) -> None:
    assert sum(asked.judge("fe80::1", 2) == Treatment.SERVE_LAST for _ in range(100)) == 20
    assert asked.judge("fe80::1", 3) == Treatment.SERVE_LAST


def test_a_newcomer_is_known_some_seconds_later(asked: Asked) -> None:
    assert asked.judge(HONEST) == Treatment.SERVE_LAST
    asked.now += reference.KNOWN_AFTER_S - 0.1
    assert asked.judge(HONEST) == Treatment.SERVE_LAST
    asked.now += 0.1
    assert asked.judge(HONEST) == Treatment.SERVE_FIRST


def test_a_client_with_many_queries_goes_after_one_with_few(asked: Asked) -> None:
    asked.introduce(HONEST)
    verdicts = [asked.judge(HONEST) for _ in range(20)]
    assert verdicts == [Treatment.SERVE_FIRST] * 5 + [Treatment.SERVE_NEXT] * 15


def test_a_client_without_permission_is_denied_and_checked_again_soon(asked: Asked) -> None:
    asked.may_ask = False
    assert {asked.judge(HONEST) for _ in range(100)} == {Treatment.DENY}
    assert asked.checks == 1
    asked.may_ask = True
    asked.now += reference.DENIED_FOR_S
    assert asked.judge(HONEST) == Treatment.SERVE_LAST


def test_permission_by_one_interface_does_not_hold_for_another(asked: Asked) -> None:
    asked.judge(HONEST, 1)
    asked.may_ask = False
    assert asked.judge(HONEST, 2) == Treatment.DENY


def test_a_client_that_loses_permission_is_denied_soon(asked: Asked) -> None:
    asked.introduce(HONEST)
    asked.may_ask = False
    assert asked.judge(HONEST) == Treatment.DENY


def test_forged_sources_do_not_drive_out_known_clients(module: ModuleType) -> None:
    asked = Asked(module, sets=16)
    asked.introduce(HONEST)
    for address in forged(3_000):
        asked.judge(address)
        asked.now += 0.001
    assert len(asked.table) <= 16 * reference.WAYS
    assert asked.judge(HONEST) == Treatment.SERVE_FIRST


def test_control_without_its_standing_they_would(module: ModuleType) -> None:
    asked = Asked(module, sets=16)
    asked.judge(HONEST)  # a newcomer that has asked as little as each of them
    for address in forged(3_000):
        asked.judge(address)
        asked.now += 0.002
    assert asked.judge(HONEST) == Treatment.SERVE_LAST


def test_a_newcomer_that_goes_on_asking_stays_among_those_that_do_not(module: ModuleType) -> None:
    asked = Asked(module, sets=1)
    for address in forged(1_000):
        asked.judge(HONEST)
        asked.judge(address)
        asked.now += 0.1
    assert asked.judge(HONEST) <= Treatment.SERVE_NEXT


def test_an_overload_sends_newcomers_to_tcp_and_serves_the_known(asked: Asked) -> None:
    asked.introduce(HONEST)
    assert asked.crowd(FORGER) == Treatment.HINT_OVERLOAD
    assert asked.judge(FORGER) == Treatment.HINT_OVERLOAD
    assert asked.judge(HONEST) == Treatment.SERVE_FIRST


def test_beyond_what_can_be_hinted_there_is_silence(asked: Asked) -> None:
    asked.crowd(FORGER)
    verdicts = [asked.judge(one) for one in forged(10_000)]
    assert verdicts.count(Treatment.HINT_OVERLOAD) == reference.HINTS_AT_ONCE - 1
    assert set(verdicts) == {Treatment.HINT_OVERLOAD, Treatment.DROP_OVERLOAD}


def test_a_client_without_permission_gets_no_hint(asked: Asked) -> None:
    asked.may_ask = False
    assert asked.crowd(FORGER) == Treatment.DENY


def test_an_overload_forgets_the_clients_it_began_with(asked: Asked) -> None:
    flood = forged(1_000)
    asked.introduce(HONEST)
    for address in flood:
        asked.judge(address)
    asked.crowd(FORGER)
    assert len(asked.table) == 1
    asked.now += reference.KNOWN_AFTER_S
    assert {asked.judge(one) for one in flood} == {Treatment.SERVE_LAST}


def test_no_client_becomes_known_by_an_overload(asked: Asked) -> None:
    flood = forged(1_500)
    asked.crowd(FORGER)
    for _ in range(60):
        asked.now += 0.1
        for address in flood:
            asked.judge(address)
    assert asked.table.is_overloaded(asked.now)
    assert len(asked.table) == 0


def test_an_overload_ends_by_itself_when_few_newcomers_come(asked: Asked) -> None:
    asked.crowd(FORGER)
    asked.now += reference.OVERLOAD_LASTS_S
    assert not asked.table.is_overloaded(asked.now)
    assert asked.judge(FORGER) == Treatment.SERVE_LAST


def test_strangers_that_may_not_ask_are_an_overload_too_when_they_are_many(asked: Asked) -> None:
    asked.introduce(HONEST)
    asked.may_ask = False
    for address in forged(reference.NEWCOMERS_AT_ONCE + reference.HINTS_AT_ONCE + 1_000):
        asked.judge(address)
    assert asked.table.is_overloaded(asked.now)
    assert asked.checks <= 1 + reference.NEWCOMERS_AT_ONCE + reference.HINTS_AT_ONCE


def test_a_forger_of_an_address_cannot_use_up_its_questions_by_tcp(asked: Asked) -> None:
    asked.served(HONEST)
    packed = ip_address(HONEST).packed
    assert sum(asked.table.take_by_tcp(packed, 1, asked.now) for _ in range(100)) == 20


def test_a_client_that_has_come_by_tcp_is_known_even_in_an_overload(asked: Asked) -> None:
    asked.crowd(FORGER)
    asked.table.prove(ip_address(HONEST).packed, 1, asked.now)
    assert asked.judge(HONEST) == Treatment.SERVE_FIRST


def test_a_client_that_has_come_by_tcp_gets_a_place_among_the_known(module: ModuleType) -> None:
    asked = Asked(module, sets=1)
    asked.introduce(*(f"192.0.2.{n}" for n in range(1, 9)))
    for n in range(1, 9):
        asked.judge(f"192.0.2.{n}")
        asked.now += 0.01
    assert asked.judge(FORGER) == Treatment.HINT_OVERLOAD  # no place is left
    asked.table.prove(ip_address("192.0.2.9").packed, 1, asked.now)
    assert asked.judge("192.0.2.9") == Treatment.SERVE_FIRST
    assert asked.judge("192.0.2.8") == Treatment.SERVE_FIRST


def test_a_long_silent_client_gives_up_its_place(module: ModuleType) -> None:
    asked = Asked(module, sets=1)
    asked.introduce(*(f"192.0.2.{n}" for n in range(1, 9)))
    asked.now += reference.IDLE_AFTER_S
    assert asked.judge(FORGER) == Treatment.SERVE_LAST


def test_the_hash_is_siphash(module: ModuleType) -> None:
    words = 0x0706050403020100, 0x0F0E0D0C0B0A0908  # the vector of its authors' reference code
    assert module.siphash(*words, *words) == 0x3F2ACC7F57C29BDB


@pytest.mark.parametrize(("key", "sets"), [(b"short", 8), (KEY, 0), (KEY, 12)])
def test_a_table_without_a_key_or_with_odd_sets_is_refused(
    module: ModuleType, key: bytes, sets: int
) -> None:
    with pytest.raises(ValueError, match="16 octets"):
        module.SourceTable(key, 1, 1, sets)


def test_what_comes_by_tcp_is_limited_by_the_clock(clock: FakeClock) -> None:
    limiter = Limiter(RateLimit(10, 20), clock)
    assert sum(limiter.admits("192.0.2.1") for _ in range(100)) == 20
    clock.advance(1)
    assert sum(limiter.admits("192.0.2.1") for _ in range(100)) == 10
    limiter.configure(RateLimit(10, 1))
    clock.advance(1)
    assert sum(limiter.admits("192.0.2.1") for _ in range(100)) == 1


def test_an_address_proves_itself_with_or_without_its_scope(clock: FakeClock) -> None:
    limiter = Limiter(RateLimit(10, 20), clock)
    limiter.prove("fe80::1%lo", 1)
    packed = ip_address("fe80::1").packed
    assert limiter.table.judge(packed, 1, clock.monotonic(), lambda *_: True) == (
        Treatment.SERVE_FIRST
    )


def test_the_facade_states_whether_it_is_compiled() -> None:
    assert (live.SourceTable is MODULES["limiter"][-1].SourceTable) == live.NATIVE
    assert (len(MODULES["limiter"]) == 2) == live.NATIVE


def test_a_network_that_takes_its_clients_place_is_not_charged_for_the_client(
    module: ModuleType,
) -> None:
    asked = Asked(module, RateLimit(1, 1), sets=1)
    known = forged(reference.WAYS - 1)
    for address in known:
        asked.table.prove(ip_address(address).packed, 1, asked.now)
    assert asked.judge("2001:db8::1") == Treatment.SERVE_LAST
    asked.may_ask = False
    assert asked.judge(known[0]) == Treatment.DENY
    asked.may_ask = True
    assert asked.judge("2001:db8::2") == Treatment.SERVE_LAST
