# SPDX-License-Identifier: Apache-2.0
"""Queries of every honest stub are read, and nothing else."""

from __future__ import annotations

from struct import pack

import dns.edns
import pytest

from filterd.base.errors import (
    BadCountError,
    BadEdnsError,
    CostlyMessageError,
    TruncatedMessageError,
)
from filterd.wire import Question, parse_query
from filterd.wire.name import from_text
from filterd.wire.parsed_query import MAX_QUERY_OCTETS
from tests.support import malformed
from tests.support.wire import OPT, QUESTION, a_message, a_query, a_record

pytestmark = pytest.mark.usefixtures("both_twins")

TSIG = a_record(bytes(30), owner=b"\3key\0", rtype=250, rclass=255, ttl=0)


def test_a_plain_query_is_read() -> None:
    query = parse_query(a_query("example.com", edns=False, message_id=77))
    assert (query.header.id, query.header.rd, query.header.cd) == (77, True, False)
    assert query.question == Question(from_text("example.com"), 1, 1, QUESTION)
    assert (query.edns, query.tsig, query.do) == (None, False, False)


def test_edns_and_do_are_read() -> None:
    query = parse_query(a_query(do=True, udp_size=4096))
    assert query.edns is not None
    assert (query.edns.udp_size, query.do) == (4096, True)


@pytest.mark.parametrize("qtype", [0, 1, 41, 65, 250, 255, 256, 65280, 65535])
def test_every_type_may_be_asked_for(qtype: int) -> None:
    assert parse_query(a_message(QUESTION[:-4] + pack("!HH", qtype, 1))).question.qtype == qtype


@pytest.mark.parametrize("octet", [0, 10, 32, 46, 92, 127, 128, 255])
def test_every_octet_may_stand_in_a_label(octet: int) -> None:
    label = b"\3a" + bytes((octet,)) + b"b"
    assert parse_query(a_message(label + b"\0\0\1\0\1")).question.qname == label + b"\0"


def test_a_signed_query_is_recognised() -> None:
    query = parse_query(a_message(QUESTION + OPT + TSIG, arcount=2))
    assert query.tsig
    assert query.edns is not None


def test_a_signature_that_is_not_last_is_refused() -> None:
    with pytest.raises(BadCountError):
        parse_query(a_message(QUESTION + TSIG + OPT, arcount=2))


def test_two_opt_records_are_refused() -> None:
    with pytest.raises(BadEdnsError):
        parse_query(a_message(QUESTION + OPT + OPT, arcount=2))


def test_an_opt_record_in_the_authority_section_is_refused() -> None:
    ixfr = QUESTION[:-4] + b"\0\xfb\0\1"
    with pytest.raises(BadEdnsError):
        parse_query(a_message(ixfr + OPT, nscount=1))


def test_a_zone_transfer_may_bring_the_serial_it_has() -> None:
    ixfr = QUESTION[:-4] + b"\0\xfb\0\1"
    query = parse_query(a_message(ixfr + a_record(bytes(22), rtype=6), nscount=1))
    assert query.question.qtype == 251


def test_an_unknown_additional_record_is_passed_over() -> None:
    assert parse_query(a_message(QUESTION + a_record(), arcount=1)).edns is None


def test_unknown_options_do_no_harm() -> None:
    option = dns.edns.GenericOption("100", b"anything")
    assert parse_query(a_query(options=[option])).edns is not None


def test_a_query_as_large_as_is_taken_and_one_octet_larger() -> None:
    padding = MAX_QUERY_OCTETS - 12 - len(QUESTION) - len(OPT) - 4
    rdata = pack("!HH", 12, padding) + bytes(padding)
    message = a_message(QUESTION + OPT[:-2] + pack("!H", len(rdata)) + rdata, arcount=1)
    assert parse_query(message).edns is not None
    with pytest.raises(CostlyMessageError):
        parse_query(message + b"\0")


@pytest.mark.parametrize("name", malformed.QUERIES)
def test_each_anti_pattern_of_rfc_9267_is_refused(name: str) -> None:
    message, error = malformed.QUERIES[name]
    with pytest.raises(error):
        parse_query(message)


@pytest.mark.parametrize("size", range(12, len(a_query())))
def test_a_query_cut_anywhere_is_refused(size: int) -> None:
    with pytest.raises((BadCountError, TruncatedMessageError)):
        parse_query(a_query()[:size])
