# SPDX-License-Identifier: Apache-2.0
"""The site's own zones: local ones, which filterd answers itself, and delegated ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.config.zone_records import RecordError, parse_record
from filterd.i18n import UNSAID, say
from filterd.policy.model import DelegatedZone, LocalZone, UpstreamServer, ZoneRecord
from filterd.wire import RRType
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.config.error_collector import Problems
    from filterd.config.site_schema import LocalZoneEntry, SiteFile
    from filterd.documents import Document, Where


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
