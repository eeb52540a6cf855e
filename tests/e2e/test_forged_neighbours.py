# SPDX-License-Identifier: Apache-2.0
"""A pupil that forges ARP and NDP, on a real bridge, against a real daemon.

It claims addresses for the MACs of teachers, takes them back, asks meanwhile from all of them,
and reads every frame that the switch sends it. All its frames have its own MAC: a copied MAC is
what a switch must stop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.rcode
import pytest

from filterd import control
from filterd.base.clock import SystemClock
from filterd.monitor.alert_rules import active
from tests.e2e.forged_neighbours import Forger, mac_of
from tests.support.daemon import build_lists, write_site
from tests.support.gateway import (
    CLOSED,
    LAPTOP,
    Gateway,
    Site,
    ask,
    eventually,
    gateway,
    is_blocked,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.base.state_folder import StateFolder

pytestmark = pytest.mark.usefixtures("needs_namespaces")

SERVER, SERVER_IPV6 = "192.168.6.1", "fd00:6::1"
LAPTOP_AT = "192.168.6.30"
TRIES, ROUNDS, ROUND_S = 60, 4, 0.6
"""A claim stands for a round, then it is taken back: the table is looked at once a second."""
ABSENT = [f"02:00:5e:20:00:{n:02x}" for n in range(TRIES)]
"""Of teachers who are not there: a switch sends to all what is for them."""
SITE = Site(
    53,
    networks=f"""\
  three: {{cidrs: [192.168.6.0/24, 'fd00:6::/64'], grade: 3}}
  laptops: {{macs: {[LAPTOP, *ABSENT]}, grade: staff}}""",
)
_CLOCK = SystemClock()


@pytest.fixture(scope="module")
def around(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with gateway(tmp_path_factory.mktemp("gateway")) as made:
        yield made


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> StateFolder:
    config = write_site(tmp_path_factory.mktemp("site"), port=5353)
    return build_lists(config, tmp_path_factory.mktemp("state"))


@pytest.fixture
def forger(around: Gateway) -> Iterator[Forger]:
    with Forger(around.pupil, mac_of(around.gateway, "lan0")) as made:
        yield made


def _attack(forger: Forger, server: str) -> tuple[set[str], set[str]]:
    """Return the addresses for which the forger read an answer, and a teacher's answer."""
    ipv4 = server == SERVER
    mine = [f"192.168.6.{100 + n}" if ipv4 else f"fd00:6::1:{n:x}" for n in range(TRIES)]
    answered, leaked = set[str](), set[str]()
    for _ in range(ROUNDS):
        for address, mac in zip(mine, ABSENT, strict=True):
            forger.claim(address, mac, server)
        replies = forger.replies(ROUND_S)
        for address in mine:
            forger.ask(address, server, CLOSED)
        replies += forger.replies(ROUND_S)
        for address in mine:
            forger.claim(address, forger.own, server)
            forger.ask(address, server, CLOSED)
        replies += forger.replies(ROUND_S)
        answered |= {reply.to for reply in replies}
        leaked |= {reply.to for reply in replies if reply.message.rcode() == dns.rcode.NOERROR}
    return answered & set(mine), leaked & set(mine)


@pytest.mark.parametrize("server", [SERVER, SERVER_IPV6], ids=["arp", "ndp"])
def test_none_of_sixty_claims_gets_a_teacher_s_answer(
    around: Gateway, lists: StateFolder, forger: Forger, server: str
) -> None:
    with around.serving(lists, SITE):
        eventually(lambda: not is_blocked(around.laptop, server))
        answered, leaked = _attack(forger, server)
        assert leaked == set()
        assert answered, "a claim that is taken back is answered as any pupil is"
        assert not is_blocked(around.laptop, server)


@pytest.mark.parametrize("server", [SERVER, SERVER_IPV6], ids=["arp", "ndp"])
def test_control_a_table_that_is_believed_as_it_stands_gives_them(
    around: Gateway, lists: StateFolder, forger: Forger, server: str
) -> None:
    with around.serving(lists, SITE, module="tests.e2e.credulous"):
        eventually(lambda: not is_blocked(around.laptop, server))
        _, leaked = _attack(forger, server)
        assert len(leaked) > TRIES // 4


def test_addresses_claimed_for_a_teacher_leave_the_teacher_what_it_is(
    around: Gateway, lists: StateFolder, forger: Forger
) -> None:
    with around.serving(lists, SITE):
        eventually(lambda: not is_blocked(around.laptop, SERVER))
        claimed = [f"192.168.6.{200 + n}" for n in range(6)]
        for _ in range(ROUNDS):
            for address in claimed:
                forger.claim(address, LAPTOP, SERVER)
                forger.ask(address, SERVER, CLOSED)
            assert not any(
                reply.to in claimed and reply.message.rcode() == dns.rcode.NOERROR
                for reply in forger.replies(ROUND_S)
            )
            assert not is_blocked(around.laptop, SERVER)


def _gets(gateway: Gateway, rcode: dns.rcode.Rcode) -> bool:
    """Return whether the laptop gets such an answer; some go where the forger says."""
    answer = ask(gateway.laptop, SERVER, CLOSED, source=LAPTOP_AT, within_s=1)
    return answer is not None and answer.rcode() == rcode


@pytest.mark.long
def test_an_address_that_two_claim_is_the_strictest_s_an_alert_and_soon_what_it_was(
    around: Gateway, lists: StateFolder, forger: Forger
) -> None:
    with around.serving(lists, SITE) as served:
        eventually(lambda: _gets(around, dns.rcode.NOERROR))

        def told() -> str:
            forger.claim(LAPTOP_AT, forger.own, SERVER)
            status = control.ask(served.state.control_socket, "status")
            texts = [str(one.sentence) for one in active(status, _CLOCK.wall())]
            return "".join(text for text in texts if "claim one address" in text)

        eventually(lambda: bool(told()))
        assert {LAPTOP, forger.own} == set(told().partition(": ")[2].split(", "))
        around.laptop.ip("neigh flush dev eth0")  # so that the gateway hears of it again
        eventually(lambda: _gets(around, dns.rcode.NXDOMAIN))
        eventually(lambda: _gets(around, dns.rcode.NOERROR))  # within a minute
        status = control.ask(served.state.control_socket, "status")
        assert status["disputes"] == []
