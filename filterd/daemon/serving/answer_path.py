# SPDX-License-Identifier: Apache-2.0
"""Put together what answers in a worker: the chain, the fast path in front of it.

It is put together once, at the start: listeners hold its parts, and a question meets no name of
this module. Without native modules the chain answers alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import TYPE_CHECKING

from filterd.fastpath.core_contract import ENTRIES
from filterd.fastpath.core_filler import NATIVE, Core, FastPath, Relay
from filterd.fastpath.coroutine_runner import Stepper
from filterd.fastpath.rate_limit import Limiter
from filterd.resolve import pipeline
from filterd.resolve.explain import client_of, explain, explain_answer, parse_time
from filterd.resolve.links.cache import Background
from filterd.resolve.query import Peer, Query
from filterd.resolve.resolver import Resolver
from filterd.resolve.tunnel_counter import TunnelCounter
from filterd.upstream import Forwarder
from filterd.wire import compose_query, parse_query
from filterd.wire.section import Question

if TYPE_CHECKING:
    from filterd.daemon.process import Setting
    from filterd.daemon.serving.current_site import ActiveSite
    from filterd.querylog import Counts
    from filterd.resolve.explanation import Explanation
    from filterd.resolve.query import Answer
    from filterd.resolve.site import Site

_LAST_ANSWERS_WITHIN_S = 0.8
"""What a stop leaves to the upstreams: long for an honest answer. Without the Internet each stop
takes it, and new questions wait meanwhile: with the start after it, at most 2 s."""

_REPEATED_OCTETS = 280
"""What one answer that may be repeated takes beside the cache: a place with a hash and a source,
and a slot, which is named there or among the free ones."""

_REPEATED_SHARE = 3
"""At most one part in three of the memory for answers is for these: each is in the cache, too."""

_ALIAS_WITHIN_S = 1.5
"""How long an explanation waits for an upstream that may be down."""


class AnswerPath:
    """What answers the questions of one worker.

    Args:
        setting: the folders and clocks of the daemon.
        sites: the active policy and lists.
        counts: takes each answer.

    Attributes:
        sites, clock: as given.
        repeated: how many answers may be repeated without the cache.
        fast, relay: of the fast path; None without native modules.
    """

    def __init__(self, setting: Setting, sites: ActiveSite, counts: Counts) -> None:
        self.sites, self.clock, self._time = sites, setting.clock, setting.time
        clock, machine, policy = setting.time, setting.clock, sites.loaded.policy
        self.repeated = _repeated_within(policy.cache_octets) if NATIVE else 0
        self.store = pipeline.ResolutionStore(self._left_of(policy.cache_octets))
        self.forwarder, self.stepper = Forwarder(machine), Stepper()
        self.limiter = Limiter(policy.rate_limit, clock)
        self._background: Background[Answer] = Background()
        self.tunnels = TunnelCounter(machine.monotonic, counts.device_of, setting.workers)
        self._chain = pipeline.build(
            sites, self.store, self.forwarder, clock, self._background, self.tunnels.note_query
        )
        self.resolver = Resolver(sites, self._chain, clock, counts, setting.page.secret, machine)
        self.fast: FastPath | None = None
        self.relay: Relay | None = None
        if NATIVE:
            core, lead = Core(os.urandom(16), self.repeated), setting.page.lead_word
            self.fast = FastPath(sites, clock, self.store, self.resolver, counts, core, lead)
            self.relay = Relay(
                self.fast, self.store, self.forwarder, self.stepper, clock, self.tunnels.note
            )

    def apply(self, site: Site) -> None:
        """Keep to the upstreams, limits and memory of a site."""
        self.forwarder.keep_to(site.routes)
        self.limiter.configure(site.policy.rate_limit)
        self.store.resize(self._left_of(site.policy.cache_octets), self.clock.monotonic())

    def settle(self) -> None:
        """Count the answers of the fast path."""
        if self.fast is not None:
            self.fast.settle()

    async def drain(self) -> None:
        """Answer what waits, as far as upstreams answer soon; ask no more."""
        await self.stepper.drain(_LAST_ANSWERS_WITHIN_S)
        self.forwarder.close()

    async def close(self) -> None:
        """End what is still at work."""
        await self._background.close()
        await self.stepper.close()

    async def explain(
        self, qname: bytes, qtype: int, grade: str | None, address: str | None, at: str | None
    ) -> Explanation | None:
        """Explain a result; ask also for a name that may pass now.

        A blocked alias shows only in the answer.
        """
        site = self.sites.current
        now = self._time.wall() if at is None else parse_time(at, site.policy.time_zone)
        if at is not None:
            site = site.at(now)
        client = client_of(site, grade, address)
        if client is None:
            return None
        expected = explain(site, client, qname, qtype, now)
        if at is None and not expected.blocked:
            message = parse_query(compose_query(0, Question.of(qname, qtype)))
            query = Query(message, Peer(address or "127.0.0.1"), client, site)
            with contextlib.suppress(TimeoutError):  # then policy alone is explained
                async with asyncio.timeout(_ALIAS_WITHIN_S):
                    answer = await self._chain.handler(query)
                    expected = explain_answer(client, qname, qtype, answer, expected)
        return expected

    def _left_of(self, octets: int) -> int:
        """Return the part of the memory for answers that the cache may use.

        A reload does not change the size of the other table.
        """
        least = octets - octets // _REPEATED_SHARE
        return max(least, octets - self.repeated * _REPEATED_OCTETS)


def _repeated_within(octets: int) -> int:
    """Return how many answers can be repeated at once, of so much memory for answers."""
    room = octets // _REPEATED_SHARE // _REPEATED_OCTETS
    return min(ENTRIES, 1 << room.bit_length() - 1)
