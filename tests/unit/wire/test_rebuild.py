# SPDX-License-Identifier: Apache-2.0
"""A cached response has the same content as the original, for every client."""

from __future__ import annotations

from struct import pack

import dns.edns
import dns.flags
import dns.message
import pytest
from hypothesis import given

from filterd.base.errors import BadCountError, CostlyMessageError, WireError
from filterd.wire import (
    Ede,
    ParsedQuery,
    RebuiltSections,
    assemble,
    assemble_for,
    parse_query,
    parse_response,
    peek_header,
    read_back,
    rebuild,
    rebuild_behind_alias,
)
from tests.support.cost_bombs import RESPONSES
from tests.support.dns_messages import MESSAGES, contents
from tests.support.wire import QUESTION, a_message, a_query, a_record, a_response

pytestmark = pytest.mark.usefixtures("both_twins")

RESPONSE = 0x8180
QUERY = parse_query(a_query())
CHAIN = a_response(
    a_query(),
    "example.com 300 CNAME www.example.com",
    "www.example.com 60 A 198.18.0.1",
    authority=["example.com 900 NS ns.example.com"],
)


def _all(message: bytes) -> RebuiltSections:
    response = parse_response(message)
    return rebuild(response, response.records)


def _raw(rtype: int, rdata: bytes) -> bytes:
    return a_message(QUESTION + a_record(rdata, rtype=rtype), flags=RESPONSE, ancount=1)


def _asks_like(message: bytes) -> ParsedQuery:
    """Return a query with the question of a response."""
    response = parse_response(message)
    assert response.question is not None
    return parse_query(a_message(response.question.wire))


@given(MESSAGES)
def test_an_assembled_message_has_the_original_contents(message: bytes) -> None:
    assert contents(assemble(_asks_like(message), _all(message), 0)) == contents(message)


@given(MESSAGES)
def test_what_is_rebuilt_twice_is_the_same(message: bytes) -> None:
    once = assemble(_asks_like(message), _all(message), 0)
    assert _all(once) == _all(message)


@given(MESSAGES)
def test_offsets_of_ttls_are_those_that_the_parser_finds(message: bytes) -> None:
    sections = _all(message)
    response = parse_response(assemble(_asks_like(message), sections, 0))
    base = 12 + sections.question_octets
    assert sections.ttl_offsets == tuple(r.ttl_offset - base for r in response.records)
    assert sections.ttls == tuple(r.ttl for r in response.records)


def test_only_what_is_kept_is_copied() -> None:
    response = parse_response(CHAIN)
    sections = rebuild(response, [r for r in response.records if r.rtype == 1])
    assert (sections.ancount, sections.nscount, sections.arcount) == (1, 0, 0)
    kept = contents(assemble(QUERY, sections, 0))
    assert [str(name) for _, name, _, _ in kept] == ["www.example.com."]


def test_records_are_put_in_the_order_of_the_sections() -> None:
    response = parse_response(CHAIN)
    assert rebuild(response, response.records[::-1]).nscount == 1
    kept = contents(assemble(QUERY, rebuild(response, response.records[::-1]), 0))
    assert [section for section, *_ in kept] == [0, 0, 1]


def test_names_are_compressed_again() -> None:
    assert len(assemble(QUERY, _all(CHAIN), 0)) == len(CHAIN)


def test_the_letter_case_of_targets_is_kept() -> None:
    message = a_response(a_query(), "example.com 300 PTR My\\032Printer._ipp._tcp.Example.COM")
    assert b"My Printer" in _all(message).body


def test_the_asker_gets_the_question_as_asked() -> None:
    query = parse_query(a_message(b"\7eXaMpLe\3cOm\0\0\1\0\1", message_id=77, flags=0x0110))
    reply = assemble(query, _all(CHAIN), 0)
    assert reply[12:].startswith(query.question.wire)
    assert peek_header(reply)[:2] == (77, 0x8190)
    assert contents(reply) == contents(CHAIN)


@pytest.mark.parametrize("rtype", [2, 3, 4, 5, 7, 8, 9, 12])
def test_names_of_old_types_are_compressed(rtype: int) -> None:
    assert _all(_raw(rtype, b"\1a\7example\3com\0")).body.endswith(b"\0\4\1a\xc0\x0c")


@pytest.mark.parametrize(
    ("rtype", "lead", "names", "tail"),
    [
        (17, 0, 2, 0),
        (18, 2, 1, 0),
        (21, 2, 1, 0),
        (24, 18, 1, 7),
        (26, 2, 2, 0),
        (30, 0, 1, 4),
        (33, 6, 1, 0),
        (36, 2, 1, 0),
        (39, 0, 1, 0),
    ],
)
def test_names_of_newer_types_are_expanded_and_left_so(
    rtype: int, lead: int, names: int, tail: int
) -> None:
    rdata = bytes(lead) + b"\1a\xc0\x0c" * names + bytes(tail)
    expanded = bytes(lead) + b"\1a\7example\3com\0" * names + bytes(tail)
    expected = pack("!H", len(expanded)) + expanded
    assert _all(_raw(rtype, rdata)).body.endswith(expected)


def test_the_strings_of_a_naptr_are_copied() -> None:
    lead = b"\0\1\0\2\1s\7SIP+D2U\0"
    assert _all(_raw(35, lead + b"\xc0\x0c")).body.endswith(lead + b"\7example\3com\0")


@pytest.mark.parametrize("rtype", [1, 16, 46, 47, 65, 65280])
def test_other_types_are_copied_whatever_they_look_like(rtype: int) -> None:
    assert _all(_raw(rtype, b"\xc0\x0c\xff")).body.endswith(b"\0\3\xc0\x0c\xff")


def test_empty_rdata_of_any_type_is_copied() -> None:
    assert _all(_raw(15, b"")).body.endswith(b"\0\0")


@pytest.mark.parametrize(
    ("rtype", "rdata"),
    [
        (5, b"\1a\0\0"),
        (5, b"\1a"),
        (15, b"\0"),
        (6, b"\0\0" + bytes(19)),
        (6, b"\0\0" + bytes(21)),
        (33, bytes(6)),
        (35, bytes(4) + b"\xff"),
        (35, bytes(4) + b"\0\0\0"),
    ],
)
def test_malformed_rdata_is_refused(rtype: int, rdata: bytes) -> None:
    with pytest.raises(WireError):
        _all(_raw(rtype, rdata))


def test_a_response_without_question_has_nothing_to_stand_behind() -> None:
    with pytest.raises(BadCountError):
        _all(a_message(b"", flags=RESPONSE, qdcount=0))


def test_what_would_not_fit_a_message_is_refused() -> None:
    with pytest.raises(CostlyMessageError):
        _all(RESPONSES["SRV to one long name far away"])


@pytest.mark.parametrize(
    ("age", "ttls"), [(0, [300, 60, 900]), (59, [241, 1, 841]), (61, [239, 0, 839])]
)
def test_ttls_age_and_stop_at_zero(age: int, ttls: list[int]) -> None:
    aged = contents(assemble(QUERY, _all(CHAIN), 0, age_s=age))
    assert [ttl for _, _, ttl, _ in aged] == ttls


@pytest.mark.parametrize(
    ("floor", "cap", "fixed", "ttls"),
    [
        (0, 100, None, [100, 60, 100]),
        (100, None, None, [300, 100, 900]),
        (100, 70, None, [70, 70, 70]),
        (0, 1, 30, [30, 30, 30]),
    ],
)
def test_ttls_are_floored_then_capped_unless_fixed(
    floor: int, cap: int | None, fixed: int | None, ttls: list[int]
) -> None:
    reply = assemble(QUERY, _all(CHAIN), 0, floor_ttl_s=floor, cap_ttl_s=cap, set_ttl_s=fixed)
    assert [ttl for _, _, ttl, _ in contents(reply)] == ttls


def test_opt_and_flags_are_made_for_the_asker() -> None:
    query = parse_query(a_query(do=True))
    message = assemble(query, _all(CHAIN), 3, ad=True, edes=[Ede(3, "stale")])
    reply = dns.message.from_wire(message)
    assert (reply.rcode(), reply.ednsflags) == (3, dns.flags.DO)
    assert reply.extended_errors() == [dns.edns.EDEOption("STALE_ANSWER", "stale")]
    assert dns.flags.to_text(reply.flags & 0xFFF0) == "QR RD RA AD"


def test_sections_of_another_question_are_a_bug() -> None:
    with pytest.raises(ValueError, match="another qname"):
        assemble(parse_query(a_query("other.example.com")), _all(CHAIN), 0)


ASKERS = {
    "without OPT": (a_query("EXAMPLE.com", edns=False), False, False),
    "with OPT": (a_query("eXample.com", cd=True, rd=False), True, False),
    "with AD": (a_query(edns=False, ad=True), False, False),
    "with DO": (a_query(do=True), True, True),
}
"""A query, whether it has OPT, and whether that has DO."""


@pytest.mark.parametrize(("message", "edns", "do"), ASKERS.values(), ids=ASKERS.keys())
def test_octets_that_were_read_elsewhere_get_the_same_reply(
    message: bytes, edns: bool, do: bool
) -> None:
    sections, end = _all(CHAIN), 12 + len(QUESTION)
    reply = assemble_for(
        message, end, edns, do, sections, 3, age_s=7, cap_ttl_s=200, authentic=True
    )
    query = parse_query(message)
    assert reply == assemble(query, sections, 3, age_s=7, cap_ttl_s=200, ad=True)


@pytest.mark.parametrize("end", [0, 11, 12, len(QUESTION) + 11, len(QUESTION) + 13])
def test_a_question_that_ends_elsewhere_is_a_bug(end: int) -> None:
    with pytest.raises(ValueError, match=r"another qname|question"):
        assemble_for(a_query(), end, True, False, _all(CHAIN), 0)


@given(MESSAGES)
def test_what_is_read_back_is_what_was_kept(message: bytes) -> None:
    sections, query = _all(message), _asks_like(message)
    response = read_back(sections, query.question)
    assert rebuild(response, response.records) == sections


def test_a_record_may_get_other_rdata() -> None:
    response = parse_response(CHAIN)
    changed = {response.records[1]: b"\xc6\x12\x00\x09"}
    sections = rebuild(response, response.records[:2], changed=changed)
    message = dns.message.from_wire(assemble(QUERY, sections, 0))
    assert [rrset[0].to_text() for rrset in message.answer] == ["www.example.com.", "198.18.0.9"]


def test_records_behind_an_alias_answer_another_question() -> None:
    query = parse_query(a_query("shop.example.org"))
    response = parse_response(CHAIN)
    sections = rebuild_behind_alias(response, response.records[:2], query.question, 5)
    message = dns.message.from_wire(assemble(query, sections, 0))
    assert [rrset.to_text() for rrset in message.answer] == [
        "shop.example.org. 5 IN CNAME example.com.",
        "example.com. 300 IN CNAME www.example.com.",
        "www.example.com. 60 IN A 198.18.0.1",
    ]
