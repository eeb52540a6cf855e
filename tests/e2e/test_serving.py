# SPDX-License-Identifier: Apache-2.0
"""Answers to clients through real sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import pytest

from filterd.policy.model import BlockResponse
from filterd.wire import EdeCode
from tests.support.policies import allow
from tests.support.serving import GRADE_1, GRADE_11, STAFF, Serving, a_site

if TYPE_CHECKING:
    from filterd.lists.index import Index
    from tests.support.upstream import FakeUpstream

GRADE_OF_ADDRESS = {
    **{f"127.0.{n}.77": str(n) for n in range(1, 13)},
    "127.0.100.77": "staff",
    "127.0.101.77": "preschool",
    "127.0.102.77": "guest",
    "127.0.0.1": "preschool",
    "127.9.9.9": "preschool",
}
"""The contract of ``policies/site.yaml``; an unlisted client is the strictest."""


def edes(response: dns.message.Message) -> list[int]:
    return [
        int(option.code) for option in response.options if isinstance(option, dns.edns.EDEOption)
    ]


def ttls(response: dns.message.Message) -> list[int]:
    return [rrset.ttl for rrset in (*response.answer, *response.authority)]


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
@pytest.mark.parametrize("by", ["udp", "tcp"])
def test_tiers_get_different_answers_by_source_address(
    index: Index, upstream: FakeUpstream, by: str, loop: str
) -> None:
    with Serving(a_site(index, [upstream]), loop=loop) as serving:
        young = serving.ask("social.example", source=GRADE_1, by=by)
        old = serving.ask("social.example", source=GRADE_11, by=by)
    assert (young.rcode(), old.rcode()) == (dns.rcode.NXDOMAIN, dns.rcode.NOERROR)


@pytest.mark.usefixtures("needs_ipv6")
@pytest.mark.parametrize("by", ["udp", "tcp"])
def test_ipv6_is_served_by_the_same_policy(serving: Serving, by: str) -> None:
    closed = serving.ask("social.example", source="::1", server="::1", by=by)
    assert closed.rcode() == dns.rcode.NXDOMAIN


@pytest.mark.parametrize(("address", "grade"), GRADE_OF_ADDRESS.items())
def test_every_class_is_known_by_its_network(serving: Serving, address: str, grade: str) -> None:
    closed = "social-media" in serving.sites.current.policy.grades[grade].closed
    response = serving.ask("social.example", source=address)
    assert (response.rcode() == dns.rcode.NXDOMAIN) is closed


def test_a_stranger_gets_silence(index: Index, upstream: FakeUpstream) -> None:
    site = a_site(index, [upstream], allow_from=(), networks=())
    with Serving(site) as serving, serving.stub("127.0.9.9") as stranger:
        stranger.send(b"\x12\x34\x01\0\0\1\0\0\0\0\0\0\3www\7example\3com\0\0\1\0\1")
        serving.eventually(lambda: serving.udp[0].counters["denied"] == 1)
        stranger.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            stranger.receive()


BLOCKS = {
    BlockResponse.NXDOMAIN: ("NXDOMAIN", "NXDOMAIN", []),
    BlockResponse.NODATA: ("NOERROR", "NOERROR", []),
    BlockResponse.SINKHOLE: ("NOERROR", "NOERROR", ["0.0.0.0"]),
}
"""By the grade's file: the code for A, the code for TXT, the addresses."""


@pytest.mark.parametrize(("response", "looks"), BLOCKS.items())
def test_a_block_is_answered_as_the_site_sets(
    index: Index, response: BlockResponse, looks: tuple[str, str, list[str]]
) -> None:
    with Serving(a_site(index, response=response)) as serving:
        address, text = serving.ask("porn.example"), serving.ask("porn.example", "TXT")
    addresses = [str(rdata) for rrset in address.answer for rdata in rrset]
    codes = dns.rcode.to_text(address.rcode()), dns.rcode.to_text(text.rcode())
    assert (*codes, addresses) == looks


@pytest.mark.parametrize("response", BlockResponse)
@pytest.mark.parametrize("flags", [{}, {"do": True}, {"cd": True}, {"ad": True, "cd": True}])
def test_a_block_claims_nothing_and_is_soon_forgotten(
    index: Index, response: BlockResponse, flags: dict[str, Any]
) -> None:
    with Serving(a_site(index, response=response)) as serving:
        blocked = serving.ask("www.porn.example", "AAAA", source=STAFF, **flags)
    assert not blocked.flags & (dns.flags.AA | dns.flags.AD)
    assert blocked.flags & dns.flags.RA
    assert max(ttls(blocked)) <= 10
    assert all(rrset[0].minimum <= 10 for rrset in blocked.authority)


@pytest.mark.parametrize(
    ("name", "code"), [("porn.example", EdeCode.FILTERED), ("malware.example", EdeCode.BLOCKED)]
)
def test_a_block_carries_its_reason_to_clients_with_opt_only(
    serving: Serving, name: str, code: int
) -> None:
    assert edes(serving.ask(name)) == [code]
    without = serving.ask(name, edns=False)
    assert without.edns == -1
    assert without.rcode() == dns.rcode.NXDOMAIN


def test_a_block_is_neither_cached_nor_asked_upstream(
    serving: Serving, upstream: FakeUpstream
) -> None:
    for qtype in ("A", "AAAA", "HTTPS", "ANY", "TXT"):
        serving.ask("porn.example", qtype)
    assert upstream.asked == []
    assert len(serving.store) == 0


def test_any_is_blocked_where_the_name_is_and_never_asked_upstream(
    serving: Serving, upstream: FakeUpstream
) -> None:
    assert serving.ask("porn.example", "ANY").rcode() == dns.rcode.NXDOMAIN
    passing = serving.ask("www.example.com", "ANY")
    assert [rrset.rdtype for rrset in passing.answer] == [dns.rdatatype.HINFO]
    assert upstream.asked == []


@pytest.mark.parametrize("name", ["wWw.ExAmPlE.cOm", "PoRn.ExAmPlE"])
def test_the_letter_case_of_the_question_comes_back(serving: Serving, name: str) -> None:
    for _ in ("cold", "from the cache"):
        response = serving.ask(name)
        assert response.question[0].name.to_text(omit_final_dot=True) == name


def test_blocks_are_answered_without_any_upstream(index: Index) -> None:
    with Serving(a_site(index)) as serving:
        blocked, passing = serving.ask("porn.example"), serving.ask("www.example.com")
    assert blocked.rcode() == dns.rcode.NXDOMAIN
    assert (passing.rcode(), edes(passing)) == (dns.rcode.SERVFAIL, [EdeCode.NETWORK_ERROR])


def test_the_upstreams_own_extended_error_reaches_the_client(
    serving: Serving, upstream: FakeUpstream
) -> None:
    def bogus(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        response.set_rcode(dns.rcode.SERVFAIL)
        response.use_edns(0, 0, 1232, options=[dns.edns.EDEOption(dns.edns.EDECode.DNSSEC_BOGUS)])
        return response

    upstream.respond = bogus
    failed = serving.ask("www.example.com")
    assert (failed.rcode(), edes(failed)) == (dns.rcode.SERVFAIL, [EdeCode.DNSSEC_BOGUS])


def test_an_exception_in_the_engine_is_a_servfail_and_serving_goes_on(
    serving: Serving, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(type(serving.sites.current.engine), "decide", broken)
        for name in ("porn.example", "www.example.com"):
            assert serving.ask(name).rcode() == dns.rcode.SERVFAIL
    assert upstream.asked == []
    assert serving.resolver.counters["error"] == len(serving.errors.take()) == 2
    assert serving.ask("www.example.com").rcode() == dns.rcode.NOERROR


def test_the_ttl_of_an_allow_ends_with_it(index: Index, upstream: FakeUpstream) -> None:
    with Serving(a_site(index, [upstream])) as serving:
        ends_at = serving.clock.wall() + 40
        rules = [allow("www.example.com", ends_at=ends_at)]
        serving.sites.current = a_site(index, [upstream], rules=rules)
        assert ttls(serving.ask("www.example.com")) == [40]
        serving.clock.advance(15)
        assert ttls(serving.ask("www.example.com")) == [25]


def test_no_ttl_exceeds_what_the_grade_allows(serving: Serving, upstream: FakeUpstream) -> None:
    upstream.add("long.example.com. 86400 IN A 198.18.0.9")
    assert ttls(serving.ask("long.example.com")) == [600]


def test_ede_texts_do_not_name_the_category(serving: Serving) -> None:
    options = serving.ask("porn.example").options
    assert [option.text for option in options if isinstance(option, dns.edns.EDEOption)] == [None]
