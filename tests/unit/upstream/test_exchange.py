# SPDX-License-Identifier: Apache-2.0
"""One question put to a group of servers (RFC 5452); by both twins."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple, cast

import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest
import uvloop

from filterd.base.errors import (
    UpstreamError,
    UpstreamOverloadError,
    UpstreamTimeoutError,
    UpstreamUnreachableError,
)
from filterd.policy.model import Tls, UpstreamServer
from filterd.upstream import UpstreamQuestion, exchange, stream_queries
from filterd.upstream.server_group import ServerGroup, ServerHealth
from filterd.upstream.transport_set import Transports
from filterd.wire import ParsedResponse, parse_response
from tests.support.clock import FakeClock
from tests.support.policies import wire
from tests.support.serving import WITHIN_S, open_sockets
from tests.support.twins import both
from tests.support.upstream import FakeUpstream
from tests.support.wire import a_query, a_response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from types import ModuleType

    from filterd.upstream.exchange import Outcome
    from filterd.upstream.tls import TlsConnections

QUESTION = UpstreamQuestion(wire("www.example.com"), dns.rdatatype.A, do=False, cd=False)
GOOD, FORGED = "198.18.0.1", "198.18.0.66"


class Twin:
    """The twin that is tested."""

    module: ModuleType


@pytest.fixture(autouse=True, params=both("exchange"))
def _twin(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Twin, "module", request.param, raising=False)


@pytest.fixture
def second() -> Iterator[FakeUpstream]:
    with FakeUpstream(respond=good) as running:
        yield running


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time that passes for real: enough for loopback, little enough to wait for."""
    monkeypatch.setattr(exchange, "DEADLINE_S", 0.7)
    monkeypatch.setattr(exchange, "SECOND_TRY_S", 0.4)


def good(query: dns.message.Message) -> dns.message.Message:
    return an_answer(query, GOOD)


def an_answer(query: dns.message.Message, address: str) -> dns.message.Message:
    response = dns.message.make_response(query)
    name = query.question[0].name
    response.answer.append(dns.rrset.from_text(name, 300, "IN", "A", address))
    return response


def failing(rcode: str) -> Callable[[dns.message.Message], dns.message.Message]:
    def respond(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        response.set_rcode(dns.rcode.from_text(rcode))
        return response

    return respond


class FakeTls:
    """Answers by TLS for given servers; notes which it asked."""

    def __init__(self, outcome: Callable[[], Awaitable[ParsedResponse]]) -> None:
        self.outcome = outcome
        self.asked: list[tuple[UpstreamServer, bool]] = []

    async def ask(
        self, server: UpstreamServer, question: UpstreamQuestion, *, edns: bool
    ) -> ParsedResponse:
        assert question == QUESTION
        self.asked.append((server, edns))
        return await self.outcome()

    def close(self) -> None:
        pass


class Answered(NamedTuple):
    """What these exchanges make of a response: all of it, and its server."""

    response: ParsedResponse
    server: UpstreamServer


class Asked:
    """The outcome of one exchange, and what was counted on the way."""

    def __init__(
        self, group: ServerGroup, tls: FakeTls | None = None, clock: FakeClock | None = None
    ) -> None:
        self.counters: Counter[str] = Counter()
        self._clock = clock or FakeClock()
        self.outcome: Outcome = uvloop.run(self._ask(group, tls))

    async def _ask(self, group: ServerGroup, tls: FakeTls | None) -> Outcome:
        done: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        transports = Transports(self._clock, self.counters)
        transports._tls = cast("TlsConnections | None", tls)
        # A second call would raise in the future, and that is logged.
        now = self._clock.monotonic()
        order = group.in_order(now)
        Twin.module.Exchange(transports, order, QUESTION, Answered, done.set_result).start(now)
        outcome = await asyncio.wait_for(done, WITHIN_S)
        await asyncio.sleep(0)
        assert len(transports.wheel) <= 1  # the sockets have one timer together
        transports.close()
        return outcome

    @property
    def address(self) -> str:
        """The address in the answer."""
        assert isinstance(self.outcome, Answered), self.outcome
        response = self.outcome.response
        record = response.records[0]
        return socket.inet_ntoa(response.message[record.rdata_offset : record.end])

    @property
    def rcode(self) -> int:
        """The response code of the answer."""
        assert isinstance(self.outcome, Answered), self.outcome
        return self.outcome.response.rcode


def a_group(*upstreams: FakeUpstream) -> ServerGroup:
    return a_group_of(*(UpstreamServer(upstream.address, upstream.port) for upstream in upstreams))


def a_group_of(*servers: UpstreamServer) -> ServerGroup:
    return ServerGroup(tuple(ServerHealth(server) for server in servers))


@contextmanager
def a_dead_server() -> Iterator[ServerGroup]:
    """A server that takes questions and stays silent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        yield a_group_of(UpstreamServer("127.0.0.1", silent.getsockname()[1]))


def _another_id(answer: bytes) -> bytes:
    return (int.from_bytes(answer[:2]) + 1 & 0xFFFF).to_bytes(2) + answer[2:]


@pytest.mark.parametrize("times", [1, 3, 9])
def test_a_forgery_before_the_answer_is_ignored(upstream: FakeUpstream, times: int) -> None:
    def forged_first(query: dns.message.Message) -> list[bytes]:
        return [_another_id(an_answer(query, FORGED).to_wire())] * times + [good(query).to_wire()]

    upstream.respond = forged_first
    asked = Asked(a_group(upstream))
    assert (asked.address, asked.counters["mismatched"]) == (GOOD, times)
    assert asked.counters["tcp"] == 0


def test_control_without_these_checks_a_forgery_would_be_believed(upstream: FakeUpstream) -> None:
    upstream.respond = lambda query: [an_answer(query, FORGED), good(query)]
    assert Asked(a_group(upstream)).address == FORGED


def test_an_answer_from_another_port_is_never_seen(upstream: FakeUpstream) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as elsewhere:

        def from_elsewhere_first(query: dns.message.Message) -> dns.message.Message:
            destination = ("127.0.0.1", upstream.sources[-1])
            elsewhere.sendto(an_answer(query, FORGED).to_wire(), destination)
            return good(query)

        upstream.respond = from_elsewhere_first
        assert Asked(a_group(upstream)).address == GOOD


def test_the_letter_case_of_the_question_does_not_matter(upstream: FakeUpstream) -> None:
    upstream.respond = lambda query: good(query).to_wire().replace(b"\3www", b"\3WwW", 1)
    assert Asked(a_group(upstream)).address == GOOD


def test_many_mismatches_lead_to_tcp(upstream: FakeUpstream) -> None:
    upstream.respond = lambda query: [_another_id(an_answer(query, FORGED).to_wire())] * 30
    upstream.respond_by_tcp = good
    asked = Asked(a_group(upstream))
    assert (asked.address, asked.counters["tcp"]) == (GOOD, 1)
    assert asked.counters["mismatched"] == 10


def test_after_guessed_answers_the_next_server_is_asked_by_tcp_too(
    upstream: FakeUpstream, second: FakeUpstream
) -> None:
    upstream.respond = lambda query: [_another_id(an_answer(query, FORGED).to_wire())] * 30
    upstream.respond_by_tcp = failing("SERVFAIL")
    assert Asked(a_group(upstream, second)).address == GOOD
    assert second.transports == {"tcp": 1}


@pytest.mark.parametrize("cut", [None, -7], ids=["between records", "within a record"])
def test_a_truncated_answer_is_fetched_by_tcp(upstream: FakeUpstream, cut: int | None) -> None:
    def truncated(query: dns.message.Message) -> bytes:
        response = an_answer(query, FORGED)
        response.flags |= dns.flags.TC
        return response.to_wire()[:cut]

    upstream.respond, upstream.respond_by_tcp = truncated, good
    asked = Asked(a_group(upstream))
    assert (asked.address, upstream.transports) == (GOOD, {"udp": 1, "tcp": 1})


def test_an_answer_that_is_truncated_even_by_tcp_is_none(
    upstream: FakeUpstream, second: FakeUpstream
) -> None:
    def truncated(query: dns.message.Message) -> dns.message.Message:
        response = an_answer(query, FORGED)
        response.flags |= dns.flags.TC
        return response

    upstream.respond = truncated
    assert Asked(a_group(upstream, second)).address == GOOD


@pytest.mark.parametrize("rcode", ["FORMERR", "NOTIMP"])
def test_edns_is_left_out_once_where_it_is_not_understood_and_that_is_remembered(
    upstream: FakeUpstream, rcode: str
) -> None:
    upstream.respond = lambda query: (good if query.edns < 0 else failing(rcode))(query)
    group = a_group(upstream)
    assert [Asked(group).address for _ in range(2)] == [GOOD, GOOD]
    assert [dns.message.from_wire(message).edns for message in upstream.raw] == [0, -1, -1]
    later = FakeClock()
    later.advance(901)
    assert Asked(group, clock=later).address == GOOD
    assert [dns.message.from_wire(message).edns for message in upstream.raw[3:]] == [0, -1]


@pytest.mark.parametrize("rcode", ["FORMERR", "NOTIMP"])
def test_a_question_that_is_not_understood_at_all_does_not_count_against_edns(
    upstream: FakeUpstream, rcode: str
) -> None:
    upstream.respond = failing(rcode)
    group = a_group(upstream)
    for _ in range(2):
        Asked(group)
    assert [dns.message.from_wire(message).edns for message in upstream.raw] == [0, -1] * 2


def lowering(query: dns.message.Message) -> bytes:
    answer = good(query).to_wire()
    return answer[:12] + answer[12:].replace(query.to_wire()[12:29], b"\3www\7example\3com\0", 1)


def an_exact_group(upstream: FakeUpstream) -> ServerGroup:
    return a_group_of(UpstreamServer(upstream.address, upstream.port, randomise_case=True))


def qnames(upstream: FakeUpstream) -> list[bytes]:
    return [message[12:29] for message in upstream.raw]


def test_letter_case_is_random_where_a_server_keeps_it(upstream: FakeUpstream) -> None:
    upstream.respond = good
    group = an_exact_group(upstream)
    assert [Asked(group).address for _ in range(8)] == [GOOD] * 8
    assert len(set(qnames(upstream))) > 4
    assert {name.lower() for name in qnames(upstream)} == {QUESTION.qname}


def test_a_forgery_that_does_not_know_the_case_is_ignored(upstream: FakeUpstream) -> None:
    def forged_first(query: dns.message.Message) -> list[bytes]:
        forged = an_answer(query, FORGED).to_wire()
        flipped = forged[:13] + bytes(octet ^ 0x20 for octet in forged[13:16]) + forged[16:]
        return [flipped, good(query).to_wire()]

    upstream.respond = forged_first
    assert Asked(an_exact_group(upstream)).address == GOOD
    assert Asked(a_group(upstream)).address == FORGED  # the control: case does not matter


def test_a_server_that_does_not_keep_case_is_asked_without_after_three_mismatches(
    upstream: FakeUpstream,
) -> None:
    upstream.respond = lowering
    group = an_exact_group(upstream)
    asked = Asked(group)
    assert (asked.address, asked.counters["mismatched"], asked.counters["tcp"]) == (GOOD, 3, 0)
    assert qnames(upstream)[3:] == [QUESTION.qname]
    assert (Asked(group).address, qnames(upstream)[4:]) == (GOOD, [QUESTION.qname])
    later = FakeClock()
    later.advance(901)
    assert (Asked(group, clock=later).address, len(upstream.raw)) == (GOOD, 9)


def a_tls_group(upstream: FakeUpstream, tls: Tls) -> ServerGroup:
    server = UpstreamServer(upstream.address, 853, tls, "dns.example", trusted=True)
    (member,) = a_group_of(server).members
    member.plain = replace(member.plain, port=upstream.port)  # a test may not have port 53
    return ServerGroup((member,))


async def by_tls() -> ParsedResponse:
    query = a_query("www.example.com", message_id=1)
    return parse_response(a_response(query, f"www.example.com 300 A {GOOD}"))


async def no_tls() -> ParsedResponse:
    raise UpstreamUnreachableError("no TLS")


async def silent_tls() -> ParsedResponse:
    await asyncio.Event().wait()
    raise AssertionError


@pytest.mark.parametrize("kind", [Tls.STRICT, Tls.OPPORTUNISTIC])
def test_a_server_with_tls_is_asked_by_tls(upstream: FakeUpstream, kind: Tls) -> None:
    group, tls = a_tls_group(upstream, kind), FakeTls(by_tls)
    asked = Asked(group, tls)
    assert (asked.address, tls.asked) == (GOOD, [(group.members[0].server, True)])
    assert asked.counters == {"tls": 1}
    assert isinstance(asked.outcome, Answered)
    assert asked.outcome.server.trusted
    assert upstream.raw == []


@pytest.mark.parametrize("outcome", [no_tls, silent_tls])
def test_a_strict_server_is_never_asked_in_clear(
    upstream: FakeUpstream, outcome: Callable[[], Awaitable[ParsedResponse]]
) -> None:
    upstream.respond = good
    asked = Asked(a_tls_group(upstream, Tls.STRICT), FakeTls(outcome))
    assert isinstance(asked.outcome, UpstreamError)
    assert (upstream.raw, asked.counters["sent"], asked.counters["tcp"]) == ([], 0, 0)


@pytest.mark.parametrize("outcome", [no_tls, silent_tls])
def test_an_opportunistic_one_is_and_that_is_remembered_for_a_while(
    upstream: FakeUpstream, outcome: Callable[[], Awaitable[ParsedResponse]]
) -> None:
    upstream.respond = good
    group, tls, clock = a_tls_group(upstream, Tls.OPPORTUNISTIC), FakeTls(outcome), FakeClock()
    for _ in range(2):
        asked = Asked(group, tls, clock)
        assert asked.address == GOOD
        assert isinstance(asked.outcome, Answered)
        assert not asked.outcome.server.trusted  # anybody could have set AD on the way
    assert len(tls.asked) == 1
    clock.advance(61)
    assert Asked(group, tls, clock).address == GOOD
    assert len(tls.asked) == 2


def test_where_tls_fails_the_next_server_is_asked(
    upstream: FakeUpstream, second: FakeUpstream
) -> None:
    strict = a_tls_group(upstream, Tls.STRICT)
    group = ServerGroup((*strict.members, *a_group(second).members))
    assert Asked(group, FakeTls(no_tls)).address == GOOD
    assert upstream.raw == []


def test_the_number_of_tcp_connections_is_bounded(
    upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    def truncated(query: dns.message.Message) -> dns.message.Message:
        response = an_answer(query, FORGED)
        response.flags |= dns.flags.TC
        return response

    upstream.respond, upstream.respond_by_tcp = truncated, good
    assert Asked(a_group(upstream)).address == GOOD
    monkeypatch.setattr(stream_queries, "MOST_TCP", 0)
    assert isinstance(Asked(a_group(upstream)).outcome, UpstreamOverloadError)


@pytest.mark.parametrize("rcode", ["FORMERR", "NOTIMP"])
def test_edns_is_kept_where_it_was_the_question_that_is_not_understood(
    upstream: FakeUpstream, rcode: str
) -> None:
    """One client's odd type must not take DNSSEC away from everybody."""
    upstream.respond = failing(rcode)
    group = a_group(upstream)
    Asked(group)
    upstream.respond = good
    assert Asked(group).address == GOOD
    assert [dns.message.from_wire(message).edns for message in upstream.raw] == [0, -1, 0]


@pytest.mark.parametrize("rcode", ["SERVFAIL", "REFUSED", "FORMERR", "NOTAUTH"])
def test_a_server_with_an_error_not_of_the_name_lets_the_next_answer(
    upstream: FakeUpstream, second: FakeUpstream, rcode: str
) -> None:
    upstream.respond = failing(rcode)
    assert Asked(a_group(upstream, second)).address == GOOD


def test_if_all_fail_a_server_s_own_word_is_the_outcome(upstream: FakeUpstream) -> None:
    upstream.respond = failing("SERVFAIL")
    asked = Asked(a_group(upstream))
    assert (asked.rcode, asked.counters["sent"]) == (dns.rcode.SERVFAIL, 1)


def test_nxdomain_is_an_answer(upstream: FakeUpstream, second: FakeUpstream) -> None:
    upstream.respond = failing("NXDOMAIN")
    assert Asked(a_group(upstream, second)).rcode == dns.rcode.NXDOMAIN
    assert second.asked == []


def test_a_silent_server_does_not_keep_the_next_from_answering(second: FakeUpstream) -> None:
    with a_dead_server() as dead:
        group = ServerGroup((*dead.members, *a_group(second).members))
        assert Asked(group).address == GOOD


def test_a_silent_server_is_asked_last_after_three_failures(second: FakeUpstream) -> None:
    with a_dead_server() as dead:
        group = ServerGroup((*dead.members, *a_group(second).members))
        sent = [Asked(group).counters["sent"] for _ in range(4)]
    assert sent == [2, 2, 2, 1]


def test_a_lost_datagram_is_sent_again_where_there_is_one_server(upstream: FakeUpstream) -> None:
    upstream.respond = lambda query: good(query) if len(upstream.asked) > 1 else None
    asked = Asked(a_group(upstream))
    assert (asked.address, asked.counters["sent"]) == (GOOD, 2)
    assert upstream.raw[0][:2] != upstream.raw[1][:2]


def test_where_all_are_silent_for_a_moment_the_first_is_asked_again(
    upstream: FakeUpstream, second: FakeUpstream
) -> None:
    upstream.respond = lambda query: good(query) if len(upstream.asked) > 1 else None
    second.silent.set()
    asked = Asked(a_group(upstream, second))
    assert (asked.address, asked.counters["sent"]) == (GOOD, 3)


def test_silence_of_all_ends_at_the_deadline() -> None:
    with a_dead_server() as dead:
        asked = Asked(dead)
    assert isinstance(asked.outcome, UpstreamTimeoutError)
    assert asked.counters["sent"] == 2


def test_an_icmp_error_does_not_end_a_question(second: FakeUpstream) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closing:
        closing.bind(("127.0.0.1", 0))
        closed = UpstreamServer("127.0.0.1", closing.getsockname()[1])
    asked = Asked(ServerGroup((ServerHealth(closed), *a_group(second).members)))
    assert (asked.address, asked.counters["icmp"]) == (GOOD, 1)
    alone = Asked(a_group_of(closed))
    assert isinstance(alone.outcome, UpstreamTimeoutError)


@pytest.mark.parametrize("servers", [(), (UpstreamServer("255.255.255.255"),)])
def test_where_nothing_can_be_sent_that_is_known_at_once(
    servers: tuple[UpstreamServer, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "DEADLINE_S", 3_600.0)
    assert isinstance(Asked(a_group_of(*servers)).outcome, UpstreamUnreachableError)


def test_a_server_that_cannot_be_reached_is_passed_over(second: FakeUpstream) -> None:
    unreachable = ServerHealth(UpstreamServer("255.255.255.255"))
    assert Asked(ServerGroup((unreachable, *a_group(second).members))).address == GOOD


def test_a_server_that_answers_twice_is_heard_once(
    upstream: FakeUpstream, second: FakeUpstream
) -> None:
    upstream.respond = lambda query: [failing("SERVFAIL")(query)] * 3
    upstream.respond_by_tcp = good
    second.silent.set()
    asked = Asked(a_group(upstream, second))
    assert asked.counters["sent"] == 3  # the silent one is asked again
    assert asked.rcode == dns.rcode.SERVFAIL


def test_everything_is_closed_at_the_end(upstream: FakeUpstream, second: FakeUpstream) -> None:
    upstream.respond = lambda query: [_another_id(an_answer(query, FORGED).to_wire())] * 30
    upstream.respond_by_tcp = lambda _: None

    async def ask() -> None:
        before, tasks = open_sockets(), asyncio.all_tasks()
        done = asyncio.get_running_loop().create_future()
        transports = Transports(FakeClock(), Counter())
        members = a_group(upstream, second).members
        Twin.module.Exchange(transports, members, QUESTION, Answered, done.set_result).start(0.0)
        await done
        transports.close()
        assert len(transports.wheel) == 0
        while asyncio.all_tasks() != tasks or open_sockets() > before:
            await asyncio.sleep(0)  # the upstream closes its end in its own time

    uvloop.run(asyncio.wait_for(ask(), WITHIN_S))


def test_a_closed_exchange_reports_nothing(upstream: FakeUpstream) -> None:
    async def ask() -> None:
        outcomes: list[Outcome] = []
        transports = Transports(FakeClock(), Counter())
        members = a_group(upstream).members
        going_on = Twin.module.Exchange(transports, members, QUESTION, Answered, outcomes.append)
        going_on.start(0.0)
        going_on.close()
        going_on.close()
        for event in going_on.due, going_on.mismatched, going_on.refused:
            event()
        await asyncio.sleep(0)
        transports.close()
        assert outcomes == []

    uvloop.run(ask())


def test_ids_and_ports_cannot_be_foreseen(upstream: FakeUpstream) -> None:
    upstream.respond = good
    group = a_group(upstream)
    for _ in range(200):
        assert not isinstance(Asked(group).outcome, UpstreamError)
    ids = [int.from_bytes(message[:2]) for message in upstream.raw]
    assert len(set(ids)) > 190
    assert len(set(upstream.sources)) > 150
    steps = Counter((b - a) % 65536 for a, b in pairwise(ids))
    assert max(steps.values()) <= 2
