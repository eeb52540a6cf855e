# SPDX-License-Identifier: Apache-2.0
"""What the site answers itself: its local zones, and names of special use (dns.md §3). Pure.

The chain's link and ``explain`` both ask here, so that what people are told is
what clients get.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from filterd.policy.model import ZoneRecord
from filterd.resolve import special_use
from filterd.resolve.special_use import Special, SpecialAnswer
from filterd.wire import Rcode, RRType

if TYPE_CHECKING:
    from filterd.resolve.site import Site

LOCAL_ZONE = "local-zone"
"""The ``reason`` of an answer from a zone of the site's own."""

_LOOPBACK = {int(RRType.A): bytes((127, 0, 0, 1)), int(RRType.AAAA): bytes(15) + b"\x01"}
_LOOPBACK_TTL_S = 600


@dataclass(frozen=True, slots=True)
class LocalAnswer:
    """An answer that nobody else was asked for. ``reason``: LOCAL_ZONE or a ``SpecialReason``."""

    reason: str
    rcode: int = Rcode.NOERROR
    records: tuple[ZoneRecord, ...] = ()


def answer_locally(site: Site, qname: bytes, qtype: int) -> LocalAnswer | None:
    """Answer from what the site knows itself.

    None for a name that has to be asked for, for one in a delegated zone, and
    for type ANY of a name that exists: that is answered for all names alike.
    """
    if site.zones.route_of(qname) is not None:
        return None
    found = site.zones.answer(qname, qtype)
    if found is not None:
        answer = LocalAnswer(LOCAL_ZONE, found.rcode, found.records)
    else:
        special = special_use.judge(qname, qtype, site.existing)
        if special is None:
            return None
        answer = _special_answer(special, qname, qtype)
    return None if qtype == RRType.ANY and answer.rcode == Rcode.NOERROR else answer


def _special_answer(special: Special, qname: bytes, qtype: int) -> LocalAnswer:
    if special.answer is SpecialAnswer.NXDOMAIN:
        return LocalAnswer(special.reason, Rcode.NXDOMAIN)
    address = _LOOPBACK.get(qtype) if special.answer is SpecialAnswer.LOOPBACK else None
    if address is None:
        return LocalAnswer(special.reason)
    record = ZoneRecord(qname, qtype, _LOOPBACK_TTL_S, address)
    return LocalAnswer(special.reason, records=(record,))
