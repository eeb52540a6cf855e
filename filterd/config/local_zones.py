# SPDX-License-Identifier: Apache-2.0
"""The site's own zones: local ones, which filterd answers itself, and delegated ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.config.zone_records import RecordError, parse_record
from filterd.i18n import UNSAID, Sentence, say
from filterd.lists.public_suffix import has_strangers_beneath
from filterd.policy.model import DelegatedZone, LocalZone, UpstreamServer, ZoneRecord
from filterd.wire import RRType
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from filterd.config.error_collector import Problems
    from filterd.config.site_schema import LocalZoneEntry, SiteFile
    from filterd.documents import Document, Where
    from filterd.lists.rules import Pin


def compile_local_zones(
    document: Document, site: SiteFile, problems: Problems
) -> tuple[LocalZone, ...]:
    """Return the local zones, and note every line that is no record of its zone."""
    zones = {entry.name for entry in site.local_zones}
    return tuple(
        LocalZone(entry.name, tuple(_records(document, position, entry, zones, problems)))
        for position, entry in enumerate(site.local_zones)
    )


def compile_delegated_zones(site: SiteFile) -> tuple[DelegatedZone, ...]:
    """Return the delegated zones with their servers."""
    return tuple(
        DelegatedZone(entry.name, tuple(UpstreamServer(*server) for server in entry.servers))
        for entry in site.delegated_zones
    )


def check_zones(document: Document, site: SiteFile, problems: Problems) -> None:
    """Note zones that stand twice, and local zones within local zones.

    A delegated zone may lie within any zone: the longer name decides.
    """
    local = {entry.name for entry in site.local_zones}
    zones: list[tuple[Where, bytes]] = [
        *((("local_zones", at, "name"), one.name) for at, one in enumerate(site.local_zones)),
        *(
            (("delegated_zones", at, "name"), one.name)
            for at, one in enumerate(site.delegated_zones)
        ),
    ]
    seen: set[bytes] = set()
    for where, name in zones:
        reason = hint = UNSAID
        if name in seen:
            reason, hint = say("stands twice"), say("put both together")
        elif where[0] == "local_zones" and local.intersection(_ancestors(name)):
            reason, hint = say("lies within another local zone"), say("put its records there")
        seen.add(name)
        if reason:
            shown = names.to_text(name)
            problems.add(
                document.error(
                    say("the zone '{zone}' {reason}", zone=shown, reason=reason), where, hint=hint
                )
            )


def _ancestors(name: bytes) -> list[bytes]:
    return list(names.suffixes(name))[1:]


def _records(
    document: Document,
    position: int,
    entry: LocalZoneEntry,
    zones: set[bytes],
    problems: Problems,
) -> Iterator[ZoneRecord]:
    types: dict[bytes, set[int]] = {}
    for number, line in enumerate(entry.records):
        try:
            record = parse_record(line, entry.name)
            _check_alias(record, types.setdefault(record.owner, set()), zones)
        except RecordError as error:
            where = ("local_zones", position, "records", number)
            hint = say("such as: printer A 192.168.1.20")
            problems.add(
                document.error(
                    say("'{line}': {error}", line=line, error=error.sentence), where, hint=hint
                )
            )
        else:
            yield record


def _check_alias(record: ZoneRecord, types: set[int], zones: set[bytes]) -> None:
    """Refuse a CNAME that no device could use.

    One beside anything else of the same owner (RFC 1034 §3.6.2), and one that
    leaves the local zones: they are answered from what stands here alone, and a
    device does not follow an alias by itself.
    """
    if types and RRType.CNAME in {record.rtype, *types}:
        raise RecordError(say("a name with a CNAME can have no other record"))
    if record.rtype == RRType.CNAME and zones.isdisjoint(
        names.suffixes(names.canonical(record.rdata))
    ):
        raise RecordError(say("a CNAME must lead to a name in a local zone"))
    types.add(record.rtype)


_HOME = names.from_text("home.arpa")  # RFC 8375: no name is registered in it
_HINT = say("such as lan.home.arpa, or lan. before the school's own domain")


def check_lease_zone(
    document: Document, site: SiteFile, pins: Iterable[Pin], problems: Problems
) -> None:
    """Note what is wrong with the zone in which devices name themselves, if there is one.

    In a zone of the Internet, or one that the school shows to the world, a pupil's
    telephone could become ``www``.
    """
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
