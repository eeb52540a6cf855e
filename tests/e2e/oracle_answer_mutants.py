# SPDX-License-Identifier: Apache-2.0
"""More mutants: without safeguards of shared answers and of their origin.

See ``oracle_mutants``. Those of the relay are native builds with a fault.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.daemon.serving import tcp_listener
from filterd.fastpath import udp_listener
from filterd.policy.engine import Engine
from filterd.policy.model import Client
from filterd.resolve import zones
from filterd.resolve.links import filter as filter_link
from filterd.resolve.links import local, redaction
from filterd.resolve.links.cache import Forward
from filterd.resolve.links.filter import Filter
from filterd.resolve.links.redaction import Ech, Rebinding
from filterd.resolve.query import Source
from filterd.resolve.site import PlainView, Site
from filterd.upstream import Route
from filterd.upstream.exchange import Exchange
from filterd.wire import RRType
from tests.support.oracle_mutants import instead, planted, put, undeclared, with_store

if TYPE_CHECKING:
    import pytest

    from filterd.policy.verdict import Verdict
    from filterd.resolve.query import Answer, Handler, Query
    from filterd.upstream import Resolution
    from tests.support.oracle_mutants import Break

_judge_targets: Any = vars(Filter)["_judge_targets"]
_ask_filter: Any = vars(Filter)["__call__"]
_decide_target: Any = vars(Engine)["decide_target"]
_size_limit: Any = vars(udp_listener)["size_limit"]


def _unjudged(*sources: Source) -> Break:
    """Do not judge the targets of answers that come from there."""

    def judged(self: Filter, query: Query, verdict: Verdict, answer: Answer) -> Answer:
        if answer.source in sources:
            return answer.judged(verdict)
        found: Answer = _judge_targets(self, query, verdict, answer)
        return found

    return instead(Filter, "_judge_targets", judged)


def _judged_once(patch: pytest.MonkeyPatch) -> None:
    """Judge what several wait for by the first of them."""
    last: list[tuple[Resolution | None, Answer]] = []

    def judged(self: Filter, query: Query, verdict: Verdict, answer: Answer) -> Answer:
        if last and answer.resolution is not None and last[0][0] is answer.resolution:
            return last[0][1]
        found: Answer = _judge_targets(self, query, verdict, answer)
        last[:] = [(answer.resolution, found)]
        return found

    patch.setattr(Filter, "_judge_targets", judged)


def _bindings_unjudged(self: Filter, query: Query, verdict: Verdict, answer: Answer) -> Answer:
    if query.qtype == RRType.HTTPS:
        return answer.judged(verdict)
    found: Answer = _judge_targets(self, query, verdict, answer)
    return found


def _edge_of_target_lost(self: Filter, query: Query, verdict: Verdict, answer: Answer) -> Answer:
    found: Answer = _judge_targets(self, query, verdict, answer)
    return found if found.source is Source.BLOCKED else answer.judged(verdict)


def _nothing_covers(self: Engine, client: Client, covering: Verdict, *about: Any) -> Verdict:
    verdict: Verdict = _decide_target(self, client, covering._replace(covering=()), *about)
    return verdict


async def _asked_anyway(self: Filter, query: Query, proceed: Handler) -> Answer:
    await proceed(query)
    answer: Answer = await _ask_filter(self, query, proceed)
    return answer


async def _passed(_: object, query: Query, proceed: Handler) -> Answer:
    return await proceed(query)


def _same_client(_: Filter, query: Query, site: Site) -> Query:
    """Let a client have the grade that it had."""
    before = query.client
    grade = site.policy.grades[before.grade.grade]
    return query.readmitted(Client(grade, before.network, before.address), site)


def _same_target(query: Query, _: Query, verdict: Verdict) -> bool:
    return verdict.target == query.rewritten_to


def _put_for_a_day(self: Any, key: Any, resolution: Resolution, now: float, **_: Any) -> None:
    put(self, key, resolution, now, stale_s=86_400)


def _one_upstream(patch: pytest.MonkeyPatch) -> None:
    made: Any = Site.of

    def of(policy: Any, index: Any, upstreams: Any, *more: Any) -> Site:
        site: Site = made(policy, index, upstreams[:1], *more)
        return site

    patch.setattr(Site, "of", of)


def _servers_are_no_clients(patch: pytest.MonkeyPatch) -> None:
    made: Any = PlainView.of

    def of(policy: Any, index: Any, *more: Any) -> PlainView:
        found: PlainView = made(policy, index, *more)
        servers = {one.address for zone in policy.delegated_zones for one in zone.servers}
        return found._replace(named=found.named - servers)

    patch.setattr(PlainView, "of", of)


OF_ANSWERS: dict[str, Break] = {
    "what several wait for is judged for each": _judged_once,
    "what is old is judged": _unjudged(Source.STALE),
    "what is cached is judged": _unjudged(Source.CACHED),
    "what comes from upstreams is judged": _unjudged(Source.FORWARDED),
    "targets of service bindings are judged": instead(Filter, "_judge_targets", _bindings_unjudged),
    "what an allow covers passes": instead(Engine, "decide_target", _nothing_covers),
    "an answer does not outlive what it leads to": instead(
        Filter, "_judge_targets", _edge_of_target_lost
    ),
    "nobody is asked for what is closed": instead(Filter, "__call__", _asked_anyway),
    "who waited is identified anew": instead(Filter, "_readmit", _same_client),
    "who waited is looked at on the way out": instead(
        filter_link, "_current_client", lambda query, _: query.client
    ),
    "upstreams that are new are asked for who waits": instead(
        filter_link, "_may_retry_elsewhere", lambda *_: False
    ),
    "private addresses are taken out": instead(Rebinding, "__call__", _passed),
    "what is changed is signed no more": instead(
        redaction, "_without_signatures", lambda _, records, __: list(records)
    ),
    "keys for ECH are taken out": instead(Ech, "__call__", _passed),
    "TCP carries all of an answer": instead(tcp_listener, "size_limit", lambda *_: 1_232),
    "an answer may have all octets that it may": instead(
        udp_listener, "size_limit", lambda *about: _size_limit(*about) - 1
    ),
    "what is truncated is fetched by TCP": instead(Exchange, "_fetch_by_tcp", lambda *_: None),
    "another upstream is asked": _one_upstream,
    "a zone's own servers are asked": instead(Site, "route_of", lambda self, *_: self.route),
    "what a zone's own servers say is not looked into": instead(
        zones, "Route", lambda servers, **_: Route(servers)
    ),
    "who waited while a zone was delegated asks its servers": instead(
        filter_link, "_has_same_question", _same_target
    ),
    "a zone's own server is not asked back": instead(
        local, "_is_from_the_zones_server", lambda _: False
    ),
    "nothing old is given of a zone": with_store("put", _put_for_a_day),
}

OF_THE_CLASSES: dict[str, Break] = {
    "the fast path forgets when devices change": planted("devices unseen"),
    "a zone's own server is a class of its own": _servers_are_no_clients,
}


# The relay: what it takes for plain.


OF_THE_RELAY: dict[str, Break] = {
    "what a relayed answer leads to is judged": planted("targets unseen"),
    "what a relayed answer leads to is judged for each": planted("for somebody"),
    "private addresses are not relayed": undeclared(Rebinding),
    "keys for ECH are not relayed": undeclared(Ech),
    "failures are not relayed": undeclared(Forward),
    "what waited is relayed in its epoch": planted("any epoch for anybody"),
    "what is relayed is judged at its end": planted("site unseen"),
    "TTLs of relayed answers age": planted("relayed as new"),
    "TTLs of relayed answers have a bound": planted("relayed for ever"),
    "a relayed answer is cut to what the asker can take": planted("relayed whole"),
}
