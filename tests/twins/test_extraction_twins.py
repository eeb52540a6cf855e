# SPDX-License-Identifier: Apache-2.0
"""Both extractions of the same responses: the same resolution, or the same error.

The pure one reads the result of the pure codec, so that the two share nothing.
``FILTERD_FUZZ_MESSAGES`` is the number of mutants (2,000 unless set).
"""

from __future__ import annotations

import os
import random
from collections import Counter
from struct import pack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.base.errors import UpstreamMalformedError, WireError
from filterd.upstream import Route, UpstreamQuestion, resolution
from filterd.upstream.private_ranges import CARRIERS, RANGES_OF, Carrier, is_private
from filterd.wire import _codec_py
from filterd.wire import codec as live
from tests.support.cost_bombs import RESPONSES
from tests.support.packets import captured_packets, mutate
from tests.support.twins import MODULES
from tests.support.wire import OPT, a_message, a_query, a_record, a_response

pytestmark = pytest.mark.usefixtures("needs_native")

extraction = MODULES["extraction"][-1]
MUTANTS = int(os.environ.get("FILTERD_FUZZ_MESSAGES", "2000"))
SEED = int(os.environ.get("FILTERD_FUZZ_SEED", "1"))
TYPES = (1, 28, 5, 6, 39, 65, 15, 46)
NAMES = (
    b"\1a\7example\0",
    b"\1A\7EXAMPLE\0",
    b"\1b\7example\0",
    b"\1c\1b\7example\0",
    b"\7example\0",
    b"\0",
    b"\xc0\x0c",
    b"\xc0\x0e",
    b"\2xa\7example\0",
    b"\1a",
)
ADDRESSES = (b"\xc6\x12\0\1", b"\x0a\0\0\1", bytes(16), b"\x20\1" + bytes(14), b"\0\0\0")


def judged(codec: Any, extract: Any, message: bytes, question: UpstreamQuestion) -> object:
    """Return what is kept, or which error and where."""
    try:
        response = codec.parse_response(message)
    except WireError as error:
        return type(error), error.offset
    try:
        return extract(response, question)
    except UpstreamMalformedError as error:
        cause = error.__cause__
        assert isinstance(cause, WireError)
        return type(cause), cause.offset


def agree(message: bytes, question: UpstreamQuestion, *, whole: bool = False) -> object:
    question = question._replace(route=Route((), whole=whole))
    expected = judged(_codec_py, resolution.resolution_of, message, question)
    assert judged(live, extraction.resolution_of, message, question) == expected, (
        message.hex(),
        question,
    )
    return expected


def questions_for(message: bytes) -> list[UpstreamQuestion]:
    """Return questions that a message may answer: its own, and for another type."""
    try:
        asked = _codec_py.parse_response(message).question
    except WireError:
        asked = None
    qname, qtype = (asked.qname, asked.qtype) if asked else (NAMES[0], 1)
    return [UpstreamQuestion(qname, one, do=False, cd=False) for one in {qtype, 1, 5}]


rdata = st.one_of(
    st.sampled_from(ADDRESSES),
    st.sampled_from(NAMES),
    st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), st.integers(0, 2**32 - 1)).map(
        lambda soa: soa[0] + soa[1] + bytes(16) + pack("!I", soa[2])
    ),
)
record = st.builds(
    a_record,
    rdata,
    owner=st.sampled_from(NAMES),
    rtype=st.sampled_from(TYPES),
    rclass=st.sampled_from([1, 1, 1, 3]),
    ttl=st.integers(0, 2**32 - 1) | st.integers(0, 600),
)
aliases = st.builds(
    a_record, st.sampled_from(NAMES), owner=st.sampled_from(NAMES), rtype=st.just(5)
)


@given(
    answers=st.lists(record | aliases, max_size=6),
    authority=st.lists(record, max_size=2),
    code=st.integers(0, 5),
    qtype=st.sampled_from(TYPES),
    do=st.booleans(),
    whole=st.booleans(),
    opt=st.sampled_from([b"", OPT]),
)
def test_twins_keep_the_same_of_any_records(
    answers: list[bytes],
    authority: list[bytes],
    code: int,
    qtype: int,
    do: bool,
    whole: bool,
    opt: bytes,
) -> None:
    question = UpstreamQuestion(NAMES[0], qtype, do=do, cd=False)
    body = NAMES[0] + pack("!HH", qtype, 1) + b"".join((*answers, *authority, opt))
    counts = {"ancount": len(answers), "nscount": len(authority), "arcount": int(bool(opt))}
    agree(a_message(body, flags=0x8180 | code, **counts), question, whole=whole)


def a_random_response(rng: random.Random) -> bytes:
    """Return a response of a few aliases, addresses and perhaps a SOA, mostly well-formed."""

    def one(rtype: int, octets: bytes) -> bytes:
        return a_record(octets, owner=rng.choice(NAMES[:8]), rtype=rtype, ttl=rng.randrange(600))

    answers = [one(5, rng.choice(NAMES[:8])) for _ in range(rng.randrange(4))]
    answers += [one(1, rng.choice(ADDRESSES[:2])) for _ in range(rng.randrange(4))]
    rng.shuffle(answers)
    soa = [one(6, NAMES[0] + NAMES[6] + bytes(16) + b"\0\0\0\x3c")] * rng.randrange(2)
    body = NAMES[0] + b"\0\1\0\1" + b"".join(answers + soa)
    flags = 0x8180 | rng.choice((0, 0, 3, 2))
    return a_message(body, flags=flags, ancount=len(answers), nscount=len(soa))


def test_twins_keep_the_same_of_random_chains() -> None:
    rng, seen = random.Random(SEED), Counter[str]()
    for _ in range(MUTANTS):
        found = agree(a_random_response(rng), UpstreamQuestion(NAMES[0], 1, do=False, cd=False))
        if not isinstance(found, resolution.Resolution):
            seen["refused"] += 1
            continue
        seen["alias"] += bool(found.targets)
        seen["private"] += found.private
        seen["negative"] += bool(found.sections.nscount)
        seen["answer"] += bool(found.sections.ancount and not found.sections.nscount)
    assert min(seen[kind] for kind in ("refused", "alias", "private", "negative", "answer")) > 20


@pytest.mark.parametrize("name", RESPONSES)
def test_twins_keep_the_same_of_a_dear_message(name: str) -> None:
    for question in questions_for(RESPONSES[name]):
        agree(RESPONSES[name], question)


def test_twins_keep_the_same_of_captured_messages_and_mutants() -> None:
    rng = random.Random(SEED)
    seeds = [packet.message for packet in captured_packets() if not packet.is_query]
    seeds += [
        a_response(a_query(), "example.com 60 CNAME a.test", "a.test 60 A 198.18.0.1"),
        a_response(a_query(), rcode="NXDOMAIN", authority=["example.com 60 SOA a. b. 1 2 3 4 5"]),
    ]
    mutants = [mutate(rng.choice(seeds), rng) for _ in range(MUTANTS)]
    for message in (*seeds, *mutants):
        for question in questions_for(message):
            agree(message, question)


@pytest.mark.parametrize("octets", [4, 16])
def test_twins_find_the_same_addresses_private(octets: int) -> None:
    edges = [edge for ranges in RANGES_OF[octets] for edge in ranges]
    beside = [(int.from_bytes(edge) + step) % 256**octets for edge in edges for step in (-1, 0, 1)]
    for address in (number.to_bytes(octets) for number in beside):
        rtype = 1 if octets == 4 else 28
        body = NAMES[0] + pack("!HH", rtype, 1) + a_record(address, rtype=rtype)
        question = UpstreamQuestion(NAMES[0], rtype, do=False, cd=False)
        found = agree(a_message(body, flags=0x8180, ancount=1), question)
        assert isinstance(found, resolution.Resolution)
        assert found.private is is_private(address)


@pytest.mark.parametrize("carrier", CARRIERS, ids=lambda one: f"{one.prefix.hex()}, {one.at}")
@pytest.mark.parametrize("ipv4", [b"\x0a\0\0\1", b"\xc6\x12\0\1"])
def test_twins_see_the_address_that_another_carries(carrier: Carrier, ipv4: bytes) -> None:
    address = bytearray(carrier.prefix.ljust(16, b"\0"))
    also = [one for one in CARRIERS if one.prefix == carrier.prefix]  # Teredo carries two
    for one, carried in (*((one, b"\xc6\x12\0\1") for one in also), (carrier, ipv4)):
        address[one.at : one.at + 4] = bytes(octet ^ one.flipped for octet in carried)
    body = NAMES[0] + b"\0\x1c\0\1" + a_record(bytes(address), rtype=28)
    question = UpstreamQuestion(NAMES[0], 28, do=False, cd=False)
    found = agree(a_message(body, flags=0x8180, ancount=1), question)
    assert isinstance(found, resolution.Resolution)
    assert found.private is is_private(ipv4)
