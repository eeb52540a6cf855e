# SPDX-License-Identifier: Apache-2.0
"""Arbitrary octets: every reader raises ``WireError`` or returns a sound result.

``FILTERD_FUZZ_MESSAGES`` is the number of mutants (8,000 unless set) and
``FILTERD_FUZZ_SEED`` their seed; ``make fuzz`` asks for millions.
"""

from __future__ import annotations

import os
import random
import sys
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.base.errors import WireError
from filterd.wire import (
    Deframer,
    ParsedQuery,
    assemble,
    best_effort_question,
    fit,
    formerr,
    name,
    notimp,
    nxdomain,
    parse_query,
    parse_response,
    peek_header,
    rebuild,
    sinkhole,
)
from filterd.wire.header import QR
from tests.support import malformed
from tests.support.cost_bombs import QUERIES, RESPONSES
from tests.support.packets import captured_packets, mutate
from tests.support.wire import a_message, a_query, a_response
from tests.support.wire_work import use_response

MUTANTS = int(os.environ.get("FILTERD_FUZZ_MESSAGES", "8000"))
SEED = int(os.environ.get("FILTERD_FUZZ_SEED", "1"))

OWN_SEEDS = [
    a_query(),
    a_query(do=True),
    a_response(a_query(), "example.com 300 CNAME a.example.com", "a.example.com 60 A 198.18.0.1"),
    a_response(a_query(qtype="HTTPS"), "example.com 300 HTTPS 1 . ipv4hint=198.18.0.1 alpn=h2"),
    a_response(a_query(), authority=["example.com 60 SOA a. b. 1 2 3 4 5"], rcode="NXDOMAIN"),
    *(message for message, _ in (malformed.QUERIES | malformed.RESPONSES).values()),
    *(message for message in (QUERIES | RESPONSES).values() if len(message) < 2500),
]


def _use_query(message: bytes) -> str:
    """Parse a query and answer it; what is composed must parse."""
    try:
        query = parse_query(message)
    except WireError as error:
        if len(message) >= 12:
            parse_response(formerr(message))
            parse_response(notimp(message))
        return type(error).__name__
    for reply in (nxdomain(query), sinkhole(query, bytes(4), bytes(16))):
        assert parse_response(reply).question == query.question
    _check_name(query.question.qname)
    return "ok"


def _use_response(message: bytes) -> str:
    """Parse a response, use all of it; what is rebuilt or cut must parse."""
    try:
        response = use_response(message)
    except WireError as error:
        return type(error).__name__
    for record in response.records:
        _check_name(record.owner)
        assert record.end <= len(message)
    parse_response(fit(message, 512))
    if response.question is None:
        return "ok"
    query: ParsedQuery = parse_query(a_message(response.question.wire))
    try:
        sections = rebuild(response, response.records)
    except WireError:
        return "ok, RDATA malformed"
    again = parse_response(assemble(query, sections, response.rcode))
    facts = [(r.section, r.owner, r.rtype, r.rclass, r.ttl) for r in response.records]
    assert [(r.section, r.owner, r.rtype, r.rclass, r.ttl) for r in again.records] == facts
    return "ok"


def _check_name(wire: bytes) -> None:
    assert 0 < len(wire) <= 255
    assert name.from_labels(name.labels(wire)) == wire
    assert name.from_text(name.to_text(wire)) == wire


def _use_all(message: bytes) -> None:
    _use_query(message)
    _use_response(message)
    best_effort_question(message)
    if len(message) >= 12:
        fit(message, 512)


@given(st.binary(max_size=600))
def test_any_octets(octets: bytes) -> None:
    _use_all(octets)


@given(st.binary(max_size=600))
def test_any_octets_behind_a_plausible_header(octets: bytes) -> None:
    _use_all(a_message(octets, ancount=1, arcount=1))


@given(st.lists(st.binary(max_size=100), max_size=5))
def test_any_stream(pieces: list[bytes]) -> None:
    deframer = Deframer(limit=64)
    try:
        messages = [message for piece in pieces for message in deframer.feed(piece)]
    except WireError:
        return
    assert all(0 < len(message) <= 64 for message in messages)


@given(st.text(max_size=100))
def test_any_text_is_a_name_or_not(text: str) -> None:
    try:
        _check_name(name.from_text(text))
    except WireError:
        return


def _mutate_all(seeds: list[bytes], count: int) -> None:
    rng = random.Random(SEED)
    for number in range(count):
        message = mutate(rng.choice(seeds), rng)
        try:
            _use_all(message)
        except Exception as error:  # noqa: BLE001 -- whatever escapes is the finding
            pytest.fail(f"mutant {number} of seed {SEED}, {message.hex()}: {error!r}")


def test_mutants_of_messages_made_here() -> None:
    _mutate_all(OWN_SEEDS, MUTANTS)


def test_mutants_of_captured_messages() -> None:
    _mutate_all([packet.message for packet in captured_packets()], MUTANTS)


def test_captured_messages(capsys: pytest.CaptureFixture[str]) -> None:
    """All are read or refused; the table has the differences of another parser."""
    outcomes: Counter[tuple[str, str, str]] = Counter()
    for packet in captured_packets():
        _use_all(packet.message)
        use = _use_query if packet.is_query else _use_response
        kind = "query" if packet.is_query else "response"
        outcomes[kind, packet.hint, use(packet.message)] += 1
    with capsys.disabled():
        for (kind, hint, outcome), count in sorted(outcomes.items()):
            sys.stdout.write(f"\n{count:>6} {kind:<9} elsewhere {hint:<20} here {outcome}")
    assert sum(outcomes.values()) > 1000


def test_every_captured_header_can_be_peeked_at() -> None:
    packets = captured_packets()
    assert all(
        bool(peek_header(p.message).flags & QR) is not p.is_query
        for p in packets
        if len(p.message) > 11
    )
