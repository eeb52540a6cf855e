# SPDX-License-Identifier: Apache-2.0
"""The part of an upstream's response that may be kept and passed on (dns.md §6).

Kept is the chain qname -> CNAME* -> answer with its signatures, and for
negatives the SOA and the proofs of non-existence. Everything else that an
upstream volunteers is dropped: unsolicited records are how caches are poisoned
(reliability.md B4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from filterd.errors import CostlyMessageError, UpstreamMalformedError, WireError
from filterd.upstream.addresses import is_private
from filterd.wire import (
    ANSWER,
    AUTHORITY,
    Ede,
    ParsedResponse,
    Rcode,
    RebuiltSections,
    Record,
    RRClass,
    RRType,
    SvcbParts,
    address_of,
    covered_type,
    edes_of,
    rebuild,
    soa_minimum,
    svcb_parts,
    target_of,
)
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.upstream.question import UpstreamQuestion

LONGEST_CHAIN = 11
LONGEST_TTL_S = 86_400
LONGEST_NEGATIVE_TTL_S = 3_600

_PROOFS = (RRType.NSEC, RRType.NSEC3)
_SERVICE_BINDINGS = (RRType.SVCB, RRType.HTTPS)


@dataclass(frozen=True, slots=True)
class Resolution:
    """What an upstream said, independent of who asked.

    ``targets`` are the CNAME and SVCB targets in it, which policy judges for
    each asker anew. ``ttl_s`` is how long all of it holds, 0 for not at all.
    ``edes`` are the upstream's own extended errors (RFC 8914). ``authentic``: a
    server that the site trusts has validated it (its AD bit). ``private``: it
    leads to an address that is none of the Internet's. ``ech``: it offers a key
    for Encrypted Client Hello. What a zone's own servers say of it is not looked
    into: it has none of the last two, and no targets.
    """

    rcode: int
    sections: RebuiltSections
    targets: tuple[bytes, ...] = ()
    ttl_s: int = 0
    edes: tuple[Ede, ...] = ()
    authentic: bool = False
    private: bool = False
    ech: bool = False


def resolution_of(
    response: ParsedResponse, question: UpstreamQuestion, *, whole: bool = False
) -> Resolution:
    """Extract what may be kept: all of it from who speaks for a zone of the school (``whole``).

    Raises:
        UpstreamMalformedError: the chain loops, is too long, or a record in it
            does not parse.
    """
    try:
        if whole:
            return _whole(response, question)
        return _resolution_of(response, question)
    except WireError as error:
        raise UpstreamMalformedError(f"the upstream's answer does not parse: {error}") from error


def _whole(response: ParsedResponse, question: UpstreamQuestion) -> Resolution:
    answered = any(r.section == ANSWER and r.rtype == question.qtype for r in response.records)
    soas = (r for r in response.records if r.section == AUTHORITY and r.rtype == RRType.SOA)
    return Resolution(
        rcode=response.rcode,
        sections=rebuild(response, response.records),
        ttl_s=_lifetime(response, [*response.records], answered=answered, soa=next(soas, None)),
        edes=edes_of(response.edns),
    )


def _resolution_of(response: ParsedResponse, question: UpstreamQuestion) -> Resolution:
    chain, last = _chain(response, question)
    bindings = _service_bindings(response, chain)
    if bindings is None:
        chain = [r for r in chain if not _is_of_service(response, r)]
        bindings = []
    answered = any(r.rtype == question.qtype and r.owner == last for r in chain)
    soa = None if answered else _soa(response, last)
    authority = list(_proofs(response)) if question.do else []
    if soa is not None and soa not in authority:
        authority.insert(0, soa)
    kept = [*chain, *authority]
    return Resolution(
        rcode=response.rcode,
        sections=rebuild(response, kept),
        targets=tuple(_targets(response, chain, bindings)),
        ttl_s=_lifetime(response, kept, answered=answered, soa=soa),
        edes=edes_of(response.edns),
        private=any(map(is_private, _addresses(response, chain, bindings))),
        ech=any(one.ech for one in bindings),
    )


def _chain(response: ParsedResponse, question: UpstreamQuestion) -> tuple[list[Record], bytes]:
    """Follow CNAMEs from the qname; return the records of the chain and its last name."""
    answers = [r for r in response.records if r.section == ANSWER and r.rclass == RRClass.IN]
    name, seen, kept = question.qname, {question.qname}, []
    while True:
        own = [r for r in answers if r.owner == name]
        wanted = [r for r in own if r.rtype in (question.qtype, RRType.RRSIG)]
        alias = next((r for r in own if r.rtype == RRType.CNAME), None)
        dnames = [r for r in answers if _is_above(r, name) and _is_of_dname(response, r)]
        kept += [record for record in dnames if record not in kept]
        if alias is None or question.qtype == RRType.CNAME:
            return kept + wanted, name
        kept += [alias, *(r for r in own if r.rtype == RRType.RRSIG)]
        name = target_of(response, alias)
        if name in seen or len(seen) > LONGEST_CHAIN:
            raise WireError("a chain of aliases that does not end", alias.start)
        seen.add(name)


def _is_above(record: Record, name: bytes) -> bool:
    return record.owner != name and names.is_at_or_beneath(name, record.owner)


def _is_of_dname(response: ParsedResponse, record: Record) -> bool:
    """Tell whether a record is a DNAME or signs one; a validator needs both (RFC 6672 §5.3)."""
    if record.rtype == RRType.RRSIG:
        covered = response.message[record.rdata_offset : record.end][:2]
        return int.from_bytes(covered) == RRType.DNAME
    return record.rtype == RRType.DNAME


def _soa(response: ParsedResponse, name: bytes) -> Record | None:
    for record in response.records:
        if record.section == AUTHORITY and record.rtype == RRType.SOA:
            return record if names.is_at_or_beneath(name, record.owner) else None
    return None


def _proofs(response: ParsedResponse) -> Iterator[Record]:
    """What a validating client needs to believe a denial or a wildcard (RFC 4035 §3.1.3)."""
    for record in response.records:
        if record.section == AUTHORITY and record.rtype in (*_PROOFS, RRType.SOA, RRType.RRSIG):
            yield record


def _service_bindings(response: ParsedResponse, chain: list[Record]) -> list[SvcbParts] | None:
    """Read the SVCB and HTTPS records; None where one cannot be read.

    Then a client would throw all of them away (RFC 9460 §2.2), and what they
    lead to could not be judged.
    """
    try:
        return [svcb_parts(response, r) for r in chain if r.rtype in _SERVICE_BINDINGS]
    except CostlyMessageError:
        raise
    except WireError:
        return None


def _is_of_service(response: ParsedResponse, record: Record) -> bool:
    rtype = record.rtype
    if rtype == RRType.RRSIG:
        rtype = covered_type(response, record)
    return rtype in _SERVICE_BINDINGS


def _targets(
    response: ParsedResponse, chain: list[Record], bindings: list[SvcbParts]
) -> Iterator[bytes]:
    for record in chain:
        if record.rtype in (RRType.CNAME, RRType.DNAME):
            yield target_of(response, record)
    for one in bindings:
        if one.target != b"\0":  # "." stands for the owner itself (RFC 9460 §2.5)
            yield one.target


def _addresses(
    response: ParsedResponse, chain: list[Record], bindings: list[SvcbParts]
) -> Iterator[bytes]:
    for record in chain:
        if record.rtype in (RRType.A, RRType.AAAA):
            yield address_of(response, record)
    for one in bindings:
        yield from one.ipv4hints
        yield from one.ipv6hints


def _lifetime(
    response: ParsedResponse, kept: list[Record], *, answered: bool, soa: Record | None
) -> int:
    if response.rcode not in (Rcode.NOERROR, Rcode.NXDOMAIN):
        return 0
    if not answered:
        if soa is None:
            return 0
        negative = min(soa.ttl, soa_minimum(response, soa), LONGEST_NEGATIVE_TTL_S)
        return min([negative, *(record.ttl for record in kept)])
    return min([LONGEST_TTL_S, *(record.ttl for record in kept)])
