# SPDX-License-Identifier: Apache-2.0
"""DHCP leases, read from a DHCP server's own files. Nothing here trusts them.

A device chooses its host name and its DUID, and the DHCP server writes them
down: every field is hostile text. Bounds hold before anything is built, and a
line that does not parse is skipped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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


@dataclass(frozen=True, slots=True)
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
