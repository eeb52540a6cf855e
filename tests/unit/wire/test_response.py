# SPDX-License-Identifier: Apache-2.0
"""Responses: all records are found where another library finds them."""

from __future__ import annotations

import dns.message
import pytest
from hypothesis import given

from filterd.base.errors import BadEdnsError, CostlyMessageError
from filterd.wire import parse_response, rebuild
from filterd.wire.name import from_text
from filterd.wire.rebuild import MAX_BODY_OCTETS
from filterd.wire.response import MAX_MESSAGE_OCTETS, MAX_RECORDS
from tests.support import malformed
from tests.support.dns_messages import MESSAGES, facts_of_dnspython, facts_of_filterd
from tests.support.wire import OPT, QUESTION, a_message, a_query, a_record, a_response

pytestmark = pytest.mark.usefixtures("both_twins")

RESPONSE = 0x8180


def test_records_of_all_sections_are_found() -> None:
    message = a_response(
        a_query(),
        "example.com 300 A 198.18.0.1",
        authority=["example.com 60 NS ns.example.com"],
        additional=["ns.example.com 30 AAAA 2001:2::1"],
    )
    found = [(r.section, r.owner, r.rtype, r.ttl) for r in parse_response(message).records]
    assert found == [
        (0, from_text("example.com"), 1, 300),
        (1, from_text("example.com"), 2, 60),
        (2, from_text("ns.example.com"), 28, 30),
    ]


def test_opt_is_no_record() -> None:
    response = parse_response(a_response(a_query(do=True)))
    assert response.records == ()
    assert response.edns is not None


def test_the_response_code_has_twelve_bits() -> None:
    assert parse_response(a_response(a_query(), rcode="BADVERS")).rcode == 16
    assert parse_response(a_response(a_query(edns=False), rcode="NXDOMAIN")).rcode == 3


def test_the_question_may_be_missing() -> None:
    assert parse_response(a_message(b"", flags=0x8001, qdcount=0)).question is None


def test_the_question_keeps_its_letter_case_and_owners_do_not() -> None:
    question = b"\7eXaMpLe\3cOm\0\0\1\0\1"
    response = parse_response(a_message(question + a_record(), flags=RESPONSE, ancount=1))
    assert response.question is not None
    assert response.question.wire == question
    assert response.records[0].owner == from_text("example.com")


@pytest.mark.parametrize("place", ["ancount", "nscount"])
def test_opt_outside_the_additional_section_is_refused(place: str) -> None:
    with pytest.raises(BadEdnsError):
        parse_response(a_message(QUESTION + OPT, flags=RESPONSE, **{place: 1}))


def test_two_opt_records_are_refused() -> None:
    with pytest.raises(BadEdnsError):
        parse_response(a_message(QUESTION + OPT * 2, flags=RESPONSE, arcount=2))


@pytest.mark.parametrize("size", range(29, 29 + 2 * len(a_record()) + 1))
def test_a_truncated_response_may_end_anywhere_behind_its_question(size: int) -> None:
    message = a_message(QUESTION + a_record() * 2, flags=RESPONSE | 0x0200, ancount=2)
    response = parse_response(message[:size])
    assert response.header.tc
    assert len(response.records) == (2 if size == len(message) else 0)


def test_as_many_records_as_are_taken_and_one_more() -> None:
    def message(count: int) -> bytes:
        record = a_record(b"", owner=b"\0")
        return a_message(QUESTION + record * count, flags=RESPONSE, ancount=count)

    assert len(parse_response(message(MAX_RECORDS)).records) == MAX_RECORDS
    with pytest.raises(CostlyMessageError):
        parse_response(message(MAX_RECORDS + 1))


def test_an_rrset_of_as_many_addresses_as_a_message_holds_is_read() -> None:
    count = (MAX_MESSAGE_OCTETS - 12 - len(QUESTION)) // len(a_record())
    message = a_message(QUESTION + a_record() * count, flags=RESPONSE, ancount=count)
    assert len(parse_response(message).records) == count > 4_000


def test_an_rrset_of_as_many_names_as_a_message_holds_is_read_and_written() -> None:
    """Each has a label of its own, and then a pointer: one step to read and one to write it."""
    records, number = b"", 0
    while len(records) < MAX_BODY_OCTETS - 100:
        name = b"\3%03d" % (number % 1000) if number < 1000 else b"\5%05d" % number
        records += a_record(b"\0\1" + name + b"\xc0\x0c", rtype=15)
        number += 1
    response = parse_response(a_message(QUESTION + records, flags=RESPONSE, ancount=number))
    assert len(rebuild(response, response.records).ttls) == number > 2_500


@pytest.mark.parametrize("name", malformed.RESPONSES)
def test_each_anti_pattern_of_rfc_9267_is_refused(name: str) -> None:
    message, error = malformed.RESPONSES[name]
    with pytest.raises(error):
        parse_response(message)


@given(MESSAGES)
def test_another_library_finds_the_same_records(message: bytes) -> None:
    theirs = dns.message.from_wire(message, one_rr_per_rrset=True)
    assert facts_of_filterd(parse_response(message)) == facts_of_dnspython(theirs)
