# SPDX-License-Identifier: Apache-2.0
"""Which zone devices may name themselves in.

A device chooses its own name: in a zone that is the Internet's, or one that the
school shows to the world, a pupil's telephone could become ``www``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.i18n import UNSAID, Sentence, say
from filterd.lists.public_suffix import has_strangers_beneath
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.config.error_collector import Problems
    from filterd.config.site_schema import SiteFile
    from filterd.documents import Document
    from filterd.lists.rules import Pin

_HOME = names.from_text("home.arpa")  # RFC 8375: no name is registered in it
_HINT = say("such as lan.home.arpa, or lan. before the school's own domain")


def check_lease_zone(
    document: Document, site: SiteFile, pins: Iterable[Pin], problems: Problems
) -> None:
    """Note what is wrong with the zone of leases, if there is one."""
    zone = site.leases.zone if site.leases else None
    reason = _reason(zone, site, pins) if zone else UNSAID
    if zone and reason:
        text = say("the zone '{zone}' {reason}", zone=names.to_text(zone), reason=reason)
        problems.add(document.error(text, ("leases", "zone"), hint=_HINT))


def _reason(zone: bytes, site: SiteFile, pins: Iterable[Pin]) -> Sentence:
    if not names.is_at_or_beneath(zone, _HOME):
        if has_strangers_beneath(zone):
            return say("is a public suffix: others have names in it")
        if has_strangers_beneath(names.parent(zone)):
            return say("is a domain of the Internet, and devices could become www in it")
    if any(names.is_at_or_beneath(zone, entry.name) for entry in site.delegated_zones):
        return say("belongs to the servers of a delegated zone")
    if any(names.is_at_or_beneath(pin.name, zone) or _covers(pin, zone) for pin in pins):
        return say("holds a pinned name")
    return UNSAID


def _covers(pin: Pin, zone: bytes) -> bool:
    return pin.subtree and names.is_at_or_beneath(zone, pin.name)
