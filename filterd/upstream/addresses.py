# SPDX-License-Identifier: Apache-2.0
"""Which addresses mean something only within a network (dns.md §11). Pure.

A public name has no business there: a page on the Internet that could make its
own name point at a printer or at the device itself would reach into the school
past every rule of browsers (DNS rebinding).

0.0.0.0 and ``::`` are among them although blocking resolvers answer so: systems
take them for themselves, and no address at all says "blocked" as well.
"""

from __future__ import annotations

from bisect import bisect_right
from ipaddress import ip_network

_PRIVATE = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "::/128",
    "::1/128",
    "fc00::/7",
    "fe80::/10",
)

_CARRIERS = ("::ffff:0:0/96", "64:ff9b::/96")
"""What carries an IPv4 address in its last four octets: mapped (RFC 4291), NAT64 (RFC 6052)."""

PREFIXES = tuple(ip_network(text)[0].packed[:12] for text in _CARRIERS)
"""Their first twelve octets."""


def _ranges(size_octets: int) -> tuple[list[bytes], list[bytes]]:
    """Return the first and the last addresses of the ranges, in ascending order."""
    networks = [ip_network(text) for text in _PRIVATE]
    ranges = sorted((one[0].packed, one[-1].packed) for one in networks)
    ranges = [(first, last) for first, last in ranges if len(first) == size_octets]
    return [first for first, _ in ranges], [last for _, last in ranges]


RANGES_OF = {4: _ranges(4), 16: _ranges(16)}
"""By octets of an address: the first and the last addresses of the ranges."""


def is_private(address: bytes) -> bool:
    """Tell whether an address, of 4 or 16 octets, is not one of the Internet's."""
    if address[:12] in PREFIXES:
        address = address[12:]
    firsts, lasts = RANGES_OF[len(address)]
    at = bisect_right(firsts, address) - 1
    return at >= 0 and address <= lasts[at]
