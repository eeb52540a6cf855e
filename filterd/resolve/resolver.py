# SPDX-License-Identifier: Apache-2.0
"""The resolver, interface of the package: a message and its source -> the reply.

In two parts, so that a listener can separate what never waits from what may:
``admit`` is quick and never waits, ``respond`` goes down the chain.
"""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING

from filterd.base.errors import WireError
from filterd.resolve.answer_reply import compose
from filterd.resolve.query import Answer, Peer, Query, Source, tally
from filterd.wire import EdnsOption, badvers, failed, formerr, notimp, parse_query, servfail

if TYPE_CHECKING:
    from collections.abc import Callable

    from filterd.base.clock import Clock
    from filterd.policy.model import Client
    from filterd.querylog import Counts
    from filterd.resolve.pipeline import Chain
    from filterd.resolve.query import AnswerObserver, Fetched
    from filterd.resolve.site import Sites

_SHORTEST = 12
_QR, _QR_AND_OPCODE = 0x80, 0xF8
"""Of the third octet (RFC 1035 §4.1.1); all clear in a query."""

_logger = logging.getLogger("filterd.resolve")


class Resolver:
    """A resolver of messages; it counts the results, those of queries for the log too.

    Args:
        sites: the active site.
        chain: what answers.
        clock: by which policy decides.
        log: counts queries.
        own_mark: the content of the option that marks the daemon's own questions.
        machine: the clock by which the route to time servers is chosen, if it differs.
    """

    def __init__(
        self,
        sites: Sites,
        chain: Chain,
        clock: Clock,
        log: Counts | None = None,
        own_mark: bytes = b"",
        machine: Clock | None = None,
    ) -> None:
        self._sites, self._chain, self._clock, self._log = sites, chain, clock, log
        self._handler = chain.handler
        self._machine = machine or clock
        self._own_mark = int(EdnsOption.OWN_MARK), own_mark
        self.noted: Callable[[Query, Answer, bytes], None] | None = None
        """Called with each whole answer after it is composed, for the packet cache."""
        self.observers: tuple[AnswerObserver, ...] = ()
        """Given each answer of the chain. After setting them call ``FastPath.forget``,
        because the fast path asks ``must_see`` when it learns a client."""
        self.is_unlisted: Callable[[Query, Answer], bool] | None = None
        """Whether an answer is in no row of the log, and so in no sum of it; None for no rows."""
        self.counters: Counter[str] = Counter()
        """By ``Source`` of the answer; ``dropped`` in silence; ``malformed``, ``notimp`` and
        ``badvers``, answered by these; ``error``, an internal error. Each message counts once."""

    def may_ask(self, peer: Peer) -> bool:
        """Return whether any message from an address is answered at all."""
        return self._sites.current.identifier.identify(peer.address, peer.interface) is not None

    def network_of(self, peer: Peer) -> str | None:
        """Return the id of the network of an address, None for none."""
        client = self._sites.current.identifier.identify(peer.address, peer.interface)
        return None if client is None else client.network

    def device_of(self, peer: Peer) -> str:
        """Return the MAC of the device that has an address, or the address."""
        return self._sites.current.identifier.device_of(peer.address, peer.interface)

    def must_see(self, client: Client) -> bool:
        """Return whether a link or observer must see all answers to a client."""
        observed = any(observer.must_see(client) for observer in self.observers)
        return observed or self._chain.must_see(client)

    def admit(
        self, message: bytes, peer: Peer, fetched: Fetched | None = None
    ) -> Query | bytes | None:
        """Judge a message before any lookup. Never raises.

        Args:
            message: as it came.
            peer: its source.
            fetched: the outcome of upstreams that were already asked.

        Returns: a query for ``respond``; a finished reply; or None for no reply,
            to a client that is not allowed (RFC 5358) and to a message that is a reply
            itself, because the two ends would answer each other for ever.
        """
        try:
            return self._admit(message, peer, fetched)
        except Exception:
            _logger.exception("a question could not be judged; the client gets SERVFAIL")
            self.counters["error"] += 1
            return failed(message) if _may_be_query(message) else None

    def _admit(self, message: bytes, peer: Peer, fetched: Fetched | None) -> Query | bytes | None:
        site = self._sites.current
        client = site.identifier.identify(peer.address, peer.interface)
        if client is None or len(message) < _SHORTEST:
            self.counters["dropped"] += 1
            return None
        if message[2] & _QR_AND_OPCODE:
            if message[2] & _QR:
                self.counters["dropped"] += 1
                return None
            return self._finish("notimp", notimp(message))
        try:
            parsed = parse_query(message)
        except WireError:
            return self._finish("malformed", formerr(message))
        if parsed.edns is not None and parsed.edns.version > 0:
            return self._finish("badvers", badvers(parsed))
        return Query(parsed, peer, client, site, self._machine.wall(), fetched=fetched)

    async def respond(self, query: Query) -> bytes:
        """Answer a query. Never raises: an error becomes SERVFAIL.

        An exception must not become a way around the filter, so nothing is
        forwarded after one.
        """
        try:
            answer = await self._handler(query)
            reply = compose(query, answer, self._clock.wall())
            if self.noted is not None:
                self.noted(query, answer, reply)
            for observer in self.observers:
                observer.saw(query, answer)
        except Exception:
            self.counters["error"] += 1
            self._count(query, Answer(Source.FAILED))
            _logger.exception("a question could not be answered; the client gets SERVFAIL")
            return servfail(query.message)
        if not query.client.is_probe:
            self.counters[answer.source] += 1
        self._count(query, answer)
        return reply

    def is_own(self, query: Query) -> bool:
        """Return whether the daemon itself asks: the watchdog, or a self-test."""
        if query.client.is_probe:
            return True
        edns = query.message.edns
        return edns is not None and bool(edns.options) and self._own_mark in edns.options

    def _count(self, query: Query, answer: Answer) -> None:
        if self._log is None or self.is_own(query):
            return
        if self.is_unlisted is not None and self.is_unlisted(query, answer):
            self._log.hide(answer.source)
        else:
            tally(self._log, query, answer)

    def _finish(self, what: str, reply: bytes) -> bytes:
        self.counters[what] += 1
        return reply


def _may_be_query(message: bytes) -> bool:
    return len(message) >= _SHORTEST and not message[2] & _QR
