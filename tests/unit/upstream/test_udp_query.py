# SPDX-License-Identifier: Apache-2.0
"""Several questions on one socket; ``test_exchange`` tests answers."""

from __future__ import annotations

import socket
from collections import Counter
from typing import TYPE_CHECKING

import dns.rdatatype
import pytest

from filterd.policy.model import UpstreamServer
from filterd.upstream import UpstreamQuestion
from filterd.upstream.randomness import RandomNumbers
from filterd.upstream.server_group import ServerHealth
from filterd.upstream.udp_query import UdpAttempt, UdpSocket
from filterd.upstream.upstream_question import OutgoingQuery
from tests.support.policies import wire
from tests.support.wire import a_response

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.wire import ParsedResponse

MEMBER = ServerHealth(UpstreamServer("127.0.0.1"))


class Noting:
    """Notes what comes."""

    def __init__(self) -> None:
        self.responses: list[ParsedResponse] = []
        self.mismatches = self.in_case = self.refusals = 0

    def answered(self, attempt: UdpAttempt, response: ParsedResponse) -> None:
        assert attempt.waiter is self
        self.responses.append(response)

    def mismatched(self) -> None:
        self.mismatches += 1

    def mismatched_in_case(self, attempt: UdpAttempt) -> None:
        assert attempt.waiter is self
        self.in_case += 1

    def refused(self) -> None:
        self.refusals += 1


class Line:
    """A ``UdpSocket`` and the server at its other end."""

    def __init__(self) -> None:
        self.server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.server.bind(("127.0.0.1", 0))
        self.server.settimeout(10)
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        client.connect(self.server.getsockname())
        self.client = client
        self.counters: Counter[str] = Counter()
        self.closed: list[UdpSocket] = []
        self.socket = UdpSocket(
            client, RandomNumbers(), self.counters, UdpSocket.close, self.closed.append
        )

    def ask(self, name: str = "www.example.com") -> tuple[Noting, UdpAttempt, bytes]:
        """Ask; return who waits, the attempt and the query that the server got."""
        waiter = Noting()
        question = UpstreamQuestion(wire(name), dns.rdatatype.A, do=False, cd=False)
        attempt = UdpAttempt(waiter, MEMBER, OutgoingQuery(question, edns=True), 0.0)
        self.socket.ask(attempt)
        return waiter, attempt, self.server.recv(4096)

    def say(self, message: bytes) -> None:
        """Let the server say something, and read it."""
        self.server.sendto(message, self.client.getsockname())
        self.socket.receive()

    def close(self) -> None:
        self.socket.close()
        self.server.close()


@pytest.fixture
def line() -> Iterator[Line]:
    opened = Line()
    yield opened
    opened.close()


def an_answer(query: bytes, name: str = "www.example.com") -> bytes:
    return a_response(query, f"{name} 300 A 192.0.2.1")


def test_answers_in_any_order_go_to_whom_they_answer(line: Line) -> None:
    names = [f"n{n}.example.com" for n in range(5)]
    asked = [line.ask(name) for name in names]
    for name, (_, _, query) in reversed(list(zip(names, asked, strict=True))):
        line.say(an_answer(query, name))
    for name, (waiter, _, _) in zip(names, asked, strict=True):
        (response,) = waiter.responses
        assert response.question is not None
        assert response.question.qname == wire(name)
    assert (line.counters, len(line.socket)) == ({}, 0)


def test_no_two_that_wait_have_one_id(line: Line) -> None:
    ids = {line.ask()[2][:2] for _ in range(1_500)}
    assert len(ids) == 1_500


def test_a_mismatch_counts_against_all_that_wait(line: Line) -> None:
    (first, _, query), (second, _, _) = line.ask(), line.ask()
    line.say(an_answer(query, "www.example.com")[:-30])
    assert (first.mismatches, second.mismatches, line.counters["mismatched"]) == (1, 1, 1)


def test_a_second_answer_is_unexpected_and_harms_nobody(line: Line) -> None:
    waiter, _, query = line.ask()
    for _ in range(3):
        line.say(an_answer(query))
    assert (len(waiter.responses), waiter.mismatches) == (1, 0)
    assert line.counters == {"unexpected": 2}


def test_a_closed_attempt_is_not_answered(line: Line) -> None:
    waiter, attempt, query = line.ask()
    attempt.close()
    attempt.close()
    line.say(an_answer(query))
    assert waiter.responses == []


def test_a_retired_socket_closes_with_the_last_that_waits(line: Line) -> None:
    (_, one, _), (waiter, _, query) = line.ask(), line.ask()
    line.socket.retire()
    one.close()
    assert line.closed == []
    line.say(an_answer(query))
    assert (len(waiter.responses), line.closed) == (1, [line.socket])


def test_a_failed_attempt_retires_its_socket(line: Line) -> None:
    (_, failed, _), (_, other, _) = line.ask(), line.ask()
    failed.fail()
    assert line.socket.is_retired
    assert line.closed == []
    other.fail()
    assert line.closed == [line.socket]


def test_closing_twice_is_closing_once(line: Line) -> None:
    line.ask()
    line.socket.close()
    line.socket.close()
    assert line.closed == [line.socket]


def test_an_icmp_error_is_told_and_ends_nothing(line: Line) -> None:
    address = line.server.getsockname()
    line.server.close()
    waiter = Noting()
    question = UpstreamQuestion(wire("www.example.com"), dns.rdatatype.A, do=False, cd=False)
    line.socket.ask(UdpAttempt(waiter, MEMBER, OutgoingQuery(question, edns=True), 0.0))
    line.socket.receive()
    assert (waiter.refusals, line.counters["icmp"], len(line.socket)) == (1, 1, 1)
    line.socket.receive()  # nothing has come: that is no error
    assert address[1]


def test_an_icmp_error_of_an_earlier_question_does_not_swallow_the_next(line: Line) -> None:
    address = line.server.getsockname()
    line.server.close()
    question = UpstreamQuestion(wire("www.example.com"), dns.rdatatype.A, do=False, cd=False)
    line.socket.ask(UdpAttempt(Noting(), MEMBER, OutgoingQuery(question, edns=True), 0.0))
    line.server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    line.server.bind(address)
    line.server.settimeout(10)
    assert line.ask()[2]


def test_an_answer_in_another_case_is_none_where_case_is_random(line: Line) -> None:
    waiter = Noting()
    question = UpstreamQuestion(wire("www.example.com" * 3), dns.rdatatype.A, do=False, cd=False)
    asked = OutgoingQuery(question, edns=True, numbers=RandomNumbers())
    line.socket.ask(UdpAttempt(waiter, MEMBER, asked, 0.0))
    query = line.server.recv(4096)
    answer = an_answer(query, "www.example.com" * 3)
    line.say(answer[:12] + answer[12:].lower())
    assert (waiter.in_case, waiter.mismatches, waiter.responses) == (1, 1, [])
    line.say(answer)
    assert len(waiter.responses) == 1
