# SPDX-License-Identifier: Apache-2.0
"""Answers over connections; ``test_exchange`` tests their use."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, cast

import dns.flags
import dns.message
import dns.rdatatype
import pytest
import uvloop

from filterd.base.errors import (
    UpstreamError,
    UpstreamMalformedError,
    UpstreamOverloadError,
    UpstreamUnreachableError,
)
from filterd.policy.model import Tls, UpstreamServer
from filterd.upstream import UpstreamQuestion, stream_queries
from filterd.upstream.server_group import ServerHealth
from filterd.upstream.stream_queries import StreamQueries, StreamQuery, ask_by_tcp
from filterd.upstream.transport_set import Transports
from tests.support.clock import FakeClock
from tests.support.policies import wire
from tests.support.serving import WITHIN_S

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from filterd.upstream.tls import TlsConnections
    from filterd.wire import ParsedResponse
    from tests.support.upstream import FakeUpstream, Respond

QUESTION = UpstreamQuestion(wire("www.example.com"), dns.rdatatype.A, do=False, cd=False)


class Fetching:
    """Fetches, and notes what came of it."""

    def __init__(self) -> None:
        self.use = Transports(FakeClock(), Counter())
        self.fetches = StreamQueries(self.use, QUESTION)
        self.came: asyncio.Queue[tuple[StreamQuery, ParsedResponse | UpstreamError]] = (
            asyncio.Queue()
        )

    def fetched(self, fetch: StreamQuery, response: ParsedResponse) -> None:
        self.came.put_nowait((fetch, response))

    def not_fetched(self, fetch: StreamQuery, error: UpstreamError) -> None:
        self.came.put_nowait((fetch, error))


def member_of(upstream: FakeUpstream, tls: Tls = Tls.NO) -> ServerHealth:
    return ServerHealth(UpstreamServer(upstream.address, upstream.port, tls))


def run(test: Callable[[Fetching], Awaitable[None]]) -> None:
    async def main() -> None:
        fetcher = Fetching()
        tasks = asyncio.all_tasks()
        try:
            await asyncio.wait_for(test(fetcher), WITHIN_S)
        finally:
            fetcher.fetches.cancel()
            fetcher.use.close()
        while len(asyncio.all_tasks()) > len(tasks):
            await asyncio.sleep(0)

    uvloop.run(main())


@pytest.mark.parametrize("edns", [True, False])
def test_an_answer_is_fetched_by_tcp(upstream: FakeUpstream, edns: bool) -> None:
    async def test(fetcher: Fetching) -> None:
        member = member_of(upstream)
        fetcher.fetches.by_tcp(member, fetcher, edns=edns)
        assert list(fetcher.fetches.members) == [member]
        fetch, response = await fetcher.came.get()
        assert (fetch.member, fetch.edns, fetch.by_tls) == (member, edns, False)
        assert not isinstance(response, UpstreamError)
        assert (len(fetcher.fetches), fetcher.use.tcp_connections) == (0, 0)
        assert fetcher.use.counters == {"tcp": 1}

    run(test)
    assert upstream.transports == {"tcp": 1}


def test_a_failure_is_reported(upstream: FakeUpstream) -> None:
    upstream._tcp.shutdown()
    upstream._tcp.server_close()

    async def test(fetcher: Fetching) -> None:
        fetcher.fetches.by_tcp(member_of(upstream), fetcher, edns=True)
        _, error = await fetcher.came.get()
        assert isinstance(error, UpstreamUnreachableError)
        assert (len(fetcher.fetches), fetcher.use.tcp_connections) == (0, 0)

    run(test)


def test_no_more_connections_are_made_than_there_may_be(
    upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_queries, "MOST_TCP", 2)
    upstream.released.clear()

    async def test(fetcher: Fetching) -> None:
        for _ in range(3):
            fetcher.fetches.by_tcp(member_of(upstream), fetcher, edns=True)
        _, error = await fetcher.came.get()
        assert isinstance(error, UpstreamOverloadError)
        assert fetcher.use.tcp_connections == 2

    run(test)


def test_a_cancelled_query_reports_nothing(upstream: FakeUpstream) -> None:
    upstream.released.clear()

    async def test(fetcher: Fetching) -> None:
        fetcher.fetches.by_tcp(member_of(upstream), fetcher, edns=True)
        await asyncio.sleep(0)
        fetcher.fetches.cancel()
        while fetcher.use.tcp_connections:
            await asyncio.sleep(0)
        assert fetcher.came.empty()

    run(test)


def test_one_server_is_fetched_from_once_at_a_time(upstream: FakeUpstream) -> None:
    async def test(fetcher: Fetching) -> None:
        member = member_of(upstream)
        for _ in range(2):
            fetcher.fetches.by_tcp(member, fetcher, edns=True)
        await fetcher.came.get()
        assert (fetcher.came.empty(), len(fetcher.fetches)) == (True, 0)

    run(test)


def test_a_server_is_asked_by_tls_as_it_is_configured(upstream: FakeUpstream) -> None:
    class FakeTls:
        asked: UpstreamServer

        async def ask(
            self,
            server: UpstreamServer,
            question: UpstreamQuestion,  # noqa: ARG002 -- as the real one has it
            *,
            edns: bool,  # noqa: ARG002 -- likewise
        ) -> ParsedResponse:
            self.asked = server
            raise UpstreamUnreachableError

        def close(self) -> None:
            pass

    async def test(fetcher: Fetching) -> None:
        tls, member = FakeTls(), member_of(upstream, Tls.STRICT)
        fetcher.use._tls = cast("TlsConnections", tls)
        fetcher.fetches.by_tls(member, fetcher, edns=True)
        fetch, _ = await fetcher.came.get()
        assert (tls.asked, fetch.by_tls) == (member.server, True)
        assert fetcher.use.counters == {"tls": 1}

    run(test)


def ask(upstream: FakeUpstream) -> ParsedResponse:
    server = UpstreamServer(upstream.address, upstream.port)
    asking = asyncio.wait_for(ask_by_tcp(server, QUESTION, edns=True), WITHIN_S)
    return uvloop.run(asking)


def test_the_answer_comes_whole(upstream: FakeUpstream) -> None:
    assert len(ask(upstream).records) == 1
    assert upstream.transports == {"tcp": 1}


def _truncated(query: dns.message.Message) -> dns.message.Message:
    response = dns.message.make_response(query)
    response.flags |= dns.flags.TC
    return response


MALFORMED: dict[str, Respond] = {
    "another ID": lambda q: bytes((q.id >> 8 ^ 1, q.id & 0xFF)) + q.to_wire()[2:],
    "the question itself": lambda q: q,
    "no octets": lambda _: b"",
    "garbage": lambda _: b"\xff" * 40,
    "a truncated answer": _truncated,
}


@pytest.mark.parametrize("respond", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_no_whole_answer_is_malformed(upstream: FakeUpstream, respond: Respond) -> None:
    upstream.respond = respond
    with pytest.raises(UpstreamMalformedError):
        ask(upstream)


def test_a_connection_that_is_refused_is_unreachable(upstream: FakeUpstream) -> None:
    upstream._tcp.shutdown()
    upstream._tcp.server_close()
    with pytest.raises(UpstreamUnreachableError):
        ask(upstream)


@pytest.mark.parametrize("said", [b"", b"\0", b"\0\x40abc"])
def test_a_connection_that_ends_too_early_is_an_error(said: bytes) -> None:
    async def main() -> None:
        async def ending(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(said)
            writer.close()

        server = await asyncio.start_server(ending, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            with pytest.raises(UpstreamError):
                await ask_by_tcp(UpstreamServer("127.0.0.1", port), QUESTION, edns=True)

    uvloop.run(main())
