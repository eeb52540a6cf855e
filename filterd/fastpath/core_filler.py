# SPDX-License-Identifier: Apache-2.0
"""Fill the native core of the fast path with decisions, and empty it.

Without the native modules there is no fast path, and the chain answers everything.
The core gets the decision for each grade and claim set (from the policy's table), the
answers of the chain that may be repeated, with their limits of time, and the clients
that the chain has identified. It is emptied when the site, the surroundings or the
wall clock changes.
"""

from __future__ import annotations

import logging
import os
from math import inf
from typing import TYPE_CHECKING

from filterd.base.native import live_only
from filterd.fastpath.core_contract import (
    BLOCK,
    COMPLEX,
    OPEN,
    SWEEPS,
    Cell,
    flags_of,
)
from filterd.fastpath.core_numbers import CoreNumbers, Opening
from filterd.fastpath.rate_limit import packed
from filterd.policy.model import Client
from filterd.querylog import OTHER
from filterd.resolve import special_use
from filterd.resolve.answer_reply import compose_to_repeat
from filterd.resolve.query import Answer, Query, Source
from filterd.wire import ParsedQuery, RRClass
from filterd.wire.rebuild import MAX_TTL_S
from filterd.wire.reply import BLOCK_TTL_S
from filterd.wire.section import Question

if TYPE_CHECKING:
    from filterd.base.clock import Clock
    from filterd.fastpath._core import Core
    from filterd.fastpath._datagrams import Relay
    from filterd.policy.model import GradePolicy
    from filterd.querylog import Counts
    from filterd.resolve.cache_store import ResolutionStore
    from filterd.resolve.resolver import Resolver
    from filterd.resolve.site import Site, WatchedSites
    from filterd.upstream import UpstreamQuestion

    NATIVE: bool
else:  # all of them or none, and then the chain answers everything
    _core, _relay = live_only("filterd.fastpath._core"), live_only("filterd.fastpath._datagrams")
    NATIVE = _core is not None and _relay is not None
    Core, Relay = (_core.Core, _relay.Relay) if NATIVE else (None, None)

__all__ = ["NATIVE", "Core", "FastPath", "Relay"]

LEARNT_FOR_S = 60.0
"""How long an identified client is remembered, at most."""

HOUSE_KEPT_EVERY_S = 1.0

SETTLED_EVERY_S = 10
"""In seconds of the wall clock, one second early, so that an hour's answers are counted in it."""

NOT_KEPT = memoryview(bytes(8)).cast("d")
"""A lead of 0: the clock itself must be asked for Unix time."""

AGAIN_AFTER_S = 1.0
"""How long the chain answers all clients after the active site could not be read."""

_REPEATED = frozenset((Source.BLOCKED, Source.LOCAL, Source.REWRITTEN, Source.CACHED))
"""Not FORWARDED: most names that are not in the cache are asked for once. Direct forwarding keeps
its answers nevertheless, while there is room.
Not STALE and FAILED: the chain tries to get a better answer each time. Not REFUSED."""


_logger = logging.getLogger("filterd.fastpath")


class FastPath:
    """The fast path of one worker, for all its UDP listeners.

    Args:
        sites: the active site, and the check that it still is.
        clock: both times.
        store: the cache; hits of repeated answers are reported to it.
        resolver: its answers are repeated, and counted in its counters.
        log: counts them too.
        core: the tables; others than native ones are for tests.
        lead: an aligned word (format ``d``): ``clock.wall`` minus ``clock.monotonic`` in
            seconds, read without a call of Python; while it is 0 the clock is called.
    """

    def __init__(
        self,
        sites: WatchedSites,
        clock: Clock,
        store: ResolutionStore,
        resolver: Resolver,
        log: Counts | None = None,
        core: Core | None = None,
        lead: memoryview[float] = NOT_KEPT,
    ) -> None:
        self._sites, self._clock, self._store = sites, clock, store
        self._resolver, self._log, self._lead = resolver, log, lead
        self.core: Core = core or Core(os.urandom(16))
        self.openings: list[Opening] = []
        """By their numbers in the core, until it is emptied."""
        self.edges: list[float] = []
        """By group: the Unix time at which its clients' answers may change."""
        self._numbers: CoreNumbers
        self._settled_in = 0
        self._site: Site | None = None
        self._version = -1
        self._again_at = 0.0
        resolver.noted = self.noted

    def refresh(self, now: float) -> None:
        """Check that the active site is the one in the core; else fill the core anew.

        Called at the head of every batch. Never raises, so that a received batch is
        answered: after an error the chain answers all clients for a while.
        """
        if self.core.holds(now) or now < self._again_at:
            return
        try:
            self._begin(now)
        except Exception:
            _logger.exception("the fast path could not read the active site")
            self._again_at = now + AGAIN_AFTER_S
            self.forget()

    def keep_house(self, now: float) -> None:
        """Report repeated answers to the cache before the next lookup; each second, sweep."""
        if now >= self.core.house_at:
            # As many parts as seconds have passed: so hits of a quiet network are reported in time.
            late_s = now - self.core.house_at
            self.core.house_at = now + HOUSE_KEPT_EVERY_S
            for _ in range(min(SWEEPS, 1 + int(late_s / HOUSE_KEPT_EVERY_S))):
                self.core.replay.sweep()
            turn = int(self._clock.wall() + HOUSE_KEPT_EVERY_S) // SETTLED_EVERY_S
            if turn != self._settled_in:
                self._settled_in = turn
                self.settle()
        for source, hits in self.core.replay.take_hits():
            self._store.note_hits(source, hits)

    def forget(self) -> None:
        """Forget everything; the next batch uses the active site, and learns clients anew."""
        self._site = None
        self.core.forget()

    def refused(self, malformed: int, notimp: int) -> None:
        """Count error replies that were sent here, as the chain does."""
        for what, count in (("malformed", malformed), ("notimp", notimp)):
            if count:
                self._resolver.counters[what] += count

    def settle(self) -> None:
        """Add the answers of the core to the counters and the log.

        Called before each batch of the log, and before groups and tallies get new numbers.
        """
        counts = self.core.take_counts()
        if not counts:
            return
        tallies, places = list(self._numbers.tallies), self._numbers.places
        for group, number, n, devices in counts:
            source, grade, category, action, blocker = tallies[number]
            self._resolver.counters[source] += n
            if self._log is not None:
                network, class_id = (OTHER, OTHER) if group < 0 else places[group]
                self._log.add(
                    grade,
                    category,
                    action,
                    n,
                    network=network,
                    blocker=blocker,
                    devices=devices,
                    class_id=class_id,
                    path="fast",
                )

    def learn(self, query: Query) -> None:
        """Remember a client that the chain has identified, unless the chain must see it."""
        if not self._learns_from(query.site) or self._resolver.must_see(query.client):
            return
        peer = query.peer
        number = self._numbers.group_of(query.client)
        until = query.site.identifier.holds_until(peer.address, peer.interface)
        if number >= 0:
            # Near an edge the chain answers: it limits the TTL of a block to what is left.
            left_s = self.edges[number] - self._clock.wall() - BLOCK_TTL_S
            until = min(until, self._clock.monotonic() + min(LEARNT_FOR_S, left_s))
            device = self._log.device_of(query.client) if self._log is not None else 0
            self.core.learn(packed(peer.address), peer.interface, number, until, device)

    def noted(self, query: Query, answer: Answer, reply: bytes) -> None:
        """Put an answer of the chain into the packet cache, if it may be repeated."""
        if answer.source not in _REPEATED or answer.readmitted or not self._learns_from(query.site):
            return
        if answer.by_target:  # the verdict has not the time at which the name itself is judged anew
            return
        message, now = query.message, self._clock.monotonic()
        if message.tsig or message.question.qclass != RRClass.IN or _is_leased(query, answer):
            return
        edge = answer.verdict.valid_until if answer.verdict else None
        source = _cached_as(query, answer)
        until = self._store.repeatable_until(source, now) if source else inf
        tally = self._numbers.tally(query.client, answer)
        number = self._numbers.group_of(query.client)
        if until > now and tally >= 0 and number >= 0:
            cap_ttl_s = MAX_TTL_S
            if answer.source is Source.CACHED:
                reply, cap_ttl_s = compose_to_repeat(query, answer)
            self.core.at(now, self._clock.wall())
            self.core.replay.note(
                number,
                flags_of(message),
                reply,
                cap_ttl_s,
                until,
                inf if edge is None else edge,
                tally,
                self._store.mark_of(source) if source else None,
            )

    def _learns_from(self, site: Site) -> bool:
        """Return whether the core is of this site; empty it if another site is active."""
        if site is self._site:
            return site.surroundings.version == self._version
        if self._site is not None and site is self._sites.current:
            # The site was made anew at an edge, and the clock was set back meanwhile.
            self.forget()
        return False

    def _begin(self, now: float) -> None:
        """Empty the core and fill it for the active site; after an error it stays empty."""
        self.settle()
        self.core.forget()
        site, standing, wall = self._sites.current, self._sites.standing, self._clock.wall()
        # The time of the head of the batch, as the core computes it.
        lead_s = self._lead[0]
        held_from = now + lead_s if lead_s else wall
        if not standing.since <= wall < standing.until:  # the site is not valid now
            self._again_at, self._site = now + AGAIN_AFTER_S, None
            return
        self._version = site.surroundings.version
        self._numbers = CoreNumbers(self.core, self._clock, site)
        self.openings, self.edges = self._numbers.openings, self._numbers.edges
        try:
            self._site, self._reading = site, site.reading
            self._numbers.named = self._reading.named
            count, touched = len(site.index.sets), site.reading.touched
            first_labels = special_use.FIRST_LABELS
            skeletons = site.index.lookalikes.skeletons
            self.core.table.load(
                site.index.matcher, touched, first_labels, count, self._fill, skeletons
            )
        except Exception:
            self.core.forget()
            _logger.exception("the fast path could not be filled")
        tell_wall = self._clock.wall
        self.core.hold(site, standing, self._version, now, held_from, tell_wall, self._lead)

    def _fill(self, row: int, set_id: int) -> Cell:
        """Return the cell of a grade and a claim set; after an error the chain decides."""
        try:
            return self._cell(self._numbers.grades[row], set_id)
        except Exception:
            _logger.exception("the decision for a claim set could not be made")
            return Cell(COMPLEX)

    def _cell(self, grade: GradePolicy, set_id: int) -> Cell:
        plain = self._reading.sets.read(grade, set_id)
        if plain is None:
            return Cell(COMPLEX)
        if plain.verdict is None or plain.verdict.match is None:
            opening = self._numbers.opening(grade, plain.category)
            return Cell(OPEN, template=opening) if opening >= 0 else Cell(COMPLEX)
        tally = self._numbers.tally(Client(grade), Answer(Source.BLOCKED, plain.verdict))
        template = self._numbers.template(grade, plain.verdict)
        if tally < 0 or template < 0:
            return Cell(COMPLEX)
        return Cell(BLOCK, plain.verdict.match.rule, template, tally)


def _is_leased(query: Query, answer: Answer) -> bool:
    """Return whether an answer may come from leases, whose end changes no version."""
    policy = query.site.policy
    return answer.source is Source.LOCAL and policy.lease_zone is not None


def _cached_as(query: Query, answer: Answer) -> UpstreamQuestion | None:
    """Return the question under which the cache holds an answer.

    None if it holds none.
    """
    if answer.source is not Source.CACHED:
        return None
    target = answer.verdict.target if answer.verdict else None
    if target is not None:
        asked = query.message
        twin = ParsedQuery(asked.header, Question.of(target, query.qtype), asked.edns)
        query = Query(twin, query.peer, query.client, query.site, query.asked_at)
    return query.upstream_question
