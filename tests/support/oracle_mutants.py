# SPDX-License-Identifier: Apache-2.0
"""Mutants of filterd, each without one safeguard, that the oracle must detect.

A mutant replaces one thing in filterd by a plausible mistake. Those of the fast path
are native builds with a fault (``native_faults``); those of the cache's memory are made
of the plain cache.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from filterd.daemon.serving.current_site import ActiveSite
from filterd.fastpath import udp_listener
from filterd.fastpath.core_contract import (
    ASKED_AD,
    ASKED_CD,
    ASKED_DO,
    ASKED_OPT,
    ASKED_RD,
    COMPLEX,
    OPEN,
    Cell,
)
from filterd.fastpath.core_filler import FastPath
from filterd.resolve import answer_reply, cache_entry, pipeline
from filterd.resolve.cache_store import ResolutionStore
from filterd.resolve.links import cache
from filterd.resolve.links import filter as filter_link
from filterd.resolve.links.filter import Filter
from filterd.resolve.query import Query, leaves_all_alone
from tests.support.native_faults import serve_with

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from filterd.policy.verdict import Verdict
    from filterd.resolve.cache_entry import CacheEntry
    from filterd.resolve.query import Link
    from filterd.resolve.site import Site
    from filterd.upstream import Resolution, UpstreamQuestion

    Break: TypeAlias = Callable[[pytest.MonkeyPatch], None]

_FOR_EVER = 1e12


def instead(where: object, what: str, broken: object) -> Break:
    """Put something else in the place of an attribute."""
    return lambda patch: patch.setattr(where, what, broken)


def planted(fault: str | None = None, *, blurred: int = 0) -> Break:
    """Serve by a native fast path that was built with a fault."""
    return lambda patch: serve_with(patch, fault, blurred=blurred)


def undeclared(link: type[Link]) -> Break:
    """Let a link declare that it leaves every answer alone."""
    return instead(link, "leaves_alone", staticmethod(leaves_all_alone))


def with_store(what: str, broken: object) -> Break:
    """Give every worker a store of which something else stands in the place of a method."""
    store = type("Broken", (ResolutionStore,), {what: broken})
    return instead(pipeline, "ResolutionStore", store)


# The fast path: what it is filled with.


def _ready_once(self: FastPath, now: float) -> None:
    if self._site is None:
        _begin(self, now)
    self._site = self._sites.current
    self.core.at(now, self._clock.wall())


_begin, _fill = FastPath._begin, FastPath._fill


def _complex_is_open(self: FastPath, row: int, set_id: int) -> Cell:
    cell = _fill(self, row, set_id)
    return Cell(OPEN) if cell.kind == COMPLEX else cell


# The chain: what is judged, when, and what is remembered.


def _first_rules_stand(_: Filter, query: Query, __: object) -> Query:
    return query.readmitted(query.client, query.site)


def _only_forward(self: Filter, verdict: Verdict, _: float) -> bool:
    return verdict.valid_until is not None and self._clock.wall() >= verdict.valid_until


def _put_longer(
    self: ResolutionStore, key: UpstreamQuestion, resolution: Resolution, now: float, **how: Any
) -> None:
    put(self, key, resolution._replace(ttl_s=max(resolution.ttl_s, 5)), now, **how)


def _holds_for_ever(self: ResolutionStore, key: UpstreamQuestion, _: float) -> CacheEntry | None:
    return self._entries.get(key)


def _key_of_another(**changed: Any) -> Break:
    asked: Any = vars(Query)["upstream_question"]

    def question(self: Query) -> UpstreamQuestion:
        of_this: UpstreamQuestion = asked.__get__(self)
        return of_this._replace(**changed)

    return instead(Query, "upstream_question", property(question))


def _vouched(*about: Any, **how: Any) -> Any:
    return _assemble(*about, **how | {"ad": True})


def _cap_ignored(query: Query, *_: object) -> int:
    return query.client.grade.client_ttl_max_s


def _old_site_serves(self: ActiveSite) -> None:
    """Answer by what is known where nothing was prepared."""
    epoch = self._page.epoch
    self._site = self._prepared_for(epoch) or self._site
    self._epoch = epoch
    self._moved(self._site)


def _served_before_it_is_asked(self: ActiveSite) -> Site:
    """Look at the epoch only when the manager asks."""
    return self._site


def _confirm(self: ActiveSite) -> None:
    if self._page.epoch != self._epoch:
        self._activate()


def _epoch_unread(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ActiveSite, "current", property(_served_before_it_is_asked))
    patch.setattr(ActiveSite, "confirm", _confirm)


put, _assemble = ResolutionStore.put, vars(answer_reply)["assemble"]

OF_THE_FAST_PATH: dict[str, Break] = {
    "a repeated answer is of this group of clients": planted("any group"),
    "a repeated answer is of this type": planted("any type"),
    "a repeated answer is of this DO": planted(blurred=ASKED_DO),
    "a repeated answer is of this CD": planted(blurred=ASKED_CD),
    "a repeated answer is of this AD": planted(blurred=ASKED_AD),
    "a repeated answer is of this OPT": planted(blurred=ASKED_OPT),
    "a repeated answer is of this RD": planted(blurred=ASKED_RD),
    "a repeated answer has the asker's letter case": planted("case lost"),
    "a repeated answer fits the asker": planted("any size"),
    "TTLs of repeated answers age": planted("never aged"),
    "repeated answers end with their TTL": planted("beyond the TTL"),
    "repeated answers end with their rule": planted("beyond the rule"),
    "a name that a rule touches is the chain's": planted("nothing touched"),
    "what is not plain is the chain's": instead(FastPath, "_fill", _complex_is_open),
    "the fast path forgets when the epoch moves": instead(FastPath, "_begin", _ready_once),
    "the fast path forgets when the clock is set": planted("clock unseen"),
}

OF_THE_CHAIN: dict[str, Break] = {
    "targets are judged": instead(Filter, "_judge_targets", lambda *said: said[-1]),
    "what waited is judged by the rules that came": instead(Filter, "_readmit", _first_rules_stand),
    "what waited is judged again at an edge": instead(Filter, "_has_expired", lambda *_: False),
    "what waited is judged again when the clock is set back": instead(
        Filter, "_has_expired", _only_forward
    ),
    "the cache tells DO apart": _key_of_another(do=False),
    "the cache tells CD apart": _key_of_another(cd=False),
    "TTL 0 is not kept": with_store("put", _put_longer),
    "what is kept ends with its TTL": with_store("get", _holds_for_ever),
    "what is old is given for a day": instead(cache, "STALE_FOR_S", 10**9),
    "what is old is given at all": instead(cache, "STALE_FOR_S", 0),
    "what is old has a short TTL": instead(answer_reply, "STALE_TTL_S", 31),
    "an answer is cut to what the asker can take": instead(
        udp_listener, "size_limit", lambda *_: 65_535
    ),
    "an allow does not outlive its end": instead(answer_reply, "_longest_ttl", _cap_ignored),
    "nobody vouches but whom the site trusts": instead(answer_reply, "assemble", _vouched),
    "a failure is not for ever": instead(cache_entry, "FIRST_HOLD_S", _FOR_EVER),
    "a block is soon forgotten": instead(answer_reply, "BLOCK_TTL_S", 11),
    "a worker that prepared nothing loads what is in force": instead(
        ActiveSite, "_activate", _old_site_serves
    ),
    "a worker looks at the epoch by itself": _epoch_unread,
    "the strict twin answers": instead(filter_link, "_ADDRESS_TYPES", ()),
}
