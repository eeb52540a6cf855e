# SPDX-License-Identifier: Apache-2.0
"""Small, untimed floods on real sockets; ``tests.bench.floods`` has large ones.

Questions that arrive while the loop is held are all there when it goes on, as in a
flood that is faster than any answer.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.rcode
import pytest

from filterd.fastpath._rate_limit import KNOWN_AFTER_S, Treatment
from filterd.policy.model import RateLimit
from tests.support.bell import ring
from tests.support.serving import GRADE_1, STAFF, WITHIN_S, Serving, a_site
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Callable

    from filterd.lists.index import Index
    from filterd.resolve.query import Fetched, Peer, Query
    from tests.support.serving import UdpStub
    from tests.support.upstream import FakeUpstream

pytestmark = pytest.mark.usefixtures("served_by", "patient")

TEACHER, FLOODER = STAFF, "127.0.9.66"
HONEST = [f"127.0.2.{number}" for number in range(1, 21)]
BLOCKED = a_query("porn.example")
LIMITED, UNLIMITED = RateLimit(50, 100), RateLimit(1_000_000, 1_000_000)
FLOOD = 350
"""Of these an ordinary kernel loses none before they are taken in."""


def flooding(stub: UdpStub) -> Callable[[], None]:
    def send() -> None:
        for _ in range(FLOOD):
            stub.send(BLOCKED)

    return send


def answered_before_the_honest(index: Index, rate: RateLimit) -> int:
    """Let one source flood and others ask behind it; return how much it got before the last."""
    with Serving(a_site(index), rate=rate) as serving, serving.stub(FLOODER) as flooder:
        stubs = [serving.stub(source) for source in HONEST]

        def come() -> None:
            flooding(flooder)()
            for stub in stubs:
                stub.send(BLOCKED)

        serving.run(come)
        for stub in stubs:
            with stub:
                answer = dns.message.from_wire(stub.receive())
                assert answer.rcode() == dns.rcode.NXDOMAIN
                assert not answer.flags & dns.flags.TC
        return serving.run(lambda: serving.resolver.counters["blocked"]) - len(HONEST)


def test_a_source_that_floods_takes_no_more_than_its_share(index: Index) -> None:
    assert answered_before_the_honest(index, LIMITED) == LIMITED.burst


def test_control_without_the_limit_the_others_wait_for_all_of_it(index: Index) -> None:
    assert answered_before_the_honest(index, UNLIMITED) == FLOOD


def test_a_known_client_does_not_even_wait_for_that_share(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        Serving(a_site(index), rate=LIMITED) as serving,
        serving.stub(GRADE_1) as known,
        serving.stub(FLOODER) as flooder,
    ):
        known.ask(BLOCKED)
        serving.clock.advance(KNOWN_AFTER_S)
        admit, order = serving.resolver.admit, list[str]()

        def admit_and_note(
            message: bytes, peer: Peer, fetched: Fetched | None = None
        ) -> Query | bytes | None:
            order.append(peer.address)
            return admit(message, peer, fetched)

        def come() -> None:
            flooding(flooder)()
            known.send(BLOCKED)

        monkeypatch.setattr(serving.resolver, "admit", admit_and_note)
        serving.run(come)
        known.receive()
        assert order[0] == GRADE_1


@pytest.mark.parametrize("rate", [LIMITED, UNLIMITED], ids=["limited", "without the limit"])
def test_a_forged_teacher_s_flood_sends_the_teacher_to_tcp_where_he_is_served(
    index: Index, rate: RateLimit
) -> None:
    with (
        Serving(a_site(index), rate=rate) as serving,
        serving.stub(TEACHER) as forger,
        serving.stub(TEACHER) as teacher,
    ):
        serving.run(flooding(forger))
        hint = dns.message.from_wire(teacher.ask(BLOCKED))
        assert bool(hint.flags & dns.flags.TC) is (rate is LIMITED)
        for _ in range(3):  # without a limit: a connection cannot be forged
            answer = serving.ask("porn.example", source=TEACHER, by="tcp")
            assert answer.rcode() == dns.rcode.NXDOMAIN
        assert (serving.udp[0].counters["truncated_rate"] > FLOOD / 2) is (rate is LIMITED)


def test_in_an_overload_newcomers_come_by_tcp_and_are_known_afterwards(index: Index) -> None:
    with Serving(a_site(index), rate=LIMITED) as serving, serving.stub(GRADE_1) as known:
        known.ask(BLOCKED)
        serving.clock.advance(KNOWN_AFTER_S)
        table, now = serving.limiter.table, serving.clock.monotonic()
        begun = serving.run(lambda: table.crowd(bytes([10, 0, 0, 1]), 0, now, lambda *_: True))
        assert begun == Treatment.HINT_OVERLOAD
        assert dns.message.from_wire(known.ask(BLOCKED)).rcode() == dns.rcode.NXDOMAIN
        newcomer = HONEST[0]
        assert serving.ask("porn.example", source=newcomer).flags & dns.flags.TC
        answer = serving.ask("porn.example", source=newcomer, by="tcp")
        assert answer.rcode() == dns.rcode.NXDOMAIN
        serving.limiter.prove(newcomer)
        assert not serving.ask("porn.example", source=newcomer).flags & dns.flags.TC


def rung(index: Index, upstream: FakeUpstream, rate: RateLimit) -> tuple[int, int]:
    """Let 100 clients ask for ten names at once; return the lost and the exchanges going on.

    One of the names is blocked, which asks no upstream.
    """
    names = [f"bell{number}.example.com" for number in range(9)]
    upstream.add(*(f"{name}. 300 IN A 198.18.0.7" for name in names))
    upstream.released.clear()
    lost: list[int] = []
    with Serving(a_site(index, [upstream]), rate=rate) as serving:
        server = ("127.0.0.1", serving.ports["127.0.0.1"])
        sources = [f"127.0.3.{number}" for number in range(1, 101)]

        def taken_in(count: int) -> None:
            serving.eventually(lambda: serving.udp[0].counters["received"] == count)

        def bell() -> None:
            more = [*names, "porn.example"]
            asked = ring(server, sources, more, 0, wait_s=WITHIN_S, taken_in=taken_in)
            lost.append(asked.lost)

        ringing = threading.Thread(target=bell)
        ringing.start()
        asked = len(sources) * (len(names) + 1)
        taken_in(asked)
        serving.eventually(lambda: not serving.udp[0].waiting)
        in_flight = serving.run(lambda: serving.forwarder.in_flight)
        upstream.released.set()
        ringing.join()
    return lost[0], in_flight


def test_a_lesson_bell_loses_no_query_and_goes_upstream_once_a_name(
    index: Index, upstream: FakeUpstream
) -> None:
    assert rung(index, upstream, RateLimit()) == (0, 9)


def test_control_a_bell_beyond_the_limit_would_lose_some(
    index: Index, upstream: FakeUpstream
) -> None:
    assert rung(index, upstream, RateLimit(1, 5)) == (500, 5)
