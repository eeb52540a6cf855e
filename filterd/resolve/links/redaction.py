# SPDX-License-Identifier: Apache-2.0
"""Links that remove records that a client must not get.

``Rebinding``: no public name leads to private addresses. Nor does one lead, by an
alias, to a name that has a meaning only inside the network: a client that
follows it would get a printer or itself. Names of the school's own domain may lead
there: in split horizon ``www.school.edu.vn``, which is public, is an alias of
``web.lan.school.edu.vn``, which is not. ``Ech``: no keys for Encrypted Client Hello
where policy forbids it.

The cached resolution stays as it came, because another client may get all of it. A
changed one is no longer what was signed: its signatures are removed, and so is the AD
bit.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from filterd.base.errors import WireError
from filterd.policy.verdict import Action, Verdict
from filterd.resolve import special_use
from filterd.resolve.query import Answer, Link, Query, Source
from filterd.resolve.special_use import SpecialReason
from filterd.texts.i18n import quoted
from filterd.upstream.private_ranges import is_private
from filterd.wire import (
    ANSWER,
    KEY_ECH,
    Ede,
    EdeCode,
    RRType,
    address_of,
    covered_type,
    read_back,
    rebuild,
    svcb_parts,
    without_param,
)
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Collection

    from filterd.resolve.query import Handler
    from filterd.resolve.site import Site
    from filterd.upstream import Resolution, UpstreamQuestion
    from filterd.wire import ParsedResponse, Question, Record

_logger = logging.getLogger("filterd.redaction")

_ADDRESSES = (RRType.A, RRType.AAAA)
_SERVICE_BINDINGS = (RRType.SVCB, RRType.HTTPS)

_OF_A_NETWORK = frozenset(
    (
        SpecialReason.LOCALHOST,
        SpecialReason.NEVER_DELEGATED,
        SpecialReason.PRIVATE_REVERSE,
        SpecialReason.SINGLE_LABEL,
    )
)

_BLOCKED = Ede(EdeCode.BLOCKED)


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
        message = response.message
        changed = {
            service: without_param(message[service.rdata_offset : service.end], KEY_ECH)
            for service in services
        }
    except WireError:
        records = [record for record in records if record.rtype not in _SERVICE_BINDINGS]
    sections = rebuild(response, records, changed=changed)
    return resolution._replace(sections=sections, authentic=False, ech=False)


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


def leads_home(site: Site, qname: bytes, target: bytes) -> bool:
    """Return whether an alias leads from another domain's name into the network."""
    if not site.may_know(target):
        return False
    zone = site.zones.name_over(target)
    if zone is None and site.policy.lease_zone is not None:
        zone = site.policy.lease_zone
        zone = zone if names.is_at_or_beneath(target, zone) else None
    if zone is not None:
        return not _is_one_domain(qname, zone)
    special = special_use.judge(target, RRType.A, site.existing)
    return special is not None and special.reason in _OF_A_NETWORK and target not in site.existing


def _is_one_domain(qname: bytes, zone: bytes) -> bool:
    """Return whether one owner registered both names.

    That is so where their common suffix is no public suffix.
    """
    above = frozenset(names.suffixes(zone))
    shared = next((suffix for suffix in names.suffixes(qname) if suffix in above), names.ROOT)
    if names.parent(shared) == names.ROOT:
        return False
    try:
        # The list of suffixes is read when the first such alias comes: most schools see none.
        from filterd.lists.hostname import key_from_name  # noqa: PLC0415
        from filterd.lists.public_suffix import is_public_suffix  # noqa: PLC0415

        key = key_from_name(shared)
        return key is not None and not is_public_suffix(key)
    except (ImportError, OSError) as error:  # of the disk: then they count as two domains
        _logger.error("the list of public suffixes cannot be read: %s", quoted(str(error)))
        return False


class Rebinding(Link):
    """A link that removes private addresses, except for names that the site allows.

    An alias into the school's own names leaves nothing of an answer: what they mean is
    looked up here. The qname decides, wherever its aliases lead: it is the name by
    which a browser distinguishes pages of one origin from another's.
    """

    def leaves_alone(self, _: UpstreamQuestion, resolution: Resolution, /) -> bool:
        """Return whether no address is private; targets are in ``PlainView.touched``."""
        return not resolution.private

    async def __call__(self, query: Query, proceed: Handler) -> Answer:
        """Return any answer, cached or not, perhaps reduced or as a block."""
        answer = await proceed(query)
        resolution = answer.resolution
        query = answer.readmitted or query
        if resolution is None or not (resolution.private or resolution.targets):
            return answer
        led_home = any(leads_home(query.site, query.qname, target) for target in resolution.targets)
        if not (resolution.private or led_home) or _may_lead_home(query):
            return answer
        left = None if led_home else without_private(resolution, query.message.question)
        if left is None:
            until = answer.verdict.valid_until if answer.verdict else None
            verdict = Verdict(Action.NODATA, valid_until=until)
            return answer._replace(
                source=Source.BLOCKED, verdict=verdict, resolution=None, by_target=True
            )
        return answer._replace(resolution=left._replace(edes=(*left.edes, _BLOCKED)))


def _may_lead_home(query: Query) -> bool:
    allowed = query.site.policy.private_answers
    return any(names.is_at_or_beneath(query.qname, name) for name in allowed)


class Ech(Link):
    """A link that removes the keys for some grades; cached answers keep them."""

    def leaves_alone(self, _: UpstreamQuestion, resolution: Resolution, /) -> bool:
        """Return whether the answer offers no key."""
        return not resolution.ech

    async def __call__(self, query: Query, proceed: Handler) -> Answer:
        """Return any answer, cached or not, without the keys."""
        answer = await proceed(query)
        resolution = answer.resolution
        query = answer.readmitted or query
        if resolution is None or not resolution.ech or not query.client.grade.strip_ech:
            return answer
        return answer._replace(resolution=without_ech(resolution, query.message.question))
