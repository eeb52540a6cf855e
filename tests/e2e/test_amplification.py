# SPDX-License-Identifier: Apache-2.0
"""Octets sent to a forged source address, for the octets that it sends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.policy.model import BlockResponse
from filterd.wire import RRType
from tests.support.serving import GRADE_1, Serving, UdpStub, a_site
from tests.support.wire import OPT, a_message, a_query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.lists.index import Index
    from tests.support.upstream import FakeUpstream

TYPES = (*RRType, 0, 128, 65280)
"""All that have a name, and some that have none."""

SIZES = (None, 0, 512, 1232, 4096, 65535)
"""Sizes that clients announce; None without OPT."""

SOA_AND_EDE = 34 + 6
"""The SOA and EDE of a block. Nothing else may be added to a question."""

MOST_TIMES = 3.0
PACKET_HEADERS = 28
"""Of IPv4 and UDP: what goes over the wire as well, each way."""

LARGEST_ANSWER = 1232


def questions(name: str) -> Iterator[bytes]:
    for qtype in TYPES:
        for size in SIZES:
            yield a_query(name, qtype, edns=size is not None, udp_size=size or 0, do=size == 4096)


def sizes(stub: UdpStub, queries: Iterator[bytes]) -> list[tuple[int, int]]:
    """Return octets in and octets out for each."""
    return [(len(query), len(stub.ask(query))) for query in queries]


def most_times(pairs: list[tuple[int, int]], headers: int = 0) -> float:
    return max((out + headers) / (came + headers) for came, out in pairs)


@pytest.mark.parametrize("response", BlockResponse)
@pytest.mark.parametrize("name", ["porn.example", f"{'a' * 60}.porn.example"])
def test_a_block_adds_to_its_question_only_what_it_has_to_say(
    index: Index, response: BlockResponse, name: str
) -> None:
    with Serving(a_site(index, response=response)) as serving, serving.stub() as stub:
        pairs = sizes(stub, questions(name))
    assert max(out - came for came, out in pairs) <= SOA_AND_EDE
    assert most_times(pairs) <= (1.5 if len(name) > 60 else 2.2)
    assert most_times(pairs, PACKET_HEADERS) < 1.65


OURSELVES = {
    "ANY": a_query("www.example.com", "ANY"),
    "ANY without OPT": a_query("www.example.com", "ANY", edns=False),
    "a transfer": a_query("www.example.com", "AXFR"),
    "another class": a_query("www.example.com", "TXT", qclass="CH"),
    "without recursion": a_query("www.example.com", rd=False),
    "another opcode": a_message(a_query()[12:-11], flags=0x2800),
    "a header": a_message(b"", qdcount=0),
    "two questions": a_message(a_query()[12:-11] * 2, qdcount=2),
    "EDNS of tomorrow": a_message(a_query()[12:-11] + OPT[:6] + b"\1" + OPT[7:], arcount=1),
    "a special name": a_query("localhost", "AAAA"),
    "a name that is never asked": a_query("a.onion"),
    "a failure": a_query("fails.example.com"),
}


@pytest.mark.parametrize("query", OURSELVES.values(), ids=OURSELVES.keys())
def test_what_we_say_ourselves_is_hardly_more_than_the_question(index: Index, query: bytes) -> None:
    with Serving(a_site(index)) as serving, serving.stub() as stub:
        assert len(stub.ask(query)) <= MOST_TIMES * len(query)


def large(upstream: FakeUpstream, octets: int) -> None:
    texts = " ".join(f'"{"x" * 100}"' for _ in range(octets // 101))
    upstream.add(f"large.example.com. 300 IN TXT {texts}")


def test_a_true_answer_may_be_large_but_never_larger_than_one_datagram(
    serving: Serving, upstream: FakeUpstream
) -> None:
    large(upstream, 1_100)
    with serving.stub() as stub:
        pairs = sizes(stub, (a_query("large.example.com", "TXT", udp_size=n) for n in (512, 65535)))
    assert most_times(pairs[:1]) <= 1, "cut, and to be asked for by TCP"
    assert MOST_TIMES < most_times(pairs[1:]) <= LARGEST_ANSWER / pairs[1][0]


def test_what_does_not_fit_is_no_larger_than_its_question(
    serving: Serving, upstream: FakeUpstream
) -> None:
    large(upstream, 3_000)
    queries = (a_query("large.example.com", "TXT", udp_size=size or 0) for size in SIZES)
    with serving.stub() as stub:
        assert most_times(sizes(stub, queries)) <= 1


STRANGER = "127.0.9.9"


@pytest.mark.parametrize("allowed", [False, True])
def test_a_stranger_gets_no_octet(index: Index, upstream: FakeUpstream, allowed: bool) -> None:
    messages = (
        *OURSELVES.values(),
        a_query("www.example.com"),
        a_query("porn.example"),
        b"",
        b"short",
        a_message(a_query()[12:-11], flags=0x8180),
    )
    may_ask = (f"{GRADE_1}/32", *([f"{STRANGER}/32"] if allowed else []))
    site = a_site(index, [upstream], networks=(), allow_from=may_ask)
    with Serving(site) as serving, serving.stub(STRANGER) as stranger, serving.stub() as known:
        for message in messages:
            stranger.send(message)
        assert known.ask(a_query("porn.example")), "so what came before it has been read"
        stranger.socket.settimeout(0.1)
        assert bool(_next(stranger)) is allowed
        if allowed:
            upstream.wait_until_asked()
    assert bool(upstream.asked) is allowed


def _next(stub: UdpStub) -> bytes:
    try:
        return stub.receive()
    except TimeoutError:
        return b""
