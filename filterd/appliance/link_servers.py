# SPDX-License-Identifier: Apache-2.0
"""Ask all servers of a link: DHCP, IPv6 routers, a login at the switch. By root.

::

    dhcp_offers       DHCPDISCOVER (RFC 2131); no lease is taken
    dhcpv6_replies    INFORMATION-REQUEST of DHCPv6 (RFC 8415 §18.2.6); no address is asked for
    advertisements    router solicitation (RFC 4861 §6.3.7); with RDNSS (RFC 8106 §5.1)
    authenticators    EAPOL-Start (IEEE 802.1X)

How they are asked, and their answers collected, is ``solicitation``'s. Octets that are no answer
are left out.
"""

from __future__ import annotations

import secrets
import socket
import struct
import sys
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.appliance.solicitation import solicit

if TYPE_CHECKING:
    from collections.abc import Iterator

DHCP_WITHIN_S = 5.0
"""dnsmasq pings an address for three seconds before it offers it."""
DHCPV6_WITHIN_S = LOGIN_WITHIN_S = 3.0
ROUTERS_WITHIN_S = 4.0
"""A router may wait half a second, or three where it has advertised just before
(RFC 4861 §6.2.6)."""
_LARGEST = 1_500
"""Octets of a message."""
_MOST_OPTIONS, _MOST_ADDRESSES = 64, 8
"""Of a message; of one kind in it."""
_ETHERNET = 1
"""A type of hardware (RFC 826)."""

_DHCP_SERVER_PORT, _DHCP_CLIENT_PORT = 67, 68
_BOOT_REQUEST, _BOOT_REPLY, _MAC_OCTETS, _BROADCAST = 1, 2, 6, 0x8000
_DISCOVER, _OFFER = 1, 2
_PAD, _ROUTER, _DNS, _TYPE, _SERVER, _WANTED, _END = 0, 3, 6, 53, 54, 55, 255
_COOKIE = bytes((99, 130, 83, 99))
_DHCP_HEADER = struct.Struct("!4B I 2H 4s 4s 4s 4s 16s 192x 4s")
_SMALLEST_DISCOVER = 300
"""Some servers ignore a smaller one (RFC 1542 §2.1)."""

_DHCPV6_CLIENT_PORT, _DHCPV6_SERVER_PORT, _ALL_SERVERS = 546, 547, "ff02::1:2"
_DHCPV6_REPLY, _INFORMATION_REQUEST, _DHCPV6_HEAD = 7, 11, 4
_CLIENT_ID, _SERVER_ID, _DHCPV6_WANTED, _ELAPSED, _DHCPV6_DNS = 1, 2, 6, 8, 23
_DUID_LL = 3
_DHCPV6_OPTION = struct.Struct("!HH")

_SOLICITATION, _ADVERTISEMENT, _ALL_ROUTERS = 133, 134, "ff02::2"
_HOPS = 255
"""Of a packet that came through no router (RFC 4861 §6.1.2)."""
_ROUTER_HEADER = struct.Struct("!B B 2x B B H 8x")
_HEAD_OF_PREFIX, _HEAD_OF_RDNSS = struct.Struct("!2x B 13x"), struct.Struct("!4x I")
_PREFIX, _PREFIX_OCTETS, _RDNSS, _UNIT, _ADDRESS = 3, 32, 25, 8, 16
_MANAGED, _OTHER = 0x80, 0x40
_LONGEST_PREFIX = 128
_FILTER = 1
"""ICMP6_FILTER of <netinet/icmp6.h>: a bit for each type, set where it is not passed."""

_EAPOL = 0x888E
_PORT_ACCESS_GROUP = bytes.fromhex("0180c2000003")
"""A bridge does not pass it on (IEEE 802.1X §11.1.1)."""
_EAPOL_START = bytes((2, 1, 0, 0))
_EAP, _EAP_REQUEST, _EAP_AT, _SMALLEST_EAP = 0, 1, 4, 8


class DhcpOffer(NamedTuple):
    """What one server hands out.

    ``server`` is its address. ``routers`` and ``resolvers`` are addresses, in its order.
    """

    server: str
    routers: tuple[str, ...]
    resolvers: tuple[str, ...]


class Dhcpv6Reply(NamedTuple):
    """What one server hands out: its link-local address, and DNS servers.

    The address is without scope.
    """

    server: str
    resolvers: tuple[str, ...]


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


async def dhcp_offers(
    interface: str, mac: str, *, within_s: float | None = None
) -> tuple[DhcpOffer, ...]:
    """Return the offers of all DHCP servers that answer on a link.

    The question has the interface's own MAC, so that no server sets an address aside for a
    device that does not exist. The offers are asked for by broadcast: this machine does not
    have the address that they offer.

    Args:
        interface: of the link.
        mac: of the interface, ``02:00:5e:10:00:01``.
        within_s: how long offers are collected; None for ``DHCP_WITHIN_S``.

    Raises:
        PermissionError: not root.
        OSError: the interface is gone, or another program holds port 68 for itself.
    """
    exchange = secrets.randbits(32)
    message = discover(exchange, mac)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # beside a DHCP client
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        opened.bind(("", _DHCP_CLIENT_PORT))
        return await solicit(
            opened,
            lambda one: one.sendto(message, ("255.255.255.255", _DHCP_SERVER_PORT)),
            lambda one: parse_offer(one.recv(_LARGEST + 1), exchange),
            within_s=DHCP_WITHIN_S if within_s is None else within_s,
        )


async def dhcpv6_replies(
    interface: str, mac: str, *, within_s: float | None = None
) -> tuple[Dhcpv6Reply, ...]:
    """Return the replies of all DHCPv6 servers that answer on a link.

    They are asked for settings without an address, as by devices where a router advertises the
    flag O, so no lease is taken.

    Args:
        interface: of the link, with a link-local address.
        mac: of the interface.
        within_s: how long replies are collected; None for ``DHCPV6_WITHIN_S``.

    Raises:
        PermissionError: not root.
        OSError: the interface is gone, or another program holds port 546 for itself.
    """
    exchange, index = secrets.token_bytes(3), socket.if_nametoindex(interface)
    message = information_request(exchange, mac)

    def read(opened: socket.socket) -> Dhcpv6Reply | None:
        received, (address, *_) = opened.recvfrom(_LARGEST + 1)
        return parse_reply(received, address.partition("%")[0], exchange)

    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as opened:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # beside a DHCPv6 client
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        opened.bind(("::", _DHCPV6_CLIENT_PORT))
        return await solicit(
            opened,
            lambda one: one.sendto(message, (_ALL_SERVERS, _DHCPV6_SERVER_PORT, 0, index)),
            read,
            within_s=DHCPV6_WITHIN_S if within_s is None else within_s,
        )


async def advertisements(
    interface: str, *, within_s: float | None = None
) -> tuple[RouterAdvertisement, ...]:
    """Return the advertisements of all IPv6 routers on a link.

    A device takes their DNS servers beside those of DHCPv4, so one advertisement of a
    provider's router leads past the filter.

    Args:
        interface: of the link.
        within_s: how long they are collected; None for ``ROUTERS_WITHIN_S``.

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

    def read(opened: socket.socket) -> RouterAdvertisement | None:
        received, extra, _, (address, *_) = opened.recvmsg(_LARGEST + 1, socket.CMSG_SPACE(4))
        return parse_advertisement(received, address.partition("%")[0], _hops(extra))

    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as opened:
        opened.setsockopt(socket.IPPROTO_ICMPV6, _FILTER, bytes(passed))
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, _HOPS)
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
        return await solicit(
            opened,
            lambda one: one.sendto(message, (_ALL_ROUTERS, 0, 0, index)),
            read,
            within_s=ROUTERS_WITHIN_S if within_s is None else within_s,
        )


async def authenticators(interface: str, *, within_s: float | None = None) -> tuple[str, ...]:
    """Return the MAC of the switch port that asks for a login; empty for none.

    Before the login such a port passes nothing else, so DHCP and DNS only seem to be dead.

    Args:
        interface: of the link.
        within_s: how long one is waited for; None for ``LOGIN_WITHIN_S``.

    Raises:
        PermissionError: not root.
        OSError: the interface is gone.
    """
    where = (interface, _EAPOL, 0, 0, _PORT_ACCESS_GROUP)

    def read(opened: socket.socket) -> str | None:
        received, (_, _, kind, _, sender) = opened.recvfrom(_LARGEST + 1)
        is_own = kind == socket.PACKET_OUTGOING
        return None if is_own or not is_request(received) else bytes(sender).hex(":")

    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_EAPOL)) as opened:
        opened.bind((interface, _EAPOL))
        return await solicit(
            opened,
            lambda one: one.sendto(_EAPOL_START, where),
            read,
            within_s=LOGIN_WITHIN_S if within_s is None else within_s,
            enough=1,
        )


def discover(exchange: int, mac: str) -> bytes:
    """Compose a DHCPDISCOVER (RFC 2131 §4.4.1).

    Args:
        exchange: the transaction id, 32 bits.
        mac: of the client.
    """
    none, hardware = bytes(4), _octets_of(mac)
    header = _DHCP_HEADER.pack(
        *(_BOOT_REQUEST, _ETHERNET, _MAC_OCTETS, 0, exchange, 0, _BROADCAST),
        *(none, none, none, none, hardware, _COOKIE),
    )
    options = bytes((_TYPE, 1, _DISCOVER, _WANTED, 2, _ROUTER, _DNS, _END))
    return (header + options).ljust(_SMALLEST_DISCOVER, b"\0")


def parse_offer(message: bytes, exchange: int) -> DhcpOffer | None:
    """Return the offer of a message; None if it is none for this exchange.

    Never raises.
    """
    if not _DHCP_HEADER.size <= len(message) <= _LARGEST:
        return None
    op, _, _, _, answered, *_, cookie = _DHCP_HEADER.unpack_from(message)
    if op != _BOOT_REPLY or answered != exchange or cookie != _COOKIE:
        return None
    options = _first(_dhcp_options(message[_DHCP_HEADER.size :]))
    server, routers, resolvers = (
        _addresses(options.get(one, b""), IPv4Address, 4) for one in (_SERVER, _ROUTER, _DNS)
    )
    if options.get(_TYPE) != bytes((_OFFER,)) or not server:
        return None
    return DhcpOffer(server[0], routers, resolvers)


def information_request(exchange: bytes, mac: str) -> bytes:
    """Compose an INFORMATION-REQUEST.

    Args:
        exchange: the transaction id, three octets.
        mac: of the client, which makes its DUID (RFC 8415 §11.4).
    """
    duid = _DHCPV6_OPTION.pack(_DUID_LL, _ETHERNET) + _octets_of(mac)
    wanted = (_DHCPV6_WANTED, _DHCPV6_DNS.to_bytes(2))
    options = ((_CLIENT_ID, duid), wanted, (_ELAPSED, bytes(2)))
    body = b"".join(_DHCPV6_OPTION.pack(code, len(data)) + data for code, data in options)
    return bytes((_INFORMATION_REQUEST,)) + exchange + body


def parse_reply(message: bytes, source: str, exchange: bytes) -> Dhcpv6Reply | None:
    """Return the reply of a message; None if it is none for this exchange.

    Never raises.

    Args:
        message: without the UDP header.
        source: its address, without scope.
        exchange: the transaction id of the question.
    """
    if len(message) > _LARGEST or message[:_DHCPV6_HEAD] != bytes((_DHCPV6_REPLY,)) + exchange:
        return None
    options = _first(_dhcpv6_options(message[_DHCPV6_HEAD:]))
    if _SERVER_ID not in options:
        return None
    dns = options.get(_DHCPV6_DNS, b"")
    return Dhcpv6Reply(source, _addresses(dns, IPv6Address, _ADDRESS))


def parse_advertisement(message: bytes, source: str, hops: int) -> RouterAdvertisement | None:
    """Return the advertisement of an ICMPv6 message, None if it is none. Never raises.

    Args:
        message: without the IPv6 header.
        source: its address, without scope.
        hops: its hop limit when it came.
    """
    if hops != _HOPS or not _ROUTER_HEADER.size <= len(message) <= _LARGEST:
        return None
    kind, code, _, flags, lifetime_s = _ROUTER_HEADER.unpack_from(message)
    if kind != _ADVERTISEMENT or code != 0 or not IPv6Address(source).is_link_local:
        return None
    prefixes, resolvers = dict[str, None](), dict[str, None]()
    for option, data in _router_options(message[_ROUTER_HEADER.size :]):
        if option == _PREFIX and len(data) == _PREFIX_OCTETS:
            (length,) = _HEAD_OF_PREFIX.unpack_from(data)
            if length <= _LONGEST_PREFIX:
                prefix = IPv6Network((data[-_ADDRESS:], length), strict=False)
                prefixes[str(prefix)] = None
        elif option == _RDNSS and _HEAD_OF_RDNSS.unpack_from(data) != (0,):
            resolvers |= dict.fromkeys(_addresses(data[_UNIT:], IPv6Address, _ADDRESS))
    return RouterAdvertisement(
        source,
        lifetime_s,
        bool(flags & _MANAGED),
        bool(flags & _OTHER),
        tuple(prefixes)[:_MOST_ADDRESSES],
        tuple(resolvers)[:_MOST_ADDRESSES],
    )


def is_request(message: bytes) -> bool:
    """Return whether an EAPOL message asks for an identity or another proof.

    See RFC 3748 §4.1.
    """
    return (
        _SMALLEST_EAP <= len(message) <= _LARGEST
        and message[1] == _EAP
        and message[_EAP_AT] == _EAP_REQUEST
    )


def _octets_of(mac: str) -> bytes:
    return bytes.fromhex(mac.replace(":", ""))


def _hops(extra: list[Any]) -> int:
    for level, kind, data in extra:
        if (level, kind, len(data)) == (socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT, 4):
            return int.from_bytes(data, sys.byteorder)
    return 0


def _first(options: Iterator[tuple[int, bytes]]) -> dict[int, bytes]:
    """Return the first option of each code."""
    found = dict[int, bytes]()
    for code, data in options:
        found.setdefault(code, data)
    return found


def _dhcp_options(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the options (RFC 2132 §2); the end mark or one past the end ends them."""
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


def _dhcpv6_options(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the options; one that runs past the end is not read (RFC 8415 §21.1)."""
    at, left = 0, _MOST_OPTIONS
    while at + _DHCPV6_OPTION.size <= len(data) and left:
        code, length = _DHCPV6_OPTION.unpack_from(data, at)
        at, left = at + _DHCPV6_OPTION.size + length, left - 1
        if at > len(data):
            return
        yield code, data[at - length : at]


def _router_options(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the options; those behind one without length or past the end are not read."""
    at, left = 0, _MOST_OPTIONS
    while at + 2 <= len(data) and left:
        size = data[at + 1] * _UNIT
        if size == 0 or at + size > len(data):
            return
        yield data[at], data[at : at + size]
        at, left = at + size, left - 1


def _addresses(data: bytes, kind: type[IPv4Address | IPv6Address], octets: int) -> tuple[str, ...]:
    """Return whole addresses, each once; octets that are left over belong to none."""
    whole = range(0, len(data) // octets * octets, octets)
    distinct = dict.fromkeys(data[at : at + octets] for at in whole)
    # Cut afterwards: eight copies of an address hide no other one behind them.
    return tuple(str(kind(one)) for one in distinct)[:_MOST_ADDRESSES]
