# SPDX-License-Identifier: Apache-2.0
"""The face of the floor; ``tests/e2e`` asks it through sockets."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import dns.edns
import dns.message
import dns.rcode
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.base.errors import UpstreamTimeoutError
from filterd.querylog import Counts
from filterd.resolve.query import Answer, Fetched, Peer, Query, Source
from filterd.resolve.resolver import Resolver
from filterd.texts.i18n import say
from filterd.wire import EdnsOption
from tests.support.chain import chain_of
from tests.support.clock import FakeClock
from tests.support.serving import SiteHolder, a_site
from tests.support.wire import QUESTION, a_message, a_query

if TYPE_CHECKING:
    from filterd.lists.index import Index
    from filterd.policy.model import Client
    from filterd.resolve.query import Handler
    from filterd.resolve.site import Site

PEER, STRANGER = Peer("127.0.6.1"), Peer("192.0.2.1")


async def failed(_: Query) -> Answer:
    return Answer(Source.FAILED)


@pytest.fixture(scope="module")
def resolver(index: Index) -> Resolver:
    return a_resolver(index)


def a_resolver(index: Index, handler: Handler = failed) -> Resolver:
    return Resolver(SiteHolder(a_site(index)), chain_of(handler), FakeClock())


def test_a_question_is_admitted_with_its_client(resolver: Resolver) -> None:
    admitted = resolver.admit(a_query("www.example.com"), PEER)
    assert isinstance(admitted, Query)
    assert (admitted.client.network, admitted.client.address) == ("grade-6", "127.0.6.1")
    assert admitted.asked_at == FakeClock().wall()


def test_a_stranger_gets_silence_whatever_it_sends(resolver: Resolver) -> None:
    for message in (b"", a_message(b""), a_query(), a_message(QUESTION, flags=0x2800)):
        assert resolver.admit(message, STRANGER) is None
    assert not resolver.may_ask(STRANGER)
    assert resolver.may_ask(PEER)


@given(st.binary(max_size=120), st.integers(0, 40))
def test_no_octets_raise(resolver: Resolver, octets: bytes, at: int) -> None:
    query = a_query("www.example.com")
    resolver.admit(octets, PEER)
    resolver.admit(query[:at] + octets, PEER)


def test_what_becomes_of_messages_is_counted(index: Index) -> None:
    resolver = a_resolver(index)
    opt_of_version_1 = b"\0\0\x29\x04\xd0\0\1\0\0\0\0"
    for message in (
        b"short",
        a_message(QUESTION, flags=0x8000),
        a_message(QUESTION, flags=0x2000),
        a_message(QUESTION * 2, qdcount=2),
        a_message(QUESTION + opt_of_version_1, arcount=1),
    ):
        resolver.admit(message, PEER)
    assert resolver.counters == {"dropped": 2, "notimp": 1, "malformed": 1, "badvers": 1}


class Unreadable:
    """Cannot read which site is in force."""

    @property
    def current(self) -> Site:
        raise RuntimeError("a bug")


def test_an_exception_before_it_is_admitted_is_a_servfail_for_what_may_be_a_query(
    caplog: pytest.LogCaptureFixture,
) -> None:
    resolver = Resolver(Unreadable(), chain_of(failed), FakeClock())
    query = a_query("www.example.com", message_id=7)
    admitted = resolver.admit(query, PEER)
    assert isinstance(admitted, bytes)
    response = dns.message.from_wire(admitted)
    assert (response.id, response.rcode(), response.answer) == (7, dns.rcode.SERVFAIL, [])
    assert resolver.counters == {"error": 1}
    assert "RuntimeError: a bug" in caplog.text
    for message in (query[:11], a_message(QUESTION, flags=0x8000)):
        assert resolver.admit(message, PEER) is None


def test_an_exception_is_a_servfail_and_never_an_answer(
    index: Index, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(_: Query) -> Answer:
        raise RuntimeError("a bug")

    resolver = a_resolver(index, broken)
    query = resolver.admit(a_query("www.example.com"), PEER)
    assert isinstance(query, Query)
    response = dns.message.from_wire(asyncio.run(resolver.respond(query)))
    assert (response.rcode(), response.answer) == (dns.rcode.SERVFAIL, [])
    assert resolver.counters == {"error": 1}
    assert "RuntimeError: a bug" in caplog.text


def test_an_answer_that_cannot_be_composed_is_a_servfail(
    index: Index, caplog: pytest.LogCaptureFixture
) -> None:
    async def without_resolution(_: Query) -> Answer:
        return Answer(Source.FORWARDED)

    resolver = a_resolver(index, without_resolution)
    query = resolver.admit(a_query("www.example.com"), PEER)
    assert isinstance(query, Query)
    assert dns.message.from_wire(asyncio.run(resolver.respond(query))).rcode() == dns.rcode.SERVFAIL
    assert "SERVFAIL" in caplog.text


def test_being_cancelled_is_no_error(index: Index) -> None:
    async def waiting(_: Query) -> Answer:
        raise asyncio.CancelledError

    resolver = a_resolver(index, waiting)
    query = resolver.admit(a_query("www.example.com"), PEER)
    assert isinstance(query, Query)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(resolver.respond(query))
    assert resolver.counters == {}


MARK = bytes(range(16))


def _an_option(data: bytes) -> dns.edns.Option:
    return dns.edns.GenericOption(dns.edns.OptionType.make(int(EdnsOption.OWN_MARK)), data)


MARKED = [
    ([_an_option(MARK)], 0),
    ([_an_option(bytes(16))], 1),
    ([_an_option(b"")], 1),
    ([], 1),
]


@pytest.mark.parametrize(("options", "counted"), MARKED)
def test_only_the_daemon_s_own_questions_are_not_counted(
    index: Index, options: list[dns.edns.Option], counted: int
) -> None:
    counts = Counts(FakeClock())
    resolver = Resolver(SiteHolder(a_site(index)), chain_of(failed), FakeClock(), counts, MARK)
    admitted = resolver.admit(a_query("www.example.com", options=options), PEER)
    assert isinstance(admitted, Query)
    asyncio.run(resolver.respond(admitted))
    assert sum(row.n for row in counts.take().rows) == counted


@pytest.mark.parametrize("is_unlisted", [False, True])
def test_an_answer_that_no_row_may_have_is_in_no_sum(index: Index, *, is_unlisted: bool) -> None:
    counts = Counts(FakeClock())
    resolver = Resolver(SiteHolder(a_site(index)), chain_of(failed), FakeClock(), counts)
    resolver.is_unlisted = lambda _, answer: is_unlisted and answer.source is Source.FAILED
    admitted = resolver.admit(a_query("www.example.com"), PEER)
    assert isinstance(admitted, Query)
    asyncio.run(resolver.respond(admitted))
    assert sum(row.n for row in counts.take().rows) == (not is_unlisted)
    assert counts.hidden_sources == ({"failed": 1} if is_unlisted else {})


@pytest.mark.parametrize(("octets", "reply"), [(11, False), (12, True)])
def test_a_whole_header_is_the_least_that_is_answered(
    index: Index, octets: int, *, reply: bool
) -> None:
    resolver = a_resolver(index)
    assert (resolver.admit(a_query("www.example.com")[:octets], PEER) is not None) is reply
    assert resolver.counters == {"malformed" if reply else "dropped": 1}


class Watching:
    """An observer that needs all answers, or none."""

    def __init__(self, *, needs: bool) -> None:
        self.needs, self.answers = needs, list[Answer]()

    def must_see(self, _: Client) -> bool:
        return self.needs

    def saw(self, _: Query, answer: Answer) -> None:
        self.answers.append(answer)


@pytest.mark.parametrize("needs", [(), (False,), (True,), (False, True)])
def test_an_observer_that_needs_all_answers_is_enough(
    index: Index, needs: tuple[bool, ...]
) -> None:
    resolver = a_resolver(index)
    admitted = resolver.admit(a_query("www.example.com"), PEER)
    assert isinstance(admitted, Query)
    resolver.observers = tuple(Watching(needs=one) for one in needs)
    assert resolver.must_see(admitted.client) is any(needs)


def test_every_observer_is_given_every_answer(index: Index) -> None:
    resolver, watching = a_resolver(index), [Watching(needs=False), Watching(needs=True)]
    resolver.observers = tuple(watching)
    admitted = resolver.admit(a_query("www.example.com"), PEER)
    assert isinstance(admitted, Query)
    asyncio.run(resolver.respond(admitted))
    assert [len(one.answers) for one in watching] == [1, 1]
    assert resolver.counters == {Source.FAILED: 1}


def test_a_reply_gets_silence_and_another_operation_an_answer(index: Index) -> None:
    resolver = a_resolver(index)
    assert resolver.admit(a_message(QUESTION, flags=0x8000), PEER) is None
    assert resolver.admit(a_message(QUESTION, flags=0xA000), PEER) is None
    reply = resolver.admit(a_message(QUESTION, flags=0x2000), PEER)
    assert isinstance(reply, bytes)
    assert dns.message.from_wire(reply).rcode() == dns.rcode.NOTIMP


def test_a_question_without_edns_is_one_like_any_other(index: Index) -> None:
    counts = Counts(FakeClock())
    resolver = Resolver(SiteHolder(a_site(index)), chain_of(failed), FakeClock(), counts, MARK)
    admitted = resolver.admit(a_message(QUESTION), PEER)
    assert isinstance(admitted, Query)
    assert admitted.message.edns is None
    asyncio.run(resolver.respond(admitted))
    assert sum(row.n for row in counts.take().rows) == 1


def test_a_query_has_the_time_of_the_machine_and_what_was_fetched(index: Index) -> None:
    clock, machine = FakeClock(5.0), FakeClock(9.0)
    site = a_site(index)
    resolver = Resolver(SiteHolder(site), chain_of(failed), clock, machine=machine)
    asked = resolver.admit(a_query("www.example.com"), PEER)
    assert isinstance(asked, Query)
    fetched = Fetched(asked.upstream_question, UpstreamTimeoutError(say("late")), 3.0)
    admitted = resolver.admit(a_query("www.example.com"), PEER, fetched)
    assert isinstance(admitted, Query)
    assert (admitted.asked_at, admitted.fetched, asked.fetched) == (9.0, fetched, None)


def test_what_was_composed_is_noted_and_a_failure_is_counted(
    index: Index, caplog: pytest.LogCaptureFixture
) -> None:
    counts = Counts(FakeClock())
    resolver = Resolver(SiteHolder(a_site(index)), chain_of(failed), FakeClock(), counts)
    noted = list[tuple[Query, Answer, bytes]]()
    resolver.noted = lambda *what: noted.append(what)
    admitted = resolver.admit(a_query("www.example.com"), PEER)
    assert isinstance(admitted, Query)
    reply = asyncio.run(resolver.respond(admitted))
    assert noted == [(admitted, Answer(Source.FAILED), reply)]

    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    resolver.noted = broken
    asyncio.run(resolver.respond(admitted))
    (row,) = counts.take().rows
    assert (row.action, row.n) == ("failed", 2)
    assert "RuntimeError: a bug" in caplog.text


def test_a_probe_of_the_daemon_is_its_own(index: Index) -> None:
    resolver = a_resolver(index)
    admitted = resolver.admit(a_query("www.example.com"), PEER)
    assert isinstance(admitted, Query)
    assert not resolver.is_own(admitted)
    probing = admitted.readmitted(replace(admitted.client, is_probe=True), admitted.site)
    assert resolver.is_own(probing)


def test_a_header_alone_may_be_a_query_when_judging_fails(
    caplog: pytest.LogCaptureFixture,
) -> None:
    resolver = Resolver(Unreadable(), chain_of(failed), FakeClock())
    query = a_query("www.example.com", message_id=7)
    assert resolver.admit(query[:12], PEER) is not None
    assert resolver.admit(query[:11], PEER) is None
    assert "a bug" in caplog.text
