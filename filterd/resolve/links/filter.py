# SPDX-License-Identifier: Apache-2.0
"""Link: policy, on the way in for the qname and on the way out for its targets."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from filterd.policy.model import Client
from filterd.resolve.link import Link, leaves_all_alone
from filterd.resolve.query import Answer, Query, Source

if TYPE_CHECKING:
    from filterd.clock import Clock
    from filterd.policy.verdict import Verdict
    from filterd.resolve.link import Handler
    from filterd.resolve.site import Site, Sites


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
