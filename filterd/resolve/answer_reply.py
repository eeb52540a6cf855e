# SPDX-License-Identifier: Apache-2.0
"""Replies to clients, composed from the facts of an answer, in one place.

Policy and wire meet here: which extended error a block carries, and how long a
client may keep its answer.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

from filterd.policy.verdict import Action, Rule, Verdict
from filterd.resolve.query import Answer, Query, Source
from filterd.wire import (
    Ede,
    EdeCode,
    Rcode,
    assemble,
    compose_reply,
    encode_record,
    nodata,
    nxdomain,
    refused,
    servfail,
    sinkhole,
)
from filterd.wire.reply import BLOCK_TTL_S

if TYPE_CHECKING:
    from filterd.policy.model import ZoneRecord

STALE_TTL_S = 30
"""How long a client keeps an expired answer: as long as no upstream is asked again."""

_LOCAL_NEGATIVE_TTL_S = 600

_BLOCKED, _FILTERED = (Ede(EdeCode.BLOCKED),), (Ede(EdeCode.FILTERED),)


def compose(query: Query, answer: Answer, now: float) -> bytes:
    """Compose the whole response, not yet cut to a size.

    Args:
        query: the question, for its ID, letter case, flags and EDNS.
        answer: the result of the chain.
        now: Unix time, to which ``valid_until`` is compared.
    """
    query = answer.readmitted or query
    match answer.source:
        case Source.BLOCKED:
            return _blocked(query, answer, now)
        case Source.LOCAL | Source.REWRITTEN:
            return _local(query, answer)
        case Source.CACHED | Source.FORWARDED:
            return _forwarded(query, answer, _longest_ttl(query, answer.verdict, now))
        case Source.STALE:
            return _stale(query, answer, now)
        case Source.REFUSED:
            return refused(query.message, answer.edes)
        case Source.FAILED:
            return servfail(query.message, answer.edes)


def compose_to_repeat(query: Query, answer: Answer) -> tuple[bytes, int]:
    """Compose a reply to a cached answer, TTLs not capped yet; return it and the cap.

    Where it is repeated, the cap applies to what is then left of a TTL.
    """
    return _forwarded(query, answer, None), query.client.grade.client_ttl_max_s


def _blocked(query: Query, answer: Answer, now: float) -> bytes:
    verdict = answer.verdict
    assert verdict is not None
    message, edes = query.message, _edes_of(query, verdict)
    ttl_s = BLOCK_TTL_S
    if verdict.valid_until is not None:
        ttl_s = max(1, min(ttl_s, int(verdict.valid_until - now)))
    match verdict.action:
        case Action.NXDOMAIN:
            return nxdomain(message, ttl_s, edes)
        case Action.SINKHOLE:
            grade = query.client.grade
            ipv4 = IPv4Address(grade.sinkhole_ipv4).packed
            ipv6 = IPv6Address(grade.sinkhole_ipv6).packed
            return sinkhole(message, ipv4, ipv6, ttl_s, edes)
        case _:
            return nodata(message, ttl_s, edes)


def _edes_of(query: Query, verdict: Verdict) -> tuple[Ede]:
    """Return Blocked (15) for orders, dangers and school rules, else Filtered (17).

    In an exam and in a closed tier it is Filtered, too: no list names the name, and the
    teacher asked for all to be filtered but these. Prohibited (18) is for clients that are
    not allowed at all, beside REFUSED (RFC 8914 §4.19).

    No text: the name of a category is not meant for everybody (RFC 8914 §6).
    """
    match = verdict.match
    category = query.site.policy.categories.get(match.category) if match else None
    if match is None or match.rule in (Rule.LOCAL, Rule.ORDERED):
        return _BLOCKED
    return _BLOCKED if category and category.security else _FILTERED


def _local(query: Query, answer: Answer) -> bytes:
    message = query.message
    if not answer.records and answer.rcode == Rcode.NXDOMAIN:
        return nxdomain(message, _LOCAL_NEGATIVE_TTL_S, answer.edes)
    if not answer.records and answer.rcode == Rcode.NOERROR:
        rewritten = answer.source is Source.REWRITTEN
        ttl_s = BLOCK_TTL_S if rewritten else _LOCAL_NEGATIVE_TTL_S
        return nodata(message, ttl_s, answer.edes)
    records = [_record(query, record) for record in answer.records]
    return compose_reply(message, answer.rcode, answers=records, edes=answer.edes)


def _record(query: Query, record: ZoneRecord) -> bytes:
    return encode_record(
        record.owner,
        record.rtype,
        record.ttl_s,
        record.rdata,
        owner_is_qname=record.owner == query.qname,
    )


def _forwarded(query: Query, answer: Answer, cap_ttl_s: int | None) -> bytes:
    resolution = answer.resolution
    assert resolution is not None
    return assemble(
        query.message,
        resolution.sections,
        resolution.rcode,
        age_s=answer.age_s,
        cap_ttl_s=cap_ttl_s,
        ad=resolution.authentic,
        edes=resolution.edes,
    )


def _stale(query: Query, answer: Answer, now: float) -> bytes:
    """Compose an expired answer; AD is not set, as it is unverified (RFC 8767 §4)."""
    resolution = answer.resolution
    assert resolution is not None
    return assemble(
        query.message,
        resolution.sections,
        resolution.rcode,
        set_ttl_s=min(STALE_TTL_S, _longest_ttl(query, answer.verdict, now)),
        edes=(*resolution.edes, *answer.edes),
    )


def _longest_ttl(query: Query, verdict: Verdict | None, now: float) -> int:
    """Return the largest TTL for a client.

    An urgent order so reaches a device soon, and no allow outlives its end.
    """
    longest = query.client.grade.client_ttl_max_s
    if verdict is None or verdict.valid_until is None:
        return longest
    return max(1, min(longest, int(verdict.valid_until - now)))
