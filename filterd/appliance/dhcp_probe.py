# SPDX-License-Identifier: Apache-2.0
"""Find the DHCP servers of a link by DHCPDISCOVER (RFC 2131). No lease is taken.

The question has the interface's own MAC, so that no server sets an address aside for a
device that does not exist. The OFFERs are asked for by broadcast: this machine does not
have the address that they offer. Needs root, because clients use port 68.
"""

from __future__ import annotations

import secrets
import socket
import struct
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, NamedTuple

from filterd.appliance.solicitation import solicit

if TYPE_CHECKING:
    from collections.abc import Iterator

WITHIN_S = 5.0
"""dnsmasq pings an address for three seconds before it offers it."""

_SERVER_PORT, _CLIENT_PORT = 67, 68
_REQUEST, _REPLY, _ETHERNET, _MAC_OCTETS = 1, 2, 1, 6
_DISCOVER, _OFFER = 1, 2
_BROADCAST = 0x8000
_PAD, _ROUTER, _DNS, _TYPE, _SERVER, _WANTED, _END = 0, 3, 6, 53, 54, 55, 255
_COOKIE = bytes((99, 130, 83, 99))
_HEADER = struct.Struct("!4B I 2H 4s 4s 4s 4s 16s 192x 4s")
_LARGEST, _SMALLEST = 1_500, 300
"""Octets; some servers ignore a smaller question (RFC 1542 §2.1)."""
_MOST_OPTIONS, _MOST_ADDRESSES = 64, 8


class DhcpOffer(NamedTuple):
    """What one server hands out.

    ``server`` is its address. ``routers`` and ``resolvers`` are addresses, in its order.
    """

    server: str
    routers: tuple[str, ...]
    resolvers: tuple[str, ...]


async def offers(
    interface: str, mac: str, *, within_s: float = WITHIN_S, enough: int = 16
) -> tuple[DhcpOffer, ...]:
    """Return the offers of all servers that answer on a link.

    Args:
        interface: of the link.
        mac: of the interface, ``02:00:5e:10:00:01``.
        within_s: how long offers are collected.
        enough: as many servers end it sooner.

    Raises:
        PermissionError: not root.
        OSError: the interface is gone, or another program holds port 68 for itself.
    """
    exchange = secrets.randbits(32)
    message = discover(exchange, mac)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.setblocking(False)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # beside a DHCP client
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        opened.bind(("", _CLIENT_PORT))
        return await solicit(
            opened,
            lambda one: one.sendto(message, ("255.255.255.255", _SERVER_PORT)),
            lambda one: _received(one, exchange),
            within_s=within_s,
            enough=enough,
        )


def discover(exchange: int, mac: str) -> bytes:
    """Compose a DHCPDISCOVER (RFC 2131 §4.4.1).

    Args:
        exchange: the transaction id, 32 bits.
        mac: of the client.
    """
    none, hardware = bytes(4), bytes.fromhex(mac.replace(":", ""))
    header = _HEADER.pack(
        *(_REQUEST, _ETHERNET, _MAC_OCTETS, 0, exchange, 0, _BROADCAST),
        *(none, none, none, none, hardware, _COOKIE),
    )
    options = bytes((_TYPE, 1, _DISCOVER, _WANTED, 2, _ROUTER, _DNS, _END))
    return (header + options).ljust(_SMALLEST, b"\0")


def parse_offer(message: bytes, exchange: int) -> DhcpOffer | None:
    """Return the offer of a message; None if it is none for this exchange.

    Never raises.
    """
    if not _HEADER.size <= len(message) <= _LARGEST:
        return None
    op, _, _, _, answered, *_, cookie = _HEADER.unpack_from(message)
    if op != _REPLY or answered != exchange or cookie != _COOKIE:
        return None
    options = dict[int, bytes]()
    for code, data in _options(message[_HEADER.size :]):
        options.setdefault(code, data)
    server = _addresses(options.get(_SERVER, b""))
    if options.get(_TYPE) != bytes((_OFFER,)) or not server:
        return None
    routers, resolvers = (_addresses(options.get(one, b"")) for one in (_ROUTER, _DNS))
    return DhcpOffer(server[0], routers, resolvers)


def _received(opened: socket.socket, exchange: int) -> DhcpOffer | None:
    return parse_offer(opened.recv(_LARGEST + 1), exchange)


def _options(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the options up to the end mark (RFC 2132 §2).

    An option that runs past the end of the data ends them, too.
    """
    at, left = 0, _MOST_OPTIONS
    while at < len(data) and data[at] != _END and left:
        if data[at] == _PAD:
            at += 1
            continue
        if at + 1 >= len(data) or at + 2 + data[at + 1] > len(data):
            return
        yield data[at], data[at + 2 : at + 2 + data[at + 1]]
        at += 2 + data[at + 1]
        left -= 1


def _addresses(data: bytes) -> tuple[str, ...]:
    """Return whole addresses; octets that are left over belong to none."""
    whole = range(0, min(len(data) - 3, 4 * _MOST_ADDRESSES), 4)
    return tuple(str(IPv4Address(data[at : at + 4])) for at in whole)
