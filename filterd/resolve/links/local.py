# SPDX-License-Identifier: Apache-2.0
"""Link: names that never leave the school: local zones and special-use names (dns.md §3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.policy.model import ZoneRecord
from filterd.resolve import special_use
from filterd.resolve.query import Answer, Query, Source
from filterd.resolve.special_use import SpecialAnswer
from filterd.wire import Ede, EdeCode, Rcode, RRType

if TYPE_CHECKING:
    from filterd.resolve.handler import Handler

_LOOPBACK = {RRType.A: bytes((127, 0, 0, 1)), RRType.AAAA: bytes(15) + b"\x01"}
_LOOPBACK_TTL_S = 600


_REFUSED = Answer(Source.REFUSED, edes=(Ede(EdeCode.NOT_SUPPORTED),))


class Local:
    """Answers from local zones and the special-use table; delegated zones go their own way."""

    async def __call__(self, query: Query, proceed: Handler) -> Answer:
        """See what admission let through; pass on what has to be asked."""
        servers = query.site.zones.servers_of(query.qname)
        if servers is None:
            answer = answer_locally(query)
            if answer is not None:
                return answer
        elif any(server.address == query.client.address for server in servers):
            return _REFUSED  # a zone's own server that asks for it would be asked back, for ever
        if not query.message.header.rd:
            return _REFUSED
        return await proceed(query)


def answer_locally(query: Query) -> Answer | None:
    """Answer from what the site knows itself, None for a name that it does not."""
    found = query.site.zones.answer(query.qname, query.qtype)
    if found is not None:
        return Answer(Source.LOCAL, rcode=found.rcode, records=found.records)
    special = special_use.judge(query.qname, query.qtype, query.site.existing)
    if special is None:
        return None
    if special.answer is SpecialAnswer.NXDOMAIN:
        return Answer(Source.LOCAL, rcode=Rcode.NXDOMAIN)
    rdata = _LOOPBACK.get(RRType(query.qtype)) if query.qtype in _LOOPBACK else None
    if special.answer is SpecialAnswer.NODATA or rdata is None:
        return Answer(Source.LOCAL)
    record = ZoneRecord(query.qname, query.qtype, _LOOPBACK_TTL_S, rdata)
    return Answer(Source.LOCAL, records=(record,))
