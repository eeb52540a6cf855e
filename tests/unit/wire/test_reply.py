# SPDX-License-Identifier: Apache-2.0
"""The replies that filterd makes itself, read by another library."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.edns
import dns.flags
import dns.message
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.base.errors import TruncatedMessageError
from filterd.wire import (
    Ede,
    EdeCode,
    ParsedQuery,
    badvers,
    fit,
    formerr,
    nodata,
    notimp,
    nxdomain,
    parse_query,
    parse_response,
    peek_header,
    refused,
    servfail,
    sinkhole,
    size_limit,
)
from tests.support import malformed
from tests.support.cost_bombs import RESPONSES
from tests.support.dns_messages import MESSAGES, contents
from tests.support.wire import OPT, QUESTION, a_message, a_query, a_record, a_response

if TYPE_CHECKING:
    from collections.abc import Callable

QUERY = parse_query(a_query())
IPV4, IPV6 = b"\xc0\0\2\1", bytes(15) + b"\1"


def _read(reply: bytes) -> dns.message.Message:
    parse_response(reply)
    return dns.message.from_wire(reply)


def _texts(section: list[dns.rrset.RRset]) -> list[str]:
    return [rrset.to_text() for rrset in section]


@pytest.mark.parametrize(("block", "rcode"), [(nxdomain, 3), (nodata, 0)])
def test_a_negative_block_has_a_soa_at_the_qname_and_is_soon_forgotten(
    block: Callable[[ParsedQuery], bytes], rcode: int
) -> None:
    reply = _read(block(QUERY))
    assert (reply.rcode(), _texts(reply.answer)) == (rcode, [])
    assert _texts(reply.authority) == ["example.com. 10 IN SOA . . 1 3600 600 86400 10"]


def test_the_negative_ttl_is_the_one_asked_for() -> None:
    (soa,) = _read(nodata(QUERY, 3)).authority
    assert min(soa.ttl, soa[0].minimum) == 3


@pytest.mark.parametrize("make", [nxdomain, nodata, refused, servfail])
def test_blocks_and_refusals_say_why(make: Callable[..., bytes]) -> None:
    reply = _read(make(QUERY, edes=[Ede(EdeCode.FILTERED, "why")]))
    assert reply.extended_errors() == [dns.edns.EDEOption("FILTERED", "why")]


@pytest.mark.parametrize("make", [nxdomain, nodata, refused, servfail, badvers])
def test_blocks_and_refusals_claim_neither_authority_nor_authenticity(
    make: Callable[[ParsedQuery], bytes],
) -> None:
    reply = _read(make(parse_query(a_query(do=True, ad=True))))
    assert dns.flags.to_text(reply.flags & 0xFFF0) == "QR RD RA"
    assert reply.ednsflags & 0xFFFF == dns.flags.DO


@pytest.mark.parametrize(
    ("qtype", "answer"),
    [("A", "example.com. 10 IN A 192.0.2.1"), ("AAAA", "example.com. 10 IN AAAA ::1")],
)
def test_a_sinkhole_answers_addresses(qtype: str, answer: str) -> None:
    reply = _read(sinkhole(parse_query(a_query(qtype=qtype)), IPV4, IPV6))
    assert (reply.rcode(), _texts(reply.answer), reply.authority) == (0, [answer], [])


@pytest.mark.parametrize("qtype", ["HTTPS", "TXT", "MX", "SOA", "TYPE65280"])
def test_a_sinkhole_has_no_other_type(qtype: str) -> None:
    query = parse_query(a_query(qtype=qtype))
    assert sinkhole(query, IPV4, IPV6) == nodata(query)


def test_a_sinkhole_without_an_ipv6_address_has_no_aaaa() -> None:
    query = parse_query(a_query(qtype="AAAA"))
    assert sinkhole(query, IPV4, b"") == nodata(query)


@pytest.mark.parametrize(("make", "rcode"), [(refused, 5), (servfail, 2)])
def test_refusals_are_empty(make: Callable[[ParsedQuery], bytes], rcode: int) -> None:
    reply = _read(make(QUERY))
    assert (reply.rcode(), reply.answer, reply.authority) == (rcode, [], [])


def test_badvers_has_version_0() -> None:
    opt = b"\0\0\x29\x04\xd0\0\x64\0\0\0\0"
    reply = _read(badvers(parse_query(a_message(QUESTION + opt, arcount=1))))
    assert (reply.rcode(), reply.edns) == (16, 0)


@pytest.mark.parametrize("name", malformed.QUERIES)
def test_whatever_is_malformed_gets_formerr(name: str) -> None:
    message, _ = malformed.QUERIES[name]
    if len(message) < 12:
        return
    reply = _read(formerr(message))
    assert (reply.id, reply.rcode(), reply.answer) == (0x1234, 1, [])


def test_formerr_states_that_recursion_is_available() -> None:
    assert dns.flags.to_text(_read(formerr(a_message(QUESTION + b"garbage"))).flags) == "QR RD RA"


def test_formerr_echoes_the_question_where_it_parses() -> None:
    assert formerr(a_message(QUESTION + b"garbage"))[12:] == QUESTION
    assert formerr(a_message(b"\xff"))[12:] == b""


@pytest.mark.parametrize("opcode", range(1, 16))
def test_other_opcodes_are_echoed_with_notimp(opcode: int) -> None:
    reply = notimp(a_message(QUESTION, flags=opcode << 11 | 0x0110))
    assert int.from_bytes(reply[2:4]) == 0x8000 | opcode << 11 | 0x0100 | 4


@pytest.mark.parametrize("make", [formerr, notimp])
def test_fewer_than_twelve_octets_get_no_reply(make: Callable[[bytes], bytes]) -> None:
    with pytest.raises(TruncatedMessageError):
        make(bytes(11))


RESPONSE = 0x8180
BIG = a_record(bytes(200), rtype=16)


@pytest.mark.parametrize(
    ("udp_size", "limit"),
    [(0, 512), (511, 512), (512, 512), (1000, 1000), (1232, 1232), (4096, 1232)],
)
def test_over_udp_the_limit_is_the_lesser_of_both_sides(udp_size: int, limit: int) -> None:
    assert size_limit(parse_query(a_query(udp_size=udp_size)), "udp") == limit


def test_without_edns_the_limit_is_512() -> None:
    assert size_limit(parse_query(a_query(edns=False)), "udp") == 512


def test_over_tcp_the_limit_is_what_the_prefix_can_say() -> None:
    assert size_limit(parse_query(a_query(edns=False)), "tcp") == 65535


def test_what_fits_is_left_alone() -> None:
    message = a_response(a_query(), "example.com 300 A 198.18.0.1")
    assert fit(message, len(message)) is message


def test_the_additional_section_goes_first_and_sets_no_flag() -> None:
    message = a_message(QUESTION + a_record() + BIG * 3 + OPT, flags=RESPONSE, ancount=1, arcount=4)
    cut = parse_response(fit(message, 512))
    assert [record.section for record in cut.records] == [0]
    assert (cut.header.tc, cut.edns is not None) == (False, True)


@pytest.mark.parametrize("section", ["ancount", "nscount"])
def test_losing_answer_or_authority_sets_tc(section: str) -> None:
    counts = {section: 3}
    cut = parse_response(fit(a_message(QUESTION + BIG * 3, flags=RESPONSE, **counts), 512))
    assert (cut.header.tc, cut.records) == (True, ())


def test_an_rrset_is_never_split() -> None:
    body = QUESTION + a_record() * 2 + BIG * 3
    cut = parse_response(fit(a_message(body, flags=RESPONSE, ancount=5), 512))
    assert [record.rtype for record in cut.records] == [1, 1]


def test_an_rrset_that_is_scattered_goes_whole() -> None:
    body = QUESTION + a_record() + a_record(rtype=99) + BIG * 2 + a_record(rtype=99)
    cut = parse_response(fit(a_message(body, flags=RESPONSE, ancount=5), 450))
    assert [record.rtype for record in cut.records] == [1]


def test_opt_stays_with_its_options() -> None:
    opt = OPT[:-2] + b"\0\6\0\x0f\0\2\0\x11"
    message = a_message(QUESTION + BIG * 3 + opt, flags=RESPONSE, ancount=3, arcount=1)
    edns = parse_response(fit(message, 512)).edns
    assert edns is not None
    assert edns.options == ((15, b"\0\x11"),)


def test_options_that_leave_no_room_go() -> None:
    opt = OPT[:-2] + b"\2\4\0\x0f\2\0" + bytes(512)
    message = a_message(QUESTION + opt, flags=RESPONSE, arcount=1)
    cut = parse_response(fit(message, 512))
    assert cut.edns is not None
    assert cut.edns.options == ()


def test_records_behind_opt_go_too() -> None:
    body = QUESTION + a_record() + OPT + BIG * 3
    cut = parse_response(fit(a_message(body, flags=RESPONSE, ancount=1, arcount=4), 512))
    assert [record.section for record in cut.records] == [0]
    assert cut.edns is not None


@pytest.mark.parametrize("name", RESPONSES)
def test_what_cannot_be_walked_is_cut_to_something_that_parses(name: str) -> None:
    cut = fit(RESPONSES[name], 512)
    assert len(cut) <= 512
    parse_response(cut)


def test_octets_without_a_question_become_a_header() -> None:
    cut = fit(a_message(bytes(600), flags=RESPONSE, ancount=9), 512)
    assert (peek_header(cut).tc, len(cut)) == (True, 12 + 5)


@given(MESSAGES, st.integers(300, 600))
def test_what_is_left_is_a_part_of_what_was(message: bytes, limit: int) -> None:
    cut = fit(message, limit)
    assert len(cut) <= max(limit, 300)
    before, after = contents(message), contents(cut)
    assert after == before[: len(after)]
    lost = {record[0] for record in before[len(after) :]}
    assert peek_header(cut).tc is bool(lost & {0, 1})
