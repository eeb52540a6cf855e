# SPDX-License-Identifier: Apache-2.0
"""One question by TCP."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.rdatatype
import pytest
import uvloop

from filterd.errors import UpstreamError, UpstreamMalformedError, UpstreamUnreachableError
from filterd.policy.model import UpstreamServer
from filterd.upstream import UpstreamQuestion
from filterd.upstream.tcp_query import ask_by_tcp
from tests.support.policies import wire
from tests.support.serving import WITHIN_S

if TYPE_CHECKING:
    from filterd.wire import ParsedResponse
    from tests.support.upstream import FakeUpstream, Respond

QUESTION = UpstreamQuestion(wire("www.example.com"), dns.rdatatype.A, do=False, cd=False)


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
