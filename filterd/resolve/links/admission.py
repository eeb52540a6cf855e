# SPDX-License-Identifier: Apache-2.0
"""Link: what may be asked at all (dns.md §2). Needs nothing but the question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.resolve.query import Answer, Query, Source
from filterd.wire import Ede, EdeCode, RRClass, RRType

if TYPE_CHECKING:
    from filterd.resolve.handler import Handler

NEVER_ASKED = frozenset(
    (RRType.OPT, RRType.TKEY, RRType.TSIG, RRType.IXFR, RRType.AXFR, RRType.MAILB, RRType.MAILA)
)
"""Transfers, and the types that are no data of a name (RFC 6895 §3.1). ANY has its own link."""

NOT_SUPPORTED = Ede(EdeCode.NOT_SUPPORTED)


class Admission:
    """Refuses classes but IN, zone transfers and meta types."""

    async def __call__(self, query: Query, proceed: Handler) -> Answer:
        """See any query; refuse what no forwarder answers, pass the rest on."""
        question = query.message.question
        if question.qclass != RRClass.IN or question.qtype in NEVER_ASKED:
            return Answer(Source.REFUSED, edes=(NOT_SUPPORTED,))
        return await proceed(query)
