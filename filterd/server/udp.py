# SPDX-License-Identifier: Apache-2.0
"""The UDP listener: takes datagrams, sends answers from where they were asked.

A readiness callback and ``recvmsg`` instead of a ``DatagramProtocol``: only the
control messages tell the address and the interface that a datagram came in by,
and an answer has to leave from there (a gateway has several addresses, and a
stub drops what comes from another).
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import struct
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

from filterd.errors import ConfigError
from filterd.resolve.query import Peer
from filterd.wire import fit, size_limit

if TYPE_CHECKING:
    from filterd.policy.model import ListenAddress
    from filterd.resolve.resolver import Resolver
    from filterd.server.stepping import Stepper

_LARGEST_QUERY = 4_096
_DATAGRAMS_A_WAKEUP = 64
_RECEIVE_BUFFER = 4 * 1024 * 1024
_REFLECTING_PORTS = frozenset((0, 7, 13, 19, 37))
"""Source ports of services that answer anything: a reply would start a loop (dns.md §2)."""

_IP_PKTINFO = 8  # linux/in.h; the socket module names it only from Python 3.14 on
_IPV4_INFO = struct.Struct("@i4s4s")
_IPV6_INFO = struct.Struct("@16si")
_ANCILLARY_SIZE = socket.CMSG_SPACE(_IPV6_INFO.size)


class UdpListener:
    """One UDP socket on one address."""

    def __init__(self, listen: ListenAddress, resolver: Resolver, stepper: Stepper) -> None:
        self._resolver, self._stepper = resolver, stepper
        self._loop = asyncio.get_running_loop()
        self._socket = _open(listen)
        self._ipv6 = self._socket.family == socket.AF_INET6
        self._loop.add_reader(self._socket, self._readable)

    @property
    def port(self) -> int:
        """The port that it is bound to."""
        port: int = self._socket.getsockname()[1]
        return port

    def close(self) -> None:
        """Stop listening."""
        self._loop.remove_reader(self._socket)
        self._socket.close()

    def _readable(self) -> None:
        for _ in range(_DATAGRAMS_A_WAKEUP):
            try:
                message, ancillary, flags, source = self._socket.recvmsg(
                    _LARGEST_QUERY, _ANCILLARY_SIZE
                )
            except BlockingIOError:
                return
            except OSError:  # an ICMP error for an earlier answer: nobody's question
                continue
            if not flags & socket.MSG_TRUNC:
                self._received(message, ancillary, source)

    def _received(
        self, message: bytes, ancillary: list[tuple[int, int, bytes]], source: tuple[str, int]
    ) -> None:
        if source[1] in _REFLECTING_PORTS:
            return
        interface, asked_at, reply_from = self._where_from(ancillary)
        if asked_at is not None and asked_at.is_multicast:
            return
        admitted = self._resolver.admit(message, Peer(source[0], interface))
        if admitted is None:
            return
        if isinstance(admitted, bytes):
            self._send(admitted, reply_from, source)
            return
        limit = size_limit(admitted.message, "udp")
        self._stepper.run(
            self._resolver.respond(admitted),
            lambda reply: self._send(fit(reply, limit), reply_from, source),
        )

    def _where_from(
        self, ancillary: list[tuple[int, int, bytes]]
    ) -> tuple[int, IPv4Address | IPv6Address | None, list[tuple[int, int, bytes]]]:
        """Read the control messages: interface, address asked, and how to answer from there."""
        for level, kind, data in ancillary:
            if level == socket.IPPROTO_IP and kind == _IP_PKTINFO:
                interface, local, asked_at = _IPV4_INFO.unpack(data[: _IPV4_INFO.size])
                source = _IPV4_INFO.pack(0, local, bytes(4))
                return interface, IPv4Address(asked_at), [(level, kind, source)]
            if level == socket.IPPROTO_IPV6 and kind == socket.IPV6_PKTINFO:
                local, interface = _IPV6_INFO.unpack(data[: _IPV6_INFO.size])
                address = IPv6Address(local)
                scope = interface if address.is_link_local else 0
                return interface, address, [(level, kind, _IPV6_INFO.pack(local, scope))]
        return 0, None, []

    def _send(
        self, reply: bytes, reply_from: list[tuple[int, int, bytes]], destination: tuple[str, int]
    ) -> None:
        """Send once; an answer that the kernel cannot take now is asked for again."""
        with contextlib.suppress(OSError):
            self._socket.sendmsg([reply], reply_from, 0, destination)


def _open(listen: ListenAddress) -> socket.socket:
    """Bind a socket that tells where each datagram came in.

    Raises:
        ConfigError: the address cannot be bound.
    """
    ipv6 = ":" in listen.address
    opened = socket.socket(
        socket.AF_INET6 if ipv6 else socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK
    )
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
    if ipv6:
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    else:
        opened.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
    try:
        opened.bind((listen.address, listen.port))
    except OSError as error:
        opened.close()
        raise cannot_listen(listen, error) from error
    return opened


def cannot_listen(listen: ListenAddress, error: OSError) -> ConfigError:
    """Say which address cannot be listened on, and what to do."""
    hints = {
        errno.EADDRINUSE: "another server has it; see `ss -lunp`, or change `listen` in site.yaml",
        errno.EACCES: "ports below 1024 need root or CAP_NET_BIND_SERVICE",
        errno.EADDRNOTAVAIL: "this machine has no such address; change `listen` in site.yaml",
    }
    return ConfigError(
        f"cannot listen on {listen.address} port {listen.port}: {error.strerror}",
        hint=hints.get(error.errno or 0, "change `listen` in site.yaml"),
    )
