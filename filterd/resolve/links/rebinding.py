# SPDX-License-Identifier: Apache-2.0
"""Link: no public name leads to private addresses (DNS rebinding, dns.md §11).

Nor does one lead, by an alias, to a name that has a meaning only inside the
network (dns.md §3): a client that follows it would get a printer or itself. Names
of the school's own domain may lead there: in split horizon ``www.school.edu.vn``,
which is public, is an alias of ``web.lan.school.edu.vn``, which is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.policy.verdict import Action, Verdict
from filterd.resolve import special_use
from filterd.resolve.link import Link
from filterd.resolve.query import Answer, Query, Source
from filterd.resolve.special_use import SpecialReason
from filterd.upstream.redaction import without_private
from filterd.wire import Ede, EdeCode, RRType
from filterd.wire import name as names

if TYPE_CHECKING:
    from filterd.resolve.link import Handler
    from filterd.resolve.site import Site
    from filterd.upstream import Resolution, UpstreamQuestion

_OF_A_NETWORK = frozenset(
    (
        SpecialReason.LOCALHOST,
        SpecialReason.NEVER_DELEGATED,
        SpecialReason.PRIVATE_REVERSE,
        SpecialReason.SINGLE_LABEL,
    )
)


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
    shared = next((one for one in names.suffixes(qname) if one in above), names.ROOT)
    if names.parent(shared) == names.ROOT:
        return False
    # The list of suffixes is read when the first such alias comes: most schools see none.
    from filterd.lists.hostname import key_from_name  # noqa: PLC0415
    from filterd.lists.public_suffix import is_public_suffix  # noqa: PLC0415

    key = key_from_name(shared)
    return key is not None and not is_public_suffix(key)


_BLOCKED = Ede(EdeCode.BLOCKED)


class Rebinding(Link):
    """A link that removes private addresses, except for names that the site allows.

    An alias into the school's own names leaves nothing of an answer: what they mean is
    looked up here. The qname decides, wherever its aliases lead: it is the name by
    which a browser tells pages of one origin from another's.
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
        led_home = any(leads_home(query.site, query.qname, one) for one in resolution.targets)
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
