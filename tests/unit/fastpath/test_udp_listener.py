# SPDX-License-Identifier: Apache-2.0
"""The UDP listener."""

from __future__ import annotations

import socket
from pathlib import Path
from struct import pack
from typing import TYPE_CHECKING

import dns.flags
import dns.message
import pytest

from filterd.fastpath import udp_listener
from filterd.fastpath.core_filler import FastPath
from filterd.policy.model import Network, RateLimit
from tests.support import needs
from tests.support.newcomers import Newcomers
from tests.support.serving import GRADE_1, Serving, UdpStub, a_site
from tests.support.serving_fixtures import BY_THE_FAST_PATH
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.lists.index import Index
    from filterd.resolve.query import Peer, Query
    from tests.support.upstream import FakeUpstream

pytestmark = pytest.mark.usefixtures("served_by")

BLOCKED = a_query("porn.example")
IP_PKTINFO = 8


IPV4 = ("127.0.0.1", "127.0.0.2", "127.77.3.9")


@pytest.fixture(params=["uvloop", "asyncio"])
def everywhere(
    index: Index, upstream: FakeUpstream, request: pytest.FixtureRequest
) -> Iterator[Serving]:
    """Return a resolver that listens on all addresses."""
    site = a_site(index, [upstream])
    with Serving(
        site, listen=["0.0.0.0", *(["::"] if needs.has_ipv6() else [])], loop=request.param
    ) as serving:
        yield serving


@pytest.mark.parametrize("name", ["porn.example", "www.example.com"])
@pytest.mark.parametrize("asked", [*IPV4, pytest.param("::1", marks=needs.IPV6)])
def test_an_answer_leaves_from_the_address_that_was_asked(
    everywhere: Serving, asked: str, name: str
) -> None:
    source = "::1" if ":" in asked else GRADE_1
    everywhere.ask(name, source=source, server=asked)  # the stub accepts nothing else


def test_control_without_the_control_message_it_would_leave_from_another(
    everywhere: Serving,
) -> None:
    everywhere.udp[0]._socket.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 0)
    with everywhere.stub(server="127.0.0.2") as stub:
        stub.send(BLOCKED)
        assert stub.socket.recvfrom(4096)[1][0] != "127.0.0.2"


def test_a_broadcast_gets_silence(everywhere: Serving) -> None:
    with everywhere.stub(server="127.0.0.1") as stub:
        stub.socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        stub.socket.sendto(BLOCKED, ("127.255.255.255", everywhere.ports["0.0.0.0"]))
        good = a_query("porn.example", message_id=7)
        assert stub.ask(good)[:2] == good[:2]


@pytest.mark.parametrize("server", ["127.0.0.1", pytest.param("::1", marks=needs.IPV6)])
def test_a_network_is_known_by_its_interface(index: Index, server: str) -> None:
    staff = Network("office", "staff", interfaces=("lo",))
    with Serving(a_site(index, networks=[staff])) as serving:
        client = serving.sites.current.identifier.identify("127.0.1.1", socket.if_nametoindex("lo"))
        assert client is not None
        assert client.network == "office"
        source = "::1" if ":" in server else GRADE_1
        for by in ("udp", "tcp"):
            # What no upstream answers was let through; children would get NXDOMAIN.
            response = serving.ask("social.example", source=source, server=server, by=by)
            assert response.rcode() == dns.rcode.SERVFAIL


@pytest.mark.usefixtures("needs_low_ports")
@pytest.mark.parametrize("port", [7, 13, 19, 37])
def test_a_port_that_answers_anything_gets_silence(serving: Serving, port: int) -> None:
    with UdpStub("127.0.1.200", ("127.0.0.1", serving.ports["127.0.0.1"])) as stub:
        reflecting = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with reflecting:
            reflecting.bind(("127.0.1.200", port))
            reflecting.sendto(BLOCKED, ("127.0.0.1", serving.ports["127.0.0.1"]))
            stub.ask(BLOCKED)  # answered later, so the first has been dropped
            reflecting.setblocking(False)
            with pytest.raises(BlockingIOError):
                reflecting.recv(4096)


@pytest.mark.usefixtures("needs_namespaces")
def test_source_port_0_gets_silence(serving: Serving) -> None:
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
    with raw, serving.stub() as stub:
        raw.bind(("127.0.1.201", 0))
        header = pack("!HHHH", 0, serving.ports["127.0.0.1"], 8 + len(BLOCKED), 0)
        raw.sendto(header + BLOCKED, ("127.0.0.1", 0))
        stub.ask(BLOCKED)
        serving.eventually(lambda: serving.resolver.counters["blocked"] == 1)


SIZES = [
    (None, 512),
    (0, 512),
    (512, 512),
    (600, 600),
    (1232, 1232),
    (4096, 1232),
    (65535, 1232),
]
"""What the asker says that it can take (None: no EDNS), and the most that it gets."""


@pytest.mark.parametrize(("advertised", "limit"), SIZES)
@pytest.mark.parametrize("octets", [100, 700, 1300, 4000])
def test_what_does_not_fit_is_truncated_at_whole_rrsets_and_whole_by_tcp(
    serving: Serving, upstream: FakeUpstream, advertised: int | None, limit: int, octets: int
) -> None:
    texts = [f'big.example.com. 300 IN TXT "{n:04}{"x" * 46}"' for n in range(octets // 50)]
    upstream.respond = lambda query: _with_texts(query, texts)
    query = a_query("big.example.com", "TXT", edns=advertised is not None, udp_size=advertised or 0)
    with serving.stub() as stub, serving.tcp_stub() as tcp:
        short, whole = stub.ask(query), tcp.ask(query)
    response = dns.message.from_wire(short)
    assert len(short) <= limit
    assert bool(response.flags & dns.flags.TC) is (len(whole) > limit)
    assert len(response.answer) == (0 if response.flags & dns.flags.TC else 1)
    assert len(dns.message.from_wire(whole).answer[0]) == len(texts)


def _with_texts(query: dns.message.Message, texts: list[str]) -> dns.message.Message:
    response = dns.message.make_response(query)
    data = [line.split(None, 4)[4] for line in texts]
    name = query.question[0].name
    response.answer.append(dns.rrset.from_text_list(name, 300, "IN", "TXT", data))
    return response


def test_an_icmp_error_does_not_stop_the_listener(serving: Serving, upstream: FakeUpstream) -> None:
    upstream.released.clear()
    with serving.stub() as leaving:
        leaving.send(a_query("www.example.com"))
        upstream.wait_until_asked()
    upstream.released.set()  # the answer meets a closed port
    serving.eventually(lambda: not len(serving.stepper))
    assert serving.ask("www.example.com").answer


def test_a_burst_is_answered_whole(serving: Serving) -> None:
    with serving.stub() as stub:
        for number in range(100):
            stub.send(a_query("porn.example", message_id=number))
        answered = {int.from_bytes(stub.receive()[:2]) for _ in range(100)}
    assert answered == set(range(100))


def send_all(stub: UdpStub, messages: list[bytes]) -> None:
    for message in messages:
        stub.send(message)


def test_more_than_a_turn_s_worth_is_answered_whole(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = udp_listener.ANSWERED_A_TURN * 20
    may_ask = serving.resolver.may_ask
    with Newcomers(("127.0.0.1", serving.ports["127.0.0.1"]), BLOCKED, asked) as crowd:

        def more(peer: Peer) -> bool:
            crowd.come()
            return may_ask(peer)

        monkeypatch.setattr(serving.resolver, "may_ask", more)
        serving.run(lambda: serving._loop.add_reader(crowd.socket, crowd.hear))
        serving.run(crowd.begin)
        serving.eventually(lambda: crowd.heard == asked)
        serving.run(lambda: serving._loop.remove_reader(crowd.socket))
    assert serving.run(lambda: serving.udp[0].waiting) == 0


def test_a_client_over_the_rate_is_served_by_tcp(index: Index) -> None:
    with Serving(a_site(index), rate=RateLimit(1, 3)) as serving:
        answers = [serving.ask("porn.example") for _ in range(5)]
        assert [bool(answer.flags & dns.flags.TC) for answer in answers] == [False] * 3 + [True] * 2
        assert serving.ask("porn.example", by="tcp").rcode() == dns.rcode.NXDOMAIN
        assert serving.udp[0].counters["truncated_rate"] == 2


def test_without_a_limit_no_client_is_sent_to_tcp(serving: Serving) -> None:
    assert not any(serving.ask("porn.example").flags & dns.flags.TC for _ in range(20))


def test_a_listener_that_closes_answers_the_queries_it_has_taken_in(serving: Serving) -> None:
    asked = udp_listener.ANSWERED_A_TURN * 3
    with serving.stub() as stub:

        def ask_and_close() -> None:
            for _ in range(asked):
                stub.send(BLOCKED)
            listener = serving.udp[0]
            listener.datagrams.receive(serving.clock.monotonic())
            listener._serve()
            assert listener.waiting
            listener.close()

        serving.run(ask_and_close)
        assert all(stub.receive() for _ in range(asked))


def test_the_error_of_one_datagram_costs_no_other_s_answer(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    admit = serving.resolver.admit

    def broken(message: bytes, peer: Peer, fetched: None = None) -> Query | bytes | None:
        if message[:2] == b"\0\1":
            raise RuntimeError("a mistake of ours")
        return admit(message, peer, fetched)

    monkeypatch.setattr(serving.resolver, "admit", broken)
    with serving.stub() as stub:
        messages = [a_query("porn.example", message_id=one) for one in range(3)]
        serving.run(lambda: send_all(stub, messages))
        assert [stub.receive()[:2] for _ in range(2)] == [b"\0\0", b"\0\2"]
    assert "a mistake of ours" in serving.errors.take()[0]


@pytest.mark.parametrize("served_by", [BY_THE_FAST_PATH], indirect=True)
def test_a_fault_in_taking_in_delays_no_query_in_the_queue(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(FastPath, "keep_house", broken)
    asked = udp_listener.ANSWERED_A_TURN * 3
    with Serving(a_site(index), fast=True) as serving, serving.stub() as stub:
        serving.run(lambda: send_all(stub, [BLOCKED] * asked))
        assert all(stub.receive() for _ in range(asked))
        errors = serving.errors.take()
        assert errors
        assert all("a mistake of ours" in error for error in errors)


def test_what_the_kernel_had_no_room_for_is_counted(serving: Serving) -> None:
    listener = serving.udp[0]
    assert listener.receive_drops == 0

    def overflow() -> None:
        listener._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_304)
        with serving.stub() as stub:
            for _ in range(100):
                stub.send(BLOCKED)

    serving.run(overflow)
    assert 0 < listener.receive_drops < 100


def test_the_kernel_may_hold_a_lesson_bell(serving: Serving) -> None:
    held = serving.udp[0]._socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    allowed = int(Path("/proc/sys/net/core/rmem_max").read_text(encoding="ascii"))
    assert held >= 2 * min(udp_listener.BUFFER_OCTETS, allowed)


def test_a_listener_that_closes_still_sends_what_comes_late(
    serving: Serving, upstream: FakeUpstream
) -> None:
    upstream.released.clear()
    with serving.stub() as stub:
        stub.send(a_query("www.example.com"))
        upstream.wait_until_asked()
        serving.run(serving.udp[0].close)
        upstream.released.set()
        assert dns.message.from_wire(stub.receive()).answer
