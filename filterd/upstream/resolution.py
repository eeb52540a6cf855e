# SPDX-License-Identifier: Apache-2.0
"""The part of an upstream's response that may be kept and passed on.

Kept is the chain qname -> CNAME* -> answer with its signatures, and for
negatives the SOA and the proofs of non-existence. Everything else that an
upstream volunteers is dropped: unsolicited records are how caches are poisoned.

``_pool`` handles the ordinary cases in C, for exchanges that are native.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from filterd.base.errors import CostlyMessageError, UpstreamMalformedError, WireError
from filterd.upstream.private_ranges import is_private
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
    signer_of,
    soa_minimum,
    svcb_parts,
    target_of,
)
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

    from filterd.upstream.upstream_question import UpstreamQuestion

LONGEST_CHAIN = 11
LONGEST_TTL_S = 86_400
LONGEST_NEGATIVE_TTL_S = 3_600

# As plain numbers: comparing with a member of an enumeration costs ten times as much.
_CNAME, _DNAME, _SOA = int(RRType.CNAME), int(RRType.DNAME), int(RRType.SOA)
_RRSIG, _NSEC, _NSEC3 = int(RRType.RRSIG), int(RRType.NSEC), int(RRType.NSEC3)
_ALIASES = frozenset((_CNAME, _DNAME))
_ADDRESSES = frozenset((int(RRType.A), int(RRType.AAAA)))
_SERVICE_BINDINGS = frozenset((int(RRType.SVCB), int(RRType.HTTPS)))


class Resolution(NamedTuple):
    """A resolution: the answer of an upstream, independent of the client.

    ``targets`` are the CNAME and SVCB targets in it, which policy judges again for
    each client. ``ttl_s`` is how long all of it holds, 0 for not at all.
    ``edes`` are the upstream's own extended errors (RFC 8914). ``authentic``: a
    server that the site trusts has validated it (its AD bit). ``private``: it
    leads to an address that is no host of the Internet. ``ech``: it offers a key
    for Encrypted Client Hello. An answer of a zone's own servers is not examined:
    it has neither of these two, and no targets. ``plain``: the links of the chain leave
    it unchanged (``resolve.pipeline``).
    """

    rcode: int
    sections: RebuiltSections
    targets: tuple[bytes, ...] = ()
    ttl_s: int = 0
    edes: tuple[Ede, ...] = ()
    authentic: bool = False
    private: bool = False
    ech: bool = False
    plain: bool = False


def resolution_of(response: ParsedResponse, question: UpstreamQuestion) -> Resolution:
    """Extract what may be kept of a response.

    By a ``whole`` route that is everything: the server is an authority of a zone of the school.

    Raises:
        UpstreamMalformedError: the chain loops, is too long, or a record in it
            does not parse.
    """
    try:
        if question.route.whole:
            return _whole(response, question)
        return _resolution_of(response, question)
    except WireError as error:
        raise UpstreamMalformedError(f"the upstream's answer does not parse: {error}") from error


def _whole(response: ParsedResponse, question: UpstreamQuestion) -> Resolution:
    answered = any(r.section == ANSWER and r.rtype == question.qtype for r in response.records)
    soa = _first_soa(response)
    records = [_for_its_negative_ttl(response, r) if r is soa else r for r in response.records]
    sections = rebuild(response, records)
    return Resolution(
        rcode=response.rcode,
        sections=sections,
        ttl_s=_lifetime(response.rcode, sections.ttls, known=answered or soa is not None),
        edes=edes_of(response.edns),
    )


def _resolution_of(response: ParsedResponse, question: UpstreamQuestion) -> Resolution:
    aliases, wanted, last = _chain(response, question)
    bindings: list[SvcbParts] = []
    if question.qtype in _SERVICE_BINDINGS:
        wanted, bindings = _readable(response, wanted)
    answered = any(record.rtype == question.qtype for record in wanted)
    soa = None if answered else _soa(response, last)
    kept = [*aliases, *wanted]
    if soa is not None:
        kept.append(_for_its_negative_ttl(response, soa))
    if question.do:
        kept += _proofs(response, soa, _zones(response, kept))
    sections = rebuild(response, kept)
    return Resolution(
        rcode=response.rcode,
        sections=sections,
        targets=tuple(_targets(response, [*aliases, *wanted], bindings)),
        ttl_s=_lifetime(response.rcode, sections.ttls, known=answered or soa is not None),
        edes=edes_of(response.edns),
        private=any(map(is_private, _addresses(response, question.qtype, wanted, bindings))),
        ech=any(binding.ech for binding in bindings),
    )


def _chain(
    response: ParsedResponse, question: UpstreamQuestion
) -> tuple[list[Record], list[Record], bytes]:
    """Follow CNAMEs from the qname; a DNAME is kept with its result (RFC 6672).

    That is a CNAME of a name beneath it, or the YXDOMAIN of one that would be too long.

    Returns: the aliases; the records at their end of the type asked for; the
    name there. Signatures are included for clients that want them (RFC 4035 §3.2.1).
    """
    by_owner, dnames = _answers(response, do=question.do)
    types = (question.qtype, _RRSIG) if question.do else (question.qtype,)
    name, seen, aliases = question.qname, {question.qname}, []
    while True:
        own = by_owner.get(name, ())
        alias = next((record for record in own if record.rtype == _CNAME), None)
        target = target_of(response, alias) if alias is not None else None
        if dnames and (target is not None or response.rcode == Rcode.YXDOMAIN):
            taken = _take_dname(response, dnames, name, target)
            own = [_no_longer_than(taken, record) for record in own]
            alias = _no_longer_than(taken, alias) if alias is not None else None
            aliases += taken
        if alias is None or target is None or question.qtype == _CNAME:
            return aliases, [record for record in own if record.rtype in types], name
        aliases.append(alias)
        if question.do:
            aliases += [record for record in own if record.rtype == _RRSIG]
        name = target
        if name in seen or len(seen) > LONGEST_CHAIN:
            raise WireError("a chain of aliases that does not end", alias.start)
        seen.add(name)


def _answers(
    response: ParsedResponse, *, do: bool
) -> tuple[dict[bytes, list[Record]], dict[bytes, list[Record]]]:
    """Return the records of the answer section by owner, and DNAMEs with signatures."""
    by_owner: dict[bytes, list[Record]] = {}
    dnames: dict[bytes, list[Record]] = {}
    for record in response.records:
        if record.section != ANSWER:
            break
        if record.rclass == RRClass.IN:
            by_owner.setdefault(record.owner, []).append(record)
            if record.rtype == _DNAME or (do and _signs(response, record, (_DNAME,))):
                dnames.setdefault(record.owner, []).append(record)
    return by_owner, dnames


def _take_dname(
    response: ParsedResponse, dnames: dict[bytes, list[Record]], name: bytes, target: bytes | None
) -> list[Record]:
    """Return the DNAME that leads from a name to ``target``.

    None for one that is too long. It is taken out, with its signatures: a second name may
    be beneath the same.
    """
    start = 0
    while name[start]:
        start += name[start] + 1
        owner = name[start:]
        dname = next((one for one in dnames.get(owner, ()) if one.rtype == _DNAME), None)
        if dname is not None:
            made = name[:start] + target_of(response, dname)
            if made == target or (target is None and len(made) > names.MAX_NAME_OCTETS):
                return [one for one in dnames.pop(owner) if one is dname or one.rtype == _RRSIG]
    return []


def _no_longer_than(taken: list[Record], record: Record) -> Record:
    """Return a CNAME with the TTL of the DNAME that made it (RFC 6672 §3.1)."""
    if not taken or record.rtype != _CNAME:
        return record
    return record._replace(ttl=min(record.ttl, *(one.ttl for one in taken if one.rtype == _DNAME)))


def _signs(response: ParsedResponse, record: Record, types: Container[int]) -> bool:
    """Return whether a record is a signature over records of one of these types."""
    return record.rtype == _RRSIG and covered_type(response, record) in types


def _first_soa(response: ParsedResponse) -> Record | None:
    for record in response.records:
        if record.section == AUTHORITY and record.rtype == _SOA:
            return record
    return None


def _soa(response: ParsedResponse, name: bytes) -> Record | None:
    """Return the SOA of a negative answer for ``name``; None for that of another zone."""
    soa = _first_soa(response)
    return soa if soa is not None and names.is_at_or_beneath(name, soa.owner) else None


def _for_its_negative_ttl(response: ParsedResponse, soa: Record) -> Record:
    """Return a SOA with the TTL of its negative answer (RFC 2308 §5)."""
    ttl = min(soa.ttl, soa_minimum(response, soa), LONGEST_NEGATIVE_TTL_S)
    return soa._replace(ttl=ttl)


def _zones(response: ParsedResponse, kept: Iterable[Record]) -> frozenset[bytes]:
    """Return the zones that an answer is of: of its SOA, and of its signatures."""
    return frozenset(
        zone
        for record in kept
        if record.rtype in (_SOA, _RRSIG)
        for zone in [record.owner if record.rtype == _SOA else signer_of(response, record)]
        if names.is_at_or_beneath(record.owner, zone)
    )


def _proofs(
    response: ParsedResponse, soa: Record | None, zones: frozenset[bytes]
) -> Iterator[Record]:
    """Return the proofs of a denial or a wildcard, for validators (RFC 4035 §3.1.3).

    Those of a zone that the answer is not of prove nothing about it.
    """
    signed = (_NSEC, _NSEC3) if soa is None else (_NSEC, _NSEC3, _SOA)
    for record in response.records:
        if (
            record.section == AUTHORITY
            and (record.rtype in (_NSEC, _NSEC3) or _signs(response, record, signed))
            and any(names.is_at_or_beneath(record.owner, zone) for zone in zones)
        ):
            yield record


def _readable(
    response: ParsedResponse, records: list[Record]
) -> tuple[list[Record], list[SvcbParts]]:
    """Read SVCB or HTTPS records; return none where one of them cannot be read.

    A client would then ignore all of them (RFC 9460 §2.2), and their targets could not be
    judged.
    """
    try:
        read = [svcb_parts(response, record) for record in records if record.rtype != _RRSIG]
    except CostlyMessageError:
        raise
    except WireError:
        return [], []
    return records, read


def _targets(
    response: ParsedResponse, chain: Iterable[Record], bindings: Iterable[SvcbParts]
) -> Iterator[bytes]:
    for record in chain:
        if record.rtype in _ALIASES:
            yield target_of(response, record)
    for binding in bindings:
        if binding.target != names.ROOT:  # it stands for the owner itself (RFC 9460 §2.5)
            yield binding.target


def _addresses(
    response: ParsedResponse, qtype: int, wanted: Iterable[Record], bindings: Iterable[SvcbParts]
) -> Iterator[bytes]:
    if qtype in _ADDRESSES:
        for record in wanted:
            if record.rtype == qtype:
                yield address_of(response, record)
    for binding in bindings:
        yield from binding.ipv4hints
        yield from binding.ipv6hints


def _lifetime(rcode: int, ttls: tuple[int, ...], *, known: bool) -> int:
    """Return the lifetime of an answer; ``known``: it or its denial has a TTL."""
    if not known or rcode not in (Rcode.NOERROR, Rcode.NXDOMAIN):
        return 0
    return min(LONGEST_TTL_S, *ttls)
