# SPDX-License-Identifier: Apache-2.0
"""The lease file of dnsmasq (``--dhcp-leasefile``), rewritten at every change.

::

    1764574200 02:00:5e:10:00:01 192.168.6.20 may-tinh-1 01:02:00:5e:10:00:01
    duid 00:01:00:01:2e:8f:a1:05:02:00:5e:10:00:ff
    1764574200 6123 fd00:6::20 may-tinh-1 00:03:00:01:02:00:5e:10:00:01

Fields: expiry (Unix time, 0 for never), MAC, address, host name or ``*``,
client identifier or ``*``. Behind the line ``duid``, the server's own, come IPv6
leases: an IAID stands in the place of the MAC, with ``T`` before it for a
temporary address, and the device's DUID at the end. A MAC that is no Ethernet
address has its type and a hyphen before it. Lines that begin with other words
are of later versions.
"""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from filterd.clients.leases import (
    Lease,
    device_of_duid,
    host_label,
    latest,
    lines_of,
    parse_address,
    parse_mac,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIELDS = 5
_DIGITS_OF_A_TIME = 12


def parse(content: bytes) -> tuple[Lease, ...]:
    """Return the leases of one file. Never raises, whatever the content."""
    return latest(_leases(content))


def _leases(content: bytes) -> Iterator[Lease]:
    for line in lines_of(content):
        fields = line.split(" ")
        if len(fields) >= _FIELDS and (lease := _lease(fields)):
            yield lease


def _lease(fields: list[str]) -> Lease | None:
    expires, mac_or_iaid, text, host, identifier = fields[:_FIELDS]
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
