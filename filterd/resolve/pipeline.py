# SPDX-License-Identifier: Apache-2.0
"""THE order of the links. Each position has its reason; nothing else decides it.

What the links declare of themselves is folded here as well: ``Chain.leaves_alone`` is
the one predicate for an answer that may be sent without the chain, ``Chain.must_see``
the one for a client whose answers may not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.base.native import native_or
from filterd.resolve import cache_store
from filterd.resolve.links.cache import Cache, Forward
from filterd.resolve.links.filter import Filter, Rewrite
from filterd.resolve.links.local import Admission, AnyType, Local
from filterd.resolve.links.redaction import Ech, Rebinding
from filterd.resolve.query import Link, leaves_all_alone

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from filterd.base.clock import Clock
    from filterd.policy.model import Client
    from filterd.resolve.links.cache import Background
    from filterd.resolve.query import Answer, Handler, Query
    from filterd.resolve.site import Sites
    from filterd.upstream import Forwarder, Resolution, UpstreamQuestion

ResolutionStore = native_or(cache_store.ResolutionStore, "filterd.resolve._cache")


class Chain:
    """Links folded into one handler and two predicates.

    Args:
        links: the outermost first; the last must not proceed.

    Attributes:
        handler: answers a query.
    """

    def __init__(self, links: Sequence[Link]) -> None:
        handler: Handler = _end
        for link in reversed(links):
            handler = _bind(link, handler)
        self.handler = handler
        stated = (link.leaves_alone for link in links)
        self._leave_alone = [one for one in stated if one is not leaves_all_alone]
        self._must_see = [link.must_see for link in links]

    def leaves_alone(self, question: UpstreamQuestion, resolution: Resolution) -> bool:
        """Return whether every link passes on an upstream's answer unchanged.

        Except for what depends on the client: the fast path's decision cells decide of
        the qname and of each target, as the filter would.
        """
        for leaves_alone in self._leave_alone:  # noqa: SIM110 -- ``all`` costs twice as much
            if not leaves_alone(question, resolution):
                return False
        return True

    def must_see(self, client: Client) -> bool:
        """Return whether a link must see all answers to a client."""
        return any(must_see(client) for must_see in self._must_see)


async def _end(query: Query) -> Answer:
    raise AssertionError(f"no link answered {query.message.question}")


def _bind(link: Link, proceed: Handler) -> Handler:
    ask = link.__call__  # looked up once, not for every query

    def handler(query: Query) -> Awaitable[Answer]:
        return ask(query, proceed)

    return handler


def build(
    sites: Sites,
    store: cache_store.ResolutionStore,
    forwarder: Forwarder,
    clock: Clock,
    background: Background[Answer],
    note: Callable[[Query], None] | None = None,
) -> Chain:
    """Build the chain, and let the forwarder mark the answers that it leaves alone.

    Args: as ``links``.
    """
    chain = Chain(links(sites, store, forwarder, clock, background, note))
    forwarder.mark_plain_by(chain.leaves_alone)
    return chain


def links(
    sites: Sites,
    store: cache_store.ResolutionStore,
    forwarder: Forwarder,
    clock: Clock,
    background: Background[Answer],
    note: Callable[[Query], None] | None = None,
) -> list[Link]:
    """Return the links for every query, the outermost first.

    Args:
        sites: the active site.
        store: the cache; all clients share it.
        forwarder: asks upstreams.
        clock: both times.
        background: owns work that goes on after its question is answered; its creator
            closes it, after the forwarder.
        note: called with each query for which an upstream is asked.
    """
    return [
        # First: a question that is refused for every name needs no further work.
        Admission(),
        # Before the filter: the school's own names are not the Internet's,
        # and no list may take a printer away.
        Local(),
        # Above the filter: what may be sent depends on the site and the client
        # by which the answer was judged in the end. It is sent as the last
        # link leaves it; what is kept below stays whole for others.
        Rebinding(),
        Ech(),
        # Before everything that depends on earlier questions: a blocked name
        # leaves no trace in the cache or at an upstream, and on
        # the way out the aliases of cached answers are judged like fresh ones.
        Filter(sites, clock),
        # Below the filter: a blocked name stays blocked for ANY. Above the
        # cache: it is neither kept nor asked.
        AnyType(),
        # Above the cache, because a cached entry belongs to the twin's own name;
        # below the filter, which decides whether there is one.
        Rewrite(),
        # Below policy: shared by all clients, and a reload acts at once.
        Cache(store, background, clock),
        # Last: this question must be asked upstream.
        Forward(forwarder, note),
    ]
