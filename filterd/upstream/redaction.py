# SPDX-License-Identifier: Apache-2.0
"""Redaction of a resolution for one client: less of it, or behind an alias.

The cached one stays as it came, because another client may get all of it. A changed
one is no longer what was signed: its signatures are removed, and so is the AD bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.errors import WireError
from filterd.upstream.private_ranges import is_private
from filterd.wire import (
    ANSWER,
    KEY_ECH,
    RRType,
    address_of,
    covered_type,
    read_back,
    rebuild,
    rebuild_behind_alias,
    svcb_parts,
    without_param,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from filterd.upstream.resolution import Resolution
    from filterd.wire import ParsedResponse, Question, Record

_ADDRESSES = (RRType.A, RRType.AAAA)
_SERVICE_BINDINGS = (RRType.SVCB, RRType.HTTPS)
_OF_DNSSEC = (RRType.RRSIG, RRType.NSEC, RRType.NSEC3)


def without_private(resolution: Resolution, question: Question) -> Resolution | None:
    """Return a resolution without the records that lead to private addresses.

    None where no record of the type asked for is left.

    Args:
        resolution: the cached one.
        question: the one that it answers.
    """
    response = read_back(resolution.sections, question)
    # By number: records are compared value by value, and there may be thousands.
    gone = {at: one for at, one in enumerate(response.records) if _leads_home(response, one)}
    left = [one for at, one in enumerate(response.records) if at not in gone]
    kept = _without_signatures(response, left, gone.values())
    if not any(record.rtype == question.qtype for record in kept):
        return None
    sections = rebuild(response, kept)
    return resolution._replace(sections=sections, authentic=False, private=False)


def without_ech(resolution: Resolution, question: Question) -> Resolution:
    """Return a resolution without the keys for Encrypted Client Hello.

    Service bindings that cannot be rewritten are left out, all of them: a client
    ignores all of them, too (RFC 9460 §2.2).

    Args:
        resolution: the cached one.
        question: the one that it answers.
    """
    response = read_back(resolution.sections, question)
    services = [record for record in response.records if record.rtype in _SERVICE_BINDINGS]
    records = _without_signatures(response, response.records, services)
    changed = {}
    try:
        changed = {record: _without_key(response, record) for record in services}
    except WireError:
        records = [record for record in records if record.rtype not in _SERVICE_BINDINGS]
    sections = rebuild(response, records, changed=changed)
    return resolution._replace(sections=sections, authentic=False, ech=False)


def _without_key(response: ParsedResponse, record: Record) -> bytes:
    return without_param(response.message[record.rdata_offset : record.end], KEY_ECH)


def behind_alias(
    resolution: Resolution, target: Question, question: Question, ttl_s: int
) -> Resolution:
    """Return a resolution as the answer for an alias of its name.

    Args:
        resolution: the cached one, for the target.
        target: the question that it answers.
        question: the one that was asked.
        ttl_s: of the alias.
    """
    response = read_back(resolution.sections, target)
    kept = [record for record in response.records if record.rtype not in _OF_DNSSEC]
    sections = rebuild_behind_alias(response, kept, question, ttl_s)
    targets = (target.qname, *resolution.targets)
    return resolution._replace(sections=sections, targets=targets, authentic=False)


def _leads_home(response: ParsedResponse, record: Record) -> bool:
    if record.section != ANSWER:
        return False
    if record.rtype in _ADDRESSES:
        return is_private(address_of(response, record))
    if record.rtype in _SERVICE_BINDINGS:
        parts = svcb_parts(response, record)
        return any(map(is_private, (*parts.ipv4hints, *parts.ipv6hints)))
    return False


def _without_signatures(
    response: ParsedResponse, records: Collection[Record], changed: Collection[Record]
) -> list[Record]:
    """Remove the signatures over RRsets that were changed."""
    rrsets = {(record.owner, record.rtype) for record in changed}
    return [
        record
        for record in records
        if record.rtype != RRType.RRSIG
        or (record.owner, covered_type(response, record)) not in rrsets
    ]
