# SPDX-License-Identifier: Apache-2.0
"""Link: questions for type ANY get an HINFO and are never asked upstream (RFC 8482)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.policy.model import ZoneRecord
from filterd.resolve.query import Answer, Query, Source
from filterd.wire import RRType

if TYPE_CHECKING:
    from filterd.resolve.handler import Handler

_HINFO_TTL_S = 3_600
_HINFO = b"\x07RFC8482\x00"


class AnyType:
    """Stands below the filter: a blocked name is blocked for ANY too."""

    async def __call__(self, query: Query, proceed: Handler) -> Answer:
        """See questions that may pass; answer those of type ANY."""
        if query.qtype != RRType.ANY:
            return await proceed(query)
        record = ZoneRecord(query.qname, RRType.HINFO, _HINFO_TTL_S, _HINFO)
        return Answer(Source.LOCAL, records=(record,))
