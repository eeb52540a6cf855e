# SPDX-License-Identifier: Apache-2.0
"""Private ranges: addresses that are no hosts of the Internet. Pure.

A public name must not have such an address: a page on the Internet whose own name
points at a printer or at the device itself could reach into the school past every
rule of browsers (DNS rebinding).

* 0.0.0.0 and ``::`` are among them although blocking resolvers answer so: systems
  take them for themselves, and an answer without addresses says "blocked" as well.
* 192.0.0.0/29 is the device itself, where it reaches IPv4 by 464XLAT (RFC 7335). The
  rest of 192.0.0.0/24 leads nowhere, or reveals NAT64 (``ipv4only.arpa``).
* Multicast, 240.0.0.0/4 and broadcast reach all devices of a link, or some.
* Of IPv6 only 2000::/3 is the Internet's. Beside it lie loopback, link-local, site-local
  (fec0::/10, which systems still take), unique local, multicast, NAT64 of the network's
  own (64:ff9b:1::/48, RFC 8215) and IPv4-compatible addresses.
* Addresses for documentation (RFC 5737, RFC 3849, RFC 9637) belong to no host: a network that
  uses them anyway is as little the Internet's as one at 10.0.0.0/8.
* An address that carries an IPv4 address (``CARRIERS``) is what that one is.

Not included are the addresses for benchmarks, 198.18.0.0/15 and 2001:2::/48: a gateway with
a proxy gives each name of the Internet one of these, and without them a school behind one
would have no Internet.
"""

from __future__ import annotations

from bisect import bisect_right
from ipaddress import ip_network
from typing import NamedTuple

_PRIVATE = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/29",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",
    "::/3",
    "2001:db8::/32",
    "3fff::/20",
    "4000::/2",
    "8000::/1",
)


class Carrier(NamedTuple):
    """A prefix of IPv6 addresses that carry an IPv4 address.

    ``at`` is the offset of its four octets; ``flipped`` what each of them was XORed with.
    """

    prefix: bytes
    at: int
    flipped: int = 0


def _carrier(text: str, at: int, flipped: int = 0) -> Carrier:
    network = ip_network(text)
    return Carrier(network[0].packed[: network.prefixlen // 8], at, flipped)


CARRIERS = (
    _carrier("::ffff:0:0/96", 12),  # IPv4-mapped (RFC 4291)
    _carrier("::ffff:0:0:0/96", 12),  # IPv4-translated (RFC 2765)
    _carrier("64:ff9b::/96", 12),  # NAT64 (RFC 6052)
    _carrier("2002::/16", 2),  # 6to4 (RFC 3056)
    _carrier("2001::/32", 4),  # Teredo: its server (RFC 4380)
    _carrier("2001::/32", 12, 0xFF),  # ... and its client
)


_PREFIXES = tuple(one.prefix for one in CARRIERS)


def _ranges(size_octets: int) -> tuple[list[bytes], list[bytes]]:
    """Return the first and the last addresses of the ranges, in ascending order."""
    networks = [ip_network(text) for text in _PRIVATE]
    ranges = sorted((network[0].packed, network[-1].packed) for network in networks)
    ranges = [(first, last) for first, last in ranges if len(first) == size_octets]
    return [first for first, _ in ranges], [last for _, last in ranges]


RANGES_OF = {4: _ranges(4), 16: _ranges(16)}
"""By size of an address in octets: the first and the last addresses of the ranges."""


def is_private(address: bytes) -> bool:
    """Return whether an address of 4 or 16 octets is no host of the Internet."""
    if not address.startswith(_PREFIXES) or len(address) == 4:
        return _is_within(address)
    return any(
        _is_within(bytes(octet ^ one.flipped for octet in address[one.at : one.at + 4]))
        for one in CARRIERS
        if address.startswith(one.prefix)
    )


def _is_within(address: bytes) -> bool:
    firsts, lasts = RANGES_OF[len(address)]
    at = bisect_right(firsts, address) - 1
    return at >= 0 and address <= lasts[at]
