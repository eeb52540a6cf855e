# SPDX-License-Identifier: Apache-2.0
"""Compile the site's own zones: local zones and delegated zones.

filterd itself answers queries for names in the local zones.

A line of a local zone is ``owner [TTL] [IN] TYPE data`` (RFC 1035 §5.1): a name without a
final dot is beneath the zone, ``@`` is the zone itself. The first label before those of a
service (``_ipp._tcp``) is an instance, which people read: it stays as typed, in whatever
letters (RFC 6763 §4.1.1). Other features of zone files are not supported: directives,
parentheses, comments, an owner carried over from the line before. dnslib composes the
RDATA; its input is checked here, because it accepts too much.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

import dnslib

from filterd.base.errors import NameTextError
from filterd.config.scalars import wire_name
from filterd.documents import did_you_mean
from filterd.lists.public_suffix import has_strangers_beneath
from filterd.policy.model import DelegatedZone, LocalZone, UpstreamServer, ZoneRecord
from filterd.texts.i18n import UNSAID, Sentence, quoted, say
from filterd.wire import RRType
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from filterd.base.errors import Problems
    from filterd.config.site_schema import LocalZoneEntry, SiteFile
    from filterd.documents import Document, Where
    from filterd.lists.rules import Pin

_HOME = names.from_text("home.arpa")  # RFC 8375: no name is registered in it
_HINT = say("such as lan.home.arpa, or lan. before the school's own domain")

DEFAULT_TTL_S = 300

_TOKEN = re.compile(r'("(?:[^"\\]|\\.)*"|(?:\\ |[^\s"])+)(?:\s+|$)')
_INSTANCE = re.compile(r"((?!_)(?:[^\\.]|\\.)+)\.(?=_)")
_TTL = re.compile(r"[0-9]{1,9}")
_NUMBER = re.compile(r"[0-9]{1,5}")
_ESCAPED = re.compile(r"\\(.)")


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
        *((("local_zones", at, "name"), zone.name) for at, zone in enumerate(site.local_zones)),
        *(
            (("delegated_zones", at, "name"), zone.name)
            for at, zone in enumerate(site.delegated_zones)
        ),
    ]
    seen: set[bytes] = set()
    for where, name in zones:
        reason = hint = UNSAID
        if name in seen:
            reason, hint = say("occurs twice"), say("merge both")
        elif where[0] == "local_zones" and local.intersection(names.ancestors(name)):
            reason, hint = say("lies within another local zone"), say("put its records there")
        seen.add(name)
        if reason:
            shown = names.to_text(name)
            problems.add(
                document.error(
                    say("the zone '{zone}' {reason}", zone=shown, reason=reason), where, hint=hint
                )
            )


def _records(
    document: Document, position: int, entry: LocalZoneEntry, zones: set[bytes], problems: Problems
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


def check_lease_zone(
    document: Document, site: SiteFile, pins: Iterable[Pin], problems: Problems
) -> None:
    """Note errors of the zone in which devices have names, if there is one.

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
            return say("is a public suffix, in which other people have names")
        if has_strangers_beneath(names.parent(zone)):
            return say("is a domain of the Internet, where a device could take the name www")
    if any(names.is_at_or_beneath(zone, entry.name) for entry in site.delegated_zones):
        return say("is inside a delegated zone")
    if any(
        names.is_at_or_beneath(pin.name, zone)
        or (pin.subtree and names.is_at_or_beneath(zone, pin.name))
        for pin in pins
    ):
        return say("contains a pinned name")
    return UNSAID


class RecordError(ValueError):
    """A line is no record of its zone; the sentence has the reason."""

    def __init__(self, sentence: Sentence) -> None:
        self.sentence = sentence
        super().__init__(sentence)


def parse_record(line: str, zone: bytes) -> ZoneRecord:
    """Read one line of the local zone ``zone`` (a wire name).

    Raises:
        RecordError: it is no record, or none of this zone.
    """
    tokens = _tokens(line)
    owner = names.from_labels(_labels(tokens.pop(0), zone))
    if not names.is_at_or_beneath(owner, zone):
        raise RecordError(say("the owner name is not in this zone"))
    ttl_s = int(tokens.pop(0)) if tokens and _TTL.fullmatch(tokens[0]) else DEFAULT_TTL_S
    if tokens and tokens[0].upper() == "IN":
        tokens.pop(0)
    if not tokens:
        raise RecordError(say("the type and the data are missing"))
    rtype, compose = _type_of(tokens.pop(0))
    try:
        data = compose(tokens, zone)
    except RecordError:
        raise
    except ValueError:  # too few, too many, or not of this kind
        raise RecordError(say("this is not data of type {type}", type=rtype.name)) from None
    return ZoneRecord(owner, int(rtype), ttl_s, _wire(data))


def _tokens(line: str) -> list[str]:
    line = line.strip()
    tokens, end = [], 0
    while end < len(line):
        found = _TOKEN.match(line, end)
        if found is None or "\n" in line:
            raise RecordError(say("the quotes or line breaks are wrong"))
        tokens.append(found[1])
        end = found.end()
    if not tokens:
        raise RecordError(say("the line is empty"))
    if line.startswith("$"):
        raise RecordError(say("directives such as $ORIGIN are not supported here"))
    return tokens


def _type_of(text: str) -> tuple[RRType, Callable[[list[str], bytes], Any]]:
    if text.upper() not in _COMPOSERS:
        hint = did_you_mean(text.upper(), _COMPOSERS)
        raise RecordError(
            say("'{text}' is not a type that a local zone can have; {hint}", text=text, hint=hint)
        )
    return RRType[text.upper()], _COMPOSERS[text.upper()]


def _labels(text: str, zone: bytes) -> tuple[bytes, ...]:
    """Return the labels of a text, relative to the zone unless it ends in a dot."""
    if text == "@":
        return names.labels(zone)
    try:
        found = _INSTANCE.match(text)
        instance, service = (_as_typed(found[1]), text[found.end() :]) if found else ((), text)
        relative = () if text.endswith(".") else names.labels(zone)
        labels = instance + names.labels(wire_name(service)) + relative
        names.from_labels(labels)  # not too long altogether
    except NameTextError as error:
        raise RecordError(
            say("'{text}' is not a name: {reason}", text=text, reason=quoted(error.reason))
        ) from None
    return labels


def _as_typed(instance: str) -> tuple[bytes, ...]:
    """Return the one label of an instance, in its letter case and in UTF-8.

    The text is in the normal form NFC (RFC 5198).
    """
    text = normalize("NFC", instance).replace("\\ ", r"\032")
    octets = (f"\\{octet:03d}" if octet > 0x7E else chr(octet) for octet in text.encode())
    return names.labels_from_text("".join(octets))


def _label(text: str, zone: bytes) -> dnslib.DNSLabel:
    return dnslib.DNSLabel(_labels(text, zone))


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text) or int(text) >= 1 << 16:
        raise RecordError(say("'{text}' is not a number from 0 to 65535", text=text))
    return int(text)


def _string(token: str) -> bytes:
    text = _ESCAPED.sub(r"\1", token[1:-1]) if token.startswith('"') else token
    content = text.encode()
    if len(content) > 255:
        raise RecordError(say("a text has more than 255 octets; split it in two"))
    return content


def _a(data: list[str], _: bytes) -> Any:
    (address,) = data
    return dnslib.A(str(IPv4Address(address)))


def _aaaa(data: list[str], _: bytes) -> Any:
    (address,) = data
    return dnslib.AAAA(IPv6Address(address).exploded)


def _cname(data: list[str], zone: bytes) -> Any:
    (target,) = data
    return dnslib.CNAME(_label(target, zone))  # NS and PTR have the same RDATA


def _mx(data: list[str], zone: bytes) -> Any:
    preference, exchange = data
    return dnslib.MX(_label(exchange, zone), _number(preference))


def _srv(data: list[str], zone: bytes) -> Any:
    priority, weight, port, target = data
    return dnslib.SRV(_number(priority), _number(weight), _number(port), _label(target, zone))


def _txt(data: list[str], _: bytes) -> Any:
    if not data:
        raise ValueError
    return dnslib.TXT([_string(token) for token in data])


_COMPOSERS: dict[str, Callable[[list[str], bytes], Any]] = {
    "A": _a,
    "AAAA": _aaaa,
    "CNAME": _cname,
    "MX": _mx,
    "NS": _cname,
    "PTR": _cname,
    "SRV": _srv,
    "TXT": _txt,
}


def _wire(data: Any) -> bytes:
    """Return the RDATA; a buffer of its own, so that nothing in it can be compressed."""
    buffer = dnslib.DNSBuffer()
    data.pack(buffer)
    return bytes(buffer.data)
