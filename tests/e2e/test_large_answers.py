# SPDX-License-Identifier: Apache-2.0
"""RRsets of hundreds and thousands of records: TC over UDP, whole over TCP."""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from filterd.upstream import forwarder, singleflight
from filterd.wire import _codec_py
from filterd.wire import response as responses
from tests.support.serving import Serving, a_site
from tests.support.upstream import FakeUpstream
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.lists.index import Index

NAME = "many.example.com"
COUNTS = {"A": 4_000, "AAAA": 2_250, "MX": 2_500, "TXT": 900}
"""Nearly as many of each type as one message holds."""


def lines(rtype: str, count: int) -> list[str]:
    """Return the RDATA of an RRset."""
    made = {
        "A": (f"198.51.{n >> 8}.{n & 255}" for n in range(count)),
        "AAAA": (f"2001:2::{n:x}" for n in range(count)),
        "MX": (f"10 m{n}.{NAME}." for n in range(count)),
        "TXT": (f"{n}{'x' * 50}" for n in range(count)),
    }
    return list(made[rtype])


@cache
def whole(rtype: str) -> bytes:
    """Return the response to a question of this type, made once: that takes its time."""
    said = dns.message.make_response(dns.message.make_query(NAME, rtype))
    rdata = lines(rtype, COUNTS[rtype])
    said.answer.append(dns.rrset.from_text_list(f"{NAME}.", 300, "IN", rtype, rdata))
    return said.to_wire(max_size=65_535)


@pytest.fixture
def large() -> Iterator[FakeUpstream]:
    """Return an upstream with TC over UDP, and ``COUNTS`` records over TCP."""

    def truncated(query: dns.message.Message) -> dns.message.Message:
        said = dns.message.make_response(query)
        said.flags |= dns.flags.TC
        return said

    def answered(query: dns.message.Message) -> bytes:
        return query.id.to_bytes(2) + whole(dns.rdatatype.to_text(query.question[0].rdtype))[2:]

    with FakeUpstream(respond=truncated, respond_by_tcp=answered) as running:
        yield running


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("rtype", COUNTS)
def test_a_large_rrset_is_truncated_by_udp_and_whole_by_tcp(
    index: Index, large: FakeUpstream, rtype: str, fast: bool
) -> None:
    with Serving(a_site(index, [large]), fast=fast) as serving:
        for do in (False, True):
            for _ in range(2):
                cut = serving.ask(NAME, rtype, do=do)
                assert (cut.rcode(), cut.answer, cut.edns) == (dns.rcode.NOERROR, [], 0)
                assert cut.flags & dns.flags.TC
            said = serving.ask(NAME, rtype, by="tcp", do=do)
            assert (said.rcode(), len(said.answer[0])) == (dns.rcode.NOERROR, COUNTS[rtype])
        assert large.transports["tcp"] == 2, "what was fetched is kept"


def test_of_a_large_rrset_private_addresses_are_taken_out_in_time(
    index: Index, large: FakeUpstream
) -> None:
    """Record by record: to look for each among all others would take a second."""
    said = bytearray(whole("A"))
    end = len(said) - 16 * COUNTS["A"]
    for at in range(end, len(said), 32):  # each second address; a record has 16 octets
        said[at + 12 : at + 14] = b"\x0a\0"

    def mixed(query: dns.message.Message) -> bytes:
        return query.id.to_bytes(2) + said[2:]

    large.respond_by_tcp = mixed
    with Serving(a_site(index, [large])) as serving:
        serving.ask(NAME)
        began = time.process_time()
        response = serving.ask(NAME, by="tcp")
        assert time.process_time() - began < 0.5
    assert len(response.answer[0]) == COUNTS["A"] // 2


def test_control_by_the_bound_of_before_it_was_servfail(
    index: Index, large: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(responses, "MAX_RECORDS", 256)
    monkeypatch.setattr(forwarder, "Flights", singleflight.Flights)
    monkeypatch.setattr(
        "filterd.upstream.upstream_question.parse_response", _codec_py.parse_response
    )
    with Serving(a_site(index, [large])) as serving:
        assert serving.ask(NAME, by="tcp").rcode() == dns.rcode.SERVFAIL


def test_a_message_of_more_records_than_there_may_be_is_none(
    index: Index, large: FakeUpstream
) -> None:
    def bomb(query: dns.message.Message) -> bytes:
        count = 5_900
        header = query.to_wire()[:2] + b"\x81\x80\0\1" + count.to_bytes(2) + bytes(4)
        question = a_query(NAME)[12 : 12 + len(NAME) + 6]
        return header + question + (b"\0\0\1\0\1" + bytes(6)) * count

    large.respond_by_tcp = bomb
    with Serving(a_site(index, [large])) as serving:
        assert serving.ask(NAME).rcode() == dns.rcode.SERVFAIL
