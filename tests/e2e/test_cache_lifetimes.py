# SPDX-License-Identifier: Apache-2.0
"""How long the cache keeps each kind of answer, through real sockets."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import pairwise
from typing import TYPE_CHECKING

import dns.edns
import dns.message
import dns.rcode
import dns.rrset
import pytest

from tests.support.answers import addresses, an_answer, ttls
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.serving import Serving
    from tests.support.upstream import FakeUpstream

pytestmark = pytest.mark.usefixtures("patient")
NAME = "www.example.com"
DAY_S = 86_400
SOA = "example.com. {ttl} IN SOA ns.example. root.example. 1 3600 600 86400 {minimum}"


def _lines(*answer: str, rcode: str = "NOERROR", soa: str = "") -> Callable[..., bytes]:
    """Return what gives these records, with the TTL 0x12345678 made 0x80000001."""

    def respond(query: dns.message.Message) -> bytes:
        response = dns.message.make_response(query)
        response.set_rcode(dns.rcode.from_text(rcode))
        for section, lines in ((response.answer, answer), (response.authority, (soa,))):
            for line in filter(None, lines):
                owner, ttl, rclass, rtype, data = line.split(None, 4)
                section.append(dns.rrset.from_text(owner, int(ttl), rclass, rtype, data))
        return response.to_wire().replace(b"\x12\x34\x56\x78", b"\x80\0\0\1")

    return respond


LIVES = {
    "its TTL": (_lines(f"{NAME}. 70 IN A 198.18.0.1"), 70),
    "the least TTL of an RRset": (
        _lines(f"{NAME}. 70 IN CNAME b.example.", "b.example. 40 IN A 198.18.0.1"),
        40,
    ),
    "a day at most": (_lines(f"{NAME}. 2000000000 IN A 198.18.0.1"), DAY_S),
    "nothing where the top bit is set": (_lines(f"{NAME}. {0x12345678} IN A 198.18.0.1"), 0),
    "nothing for TTL 0": (_lines(f"{NAME}. 0 IN A 198.18.0.1"), 0),
    "the MINIMUM": (_lines(rcode="NXDOMAIN", soa=SOA.format(ttl=300, minimum=50)), 50),
    "the TTL of the SOA": (_lines(soa=SOA.format(ttl=50, minimum=300)), 50),
    "an hour for a denial": (_lines(soa=SOA.format(ttl=DAY_S, minimum=DAY_S)), 3_600),
    "nothing without SOA": (_lines(rcode="NXDOMAIN"), 0),
    "nothing with the SOA of a stranger": (
        _lines(soa=SOA.format(ttl=300, minimum=300).replace("example.com", "example.org")),
        0,
    ),
}


@pytest.mark.parametrize(("respond", "life_s"), LIVES.values(), ids=LIVES.keys())
def test_an_answer_lives_as_long_as_it_should(
    serving: Serving, upstream: FakeUpstream, respond: Callable[..., bytes], life_s: int
) -> None:
    upstream.respond = respond
    serving.ask(NAME)
    serving.clock.advance(max(life_s - 1, 0))
    serving.ask(NAME)
    assert len(upstream.asked) == (1 if life_s else 2)
    serving.clock.advance(1)
    serving.ask(NAME)
    assert len(upstream.asked) == (2 if life_s else 3)


def test_an_answer_with_ttl_zero_serves_all_waiting_queries_and_no_later_one(
    serving: Serving, upstream: FakeUpstream
) -> None:
    upstream.add("now.example.com. 0 IN A 198.18.0.4")
    upstream.released.clear()
    query = a_query("now.example.com")
    with ExitStack() as stack:
        stubs = [stack.enter_context(serving.stub(f"127.0.1.{n + 1}")) for n in range(50)]
        for stub in stubs:
            stub.send(query)
        serving.eventually(lambda: serving.forwarder.counters["shared"] == 49)
        upstream.released.set()
        answers = [dns.message.from_wire(stub.receive()) for stub in stubs]
    assert {(*addresses(answer), *ttls(answer)) for answer in answers} == {("198.18.0.4", 0)}
    assert upstream.asked == ["now.example.com A"]
    serving.ask("now.example.com")
    assert len(upstream.asked) == 2


def test_a_denial_at_the_end_of_an_alias_is_about_the_last_name(
    serving: Serving, upstream: FakeUpstream
) -> None:
    upstream.add("alias.example.com. 300 IN CNAME gone.example.net.")
    upstream.respond = None
    denied = serving.ask("alias.example.com")
    assert (denied.rcode(), len(denied.answer)) == (dns.rcode.NXDOMAIN, 1)
    alias = serving.ask("alias.example.com", "CNAME")
    assert (alias.rcode(), len(alias.answer)) == (dns.rcode.NOERROR, 1)


@pytest.mark.parametrize(("hops", "rcode"), [(11, dns.rcode.NOERROR), (12, dns.rcode.SERVFAIL)])
def test_a_chain_of_aliases_has_eleven_at_most(
    serving: Serving, upstream: FakeUpstream, hops: int, rcode: dns.rcode.Rcode
) -> None:
    names = [f"n{n}.example.com." for n in range(hops + 1)]
    upstream.add(*(f"{a} 300 IN CNAME {b}" for a, b in pairwise(names)))
    upstream.add(f"{names[-1]} 300 IN A 198.18.0.1")
    assert serving.ask("n0.example.com").rcode() == rcode
    assert serving.ask("n0.example.com").rcode() == rcode


def test_opt_is_made_anew_for_each_asker(serving: Serving, upstream: FakeUpstream) -> None:
    def with_opt(query: dns.message.Message) -> dns.message.Message:
        response = an_answer(query)
        response.use_edns(0, 0, 4096, options=[dns.edns.NSIDOption(b"upstream")])
        return response

    upstream.respond = with_opt
    first, without, again = (serving.ask(NAME, edns=edns) for edns in (True, False, True))
    assert [one.edns for one in (first, without, again)] == [0, -1, 0]
    assert [one.options for one in (first, again)] == [(), ()]
    assert len(upstream.asked) == 1


def test_names_are_forgotten_before_the_cache_outgrows_its_bound(
    serving: Serving, upstream: FakeUpstream
) -> None:
    upstream.respond = an_answer
    serving.run(lambda: serving.store.resize(10_000, serving.clock.monotonic()))
    for number in range(100):
        serving.ask(f"n{number}.example.com")
    assert 10 < len(serving.store) < 100
    assert 6_000 < serving.store.used_octets <= 10_000
