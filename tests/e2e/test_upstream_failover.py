# SPDX-License-Identifier: Apache-2.0
"""Several upstreams, some of them slow, silent, gone or useless."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import pytest

from filterd.policy.model import DelegatedZone, UpstreamServer
from filterd.upstream import DEADLINE_S, exchange, server_group, singleflight
from filterd.upstream.server_group import ServerHealth
from filterd.wire import EdeCode
from tests.support.policies import wire
from tests.support.serving import GRADE_1, GRADE_11, Serving, a_site
from tests.support.upstream import FakeUpstream
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from filterd.lists.index import Index

pytestmark = pytest.mark.usefixtures("patient")
NAME, ADDRESS = "www.example.com", "198.18.0.1"
BELL = 2_000
"""Clients that ask one name at once."""


@pytest.fixture
def second() -> Iterator[FakeUpstream]:
    with FakeUpstream() as running:
        running.add(f"{NAME}. 300 IN A {ADDRESS}")
        yield running


def take_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask no second server because the first is slow, as it may be on a loaded machine."""
    for name in ("FIRST_HEDGE_S", "LAST_HEDGE_S"):
        monkeypatch.setattr(server_group, name, 3_600.0)


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    take_time(monkeypatch)


@contextmanager
def silence() -> Iterator[UpstreamServer]:
    """A server that takes every question and answers none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        yield UpstreamServer("127.0.0.1", bound.getsockname()[1])


@contextmanager
def nobody() -> Iterator[UpstreamServer]:
    """A server whose port is closed to all, and which nothing else can get."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connected:
        connected.bind(("127.0.0.1", 0))
        connected.connect(("127.0.0.1", 9))
        yield UpstreamServer("127.0.0.1", connected.getsockname()[1])


def server(upstream: FakeUpstream, **more: Any) -> UpstreamServer:
    return UpstreamServer(upstream.address, upstream.port, **more)


def addresses(response: dns.message.Message) -> list[str]:
    return [rdata.address for rrset in response.answer for rdata in rrset]


def edes(response: dns.message.Message) -> list[int]:
    return [
        int(option.code) for option in response.options if isinstance(option, dns.edns.EDEOption)
    ]


def names(count: int) -> list[str]:
    return [f"n{n}.example.com" for n in range(count)]


def member(serving: Serving, at: int = 0) -> ServerHealth:
    def found() -> ServerHealth:
        (servers,) = serving.forwarder.groups().values()
        return servers.members[at]

    return serving.run(found)


def counted(serving: Serving, what: str) -> int:
    return serving.run(lambda: serving.forwarder.counters[what])


@pytest.mark.parametrize("rcode", ["SERVFAIL", "REFUSED", "FORMERR", "NOTIMP"])
def test_a_server_that_is_of_no_use_lets_the_next_speak(
    index: Index, upstream: FakeUpstream, second: FakeUpstream, rcode: str
) -> None:
    def useless(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        response.set_rcode(dns.rcode.from_text(rcode))
        return response

    upstream.respond = useless
    with Serving(a_site(index, [upstream, second])) as serving:
        assert addresses(serving.ask(NAME)) == [ADDRESS]


def _alias(owner: str, target: str) -> str:
    return f"{owner}. 300 IN CNAME {target}."


UNUSABLE = {
    "aliases in a circle": [_alias(NAME, "b.example.com"), _alias("b.example.com", NAME)],
    "an alias of itself": [_alias(NAME, NAME)],
    "aliases without an end": [
        _alias(NAME if n == 0 else f"n{n}.example", f"n{n + 1}.example") for n in range(13)
    ],
    "an address of five octets": [f"{NAME}. 300 IN A \\# 5 c612000102"],
    "an alias to half a name": [f"{NAME}. 300 IN CNAME \\# 3 056162"],
    "octets behind an alias": [f"{NAME}. 300 IN CNAME \\# 4 01610000"],
}
"""Answers of which nothing can be made, though each record of them has its place."""


def unusable(records: list[str]) -> Callable[[dns.message.Message], bytes]:
    """Return what gives these records, RDATA octet by octet."""

    def respond(query: dns.message.Message) -> bytes:
        header = query.to_wire()[:2] + b"\x81\x80\0\1" + len(records).to_bytes(2) + bytes(4)
        return header + a_query(NAME)[12:29] + b"\0\1\0\1" + b"".join(map(_octets, records))

    return respond


def _octets(record: str) -> bytes:
    owner, _, _, rtype, data = record.split(None, 4)
    rdata = bytes.fromhex(data.split()[2]) if data.startswith("\\#") else wire(data.rstrip("."))
    number = dns.rdatatype.from_text(rtype)
    fixed = number.to_bytes(2) + b"\0\1" + (300).to_bytes(4) + len(rdata).to_bytes(2)
    return wire(owner.rstrip(".")) + fixed + rdata


@pytest.mark.usefixtures("unhurried")
@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("what", UNUSABLE)
def test_an_answer_of_which_nothing_can_be_made_lets_the_next_speak(
    index: Index, upstream: FakeUpstream, second: FakeUpstream, what: str, fast: bool
) -> None:
    upstream.respond = unusable(UNUSABLE[what])
    with Serving(a_site(index, [upstream, second]), fast=fast) as serving:
        assert addresses(serving.ask(NAME)) == [ADDRESS]
        assert (len(upstream.asked), len(second.asked)) == (1, 1)


def test_so_does_one_that_does_not_parse_at_all(
    index: Index, upstream: FakeUpstream, second: FakeUpstream
) -> None:
    """It may be a forgery: its server is waited for, until the next one's turn has come."""
    whole = unusable([f"{NAME}. 300 IN A \\# 4 c6120001"])
    upstream.respond = lambda query: whole(query)[:-1]
    with Serving(a_site(index, [upstream, second])) as serving:
        assert addresses(serving.ask(NAME)) == [ADDRESS]


@pytest.mark.usefixtures("unhurried")
def test_so_does_one_that_comes_by_tcp(
    index: Index, upstream: FakeUpstream, second: FakeUpstream
) -> None:
    def truncated(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        response.flags |= dns.flags.TC
        return response

    upstream.respond = truncated
    upstream.respond_by_tcp = unusable(UNUSABLE["aliases in a circle"])
    with Serving(a_site(index, [upstream, second])) as serving:
        assert addresses(serving.ask(NAME)) == [ADDRESS]
        assert upstream.transports == {"udp": 1, "tcp": 1}


@pytest.mark.usefixtures("unhurried")
def test_control_without_asking_the_next_it_would_be_the_end(
    index: Index, upstream: FakeUpstream, second: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange.Exchange, "_keep", exchange.Exchange._finish)
    upstream.respond = unusable(UNUSABLE["aliases in a circle"])
    with Serving(a_site(index, [upstream, second])) as serving:
        assert serving.ask(NAME).rcode() == dns.rcode.SERVFAIL
        assert second.asked == []


@pytest.mark.usefixtures("unhurried")
def test_where_nothing_can_be_made_of_any_that_is_said_at_once(
    index: Index, upstream: FakeUpstream, second: FakeUpstream
) -> None:
    upstream.respond = second.respond = unusable(UNUSABLE["aliases in a circle"])
    with Serving(a_site(index, [upstream, second])) as serving:
        response = serving.ask(NAME)
    assert (response.rcode(), edes(response)) == (dns.rcode.SERVFAIL, [EdeCode.NETWORK_ERROR])


def test_a_silent_server_delays_three_questions_and_no_more(
    index: Index, second: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    with silence() as first, Serving(a_site(index, [first, second])) as serving:
        for name in names(3):
            serving.ask(name)
            serving.clock.advance(1)
        assert member(serving).down_until > serving.clock.monotonic()
        sent = counted(serving, "sent")
        take_time(monkeypatch)
        serving.ask("n3.example.com")
        assert counted(serving, "sent") == sent + 1


def test_control_if_failures_were_not_noted_each_would_wait(
    index: Index, second: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ServerHealth, "failed", lambda *_: None)
    with silence() as first, Serving(a_site(index, [first, second])) as serving:
        for name in names(4):
            serving.ask(name)
        assert counted(serving, "sent") == 8


def test_one_that_was_down_is_asked_again_when_it_is_back(
    index: Index, upstream: FakeUpstream, second: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    upstream.silent.set()
    with Serving(a_site(index, [upstream, second])) as serving:
        for name in names(3):
            serving.ask(name)
        upstream.wait_until_asked(asked := 3)
        upstream.silent.clear()
        take_time(monkeypatch)
        serving.ask("n3.example.com")
        assert len(upstream.asked) == asked
        serving.clock.advance(10)
        serving.ask("n4.example.com")
        serving.ask("n5.example.com")
        assert len(upstream.asked) == asked + 2
        assert counted(serving, "sent") == 9


def test_a_slow_server_is_given_twice_its_usual_time(
    index: Index, upstream: FakeUpstream, second: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_group, "FIRST_HEDGE_S", 0.0)
    upstream.released.clear()
    with Serving(a_site(index, [upstream, second])) as serving, serving.stub() as stub:
        serving.ask(NAME)  # nothing is known yet: the second is asked at once
        monkeypatch.setattr(server_group, "LAST_HEDGE_S", 3_600.0)
        member(serving).srtt_s = 60.0
        upstream.released.set()
        upstream.respond = dns.message.make_response
        before = len(second.asked)
        stub.ask(a_query("n1.example.com"))
        assert len(second.asked) == before


def test_the_next_is_asked_when_the_first_takes_too_long(
    index: Index, upstream: FakeUpstream, second: FakeUpstream
) -> None:
    upstream.released.clear()
    with Serving(a_site(index, [upstream, second])) as serving:
        assert addresses(serving.ask(NAME)) == [ADDRESS]
        upstream.wait_until_asked()
        assert (len(upstream.asked), len(second.asked)) == (1, 1)


def test_an_answer_that_comes_late_harms_nothing(
    index: Index, upstream: FakeUpstream, second: FakeUpstream
) -> None:
    upstream.released.clear()
    with Serving(a_site(index, [upstream, second])) as serving:
        assert addresses(serving.ask(NAME)) == [ADDRESS]
        upstream.released.set()
        serving.eventually(lambda: serving.forwarder.counters["unexpected"] == 1)
        assert counted(serving, "mismatched") == 0


@pytest.mark.usefixtures("unhurried")
def test_a_closed_port_is_passed_over_at_once(index: Index, second: FakeUpstream) -> None:
    with nobody() as first, Serving(a_site(index, [first, second])) as serving:
        assert addresses(serving.ask(NAME)) == [ADDRESS]
        assert counted(serving, "icmp") == 1


@pytest.mark.parametrize("count", [1, 2])
def test_silence_of_all_is_a_servfail_with_its_reason(
    index: Index, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    assert DEADLINE_S < 4
    monkeypatch.setattr(exchange, "DEADLINE_S", 0.3)
    with silence() as one, silence() as other:
        servers = (one, other)[:count]
        with Serving(a_site(index, servers)) as serving:
            response = serving.ask(NAME)
    assert (response.rcode(), edes(response)) == (
        dns.rcode.SERVFAIL,
        [EdeCode.NO_REACHABLE_AUTHORITY],
    )


@pytest.mark.parametrize("servers", [(), (UpstreamServer("255.255.255.255"),)])
def test_where_there_is_no_way_that_is_said_at_once(
    index: Index, servers: tuple[UpstreamServer, ...]
) -> None:
    with Serving(a_site(index, servers)) as serving:
        response = serving.ask(NAME)
    assert (response.rcode(), edes(response)) == (dns.rcode.SERVFAIL, [EdeCode.NETWORK_ERROR])


def test_a_lesson_bell_is_one_exchange(serving: Serving, upstream: FakeUpstream) -> None:
    upstream.released.clear()
    stubs = [serving.stub(f"127.0.{n % 12 + 1}.{n % 250 + 1}") for n in range(100)]
    for n in range(BELL):
        stubs[n % 100].send(a_query(NAME, message_id=n))
    serving.eventually(lambda: serving.forwarder.counters["shared"] == BELL - 1)
    upstream.released.set()
    for n in range(BELL):
        assert addresses(dns.message.from_wire(stubs[n % 100].receive())) == [ADDRESS]
    for stub in stubs:
        stub.socket.close()
    assert upstream.asked == [f"{NAME} A"]


def fill(serving: Serving, source: str, count: int) -> None:
    """Ask for names of a silent zone from one client, and read nothing."""
    with serving.stub(source) as stub:
        for n in range(count):
            stub.send(a_query(f"n{n}.hanging.example", message_id=n))
        serving.eventually(
            lambda: serving.forwarder.in_flight + serving.forwarder.counters["overload"] >= count
        )


def hanging(query: dns.message.Message) -> dns.message.Message | None:
    if "hanging" in query.question[0].name.to_text():
        return None
    response = dns.message.make_response(query)
    response.answer.append(dns.rrset.from_text(query.question[0].name, 300, "IN", "A", ADDRESS))
    return response


def test_one_client_s_silent_names_leave_room_for_everybody_else(
    serving: Serving, upstream: FakeUpstream
) -> None:
    upstream.respond = hanging
    fill(serving, GRADE_1, 1_500)
    assert addresses(serving.ask(NAME, source=GRADE_11)) == [ADDRESS]
    assert edes(serving.ask("n9999.hanging.example", source=GRADE_1)) == [EdeCode.NETWORK_ERROR]


def test_control_without_shares_they_would_not(
    serving: Serving, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(singleflight, "MOST_A_CLIENT", 10_000)
    upstream.respond = hanging
    fill(serving, GRADE_1, 1_500)
    assert serving.ask(NAME, source=GRADE_11).rcode() == dns.rcode.SERVFAIL


def test_where_several_clients_fill_all_places_what_hangs_longest_gives_way(
    index: Index, upstream: FakeUpstream
) -> None:
    upstream.respond = hanging
    with silence() as silent:
        zone = DelegatedZone(wire("silent.example"), (silent,))
        with Serving(a_site(index, [upstream], delegated_zones=[zone])) as serving:
            for n in range(4):
                with serving.stub(f"127.0.1.{n + 1}") as stub:
                    for number in range(250):
                        stub.send(a_query(f"n{number}.h{n}.silent.example", message_id=number))
            serving.eventually(lambda: serving.forwarder.in_flight == 1_000)
            assert serving.ask(NAME, source=GRADE_11).rcode() == dns.rcode.SERVFAIL
            serving.clock.advance(0.2)
            assert addresses(serving.ask("www.example.org", source=GRADE_11)) == [ADDRESS]
            assert counted(serving, "gave_way") == 1


def validated(query: dns.message.Message) -> dns.message.Message:
    response = dns.message.make_response(query)
    if query.flags & dns.flags.AD or query.ednsflags & dns.flags.DO:
        response.flags |= dns.flags.AD
    response.answer.append(dns.rrset.from_text(query.question[0].name, 300, "IN", "A", ADDRESS))
    return response


ASKERS = [({"do": True}, True), ({"ad": True}, True), ({}, False), ({"edns": False}, False)]


@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize(("flags", "understands"), ASKERS)
def test_the_validation_of_a_trusted_server_is_passed_on_to_clients_that_understand_it(
    index: Index, upstream: FakeUpstream, trusted: bool, flags: dict[str, Any], understands: bool
) -> None:
    upstream.respond = validated
    with Serving(a_site(index, [server(upstream, trusted=trusted)])) as serving:
        for _ in range(2):  # fresh and from the cache
            response = serving.ask(NAME, **flags)
            assert bool(response.flags & dns.flags.AD) is (trusted and understands)


@pytest.mark.parametrize("name", ["www.example.com", "WWW.eXaMpLe.com"])
def test_the_asker_s_letter_case_comes_back_whatever_was_sent_on(
    index: Index, upstream: FakeUpstream, name: str
) -> None:
    upstream.respond = validated
    with (
        Serving(a_site(index, [server(upstream, randomise_case=True)])) as serving,
        serving.stub() as stub,
    ):
        for qname in (name, name.swapcase()):  # fresh and from the cache
            query = a_query(qname)
            assert stub.ask(query)[12:33] == query[12:33]
    sent = {message[12:29] for message in upstream.raw}
    assert {one.lower() for one in sent} == {b"\3www\7example\3com\0"}


def test_a_server_that_does_not_keep_letter_case_is_asked_as_it_likes(
    index: Index, upstream: FakeUpstream
) -> None:
    def lowering(query: dns.message.Message) -> bytes:
        answer = validated(query).to_wire()
        end = answer.index(b"\0", 12)
        return answer[:12] + answer[12:end].lower() + answer[end:]

    upstream.respond = lowering
    with Serving(a_site(index, [server(upstream, randomise_case=True)])) as serving:
        assert [addresses(serving.ask(name)) for name in names(5)] == [[ADDRESS]] * 5
        assert counted(serving, "mismatched") == 3
    assert len(upstream.raw) == 8


def _edns_breaks(rcode: str) -> Callable[[dns.message.Message], dns.message.Message]:
    def respond(query: dns.message.Message) -> dns.message.Message:
        response = validated(query)
        if query.edns >= 0:
            response = dns.message.make_response(query)
            response.set_rcode(dns.rcode.from_text(rcode))
        return response

    return respond


@pytest.mark.parametrize("rcode", ["FORMERR", "NOTIMP"])
def test_a_server_without_edns_is_asked_without_and_tried_again_later(
    index: Index, upstream: FakeUpstream, rcode: str
) -> None:
    upstream.respond = _edns_breaks(rcode)
    with Serving(a_site(index, [upstream])) as serving:
        assert [addresses(serving.ask(name)) for name in names(3)] == [[ADDRESS]] * 3
        serving.clock.advance(900)
        assert addresses(serving.ask("n3.example.com")) == [ADDRESS]
    sent = [dns.message.from_wire(message).edns for message in upstream.raw]
    assert sent == [0, -1, -1, -1, 0, -1]


def change_upstreams(serving: Serving, to: FakeUpstream, *, ending: bool) -> None:
    """Put a site in force that asks another, as a worker does; without ``ending``, half of it."""

    def change() -> None:
        before = serving.sites.current
        serving.sites.current = site = a_site(before.index, [to])
        if ending:
            serving.forwarder.keep_to(site.routes)

    serving.run(change)


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("ending", [True, False])
def test_queries_that_wait_while_upstreams_change_get_the_new_answer_in_time(
    index: Index, second: FakeUpstream, monkeypatch: pytest.MonkeyPatch, *, ending: bool, fast: bool
) -> None:
    if not ending:  # the old ones are waited for
        monkeypatch.setattr(exchange, "DEADLINE_S", 1.0)
    with (
        silence() as dead,
        Serving(a_site(index, [dead]), listen=["127.0.0.1"], fast=fast) as serving,
        serving.stub() as stub,
        serving.stub(GRADE_11) as other,
    ):
        for one in (stub, other):
            one.ask(a_query("porn.example"))
            one.send(a_query(NAME))
        serving.eventually(lambda: serving.udp[0].counters["received"] == 4)
        monkeypatch.setattr("filterd.resolve.links.cache.DEADLINE_S", 3_600.0 if ending else 0.0)
        change_upstreams(serving, second, ending=ending)
        answers = [dns.message.from_wire(one.receive()) for one in (stub, other)]
        assert [bool(answer.answer) for answer in answers] == [ending] * 2
        assert second.asked == ([f"{NAME} A"] if ending else [])
        assert serving.ask(NAME).answer  # nothing is held against the new one
