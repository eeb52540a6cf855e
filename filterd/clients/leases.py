# SPDX-License-Identifier: Apache-2.0
"""DHCP leases: MACs and addresses by their files; host names, never trusted.

A device chooses its host name and its DUID, and the DHCP server writes them
down: every field is hostile text. Bounds hold before anything is built, and a
line that does not parse is skipped.

A name belongs to one device. That device keeps it for as long as its lease
lasts, even where the DHCP server gives the name to a newcomer (dnsmasq does): a
pupil's tablet that calls itself ``printer`` gets nothing of the printer's.

``LeaseFiles`` reads the files of two DHCP servers; it blocks, so it runs in a thread.

dnsmasq (``--dhcp-leasefile``) rewrites its file at every change::

    1764574200 02:00:5e:10:00:01 192.168.6.20 may-tinh-1 01:02:00:5e:10:00:01
    duid 00:01:00:01:2e:8f:a1:05:02:00:5e:10:00:ff
    1764574200 6123 fd00:6::20 may-tinh-1 00:03:00:01:02:00:5e:10:00:01

Fields: expiry (Unix time, 0 for never), MAC, address, host name or ``*``,
client identifier or ``*``. Behind the line ``duid``, the server's own, come IPv6
leases: an IAID stands in the place of the MAC, with ``T`` before it for a
temporary address, and the device's DUID at the end. A MAC that is no Ethernet
address has its type and a hyphen before it. Lines that begin with other words
are of later versions.

Kea (``memfile``) writes CSV journals, one for IPv4 and one for IPv6. The first line
names the columns, which differ between versions. Each change is one more line, so
the last line of an address counts. Every hour or so Kea moves the journal to
``FILE.1`` and begins a new one; ``kea-lfc`` then makes ``FILE.2`` of both, by way of
``FILE.completed``. ``kea_parts`` returns which files exist now.

``state`` is 0 for an active lease; else it was declined, released or reclaimed.
``valid_lifetime`` 0 removes a lease, and 4294967295 means for ever. An IPv6 lease
is for one address (``lease_type`` 0) or for a prefix, which belongs to no device.
"""

from __future__ import annotations

import bisect
import logging
import re
from dataclasses import field
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from filterd.base.paths import open_plain
from filterd.base.value_class import frozen
from filterd.policy.model import LeaseFile, LeaseFormat
from filterd.texts.i18n import refused, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from filterd.texts.i18n import Sentence


MOST_LEASES = 10_000
"""Five times the devices of the largest school; what comes after them is not read."""

LONGEST_LINE = 2_048

_NEVER_LEARNED = frozenset(("localhost", "wpad", "isatap"))
"""Names by which devices look up a proxy, a tunnel or themselves."""

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_MAC = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}", re.ASCII)
_OCTETS = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2})*", re.ASCII)
_LONGEST_DUID = 3 * 130  # 128 octets and the type (RFC 8415 §11.1)

_DUID_WITH_TIME, _DUID_WITHOUT_TIME = "00:01:00:01:", "00:03:00:01:"

_NOBODY = ("", "")
_MOST_ADDRESSES = 16
"""Of one name: more addresses would make an answer that no message can hold."""


@frozen
class Lease:
    """One address of one device.

    ``mac`` is the MAC that the DHCP server saw, None where it saw none. ``device``
    distinguishes devices, by MAC or DUID; it must not be used for more, because a
    device is free to choose its DUID. ``host`` is a single label that is safe to
    publish, empty where the device gave none such. ``expires_at`` is Unix time, None
    for never.
    """

    address: IPv4Address | IPv6Address
    mac: str | None
    device: str
    host: str
    expires_at: float | None


def host_label(name: str) -> str:
    """Return the first label of a device's own name; empty where that is not allowed.

    Letters, digits and hyphens only (RFC 952, RFC 1123 §2.1): anything else could have
    a special meaning to a program that reads it later.
    """
    label = name.partition(".")[0].lower()
    return label if _LABEL.fullmatch(label) and label not in _NEVER_LEARNED else ""


def parse_mac(text: str) -> str | None:
    """Return an Ethernet address in its usual form, None if the text is not one."""
    mac = text.lower()
    return mac if _MAC.fullmatch(mac) and mac != "00:00:00:00:00:00" else None


def parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address of a lease, None if no device can have it."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    unusable = address.is_multicast or address.is_loopback or address.is_unspecified
    scoped = isinstance(address, IPv6Address) and (address.is_link_local or address.scope_id)
    return None if unusable or scoped else address


def device_of_duid(duid: str) -> str | None:
    """Return the identity of a DHCPv6 client: the MAC in its DUID, else the DUID.

    Most devices make their DUID from a MAC (RFC 8415 §11.2, §11.4), and can so be
    matched with the device that has an IPv4 lease. None for text that is no DUID.
    """
    duid = duid.lower()
    if len(duid) > _LONGEST_DUID or not _OCTETS.fullmatch(duid):
        return None
    for prefix, before in ((_DUID_WITH_TIME, 8), (_DUID_WITHOUT_TIME, 4)):
        if duid.startswith(prefix) and (inside := parse_mac(duid[3 * before :])):
            return inside
    return duid


def lines_of(content: bytes) -> Iterator[str]:
    """Yield the complete lines; a last one without its end is still being written."""
    whole, _, _ = content.rpartition(b"\n")
    for line in whole.split(b"\n"):
        if len(line) <= LONGEST_LINE:
            yield line.decode("ascii", errors="replace").rstrip("\r")


def latest(leases: Iterable[Lease]) -> tuple[Lease, ...]:
    """Return at most MOST_LEASES, the last one of each address."""
    found: dict[IPv4Address | IPv6Address, Lease] = {}
    for lease in leases:
        if lease.address in found or len(found) < MOST_LEASES:
            found[lease.address] = lease
    return tuple(found.values())


@frozen
class LeaseNames:
    """Names and addresses of devices at one moment; addresses are 4 or 16 octets.

    Attributes:
        addresses: of each host, a single lower-case label.
        holders: the host and the device of each address that has a name.
    """

    addresses: dict[str, tuple[bytes, ...]] = field(default_factory=dict)
    holders: dict[bytes, tuple[str, str]] = field(default_factory=dict)
    _sorted: tuple[str, ...] = ()

    @classmethod
    def of(cls, claims: Iterable[_Claim]) -> LeaseNames:
        """Join claims that are valid."""
        addresses: dict[str, tuple[bytes, ...]] = {}
        holders: dict[bytes, tuple[str, str]] = {}
        for claim in claims:
            others, packed = addresses.get(claim.host, ()), claim.lease.address.packed
            if len(others) < _MOST_ADDRESSES:
                addresses[claim.host] = (*others, packed)
                holders[packed] = (claim.host, claim.lease.device)
        return cls(
            addresses, holders, tuple(sorted(f"{len(holder)}:{holder.hex()}" for holder in holders))
        )

    def is_any_in(self, digits: str, size_octets: int) -> bool:
        """Return whether a named address of this size begins with these hex digits."""
        wanted = f"{size_octets}:{digits}"
        at = bisect.bisect_left(self._sorted, wanted)
        return at < len(self._sorted) and self._sorted[at].startswith(wanted)


def name_leases(leases: Iterable[Lease], before: LeaseNames, now: float) -> LeaseNames:
    """Assign each host name to one device.

    Args:
        leases: what is leased now.
        before: what this function returned last, so that names stay where they are.
        now: Unix time; leases that have ended count no more.
    """
    claims = [_Claim.of(lease, before) for lease in leases if not _is_over(lease, now)]
    named = sorted((claim for claim in claims if claim.host), key=_Claim.rank)
    owners: dict[str, str] = {}
    for claim in named:
        owners.setdefault(claim.host, claim.lease.device)
    return LeaseNames.of(claim for claim in named if owners[claim.host] == claim.lease.device)


@frozen
class _Claim:
    """A lease and the name that it asks for; ``is_kept``: it had it before."""

    lease: Lease
    host: str
    is_kept: bool

    @classmethod
    def of(cls, lease: Lease, before: LeaseNames) -> _Claim:
        host, device = before.holders.get(lease.address.packed, _NOBODY)
        had_it = device == lease.device
        # A lease that lost its name in the server's file did not give it up.
        wanted = lease.host or (host if had_it else "")
        return cls(lease, wanted, had_it and wanted == host)

    def rank(self) -> tuple[bool, int, float, bytes]:
        """Return the rank of a claim among claims of one name, the better one first.

        The file does not show which of two new ones is older, but the one that
        ends first began first; one without an end was given by the administrator.
        A DHCPv4 server saw the device's MAC itself.
        """
        lease = self.lease
        return (
            not self.is_kept,
            lease.address.version,
            lease.expires_at or 0.0,
            lease.address.packed,
        )


def _is_over(lease: Lease, now: float) -> bool:
    return lease.expires_at is not None and lease.expires_at <= now


_logger = logging.getLogger("filterd.clients")

_LARGEST_FILE = 16 * 1024 * 1024
"""A hundred thousand changes: Kea writes one a line, and begins a new file every hour."""

Mark: TypeAlias = tuple[tuple[str, int, int, int], ...]
"""Path, inode, size and modification time of each file: it changes when a file does."""

_DIGITS_OF_A_TIME = 12
_DNSMASQ_FIELDS = 5
_FOR_EVER = 0xFFFF_FFFF
_MOST_COLUMNS = 40
_NEEDED = frozenset(("address", "valid_lifetime", "expire", "hostname"))


class LeaseFiles:
    """The lease files that a policy names."""

    def __init__(self, files: tuple[LeaseFile, ...]) -> None:
        self._files = files
        self._failing: set[str] = set()

    def mark(self) -> Mark:
        """Return a mark that differs when ``read`` would find something else."""
        paths = [path for file in self._files for path in _parts(file)]
        return tuple(_mark(path) for path in paths)

    def read(self) -> tuple[Lease, ...]:
        """Return all leases but those of files that cannot be read. Never raises."""
        return latest(lease for file in self._files for lease in self._leases(file))

    def _leases(self, file: LeaseFile) -> tuple[Lease, ...]:
        contents = list(self._contents(file))
        if file.format is LeaseFormat.KEA:
            return parse_kea(contents)
        return parse_dnsmasq(b"".join(contents))

    def _contents(self, file: LeaseFile) -> Iterator[bytes]:
        for path in _parts(file):
            try:
                with open_plain(Path(path)) as opened:
                    content = opened.read(_LARGEST_FILE + 1)
            except FileNotFoundError:
                # A server that has never given a lease has no file, and Kea
                # has most of its parts only now and then.
                continue
            except OSError as error:
                self._warn(path, refused(error))
                continue
            if len(content) > _LARGEST_FILE:
                self._warn(path, say("it is larger than 16 MiB"))
                continue
            self._failing.discard(path)
            yield content

    def _warn(self, path: str, why: Sentence) -> None:
        if path not in self._failing:
            self._failing.add(path)
            _logger.warning(
                "%s: %s: its leases are not known; see `leases` in site.yaml", path, why
            )


def _parts(file: LeaseFile) -> tuple[str, ...]:
    return kea_parts(file.path) if file.format is LeaseFormat.KEA else (file.path,)


def _mark(path: str) -> tuple[str, int, int, int]:
    try:
        status = Path(path).stat()
    except OSError:
        return (path, 0, 0, 0)
    return (path, status.st_ino, status.st_size, status.st_mtime_ns)


def parse_dnsmasq(content: bytes) -> tuple[Lease, ...]:
    """Return the leases of a file of dnsmasq. Never raises, whatever the content."""
    return latest(_dnsmasq_leases(content))


def _dnsmasq_leases(content: bytes) -> Iterator[Lease]:
    for line in lines_of(content):
        fields = line.split(" ")
        if len(fields) >= _DNSMASQ_FIELDS and (lease := _dnsmasq_lease(fields)):
            yield lease


def _dnsmasq_lease(fields: list[str]) -> Lease | None:
    expires, mac_or_iaid, text, host, identifier = fields[:_DNSMASQ_FIELDS]
    address = parse_address(text)
    if address is None or not expires.isdecimal() or len(expires) > _DIGITS_OF_A_TIME:
        return None
    if isinstance(address, IPv4Address):
        mac = device = parse_mac(mac_or_iaid)
    else:
        mac, device = None, device_of_duid(identifier)
    if device is None:
        return None
    return Lease(address, mac, device, host_label(host), float(expires) or None)


class _Row(NamedTuple):
    """An address, and its lease if it has one from this line on."""

    address: IPv4Address | IPv6Address
    lease: Lease | None


def kea_parts(path: str) -> tuple[str, ...]:
    """Return the files that make up a journal now, the oldest first."""
    completed = f"{path}.completed"
    before = (completed,) if Path(completed).exists() else (f"{path}.2", f"{path}.1")
    return (*before, path)


def parse_kea(contents: Iterable[bytes]) -> tuple[Lease, ...]:
    """Return the leases that are active after these journals of Kea. Never raises.

    Args:
        contents: what is in the files, the oldest first.
    """
    in_force: dict[IPv4Address | IPv6Address, Lease | None] = {}
    for content in contents:
        in_force.update((row.address, row.lease) for row in _rows(content))
    return latest(lease for lease in in_force.values() if lease)


def _rows(content: bytes) -> Iterator[_Row]:
    lines = lines_of(content)
    columns = next(lines, "").split(",")
    if len(columns) > _MOST_COLUMNS or not _NEEDED.issubset(columns):
        return
    for line in lines:
        row = _row(dict(zip(columns, line.split(","), strict=False)))
        if row:
            yield row


def _row(fields: dict[str, str]) -> _Row | None:
    address = parse_address(fields.get("address", ""))
    if address is None or fields.get("lease_type", "0") != "0":
        return None
    lifetime, expires = (_number(fields.get(key, "")) for key in ("valid_lifetime", "expire"))
    if lifetime is None or expires is None:
        return None
    if fields.get("state", "0") != "0" or lifetime == 0:
        return _Row(address, None)
    mac = parse_mac(fields.get("hwaddr", ""))
    device = device_of_duid(fields["duid"]) if "duid" in fields else mac
    if device is None:
        return _Row(address, None)
    ends = None if lifetime == _FOR_EVER else float(expires)
    return _Row(address, Lease(address, mac, device, host_label(fields.get("hostname", "")), ends))


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) <= _DIGITS_OF_A_TIME else None
