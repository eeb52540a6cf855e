# SPDX-License-Identifier: Apache-2.0
"""Replies: the question as asked, right flags, OPT only for a client with OPT."""

from __future__ import annotations

import dns.edns
import dns.flags
import dns.message
import dnslib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.wire import (
    Ede,
    EdeCode,
    Question,
    Rcode,
    compose_query,
    compose_reply,
    encode_record,
    parse_query,
    peek_header,
)
from filterd.wire.compose import _kept_opt
from filterd.wire.name import from_text
from tests.support.wire import QUESTION, a_message, a_query

QUERY = parse_query(a_query())
ADDRESS = encode_record(b"", 1, 60, b"\xc0\0\2\1", owner_is_qname=True)


def _flags(message: bytes) -> set[str]:
    return set(dns.flags.to_text(dns.message.from_wire(message).flags).split())


def test_a_reply_echoes_id_and_question_in_its_letter_case() -> None:
    query = parse_query(a_message(b"\7eXaMpLe\3cOm\0\0\1\0\1", message_id=77))
    reply = compose_reply(query, 0)
    assert peek_header(reply).id == 77
    assert reply[12:] == b"\7eXaMpLe\3cOm\0\0\1\0\1"


@pytest.mark.parametrize("rd", [False, True])
@pytest.mark.parametrize("cd", [False, True])
def test_rd_and_cd_are_echoed(*, rd: bool, cd: bool) -> None:
    header = peek_header(compose_reply(parse_query(a_query(rd=rd, cd=cd)), 0))
    assert (header.rd, header.cd) == (rd, cd)


def test_no_unrequested_flag_is_set() -> None:
    assert _flags(compose_reply(parse_query(a_query(rd=False)), 0)) == {"QR", "RA"}


def test_flags_are_set_as_wished() -> None:
    reply = compose_reply(parse_query(a_query(do=True)), 0, aa=True, ad=True, ra=False, tc=True)
    assert _flags(reply) == {"QR", "RD", "AA", "AD", "TC"}


@pytest.mark.parametrize(
    ("do", "ad", "sent"), [(False, False, False), (True, False, True), (False, True, True)]
)
def test_ad_goes_only_to_queries_with_do_or_ad(*, do: bool, ad: bool, sent: bool) -> None:
    reply = compose_reply(parse_query(a_query(do=do, ad=ad)), 0, ad=True)
    assert peek_header(reply).ad is sent


def test_the_reserved_flag_is_not_echoed() -> None:
    reply = compose_reply(parse_query(a_message(QUESTION, flags=0x0140)), 0)
    assert peek_header(reply).flags == 0x8180


def test_opt_is_sent_only_in_reply_to_opt() -> None:
    assert dns.message.from_wire(compose_reply(QUERY, 0)).payload == 1232
    assert dns.message.from_wire(compose_reply(parse_query(a_query(edns=False)), 0)).edns == -1


@pytest.mark.parametrize("do", [False, True])
def test_do_is_echoed_and_no_other_edns_flag(*, do: bool) -> None:
    flags = b"\xff\xff" if do else b"\x7f\xff"
    opt = b"\0\0\x29\x04\xd0\0\0" + flags + b"\0\0"
    reply = compose_reply(parse_query(a_message(QUESTION + opt, arcount=1)), 0)
    assert dns.message.from_wire(reply).ednsflags == (0x8000 if do else 0)


def test_no_option_of_the_query_comes_back() -> None:
    options = [
        dns.edns.ECSOption("192.0.2.0", 24),
        dns.edns.GenericOption("COOKIE", b"12345678"),
        dns.edns.GenericOption("100", b"unknown"),
    ]
    reply = compose_reply(parse_query(a_query(options=options)), 0)
    assert dns.message.from_wire(reply).options == ()


def test_extended_errors_go_to_queries_with_opt() -> None:
    edes = [Ede(EdeCode.FILTERED, "primary"), Ede(EdeCode.OTHER)]
    reply = dns.message.from_wire(compose_reply(QUERY, 0, edes=edes))
    assert reply.extended_errors() == [
        dns.edns.EDEOption("FILTERED", "primary"),
        dns.edns.EDEOption("OTHER", None),
    ]


def test_extended_errors_do_not_go_to_queries_without_opt() -> None:
    plain = parse_query(a_query(edns=False))
    assert compose_reply(plain, 0, edes=[Ede(17)]) == compose_reply(plain, 0)


def test_what_upstreams_write_is_not_kept() -> None:
    """It may be as long as a message, and another each time."""
    query, kept = parse_query(a_query()), _kept_opt.cache_info().currsize
    replies = {compose_reply(query, 0, edes=[Ede(0, f"reason {number}")]) for number in range(9)}
    assert (len(replies), _kept_opt.cache_info().currsize) == (9, kept)


def test_an_extended_rcode_needs_edns() -> None:
    assert dns.message.from_wire(compose_reply(QUERY, Rcode.BADCOOKIE)).rcode() == 23
    without = compose_reply(parse_query(a_query(edns=False)), Rcode.BADCOOKIE)
    assert dns.message.from_wire(without).rcode() == 2


def test_records_stand_in_their_sections() -> None:
    other = encode_record(from_text("ns.example.net"), 28, 30, bytes(16), 3)
    reply = dns.message.from_wire(compose_reply(QUERY, 0, answers=[ADDRESS], authorities=[other]))
    assert [rrset.to_text() for rrset in reply.answer] == ["example.com. 60 IN A 192.0.2.1"]
    assert [(str(r.name), r.rdclass, r.ttl) for r in reply.authority] == [
        ("ns.example.net.", 3, 30)
    ]


@given(st.integers(0, 4095), st.booleans(), st.integers(0, 3), st.integers(0, 3))
def test_two_other_libraries_read_what_is_composed(
    rcode: int, edns: bool, answers: int, authorities: int
) -> None:
    query = parse_query(a_query(edns=edns))
    edes = [Ede(17, "why")]
    reply = compose_reply(
        query, rcode, answers=[ADDRESS] * answers, authorities=[ADDRESS] * authorities, edes=edes
    )
    expected = rcode if edns or rcode < 16 else 2
    assert dns.message.from_wire(reply).rcode() == expected
    other = dnslib.DNSRecord.parse(reply)
    assert (len(other.rr), len(other.auth), len(other.ar)) == (answers, authorities, int(edns))


def test_a_query_is_composed_with_the_flags_it_needs() -> None:
    question = Question.of(from_text("example.com"), 28)
    wire = compose_query(77, question, rd=True, cd=True, ad=True, do=True)
    query = parse_query(wire)
    assert (query.header.id, query.question, query.do) == (77, question, True)
    assert (query.header.rd, query.header.cd, query.header.ad) == (True, True, True)
    assert query.edns is not None
    assert (query.edns.udp_size, query.edns.options) == (1232, ())


def test_a_query_may_do_without_edns() -> None:
    wire = compose_query(77, Question.of(from_text("example.com"), 1), edns=False)
    assert wire == a_query(edns=False, message_id=77)


@pytest.mark.parametrize("labels", range(1, 120, 7))
def test_a_padded_query_fills_whole_blocks_with_nothing(labels: int) -> None:
    question = Question.of(from_text("a." * labels + "com"), 1)
    wire = compose_query(77, question, do=True, pad_to=128)
    (padding,) = dns.message.from_wire(wire).options
    assert len(wire) % 128 == 0
    assert len(wire) - len(compose_query(77, question, do=True)) <= 4 + 127
    assert (padding.otype, set(padding.to_wire()) | {0}) == (12, {0})
    assert parse_query(wire).question == question


def test_without_edns_there_is_nothing_to_pad_with() -> None:
    question = Question.of(from_text("example.com"), 1)
    bare = compose_query(77, question, edns=False)
    assert compose_query(77, question, edns=False, pad_to=128) == bare
