# SPDX-License-Identifier: Apache-2.0
"""What may be asked at all, through real sockets (dns.md §2, RFC 6891, RFC 8906)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import dns.edns
import dns.message
import dns.rcode
import pytest

from filterd.upstream import exchange
from tests.support.malformed import QUERIES
from tests.support.packets import captured_packets
from tests.support.serving import open_sockets
from tests.support.wire import OPT, QUESTION, a_message, a_query

if TYPE_CHECKING:
    from tests.support.serving import Serving, TcpStub, UdpStub
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


def test_silence_is_told_from_an_answer(serving: Serving) -> None:
    with serving.stub() as stub:
        stub.send(a_query("porn.example"))
        assert len(until_good(stub)) == 1


@pytest.mark.parametrize("opcode", range(1, 16))
@pytest.mark.parametrize("by", ["udp", "tcp"])
def test_other_opcodes_are_not_implemented(serving: Serving, opcode: int, by: str) -> None:
    message = a_message(QUESTION, flags=opcode << 11 | 0x0100)
    with serving.tcp_stub() if by == "tcp" else serving.stub() as stub:
        answer = stub.ask(message)
    flags = int.from_bytes(answer[2:4])
    assert (flags >> 15, flags >> 11 & 0xF, flags & 0xF) == (1, opcode, dns.rcode.NOTIMP)


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


EDNS = {
    "version 1": (OPT[:6] + b"\1" + OPT[7:], dns.rcode.BADVERS),
    "version 255": (OPT[:6] + b"\xff" + OPT[7:], dns.rcode.BADVERS),
    "an unknown flag": (OPT[:7] + b"\x40\0" + OPT[9:], dns.rcode.NXDOMAIN),
    "an unknown option": (OPT[:-2] + b"\0\6\0\x64\0\2ab", dns.rcode.NXDOMAIN),
    "an empty cookie": (OPT[:-2] + b"\0\4\0\x0a\0\0", dns.rcode.NXDOMAIN),
    "client subnet": (OPT[:-2] + b"\0\x0b\0\x08\0\7\0\1\x18\0\1\2\3", dns.rcode.NXDOMAIN),
}
"""OPT records and how the question behind them, for a blocked name, is answered."""


@pytest.mark.parametrize(("opt", "rcode"), EDNS.values(), ids=EDNS.keys())
def test_edns_is_answered_in_version_0_without_echo(
    serving: Serving, opt: bytes, rcode: dns.rcode.Rcode
) -> None:
    question = b"\4porn\7example\0\0\1\0\1"
    with serving.stub() as stub:
        response = dns.message.from_wire(stub.ask(a_message(question + opt, arcount=1)))
    assert (response.rcode(), response.edns, response.ednsflags & 0x7FFF) == (rcode, 0, 0)
    assert {int(option.otype) for option in response.options} <= {dns.edns.EDE}


FORMERR = {
    "two OPT records": a_message(QUESTION + OPT * 2, arcount=2),
    "OPT among the answers": a_message(QUESTION + OPT, ancount=1),
    "OPT in authority": a_message(QUESTION + OPT, nscount=1),
    "OPT that is not the root's": a_message(QUESTION + b"\1a" + OPT, arcount=1),
    **{name: message for name, (message, _) in QUERIES.items() if len(message) >= 12},
}


@pytest.mark.parametrize("message", FORMERR.values(), ids=FORMERR.keys())
@pytest.mark.parametrize("by", ["udp", "tcp"])
def test_what_is_malformed_gets_formerr(serving: Serving, message: bytes, by: str) -> None:
    with serving.tcp_stub() if by == "tcp" else serving.stub() as stub:
        answer = stub.ask(message)
    assert (answer[:2], answer[2] & 0x80, answer[3] & 0xF) == (message[:2], 0x80, 1)


def test_every_type_is_answered_exactly_once(serving: Serving) -> None:
    types = [*range(1, 300), *range(300, 65536, 997), 65534, 65535]
    with serving.stub() as stub:
        for number, qtype in enumerate(types):
            answer = stub.ask(a_query("www.example.com", qtype, message_id=number))
            assert int.from_bytes(answer[:2]) == number
        assert until_good(stub) == []


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "DEADLINE_S", 0.2)


@pytest.mark.usefixtures("_impatient")
def test_captured_packets_get_an_answer_or_silence_by_udp(serving: Serving) -> None:
    messages = [packet.message[:LARGEST_DATAGRAM] for packet in captured_packets()]
    answers: list[bytes] = []
    with serving.stub() as stub:
        before = open_sockets()
        for message in messages:
            stub.send(message)
            answers += until_good(stub)
        serving.eventually(lambda: not len(serving.stepper))
        answers += until_good(stub)
        assert open_sockets() <= before
    assert Counter(one[:2] for one in answers) <= Counter(one[:2] for one in messages)


@pytest.mark.usefixtures("_impatient")
def test_captured_packets_do_not_harm_tcp(serving: Serving) -> None:
    before = open_sockets()
    for packet in captured_packets():
        with serving.tcp_stub() as stub:
            stub.send(packet.message)
        serving.eventually(lambda: not serving.connections)
    with serving.tcp_stub() as stub:
        assert until_good(stub) == []
    serving.eventually(lambda: not serving.connections)
    assert open_sockets() <= before
