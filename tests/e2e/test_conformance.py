# SPDX-License-Identifier: Apache-2.0
"""Every question gets one answer, and no unfiltered one (RFC 8906).

``FILTERD_E2E_TYPES=1`` asks all 65,536 types and classes instead of a sample.
"""

from __future__ import annotations

import os
from itertools import chain, combinations
from typing import TYPE_CHECKING

import dns.flags
import dns.opcode
import dns.rcode
import pytest

from filterd.wire import RRType
from tests.support.echo import Echo, tally
from tests.support.serving import GRADE_1, Serving, TcpStub, UdpStub, a_site
from tests.support.wire import OPT, a_message, a_query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.lists.index import Index
    from tests.support.echo import Tally
    from tests.support.upstream import FakeUpstream

pytestmark = pytest.mark.usefixtures("patient")

SAMPLE = [*range(300), *range(300, 65536, 61), 65534, 65535]
NUMBERS = range(65536) if os.environ.get("FILTERD_E2E_TYPES") else SAMPLE

NEVER_ASKED = {"OPT", "TKEY", "TSIG", "IXFR", "AXFR", "MAILB", "MAILA"}
PASSING, BLOCKED = "www.example.com", "porn.example"


@pytest.fixture
def echo() -> Iterator[Echo]:
    with Echo() as running:
        yield running


@pytest.fixture
def serving_echo(index: Index, echo: Echo) -> Iterator[Serving]:
    with Serving(a_site(index, [echo.server])) as running:
        yield running


def of_every_type(name: str) -> Iterator[tuple[int, bytes]]:
    query = a_query(name)
    end = query.index(b"\0", 12) + 1
    for number in NUMBERS:
        yield number, query[:end] + number.to_bytes(2) + query[end + 2 :]


def of_every_class(name: str) -> Iterator[tuple[int, bytes]]:
    query = a_query(name)
    end = query.index(b"\0", 12) + 3
    for number in NUMBERS:
        yield number, query[:end] + number.to_bytes(2) + query[end + 2 :]


def each_once(counted: Tally) -> bool:
    return not counted.missing(NUMBERS) and not counted.doubled


@pytest.mark.long
def test_every_type_is_answered_exactly_once(serving_echo: Serving, echo: Echo) -> None:
    with serving_echo.stub() as stub:
        counted = tally(stub, of_every_type(PASSING))
    assert (counted.missing(NUMBERS), counted.doubled) == ([], [])
    assert counted.rcodes() == {0: len(NUMBERS) - len(NEVER_ASKED), 5: len(NEVER_ASKED)}
    assert echo.asked == set(NUMBERS) - {RRType[one] for one in NEVER_ASKED} - {RRType.ANY}


@pytest.mark.long
def test_no_type_of_a_blocked_name_is_let_through(serving_echo: Serving, echo: Echo) -> None:
    with serving_echo.stub() as stub:
        counted = tally(stub, of_every_type(BLOCKED))
    assert (counted.missing(NUMBERS), counted.doubled) == ([], [])
    assert counted.rcodes() == {3: len(NUMBERS) - len(NEVER_ASKED), 5: len(NEVER_ASKED)}
    assert {ancount for _, _, ancount in counted.headers} == {0}
    assert echo.asked == set()


@pytest.mark.parametrize("times", [0, 2])
def test_control_one_answer_too_few_or_too_many_would_be_seen(times: int) -> None:
    with (
        Echo(times=lambda qtype: times if qtype == RRType.HTTPS else 1) as careless,
        UdpStub(GRADE_1, careless.address) as stub,
    ):
        counted = tally(stub, of_every_type(PASSING))
    assert not each_once(counted)
    assert (counted.missing(NUMBERS) or counted.doubled) == [RRType.HTTPS]


def test_every_class_is_answered_exactly_once_and_only_in_is_asked_for(
    serving_echo: Serving, echo: Echo
) -> None:
    with serving_echo.stub() as stub:
        counted = tally(stub, of_every_class(PASSING))
    assert (counted.missing(NUMBERS), counted.doubled) == ([], [])
    assert [number for number, flags, _ in counted.headers if flags & 0xF == 0] == [1]
    assert counted.rcodes()[dns.rcode.REFUSED] == len(NUMBERS) - 1
    assert echo.asked == {RRType.A}


def answers_to(stub: UdpStub | TcpStub, *messages: bytes) -> list[bytes]:
    """Return all answers to questions that are sent without waiting, in order."""
    last = a_query(BLOCKED, message_id=0xFFFF)
    answers = []
    for message in (*messages, last):
        stub.send(message)
    while (answer := stub.receive())[:2] != b"\xff\xff":
        assert answer, "the connection ended"
        answers.append(answer)
    return answers


@pytest.mark.parametrize("by", ["udp", "tcp"])
def test_every_opcode_is_answered_exactly_once(serving: Serving, by: str) -> None:
    question = a_query(BLOCKED, edns=False)[12:]
    asked = [
        a_message(question, flags=opcode << 11 | dns.flags.RD, message_id=opcode)
        for opcode in range(16)
    ]
    with serving.tcp_stub() if by == "tcp" else serving.stub() as stub:
        answers = answers_to(stub, *asked)
    flags = [int.from_bytes(answer[2:4]) for answer in answers]
    assert [int.from_bytes(answer[:2]) for answer in answers] == list(range(16))
    assert [flag & dns.flags.QR for flag in flags] == [dns.flags.QR] * 16
    assert [dns.opcode.from_flags(flag) for flag in flags] == list(range(16))
    assert [flag & 0xF for flag in flags] == [dns.rcode.NXDOMAIN, *[dns.rcode.NOTIMP] * 15]
    assert {answer[6:12] for answer in answers[1:]} == {bytes(6)}


@pytest.mark.parametrize("by", ["udp", "tcp"])
@pytest.mark.parametrize("opcode", [0, 1, 4, 5, 6, 15])
def test_a_header_alone_gets_an_answer_of_its_length(
    serving: Serving, opcode: int, by: str
) -> None:
    message = a_message(b"", flags=opcode << 11, qdcount=0)
    with serving.tcp_stub() if by == "tcp" else serving.stub() as stub:
        (answer,) = answers_to(stub, message)
    ours = dns.rcode.NOTIMP if opcode else dns.flags.RA | dns.rcode.FORMERR
    assert answer == a_message(b"", flags=dns.flags.QR | opcode << 11 | ours, qdcount=0)


Z = 0x0040
FLAGS = (dns.flags.AA, dns.flags.TC, dns.flags.RD, dns.flags.RA, Z, dns.flags.AD, dns.flags.CD)
COMBINATIONS = [
    int(sum(chosen))
    for chosen in chain.from_iterable(combinations(FLAGS, n) for n in range(len(FLAGS) + 1))
]
COPIED = dns.flags.RD | dns.flags.CD


def with_every_flag(name: str) -> list[bytes]:
    question = a_query(name, edns=False)[12:]
    return [
        a_message(question + OPT, flags=flags, arcount=1, message_id=number)
        for number, flags in enumerate(COMBINATIONS)
    ]


def all_flags_answered(serving: Serving, by: str, name: str) -> list[tuple[int, int, int]]:
    """Return the flags asked with, the flags of the answer, ANCOUNT; each question once."""
    asked = with_every_flag(name)
    ask = serving.tcp_stub if by == "tcp" else serving.stub
    stubs: list[UdpStub | TcpStub] = [ask(), ask()]  # a connection takes a hundred questions
    answers = []
    for number, stub in enumerate(stubs):
        with stub:
            for message in (mine := asked[number :: len(stubs)]):
                stub.send(message)
            answers += [stub.receive() for _ in mine]
    assert sorted(answer[:2] for answer in answers) == [one[:2] for one in asked]
    return [
        (
            COMBINATIONS[int.from_bytes(answer[:2])],
            int.from_bytes(answer[2:4]),
            int.from_bytes(answer[6:8]),
        )
        for answer in answers
    ]


@pytest.mark.parametrize("by", ["udp", "tcp"])
@pytest.mark.parametrize(
    ("name", "rcode", "ancount"), [(PASSING, dns.rcode.NOERROR, 1), (BLOCKED, 3, 0)]
)
def test_flags_of_a_question_neither_open_nor_confuse_anything(
    serving: Serving, upstream: FakeUpstream, by: str, name: str, rcode: int, ancount: int
) -> None:
    upstream.add("porn.example. 300 IN A 198.18.0.66")
    for asked, answered, count in all_flags_answered(serving, by, name):
        recursive = bool(asked & dns.flags.RD)
        expected = rcode if recursive else dns.rcode.REFUSED
        assert answered == dns.flags.QR | dns.flags.RA | asked & COPIED | expected
        assert count == (ancount if recursive else 0)
    assert set(upstream.asked) == ({"www.example.com A"} if ancount else set())
