# SPDX-License-Identifier: Apache-2.0
"""Find the IPv6 routers of a link, and the DNS servers that they advertise.

A router solicitation is sent (RFC 4861 §6.3.7) and the advertisements are read with their
RDNSS options (RFC 8106 §5.1). A device takes these servers beside those of DHCPv4, so one
advertisement of a provider's router leads past the filter. Needs root (a raw socket).
"""

from __future__ import annotations

import socket
import struct
import sys
from ipaddress import IPv6Address, IPv6Network
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.appliance.solicitation import solicit

if TYPE_CHECKING:
    from collections.abc import Iterator

WITHIN_S = 4.0
"""A router may wait half a second, or three where it has advertised just before
(RFC 4861 §6.2.6)."""

_SOLICITATION, _ADVERTISEMENT = 133, 134
_ALL_ROUTERS = "ff02::2"
_HOPS = 255
"""Of a packet that came through no router (RFC 4861 §6.1.2)."""
_HEADER = struct.Struct("!B B 2x B B H 8x")
_HEAD_OF_PREFIX, _HEAD_OF_RDNSS = struct.Struct("!2x B 13x"), struct.Struct("!4x I")
_PREFIX, _PREFIX_OCTETS, _RDNSS, _UNIT, _ADDRESS = 3, 32, 25, 8, 16
_MANAGED, _OTHER = 0x80, 0x40
_LONGEST_PREFIX = 128
_LARGEST, _MOST_OPTIONS, _MOST_ADDRESSES = 1_500, 64, 8
_FILTER = 1
"""ICMP6_FILTER of <netinet/icmp6.h>: a bit for each type, set where it is not passed."""


class RouterAdvertisement(NamedTuple):
    """One router's advertisement.

    Attributes:
        router: its link-local address, without scope.
        lifetime_s: how long it is a default router; 0 for none.
        managed, other: the flags M and O: it sends devices to DHCPv6 for addresses, or for
            other settings such as DNS.
        prefixes: on the link, such as ``2001:db8:6::/64``.
        resolvers: DNS servers of RDNSS options, those that it withdraws (lifetime 0) left out.
    """

    router: str
    lifetime_s: int
    managed: bool
    other: bool
    prefixes: tuple[str, ...]
    resolvers: tuple[str, ...]


async def advertisements(
    interface: str, *, within_s: float = WITHIN_S, enough: int = 16
) -> tuple[RouterAdvertisement, ...]:
    """Return the advertisements of all routers on a link.

    Args:
        interface: of the link.
        within_s: how long they are collected.
        enough: as many end it sooner.

    Raises:
        PermissionError: not root.
        OSError: the interface is gone, or has no IPv6.
    """
    index = socket.if_nametoindex(interface)
    message = bytes((_SOLICITATION, 0, 0, 0, 0, 0, 0, 0))  # the kernel fills in the checksum
    passed = bytearray(b"\xff" * 32)
    struct.pack_into(
        "=I", passed, 4 * (_ADVERTISEMENT // 32), ~(1 << _ADVERTISEMENT % 32) & 2**32 - 1
    )
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as opened:
        opened.setblocking(False)
        opened.setsockopt(socket.IPPROTO_ICMPV6, _FILTER, bytes(passed))
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, _HOPS)
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
        return await solicit(
            opened,
            lambda one: one.sendto(message, (_ALL_ROUTERS, 0, 0, index)),
            _received,
            within_s=within_s,
            enough=enough,
        )


def parse_advertisement(message: bytes, source: str, hops: int) -> RouterAdvertisement | None:
    """Return the advertisement of an ICMPv6 message, None if it is none. Never raises.

    Args:
        message: without the IPv6 header.
        source: its address, without scope.
        hops: its hop limit when it came.
    """
    if hops != _HOPS or not _HEADER.size <= len(message) <= _LARGEST:
        return None
    kind, code, _, flags, lifetime_s = _HEADER.unpack_from(message)
    if kind != _ADVERTISEMENT or code != 0 or not IPv6Address(source).is_link_local:
        return None
    prefixes, resolvers = dict[str, None](), dict[str, None]()
    for option, data in _options(message[_HEADER.size :]):
        if option == _PREFIX and len(data) == _PREFIX_OCTETS:
            (length,) = _HEAD_OF_PREFIX.unpack_from(data)
            if length <= _LONGEST_PREFIX:
                prefix = IPv6Network((data[-_ADDRESS:], length), strict=False)
                prefixes[str(prefix)] = None
        elif option == _RDNSS:
            resolvers |= dict.fromkeys(_resolvers(data))
    return RouterAdvertisement(
        source,
        lifetime_s,
        bool(flags & _MANAGED),
        bool(flags & _OTHER),
        tuple(prefixes)[:_MOST_ADDRESSES],
        tuple(resolvers)[:_MOST_ADDRESSES],
    )


def _received(opened: socket.socket) -> RouterAdvertisement | None:
    message, extra, _, (address, *_) = opened.recvmsg(_LARGEST + 1, socket.CMSG_SPACE(4))
    return parse_advertisement(message, address.partition("%")[0], _hops(extra))


def _hops(extra: list[Any]) -> int:
    for level, kind, data in extra:
        if (level, kind, len(data)) == (socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT, 4):
            return int.from_bytes(data, sys.byteorder)
    return 0


def _options(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the options; those behind one without length or past the end are not read."""
    at, left = 0, _MOST_OPTIONS
    while at + 2 <= len(data) and left:
        size = data[at + 1] * _UNIT
        if size == 0 or at + size > len(data):
            return
        yield data[at], data[at : at + size]
        at, left = at + size, left - 1


def _resolvers(option: bytes) -> Iterator[str]:
    (lifetime_s,) = _HEAD_OF_RDNSS.unpack_from(option)
    if lifetime_s:
        for at in range(_UNIT, len(option) - _ADDRESS + 1, _ADDRESS):
            yield str(IPv6Address(option[at : at + _ADDRESS]))
