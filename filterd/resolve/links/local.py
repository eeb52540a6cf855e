# SPDX-License-Identifier: Apache-2.0
"""Link: names that never leave the school: local zones, special use (dns.md §3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.resolve.link import Link, answered, leaves_all_alone
from filterd.resolve.local_answers import answer_locally
from filterd.resolve.query import Answer, Query, Source
from filterd.wire import Ede, EdeCode

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from filterd.resolve.link import Handler

_REFUSED = Answer(Source.REFUSED, edes=(Ede(EdeCode.NOT_AUTHORITATIVE),))
"""The error of a resolver that must not recurse (RFC 8914 §4.21)."""


class Local(Link):
    """A link that answers from local zones and the special-use table."""

    leaves_alone = staticmethod(leaves_all_alone)
    """The names that it answers are in ``PlainView.touched``, which the fast path does not ask."""

    def __call__(self, query: Query, proceed: Handler) -> Awaitable[Answer]:
        """Answer admitted questions; pass on those that must be asked."""
        known = answer_locally(query.site, query.qname, query.qtype)
        if known is not None:
            return answered(Answer(Source.LOCAL, rcode=known.rcode, records=known.records))
        if not query.message.header.rd or _comes_from_the_zone_itself(query):
            return answered(_REFUSED)
        return proceed(query)


def _comes_from_the_zone_itself(query: Query) -> bool:
    """Return whether a delegated zone's own server asks.

    It would be asked back, endlessly.
    """
    route = query.site.zones.route_of(query.qname)
    return route is not None and any(
        server.address == query.client.address for server in route.servers
    )
