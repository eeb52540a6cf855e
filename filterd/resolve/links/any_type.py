# SPDX-License-Identifier: Apache-2.0
"""Link: type ANY is answered with HINFO and never asked upstream (RFC 8482)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.policy.model import ZoneRecord
from filterd.resolve.link import Link, answered, leaves_all_alone
from filterd.resolve.query import Answer, Query, Source
from filterd.wire import RRType
from filterd.wire.reply import ANY_HINFO_RDATA, ANY_TTL_S

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from filterd.resolve.link import Handler


_ANY = int(RRType.ANY)


class AnyType(Link):
    """A link that answers type ANY.

    It stands below the filter: a blocked name is blocked for ANY too.
    """

    leaves_alone = staticmethod(leaves_all_alone)
    """Type ANY gets no answer of an upstream."""

    def __call__(self, query: Query, proceed: Handler) -> Awaitable[Answer]:
        """Answer questions of type ANY; pass the others on."""
        if query.qtype != _ANY:
            return proceed(query)
        record = ZoneRecord(query.qname, RRType.HINFO, ANY_TTL_S, ANY_HINFO_RDATA)
        return answered(Answer(Source.LOCAL, records=(record,)))
