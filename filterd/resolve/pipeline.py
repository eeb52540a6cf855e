# SPDX-License-Identifier: Apache-2.0
"""THE order of the links. Each position has its reason; nothing else decides it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.resolve.link import Handler, chain
from filterd.resolve.links.admission import Admission
from filterd.resolve.links.any_type import AnyType
from filterd.resolve.links.cache import Cache
from filterd.resolve.links.ech import Ech
from filterd.resolve.links.filter import Filter
from filterd.resolve.links.forward import Forward
from filterd.resolve.links.local import Local
from filterd.resolve.links.rebinding import Rebinding
from filterd.resolve.links.rewrite import Rewrite

if TYPE_CHECKING:
    from filterd.clock import Clock
    from filterd.resolve.background_tasks import Background
    from filterd.resolve.cache_store import ResolutionStore
    from filterd.resolve.query import Answer
    from filterd.resolve.site import Sites
    from filterd.upstream import Forwarder


def build(
    sites: Sites,
    store: ResolutionStore,
    forwarder: Forwarder,
    clock: Clock,
    background: Background[Answer],
) -> Handler:
    """Build the chain for every query, the outermost link first.

    Args:
        sites: the active site.
        store: the cache; all clients share it.
        forwarder: asks upstreams.
        clock: both times.
        background: owns work that goes on after its question is answered; its creator
            closes it, after the forwarder.
    """
    return chain(
        [
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
            Forward(forwarder),
        ]
    )
