# SPDX-License-Identifier: Apache-2.0
"""Which names mean something only within the school's network (dns.md §3, §11). Pure.

A public name has no business to lead there by an alias: a client that follows it
would get a printer or itself, as by a private address (DNS rebinding). Names of the
school's own domain may: in split horizon ``www.school.edu.vn``, which the Internet
knows, is an alias of ``web.lan.school.edu.vn``, which only the school does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.resolve import special_use
from filterd.resolve.special_use import SpecialReason
from filterd.wire import RRType
from filterd.wire import name as names

if TYPE_CHECKING:
    from filterd.resolve.site import Site

_OF_A_NETWORK = frozenset(
    (
        SpecialReason.LOCALHOST,
        SpecialReason.NEVER_DELEGATED,
        SpecialReason.PRIVATE_REVERSE,
        SpecialReason.SINGLE_LABEL,
    )
)


def leads_home(site: Site, qname: bytes, target: bytes) -> bool:
    """Tell whether an alias leads from a name of another domain into the network."""
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
    """Tell whether one owner has registered both names: what both end with is no public suffix."""
    above = frozenset(names.suffixes(zone))
    shared = next((one for one in names.suffixes(qname) if one in above), names.ROOT)
    if names.parent(shared) == names.ROOT:
        return False
    # The list of suffixes is read when the first such alias comes: most schools see none.
    from filterd.lists.hostname import key_from_name  # noqa: PLC0415
    from filterd.lists.public_suffix import is_public_suffix  # noqa: PLC0415

    key = key_from_name(shared)
    return key is not None and not is_public_suffix(key)
