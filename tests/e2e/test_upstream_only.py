# SPDX-License-Identifier: Apache-2.0
"""filterd stays a forwarder: it asks only its upstreams, and only questions."""

from __future__ import annotations

import random
import socket
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest

from filterd.policy.model import DelegatedZone, UpstreamServer
from filterd.upstream import forwarder, singleflight, transport_set
from filterd.upstream.socket_pool import SocketPool
from tests.support.policies import wire
from tests.support.serving import Serving, a_site
from tests.support.upstream import FakeUpstream
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.lists.index import Index

DECOYS = ["127.66.0.1", "127.66.0.2", "127.66.0.3"]
"""Addresses in the upstreams' answers; filterd must not ask them."""

_WATCHED = {"socket.connect", "socket.sendto", "socket.sendmsg"}
_watching: list[Watch] = []


class Watch:
    """Notes the targets of a thread's sockets in Python; uvloop's own are not seen."""

    def __init__(self, thread: int | None) -> None:
        self.thread = thread
        self.destinations: set[tuple[str, int]] = set()


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in _WATCHED or not _watching:
        return
    destination = arguments[1]
    if _watching[0].thread == threading.get_ident() and isinstance(destination, tuple):
        _watching[0].destinations.add(destination[:2])


sys.addaudithook(_audit)


@contextmanager
def watching(serving: Serving) -> Iterator[Watch]:
    _watching.append(Watch(serving._thread.ident))
    try:
        yield _watching[0]
    finally:
        _watching.clear()


def leading_astray(query: dns.message.Message) -> dns.message.Message:
    """Answer in every way that would lead a resolver elsewhere."""
    response = dns.message.make_response(query)
    name = query.question[0].name
    kind = name.labels[0][:1]
    ns = [dns.rrset.from_text("example.com.", 300, "IN", "NS", "ns.decoy.example.")]
    glue = [dns.rrset.from_text("ns.decoy.example.", 300, "IN", "A", one) for one in DECOYS]
    match kind:
        case b"r":  # a referral
            response.authority, response.additional = ns, glue
        case b"c":  # an alias that it does not follow
            response.answer.append(
                dns.rrset.from_text(name, 300, "IN", "CNAME", "www.decoy.example.")
            )
            response.authority, response.additional = ns, glue
        case b"t":
            response.flags |= dns.flags.TC
        case b"s":
            response.set_rcode(dns.rcode.SERVFAIL)
            response.authority, response.additional = ns, glue
        case b"l":
            response.answer += [
                dns.rrset.from_text(name, 0, "IN", "NS", "ns.decoy.example."),
                dns.rrset.from_text(name, 0, "IN", "A", DECOYS[0]),
            ]
    return response


def by_tcp(query: dns.message.Message) -> dns.message.Message:
    response = dns.message.make_response(query)
    response.answer.append(dns.rrset.from_text(query.question[0].name, 300, "IN", "A", DECOYS[1]))
    return response


def messages() -> Iterator[bytes]:
    """Yield what clients send: all kinds of questions, and mutants of them."""
    chosen = random.Random(7)
    types = ["A", "AAAA", "NS", "SOA", "DS", "DNSKEY", "HTTPS", "TXT", "ANY", "AXFR", "IXFR"]
    for kind in "rctslx":
        for rtype in types:
            yield a_query(f"{kind}{chosen.randrange(10**6)}.example.com", rtype)
    yield a_query("version.bind", "TXT", qclass="CH")
    yield a_query("dc.school.internal", "SRV")
    for opcode in range(16):
        query = bytearray(a_query(f"x{opcode}.example.com"))
        query[2] = query[2] & 0x87 | opcode << 3
        yield bytes(query)
    for n in range(400):
        mutant = bytearray(a_query(f"{'rctsl'[n % 5]}{n}.example.com", chosen.choice(types)))
        for _ in range(chosen.randrange(1, 4)):
            mutant[chosen.randrange(2, len(mutant))] = chosen.randrange(256)
        yield bytes(mutant)


def ask_everything(serving: Serving) -> set[tuple[str, int]]:
    """Send all messages and wait until nothing is in flight; return the clients' addresses."""
    with serving.stub() as stub, serving.stub() as last:
        for message in messages():
            stub.send(message)
        last.ask(a_query("localhost"))  # all before it have been taken
        serving.eventually(lambda: serving.forwarder.in_flight == 0)
        return {one.socket.getsockname() for one in (stub, last)}


@pytest.fixture
def second() -> Iterator[FakeUpstream]:
    with FakeUpstream(respond=leading_astray, respond_by_tcp=by_tcp) as running:
        yield running


@pytest.fixture
def controller() -> Iterator[FakeUpstream]:
    with FakeUpstream() as running:
        yield running


def site_of(index: Index, upstream: FakeUpstream, *more: FakeUpstream) -> Any:
    upstream.respond, upstream.respond_by_tcp = leading_astray, by_tcp
    controller = more[1]
    zone = DelegatedZone(
        wire("school.internal"), (UpstreamServer(controller.address, controller.port),)
    )
    return a_site(index, [upstream, more[0]], delegated_zones=[zone])


def test_queries_are_sent_only_to_the_configured_servers(
    index: Index, upstream: FakeUpstream, second: FakeUpstream, controller: FakeUpstream
) -> None:
    site = site_of(index, upstream, second, controller)
    with Serving(site, loop="asyncio") as serving, watching(serving) as watch:
        clients = ask_everything(serving)
    servers = {(one.address, one.port) for one in (upstream, second, controller)}
    assert watch.destinations - clients <= servers
    assert upstream.transports["tcp"]  # the watched run had all of it
    assert controller.asked == ["dc.school.internal SRV"]
    assert {one.partition(" ")[0] for one in second.asked if "school" in one} == set()


def test_control_a_packet_elsewhere_would_be_seen(
    index: Index,
    upstream: FakeUpstream,
    second: FakeUpstream,
    controller: FakeUpstream,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Straying(SocketPool):
        def ask(self, *arguments: Any, **more: Any) -> Any:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stray:
                stray.sendto(b"", (DECOYS[0], 53))
            return super().ask(*arguments, **more)

    monkeypatch.setattr(transport_set, "SocketPool", Straying)
    monkeypatch.setattr(forwarder, "Flights", singleflight.Flights)  # the native go past it
    site = site_of(index, upstream, second, controller)
    with Serving(site, loop="asyncio") as serving, watching(serving) as watch:
        serving.ask("www.example.com")
    assert (DECOYS[0], 53) in watch.destinations


def test_what_is_asked_upstream_is_a_question_and_nothing_else(
    index: Index, upstream: FakeUpstream, second: FakeUpstream, controller: FakeUpstream
) -> None:
    with Serving(site_of(index, upstream, second, controller)) as serving:
        ask_everything(serving)
    asked = [dns.message.from_wire(one) for one in (*upstream.raw, *second.raw, *controller.raw)]
    assert len(asked) > 100
    assert {message.opcode() for message in asked} == {dns.opcode.QUERY}
    assert {len(message.question) for message in asked} == {1}
    questions = [message.question[0] for message in asked]
    assert {question.rdclass for question in questions} == {dns.rdataclass.IN}
    transfers = {dns.rdatatype.AXFR, dns.rdatatype.IXFR, dns.rdatatype.ANY}
    assert not transfers & {question.rdtype for question in questions}
    assert all(message.flags & dns.flags.RD for message in asked)
    assert not any(message.options for message in asked)
