# SPDX-License-Identifier: Apache-2.0
"""Queries by connections: TCP for answers too large for a datagram, and TLS."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple, Protocol

from filterd.base.errors import (
    UpstreamError,
    UpstreamMalformedError,
    UpstreamOverloadError,
    UpstreamUnreachableError,
)
from filterd.upstream.upstream_question import UpstreamQuestion, compose, new_id, parse_answer
from filterd.wire import ParsedResponse, frame

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.policy.model import UpstreamServer
    from filterd.upstream.server_group import ServerHealth
    from filterd.upstream.transport_set import Transports

MOST_TCP = 200
"""Connections for answers too large for UDP: each is a descriptor and up to 64 kB."""


class StreamQuery(NamedTuple):
    """A query to a server by a connection.

    ``server`` is the member as it is asked, without TLS if so. ``asked_at`` is the clock's
    monotonic time.
    """

    member: ServerHealth
    server: UpstreamServer
    edns: bool
    asked_at: float

    @property
    def by_tls(self) -> bool:
        """Whether the server is asked by TLS."""
        return self.server is not self.member.plain


class StreamReceiver(Protocol):
    """The receiver of responses that come by connections."""

    def fetched(self, fetch: StreamQuery, response: ParsedResponse) -> None:
        """Take a response."""

    def not_fetched(self, fetch: StreamQuery, error: UpstreamError) -> None:
        """Take the error where there is no response."""


class StreamQueries:
    """Queries in progress by connections; at most one for each server."""

    __slots__ = ("_question", "_tasks", "_use")

    def __init__(self, transports: Transports, question: UpstreamQuestion) -> None:
        self._use, self._question = transports, question
        self._tasks: dict[ServerHealth, asyncio.Task[None]] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    @property
    def members(self) -> Iterable[ServerHealth]:
        """The servers that have not answered yet."""
        return self._tasks.keys()

    def by_tcp(self, member: ServerHealth, fetcher: StreamReceiver, *, edns: bool) -> None:
        """Ask by TCP."""
        self._use.counters["tcp"] += 1
        self._start(StreamQuery(member, member.plain, edns, self._use.clock.monotonic()), fetcher)

    def by_tls(self, member: ServerHealth, fetcher: StreamReceiver, *, edns: bool) -> None:
        """Ask by TLS."""
        self._use.counters["tls"] += 1
        self._start(StreamQuery(member, member.server, edns, self._use.clock.monotonic()), fetcher)

    def cancel(self) -> None:
        """Cancel all queries."""
        for task in self._tasks.values():
            task.cancel()

    def _start(self, fetch: StreamQuery, fetcher: StreamReceiver) -> None:
        before = self._tasks.pop(fetch.member, None)
        if before is not None:
            before.cancel()
        self._tasks[fetch.member] = self._use.loop.create_task(self._run(fetch, fetcher))

    async def _run(self, fetch: StreamQuery, fetcher: StreamReceiver) -> None:
        try:
            if fetch.by_tls:
                response = await self._use.tls.ask(fetch.server, self._question, edns=fetch.edns)
            else:
                response = await self._tcp(fetch)
        except UpstreamError as error:
            del self._tasks[fetch.member]
            fetcher.not_fetched(fetch, error)
        else:
            del self._tasks[fetch.member]
            fetcher.fetched(fetch, response)

    async def _tcp(self, fetch: StreamQuery) -> ParsedResponse:
        if self._use.tcp_connections >= MOST_TCP:
            raise UpstreamOverloadError("too many answers are being fetched by TCP")
        self._use.tcp_connections += 1
        try:
            return await ask_by_tcp(fetch.server, self._question, edns=fetch.edns)
        finally:
            self._use.tcp_connections -= 1


async def ask_by_tcp(
    server: UpstreamServer, question: UpstreamQuestion, *, edns: bool
) -> ParsedResponse:
    """Ask on a new connection; the caller bounds the time by cancelling.

    Raises:
        UpstreamUnreachableError: no connection, or it ended before the answer.
        UpstreamMalformedError: the answer is not one to this question, or not whole.
    """
    message_id = new_id()
    try:
        reader, writer = await asyncio.open_connection(server.address, server.port)
        try:
            writer.write(frame(compose(question, message_id, edns=edns)))
            length = int.from_bytes(await reader.readexactly(2), "big")
            message = await reader.readexactly(length)
        finally:
            writer.close()
    except (OSError, EOFError) as error:
        raise UpstreamUnreachableError(f"{server.address} by TCP: {error}") from error
    response = parse_answer(message, question, message_id)
    if response is None:
        raise UpstreamMalformedError(f"{server.address} by TCP answered another question")
    if response.header.tc:
        raise UpstreamMalformedError(f"{server.address} truncated its answer even by TCP")
    return response
