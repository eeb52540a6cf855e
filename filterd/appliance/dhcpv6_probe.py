# SPDX-License-Identifier: Apache-2.0
"""Find what the DHCPv6 servers of a link hand out, by INFORMATION-REQUEST.

The message is that of RFC 8415 §18.2.6.

It asks for settings without an address, as devices do where a router advertises the flag O, so
no lease is taken. Needs root, because clients use port 546.
"""

from __future__ import annotations

import secrets
import socket
import struct
from ipaddress import IPv6Address
from typing import TYPE_CHECKING, NamedTuple

from filterd.appliance.solicitation import solicit

if TYPE_CHECKING:
    from collections.abc import Iterator

WITHIN_S = 3.0

_CLIENT_PORT, _SERVER_PORT, _ALL_SERVERS = 546, 547, "ff02::1:2"
_REPLY, _INFORMATION_REQUEST = 7, 11
_CLIENT_ID, _SERVER_ID, _WANTED, _ELAPSED, _DNS = 1, 2, 6, 8, 23
_DUID_LL, _ETHERNET = 3, 1
_HEAD, _ADDRESS = 4, 16
_OPTION = struct.Struct("!HH")
_LARGEST, _MOST_OPTIONS, _MOST_ADDRESSES = 1_500, 64, 8


class Dhcpv6Reply(NamedTuple):
    """What one server hands out: its link-local address, and DNS servers.

    The address is without scope.
    """

    server: str
    resolvers: tuple[str, ...]


async def replies(
    interface: str, mac: str, *, within_s: float = WITHIN_S, enough: int = 16
) -> tuple[Dhcpv6Reply, ...]:
    """Return the replies of all servers that answer on a link.

    Args:
        interface: of the link, with a link-local address.
        mac: of the interface.
        within_s: how long replies are collected.
        enough: as many end it sooner.

    Raises:
        PermissionError: not root.
        OSError: the interface is gone, or another program holds port 546 for itself.
    """
    exchange, index = secrets.token_bytes(3), socket.if_nametoindex(interface)
    message = request(exchange, mac)
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as opened:
        opened.setblocking(False)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # beside a DHCPv6 client
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        opened.bind(("::", _CLIENT_PORT))
        return await solicit(
            opened,
            lambda one: one.sendto(message, (_ALL_SERVERS, _SERVER_PORT, 0, index)),
            lambda one: _received(one, exchange),
            within_s=within_s,
            enough=enough,
        )


def request(exchange: bytes, mac: str) -> bytes:
    """Compose an INFORMATION-REQUEST.

    Args:
        exchange: the transaction id, three octets.
        mac: of the client, which makes its DUID (RFC 8415 §11.4).
    """
    duid = _OPTION.pack(_DUID_LL, _ETHERNET) + bytes.fromhex(mac.replace(":", ""))
    options = ((_CLIENT_ID, duid), (_WANTED, _DNS.to_bytes(2)), (_ELAPSED, bytes(2)))
    body = b"".join(_OPTION.pack(code, len(data)) + data for code, data in options)
    return bytes((_INFORMATION_REQUEST,)) + exchange + body


def parse_reply(message: bytes, source: str, exchange: bytes) -> Dhcpv6Reply | None:
    """Return the reply of a message; None if it is none for this exchange.

    Never raises.

    Args:
        message: without the UDP header.
        source: its address, without scope.
        exchange: the transaction id of the question.
    """
    if len(message) > _LARGEST or message[:_HEAD] != bytes((_REPLY,)) + exchange:
        return None
    options = dict[int, bytes]()
    for code, data in _options(message[_HEAD:]):
        options.setdefault(code, data)
    if _SERVER_ID not in options:
        return None
    dns = options.get(_DNS, b"")
    whole = range(0, min(len(dns) // _ADDRESS, _MOST_ADDRESSES) * _ADDRESS, _ADDRESS)
    return Dhcpv6Reply(source, tuple(str(IPv6Address(dns[at : at + _ADDRESS])) for at in whole))


def _received(opened: socket.socket, exchange: bytes) -> Dhcpv6Reply | None:
    message, (address, *_) = opened.recvfrom(_LARGEST + 1)
    return parse_reply(message, address.partition("%")[0], exchange)


def _options(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the options; one that runs past the end is not read (RFC 8415 §21.1)."""
    at, left = 0, _MOST_OPTIONS
    while at + _OPTION.size <= len(data) and left:
        code, length = _OPTION.unpack_from(data, at)
        at, left = at + _OPTION.size + length, left - 1
        if at > len(data):
            return
        yield code, data[at - length : at]
