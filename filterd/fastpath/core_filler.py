# SPDX-License-Identifier: Apache-2.0
"""The fast path: fills its core with what others decided, and makes it forget (dns.md §8).

Without the native modules there is no fast path, and the chain answers everything.
Here is told what a claim set means to a grade (by the decision table), which
answers of the chain may be repeated and how long, and who a client is (as the
chain has identified it). All of it is forgotten when the site, the surroundings
or the wall clock is another one.
"""

from __future__ import annotations

import logging
import os
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from filterd.fastpath.core_contract import (
    BLOCK,
    COMPLEX,
    MOST_OPENINGS,
    MOST_ROWS,
    MOST_TALLIES,
    OPEN,
    SWEEPS,
    Cell,
    flags_of,
)
from filterd.fastpath.direct_forward import Core
from filterd.fastpath.rate_limit import packed
from filterd.policy.model import Client
from filterd.resolve import special_use
from filterd.resolve.answer_reply import BLOCK_TTL_S, compose, compose_to_repeat
from filterd.resolve.query import PASS, Answer, Peer, Query, Source, counted_as
from filterd.wire import ParsedQuery, RRClass, compose_query, parse_query
from filterd.wire import name as names
from filterd.wire.header import HEADER_OCTETS
from filterd.wire.question import Question
from filterd.wire.rebuild import MAX_TTL_S

if TYPE_CHECKING:
    from filterd.clock import Clock
    from filterd.policy.model import GradePolicy
    from filterd.policy.verdict import Verdict
    from filterd.querylog import Counts
    from filterd.resolve.cache_store import ResolutionStore
    from filterd.resolve.resolver import Resolver
    from filterd.resolve.site import Site, WatchedSites
    from filterd.upstream import UpstreamQuestion

LEARNT_FOR_S = 60.0
"""How long a client is who it was; ``clients`` may know that it is less."""

HOUSE_KEPT_EVERY_S = 1.0

NOT_KEPT = memoryview(bytes(8)).cast("d")
"""A lead of 0: the clock itself must be asked for Unix time."""

AGAIN_AFTER_S = 1.0
"""How long the chain answers everybody where what is in force could not be told."""

_REPEATED = frozenset((Source.BLOCKED, Source.LOCAL, Source.REWRITTEN, Source.CACHED))
"""Not FORWARDED: who asks for a name that nobody asked for lately is mostly the last one too. The
relay keeps what it forwards nevertheless, while there is room.
Not STALE and FAILED, which the chain tries to do better than each time; not REFUSED."""

_ANY_QUESTION = Question.of(names.from_text("a.example"), 1)

_log = logging.getLogger("filterd.daemon")


class Tally(NamedTuple):
    """What answers are counted as together."""

    source: str
    grade: str
    category: str
    action: str


class Opening(NamedTuple):
    """As what an answer is counted that nobody says a thing against, and how long it may be kept.

    The tallies are for what came from the cache and for what came from upstream.
    """

    cached: int
    forwarded: int
    cap_ttl_s: int


class FastPath:
    """The fast path of one worker, for all its UDP listeners.

    Args:
        sites: which site is in force, and by what is seen that it still is.
        clock: both times.
        store: where answers that are repeated came from; it is told how often.
        resolver: whose answers are repeated, and whose counters go on counting them.
        log: likewise counts them.
        core: the tables; others than native ones are for tests.
        lead: an aligned word (format ``d``): what ``clock.wall`` leads ``clock.monotonic`` by,
            in seconds, to be read without a call of Python; where it says 0 the clock is asked.
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
        """By the numbers that the core knows them by, until it is made to forget."""
        self.edges: list[float] = []
        """By class: the Unix time at which its clients may get something else."""
        self._tallies: dict[Tally, int] = {}
        self._site: Site | None = None
        self._version = -1
        self._again_at = 0.0
        resolver.noted = self.noted

    def refresh(self, now: float) -> None:
        """Look at what is in force, at the head of every batch, and forget what is not.

        Never raises: a batch that has been received would go unheard. What goes wrong
        leaves everybody to the chain for a while, which fails for each question by itself.
        """
        if self.core.holds(now) or now < self._again_at:
            return
        try:
            self._begin(now)
        except Exception:  # noqa: BLE001 -- logged whole; see above
            _log.exception("the fast path could not look at what is in force")
            self._again_at = now + AGAIN_AFTER_S
            self.forget()

    def keep_house(self, now: float) -> None:
        """Tell the cache what was repeated, before anybody asks it again; each second, sweep."""
        if now >= self.core.house_at:
            # As many parts as seconds have passed: a quiet network's names are told in time too.
            late_s = now - self.core.house_at
            self.core.house_at = now + HOUSE_KEPT_EVERY_S
            for _ in range(min(SWEEPS, 1 + int(late_s / HOUSE_KEPT_EVERY_S))):
                self.core.replay.sweep()
            self.settle()
        for source, hits in self.core.replay.take_hits():
            self._store.note_hits(source, hits)

    def forget(self) -> None:
        """Forget everything; the next batch takes what is in force, and learns clients anew."""
        self._site = None
        self.core.forget()

    def refused(self, malformed: int, notimp: int) -> None:
        """Count, as the chain does, who was answered here that he sent no query."""
        for what, count in (("malformed", malformed), ("notimp", notimp)):
            if count:
                self._resolver.counters[what] += count

    def settle(self) -> None:
        """Add what was answered here to the counters."""
        counts = self.core.take_counts()
        if not counts:
            return
        tallies = list(self._tallies)
        for number, n in counts:
            tally = tallies[number]
            self._resolver.counters[tally.source] += n
            if self._log is not None:
                self._log.add(tally.grade, tally.category, tally.action, n)

    def learn(self, query: Query) -> None:
        """Remember who a client is that the chain has just identified."""
        if not self._learns_from(query.site) or self._resolver.must_see(query.client):
            return
        peer = query.peer
        number = self._class_of(query.client)
        until = query.site.identifier.holds_until(peer.address, peer.interface)
        if number >= 0:
            # Near an edge the chain answers, which says of a block for how long it holds.
            left_s = self.edges[number] - self._clock.wall() - BLOCK_TTL_S
            until = min(until, self._clock.monotonic() + min(LEARNT_FOR_S, left_s))
            self.core.learn(packed(peer.address), peer.interface, number, until)

    def noted(self, query: Query, answer: Answer, reply: bytes) -> None:
        """See an answer of the chain's; keep it if it may be repeated."""
        if answer.source not in _REPEATED or answer.readmitted or not self._learns_from(query.site):
            return
        if answer.by_target:  # when the name itself may be judged differently is not in the verdict
            return
        message, now = query.message, self._clock.monotonic()
        if message.tsig or message.question.qclass != RRClass.IN or _is_leased(query, answer):
            return
        edge = answer.verdict.valid_until if answer.verdict else None
        source = _cached_as(query, answer)
        until = self._store.repeatable_until(source, now) if source else inf
        tally = self._tally(query, answer)
        number = self._class_of(query.client)
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
        """Tell whether what a site decides is kept; forget all where it shows that it is old."""
        if site is self._site:
            return site.surroundings.version == self._version
        if self._site is not None and site is self._sites.current:
            # Made anew by who passed an edge and, the clock set back, came to where we are.
            self.forget()
        return False

    def _begin(self, now: float) -> None:
        """Forget everything and take what the site in force says.

        What cannot be taken leaves everything to the chain.
        """
        self.settle()
        self.core.forget()
        site, standing, wall = self._sites.current, self._sites.standing, self._clock.wall()
        # Of the head of the batch: the same that the core tells of it, not a moment later.
        lead_s = self._lead[0]
        held_from = now + lead_s if lead_s else wall
        if not standing.since <= wall < standing.until:  # what holds now could not be told
            self._again_at, self._site = now + AGAIN_AFTER_S, None
            return
        self._version = site.surroundings.version
        self._classes: dict[tuple[str, str | None, str | None], int] = {}
        self._grades: list[GradePolicy] = []
        self._templates: dict[tuple[bytes, ...], int] = {}
        self._opened: dict[tuple[str, str], int] = {}
        self.openings, self.edges = [], []
        try:
            self._site, self._reading = site, site.reading
            count, touched = len(site.index.sets), site.reading.touched
            first_labels = special_use.FIRST_LABELS
            skeletons = site.index.lookalikes.skeletons
            self.core.table.load(
                site.index.matcher, touched, first_labels, count, self._fill, skeletons
            )
        except Exception:  # noqa: BLE001 -- logged whole; the chain answers as if nothing were here
            self.core.forget()
            _log.exception("the fast path could not be made ready")
        tell_wall = self._clock.wall
        self.core.hold(site, standing, self._version, now, held_from, tell_wall, self._lead)

    def _class_of(self, client: Client) -> int:
        """Return the class of a client, -1 where there are too many."""
        named = client.address if client.address in self._reading.named else None
        key = client.grade.key, client.network, named
        number = self._classes.get(key)
        if number is None:
            row, opening = self._row_of(client.grade), self._opening(client.grade, "")
            number = self._classes[key] = self.core.add_class(row, opening)
            if number >= 0 and self._site is not None:
                self.edges.append(self._site.edge_of(client))
        return number

    def _row_of(self, grade: GradePolicy) -> int:
        if grade.allow_only:  # no set of lists says what such a grade may see
            return -1
        if grade not in self._grades:
            if len(self._grades) == MOST_ROWS:
                return -1
            self._grades.append(grade)
        return self._grades.index(grade)

    def _fill(self, row: int, set_id: int) -> Cell:
        """Say what a claim set means to a grade; what cannot be said is the chain's."""
        try:
            return self._cell(self._grades[row], set_id)
        except Exception:  # noqa: BLE001 -- logged whole; else a whole batch would go unheard
            _log.exception("what a claim set means could not be told")
            return Cell(COMPLEX)

    def _cell(self, grade: GradePolicy, set_id: int) -> Cell:
        plain = self._reading.sets.read(grade, set_id)
        if plain is None:
            return Cell(COMPLEX)
        if plain.verdict is None or plain.verdict.match is None:
            opening = self._opening(grade, plain.category)
            return Cell(OPEN, template=opening) if opening >= 0 else Cell(COMPLEX)
        query = self._query(grade, edns=False, do=False)
        tally = self._tally(query, Answer(Source.BLOCKED, plain.verdict))
        template = self._template(grade, plain.verdict)
        if tally < 0 or template < 0:
            return Cell(COMPLEX)
        return Cell(BLOCK, plain.verdict.match.rule, template, tally)

    def _template(self, grade: GradePolicy, verdict: Verdict) -> int:
        """Let the chain's own composer write what a block looks like; -1: there are too many."""
        replies = []
        for edns, do in ((False, False), (True, False), (True, True)):
            query = self._query(grade, edns=edns, do=do)
            reply = compose(query, Answer(Source.BLOCKED, verdict), self._clock.wall())
            end = HEADER_OCTETS + len(query.message.question.wire)
            replies.append(reply[:HEADER_OCTETS] + reply[end:])
        key = tuple(replies)
        if key not in self._templates:
            self._templates[key] = self.core.table.add_template(*replies)
        return self._templates[key]

    def _opening(self, grade: GradePolicy, category: str) -> int:
        """Return the number of an opening for a grade; -1: there are too many."""
        key = grade.grade, category
        number = self._opened.get(key)
        if number is None:
            cached, forwarded = (
                self._number_of(Tally(source.value, grade.grade, category, PASS))
                for source in (Source.CACHED, Source.FORWARDED)
            )
            if len(self.openings) == MOST_OPENINGS or cached < 0 or forwarded < 0:
                return -1
            number = self._opened[key] = len(self.openings)
            self.openings.append(Opening(cached, forwarded, grade.client_ttl_max_s))
        return number

    def _query(self, grade: GradePolicy, *, edns: bool, do: bool) -> Query:
        assert self._site is not None
        message = parse_query(compose_query(0, _ANY_QUESTION, rd=False, edns=edns, do=do))
        return Query(message, Peer(""), Client(grade), self._site)

    def _tally(self, query: Query, answer: Answer) -> int:
        """Return where an answer is counted, -1 where there are too many."""
        return self._number_of(Tally(answer.source.value, *counted_as(query, answer)))

    def _number_of(self, tally: Tally) -> int:
        if tally not in self._tallies and len(self._tallies) >= MOST_TALLIES:
            return -1
        return self._tallies.setdefault(tally, len(self._tallies))


def _is_leased(query: Query, answer: Answer) -> bool:
    """Tell whether an answer may come from leases, which end without anybody saying so."""
    policy = query.site.policy
    return answer.source is Source.LOCAL and policy.lease_zone is not None


def _cached_as(query: Query, answer: Answer) -> UpstreamQuestion | None:
    """Return the question under which the cache holds an answer; None if it holds none."""
    if answer.source is not Source.CACHED:
        return None
    target = answer.verdict.target if answer.verdict else None
    if target is not None:
        asked = query.message
        twin = ParsedQuery(asked.header, Question.of(target, query.qtype), asked.edns)
        query = Query(twin, query.peer, query.client, query.site, query.asked_at)
    return query.upstream_question
