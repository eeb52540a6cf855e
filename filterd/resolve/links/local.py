# SPDX-License-Identifier: Apache-2.0
"""Links that answer without an upstream: refusals, ANY, and names of the school.

A question is refused by its class and type; type ANY gets one record (RFC 8482); local zones
and special-use names (RFC 6761) never leave the school. ``explain`` calls ``answer_locally``
too, so that the explanation is the answer that clients get.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from filterd.base.value_class import frozen
from filterd.policy.model import ZoneRecord
from filterd.resolve import special_use
from filterd.resolve.query import Answer, Link, Query, Source, answered, leaves_all_alone
from filterd.resolve.special_use import Special, SpecialAnswer
from filterd.resolve.zones import answer_leased, is_above_leased
from filterd.wire import Ede, EdeCode, Rcode, RRClass, RRType
from filterd.wire import name as names
from filterd.wire.reply import ANY_HINFO_RDATA, ANY_TTL_S

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from filterd.resolve.query import Handler
    from filterd.resolve.site import Site


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


_REFUSED = Answer(Source.REFUSED, edes=(Ede(EdeCode.NOT_AUTHORITATIVE),))
"""The error of a resolver that must not recurse (RFC 8914 §4.21)."""

LOCAL_ZONE, LEASE = "local-zone", "lease"
"""The ``reason`` of an answer from a zone of the site's own, and of a device's own name."""

_LOOPBACK = {int(RRType.A): bytes((127, 0, 0, 1)), int(RRType.AAAA): bytes(15) + b"\x01"}
_LOOPBACK_TTL_S = 600


class Local(Link):
    """A link that answers from local zones and the special-use table."""

    leaves_alone = staticmethod(leaves_all_alone)
    """The names that it answers are in ``PlainView.touched``, which the fast path does not ask."""

    def __call__(self, query: Query, proceed: Handler) -> Awaitable[Answer]:
        """Answer admitted questions; pass on those that must be asked."""
        known = answer_locally(query.site, query.qname, query.qtype)
        if known is not None:
            return answered(Answer(Source.LOCAL, rcode=known.rcode, records=known.records))
        if not query.message.header.rd or _is_from_the_zones_server(query):
            return answered(_REFUSED)
        return proceed(query)


def _is_from_the_zones_server(query: Query) -> bool:
    """Return whether a delegated zone's own server asks.

    It would be asked back, endlessly.
    """
    route = query.site.zones.route_of(query.qname)
    return route is not None and any(
        server.address == query.client.address for server in route.servers
    )


@frozen
class LocalAnswer:
    """An answer that no other server was asked for.

    ``reason`` is LOCAL_ZONE, LEASE or a ``SpecialReason``.
    """

    reason: str
    rcode: int = Rcode.NOERROR
    records: tuple[ZoneRecord, ...] = ()


def answer_locally(site: Site, qname: bytes, qtype: int) -> LocalAnswer | None:
    """Answer from the site's own knowledge.

    None for a name that has to be asked for, for one in a delegated zone, and
    for type ANY of a name that exists: that is answered for all names alike.
    """
    if not site.may_know(qname):  # nearly all names are the Internet's
        return None
    if site.zones.route_of(qname) is not None:
        return None
    answer = _zone_answer(site, qname, qtype)
    if answer is None:
        special = special_use.judge(qname, qtype, site.existing)
        if special is None:
            return None
        answer = _special_answer(special, qname, qtype)
    if answer.rcode == Rcode.NXDOMAIN and (qname in site.existing or is_above_leased(site, qname)):
        answer = replace(answer, rcode=Rcode.NOERROR)  # else names beneath would be denied
    return None if qtype == RRType.ANY and answer.rcode == Rcode.NOERROR else answer


def _zone_answer(site: Site, qname: bytes, qtype: int) -> LocalAnswer | None:
    """Answer from the local zones, and from leases where those have nothing."""
    written = site.zones.answer(qname, qtype)
    if written is not None and written.rcode != Rcode.NXDOMAIN:
        return LocalAnswer(LOCAL_ZONE, written.rcode, written.records)
    aliases = written.records if written else ()
    last = names.canonical(aliases[-1].rdata) if aliases else qname
    leased = answer_leased(site, last, qtype)
    if leased is not None and (written is None or leased.rcode == Rcode.NOERROR):
        reason = LEASE if leased.rcode == Rcode.NOERROR else LOCAL_ZONE
        return LocalAnswer(reason, leased.rcode, (*aliases, *leased.records))
    return LocalAnswer(LOCAL_ZONE, written.rcode, written.records) if written else None


def _special_answer(special: Special, qname: bytes, qtype: int) -> LocalAnswer:
    if special.answer is SpecialAnswer.NXDOMAIN:
        return LocalAnswer(special.reason, Rcode.NXDOMAIN)
    address = _LOOPBACK.get(qtype) if special.answer is SpecialAnswer.LOOPBACK else None
    if address is None:
        return LocalAnswer(special.reason)
    record = ZoneRecord(qname, qtype, _LOOPBACK_TTL_S, address)
    return LocalAnswer(special.reason, records=(record,))
