# SPDX-License-Identifier: Apache-2.0
"""Admission of questions, through real sockets (RFC 6891, RFC 8906)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import dns.rcode
import pytest

from filterd.upstream import exchange
from tests.support.malformed import QUERIES
from tests.support.packets import captured_packets
from tests.support.serving import Serving, a_site, open_sockets
from tests.support.wire import QUESTION, a_message, a_query

if TYPE_CHECKING:
    from filterd.lists.index import Index
    from tests.support.serving import TcpStub, UdpStub
    from tests.support.upstream import FakeUpstream

GOOD = a_query("porn.example", message_id=0x600D)
LARGEST_DATAGRAM = 65_507

SILENCE = {
    "nothing": b"",
    "eleven octets": a_message(QUESTION)[:11],
    "a response": a_message(QUESTION, flags=0x8180),
    "a response with another opcode": a_message(QUESTION, flags=0xA880),
    "more than 4096 octets": a_message(QUESTION + bytes(5000)),
}


def is_good(message: bytes) -> bool:
    return message[:2] == b"\x60\x0d"


def until_good(stub: UdpStub | TcpStub) -> list[bytes]:
    """Ask a good question; return what is answered before it. What never waits keeps its order."""
    stub.send(GOOD)
    answers = []
    while not is_good(answer := stub.receive()):
        assert answer, "the connection ended"
        answers.append(answer)
    return answers


@pytest.mark.parametrize("message", SILENCE.values(), ids=SILENCE.keys())
def test_what_is_no_question_gets_silence(serving: Serving, message: bytes) -> None:
    with serving.stub() as stub:
        stub.send(message)
        assert until_good(stub) == []


def test_silence_is_distinguished_from_an_answer(serving: Serving) -> None:
    with serving.stub() as stub:
        stub.send(a_query("porn.example"))
        assert len(until_good(stub)) == 1


@pytest.mark.parametrize(
    ("qtype", "qclass"),
    [("AXFR", "IN"), ("IXFR", "IN"), ("TXT", "CH"), ("A", "HS"), ("A", "ANY"), ("TKEY", "IN")],
)
def test_what_no_forwarder_answers_is_refused(
    serving: Serving, upstream: FakeUpstream, qtype: str, qclass: str
) -> None:
    assert serving.ask("example.com", qtype, qclass=qclass).rcode() == dns.rcode.REFUSED
    assert upstream.asked == []


def test_without_recursion_desired_only_local_names_are_answered(
    serving: Serving, upstream: FakeUpstream
) -> None:
    assert serving.ask("www.example.com", rd=False).rcode() == dns.rcode.REFUSED
    assert serving.ask("localhost", rd=False).rcode() == dns.rcode.NOERROR
    assert upstream.asked == []


FORMERR = {name: message for name, (message, _) in QUERIES.items() if len(message) >= 12}


@pytest.mark.parametrize("message", FORMERR.values(), ids=FORMERR.keys())
@pytest.mark.parametrize("by", ["udp", "tcp"])
def test_what_is_malformed_gets_formerr(serving: Serving, message: bytes, by: str) -> None:
    with serving.tcp_stub() if by == "tcp" else serving.stub() as stub:
        answer = stub.ask(message)
    assert (answer[:2], answer[2] & 0x80, answer[3] & 0xF) == (message[:2], 0x80, 1)


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "DEADLINE_S", 0.2)


@pytest.mark.usefixtures("_impatient")
def test_captured_packets_get_an_answer_or_silence_by_udp(
    index: Index, upstream: FakeUpstream
) -> None:
    messages = [packet.message[:LARGEST_DATAGRAM] for packet in captured_packets()]
    answers: list[bytes] = []
    before = open_sockets()
    with Serving(a_site(index, [upstream])) as serving, serving.stub() as stub:
        for message in messages:
            stub.send(message)
            answers += until_good(stub)
        serving.eventually(lambda: not len(serving.stepper))
        answers += until_good(stub)
    assert open_sockets() <= before
    assert Counter(answer[:2] for answer in answers) <= Counter(one[:2] for one in messages)


@pytest.mark.usefixtures("_impatient")
def test_captured_packets_do_not_harm_tcp(index: Index, upstream: FakeUpstream) -> None:
    before = open_sockets()
    with Serving(a_site(index, [upstream])) as serving:
        for packet in captured_packets():
            with serving.tcp_stub() as stub:
                stub.send(packet.message)
            serving.eventually(lambda: not serving.connections)
        with serving.tcp_stub() as stub:
            assert until_good(stub) == []
    assert open_sockets() <= before
