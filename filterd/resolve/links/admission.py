# SPDX-License-Identifier: Apache-2.0
"""Links that judge a question by its type: refusals, and ANY (RFC 8482)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.policy.model import ZoneRecord
from filterd.resolve.link import Link, answered, leaves_all_alone
from filterd.resolve.query import Answer, Query, Source
from filterd.wire import Ede, EdeCode, RRClass, RRType
from filterd.wire.reply import ANY_HINFO_RDATA, ANY_TTL_S

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from filterd.resolve.link import Handler

NEVER_ASKED = frozenset(
    (RRType.OPT, RRType.TKEY, RRType.TSIG, RRType.IXFR, RRType.AXFR, RRType.MAILB, RRType.MAILA)
)
"""Transfers, and types that are no data of a name (RFC 6895 §3.1). ANY has its own link."""

_IN, _ANY = int(RRClass.IN), int(RRType.ANY)

NOT_SUPPORTED = Ede(EdeCode.NOT_SUPPORTED)


class Admission(Link):
    """A link that refuses classes other than IN, zone transfers and meta types."""

    leaves_alone = staticmethod(leaves_all_alone)
    """What it refuses gets no answer of an upstream."""

    def __call__(self, query: Query, proceed: Handler) -> Awaitable[Answer]:
        """Refuse queries that no forwarder answers; pass the others on."""
        if query.message.question.qclass != _IN or query.qtype in NEVER_ASKED:
            return answered(Answer(Source.REFUSED, edes=(NOT_SUPPORTED,)))
        return proceed(query)


class AnyType(Link):
    """A link that answers type ANY with HINFO; it is never asked upstream.

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
