# SPDX-License-Identifier: Apache-2.0
"""Links of policy: block or pass, and the safe-search twin of a search engine.

The filter judges the qname on the way in and its targets on the way out; where its verdict
names a twin, ``Rewrite`` lets the twin answer.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from filterd.policy.model import Client
from filterd.resolve.query import Answer, Link, Query, Source, answered, leaves_all_alone
from filterd.wire import Ede, EdeCode, Question, RRType, read_back, rebuild_behind_alias

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from filterd.base.clock import Clock
    from filterd.policy.verdict import Verdict
    from filterd.resolve.query import Handler
    from filterd.resolve.site import Site, Sites
    from filterd.upstream import Resolution


class Filter(Link):
    """A link that blocks by policy, and puts the verdict on every answer.

    An upstream takes time; meanwhile the site may change, or the address may belong to
    another client. The answer is judged by the site that is active when it is sent, for
    the client that has the address then. If the site changed while the query waited and
    its old upstreams failed, the query is retried on the new upstreams within the
    remaining deadline.
    """

    leaves_alone = staticmethod(leaves_all_alone)
    """What it blocks depends on the client: the decision cells decide that for the fast path, of
    the qname (``Core.answer``) and of each target (``Core.lets_through``)."""

    def __init__(self, sites: Sites, clock: Clock) -> None:
        self._sites = sites
        self._clock = clock

    async def __call__(self, query: Query, proceed: Handler) -> Answer:
        """Judge every question that may leave the school.

        It sees allowed and forbidden names; it must not proceed with a forbidden
        one, and must not return an upstream's answer that the active policy forbids.
        """
        decided_at = self._clock.wall()
        verdict = self._decide(query, decided_at)
        if verdict.blocked:
            return Answer(Source.BLOCKED, verdict)
        if verdict.target:
            query = query.rewritten(verdict.target)
        began_at = self._clock.monotonic()
        answer = await proceed(query)
        site = self._sites.current
        client = _current_client(query, site)
        if (
            site is query.site
            and (client is query.client or client == query.client)
            and not self._has_expired(verdict, decided_at)
        ):
            return self._judge_targets(query, verdict, answer)
        readmitted = self._readmit(query, site)
        if readmitted is None:
            return Answer(Source.REFUSED)
        verdict = self._decide(readmitted, self._clock.wall())
        if verdict.blocked or (
            _has_same_question(query, readmitted, verdict)
            and not _may_retry_elsewhere(query, readmitted, verdict, answer)
        ):
            return self._judge_again(readmitted, verdict, answer)
        answer = await self(readmitted.since(began_at), proceed)
        return answer if answer.readmitted else answer._replace(readmitted=readmitted)

    def _readmit(self, query: Query, site: Site) -> Query | None:
        client = _current_client(query, site)
        if client is None:
            return None
        return query.readmitted(client, site)

    def _judge_again(self, readmitted: Query, verdict: Verdict, answer: Answer) -> Answer:
        if verdict.blocked:
            return Answer(Source.BLOCKED, verdict, readmitted=readmitted)
        judged = self._judge_targets(readmitted, verdict, answer)
        return judged._replace(readmitted=readmitted)

    def _decide(self, query: Query, now: float) -> Verdict:
        site = query.site
        verdict = site.engine.decide(query.client, query.qname, query.qtype, now)
        edge = site.edge_of(query.client)
        if edge != inf and (verdict.valid_until is None or edge < verdict.valid_until):
            verdict = verdict._replace(valid_until=edge)
        return verdict

    def _has_expired(self, verdict: Verdict, decided_at: float) -> bool:
        """Return whether a verdict may have ended: by time, or by a clock set back."""
        now, edge = self._clock.wall(), verdict.valid_until
        return now < decided_at or (edge is not None and now >= edge)

    def _judge_targets(self, query: Query, verdict: Verdict, answer: Answer) -> Answer:
        """Judge the targets of a name: a blocked name must not hide behind an alias."""
        resolution, site = answer.resolution, query.site
        if resolution is None or not resolution.targets:
            return answer.judged(verdict)
        if site.zones.route_of(query.qname) is not None:
            return answer.judged(verdict)
        until, now = verdict.valid_until, self._clock.wall()
        for target in resolution.targets:
            judged = site.engine.decide_target(query.client, verdict, target, query.qtype, now)
            if judged.blocked:
                return Answer(Source.BLOCKED, judged, by_target=True)
            if judged.valid_until is not None:
                until = judged.valid_until if until is None else min(until, judged.valid_until)
        if until != verdict.valid_until:
            verdict = verdict._replace(valid_until=until)
        return answer.judged(verdict)


def _current_client(query: Query, site: Site) -> Client | None:
    """Return the client of the address now; None if it is not allowed any more."""
    if query.client.address is None:  # about a grade, from whatever address
        return query.client if site is query.site else _client_of_same_grade(query.client, site)
    return site.identifier.identify(query.peer.address, query.peer.interface)


def _client_of_same_grade(client: Client, site: Site) -> Client | None:
    grade = site.policy.grades.get(client.grade.key)
    return Client(grade) if grade is not None else None


def _has_same_question(query: Query, readmitted: Query, verdict: Verdict) -> bool:
    """Return whether the answer is the one that would be asked for now.

    It is not where the name is rewritten now or was before; nor where it belongs to a
    delegated zone now or did before, because answers of the zone's own servers are not
    examined, and no other server may be asked.
    """
    routes = [one.site.zones.route_of(one.qname) for one in (query, readmitted)]
    return verdict.target == query.rewritten_to and routes[0] == routes[1]


def _may_retry_elsewhere(query: Query, readmitted: Query, verdict: Verdict, answer: Answer) -> bool:
    """Return whether there is no answer, and other servers would be asked now."""
    if answer.source is not Source.FAILED:
        return False
    asking = readmitted.rewritten(verdict.target) if verdict.target else readmitted
    return asking.upstream_question != query.upstream_question


ALIAS_TTL_S = 300
"""The TTL of an alias; a short one saves keeping the alias apart."""

_FORGED = Ede(EdeCode.FORGED_ANSWER)
_ADDRESS_TYPES = (RRType.A, RRType.AAAA)
_OF_DNSSEC = (RRType.RRSIG, RRType.NSEC, RRType.NSEC3)


class Rewrite(Link):
    """A link that asks for the twin and answers by an alias from the qname.

    Service bindings get no data: they would lead back to the name's own
    addresses, and a key for Encrypted Client Hello would hide the visit.
    """

    leaves_alone = staticmethod(leaves_all_alone)
    """The names that it rewrites are in ``PlainView.touched``, as those of ``Local`` are."""

    def __call__(self, query: Query, proceed: Handler) -> Awaitable[Answer]:
        """Answer allowed questions; their verdicts name the ones to rewrite."""
        target = query.rewritten_to
        if target is None:
            return proceed(query)
        if query.qtype not in _ADDRESS_TYPES:
            return answered(Answer(Source.REWRITTEN, edes=(_FORGED,)))
        return self._ask(query, Question.of(target, query.qtype), proceed)

    async def _ask(self, query: Query, asked: Question, proceed: Handler) -> Answer:
        answer = await proceed(query.about(asked))
        if answer.resolution is None:
            return answer
        ttl_s = answer.age_s + ALIAS_TTL_S
        changed = behind_alias(answer.resolution, asked, query.message.question, ttl_s)
        changed = changed._replace(edes=(*changed.edes, _FORGED))
        return answer._replace(resolution=changed)


def behind_alias(
    resolution: Resolution, target: Question, question: Question, ttl_s: int
) -> Resolution:
    """Return a resolution as the answer for an alias of its name.

    Args:
        resolution: the cached one, for the target.
        target: the question that it answers.
        question: the one that was asked.
        ttl_s: of the alias.
    """
    response = read_back(resolution.sections, target)
    kept = [record for record in response.records if record.rtype not in _OF_DNSSEC]
    sections = rebuild_behind_alias(response, kept, question, ttl_s)
    targets = (target.qname, *resolution.targets)
    return resolution._replace(sections=sections, targets=targets, authentic=False, plain=False)
