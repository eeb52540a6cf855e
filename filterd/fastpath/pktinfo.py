# SPDX-License-Identifier: Apache-2.0
"""Open sockets that report interface and local address of what they receive.

They do so by IP_PKTINFO.

A gateway has several addresses: a stub drops an answer that does not come from the
address that it asked, and a network may be recognised by its interface alone. Linux
gives both in the control messages of a datagram, and keeps those of the first packet
of a connection (ip(7), ipv6(7)).
"""

from __future__ import annotations

import contextlib
import errno
import socket
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from struct import Struct, calcsize
from typing import TYPE_CHECKING, NamedTuple

from filterd.base.errors import ConfigError
from filterd.base.port_holders import PortHolder, holders
from filterd.policy.model import ListenAddress
from filterd.texts.i18n import Sentence, refused, say

if TYPE_CHECKING:
    from collections.abc import Sequence

ControlMessage = tuple[int, int, bytes]
"""Level, type, data (cmsg(3))."""

_IP_PKTINFO = 8  # linux/in.h; the socket module names it only from Python 3.14 on
_IP_PKTOPTIONS = 9
_IPV6_PKTOPTIONS = 6  # linux/in6.h, IPV6_2292PKTOPTIONS: the one that TCP knows

_IP_FREEBIND = 15
_IPV6_FREEBIND = 78

_IPV4_INFO = Struct("@i4s4s")
_IPV6_INFO = Struct("@16si")
_HEADER = Struct("@Nii")
_ALIGNMENT = calcsize("@N")

ANCILLARY_OCTETS = socket.CMSG_SPACE(_IPV6_INFO.size)
_KEPT_OCTETS = 256


class PacketInfo(NamedTuple):
    """The interface of a message, and what is needed to reply from its local address.

    ``reply_from`` is the control message for such a reply. ``interface`` is an index, 0 if not
    known. ``to_many``: it was sent to a broadcast or multicast address, to which no stub sends
    queries.
    """

    interface: int = 0
    to_many: bool = False
    reply_from: Sequence[ControlMessage] = ()


def bind(listen: ListenAddress, kind: socket.SocketKind) -> socket.socket:
    """Return a bound socket that does not block and reports ``PacketInfo``.

    An address that the machine does not have yet can be bound too: a VLAN, or an
    address shared with another gateway, may come later (ip(7), IP_FREEBIND).

    Raises:
        ConfigError: the address cannot be bound.
    """
    ipv6 = ":" in listen.address
    family = socket.AF_INET6 if ipv6 else socket.AF_INET
    try:
        opened = socket.socket(family, kind | socket.SOCK_NONBLOCK)
    except OSError as error:
        raise _cannot_listen(listen, error, kind) from error
    if kind == socket.SOCK_STREAM:  # else a restart would wait for old connections
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    report_arrival(opened)
    if ipv6:
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        opened.setsockopt(socket.IPPROTO_IPV6, _IPV6_FREEBIND, 1)
    else:
        opened.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
    try:
        opened.bind(_socket_address(listen))
    except OSError as error:
        opened.close()
        raise _cannot_listen(listen, error, kind) from error
    return opened


def report_arrival(opened: socket.socket) -> None:
    """Let a socket report ``PacketInfo`` with what it receives."""
    if opened.family == socket.AF_INET6:
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    else:
        opened.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)


def is_bound(opened: socket.socket, listen: ListenAddress, kind: socket.SocketKind) -> bool:
    """Return whether a socket is one that ``bind`` would open for this address.

    One whose interface has gone, and come again with another number, is not.
    """
    family = socket.AF_INET6 if ":" in listen.address else socket.AF_INET
    if (opened.family, opened.type) != (family, kind):
        return False
    try:
        address, port, *_, scope = (*_socket_address(listen), 0)[:4]
        own, own_port, *_, own_scope = (*opened.getsockname(), 0)[:4]
    except OSError:
        return False
    return (ip_address(own.partition("%")[0]), own_port, own_scope) == (
        ip_address(address),
        port,
        scope,
    )


def is_here(address: str) -> bool:
    """Return whether this machine has an address at the moment."""
    listen = ListenAddress(address, 0)
    try:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as opened:
            opened.bind(_socket_address(listen))
    except OSError as error:
        return error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
    return True


def has_family(address: str) -> bool:
    """Return whether the kernel knows addresses of this kind: one may be without IPv6."""
    try:
        socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET).close()
    except OSError as error:
        return error.errno != errno.EAFNOSUPPORT
    return True


def _socket_address(listen: ListenAddress) -> tuple[str, int] | tuple[str, int, int, int]:
    """Return the argument of ``bind``.

    A link-local address has its interface as a number.
    """
    address, _, interface = listen.address.partition("%")
    if not interface:
        return address, listen.port
    return address, listen.port, 0, socket.if_nametoindex(interface)


def arrival_of(ancillary: Sequence[ControlMessage]) -> PacketInfo:
    """Read the control messages of a datagram."""
    for level, kind, data in ancillary:
        if (level, kind) == (socket.IPPROTO_IP, _IP_PKTINFO):
            interface, local, asked = _IPV4_INFO.unpack(data[: _IPV4_INFO.size])
            reply_from = _IPV4_INFO.pack(0, local, bytes(4))
            # What was sent to one address has that address as its local one.
            return PacketInfo(interface, asked != local, [(level, kind, reply_from)])
        if (level, kind) == (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO):
            asked, interface = _IPV6_INFO.unpack(data[: _IPV6_INFO.size])
            address = IPv6Address(asked)
            scope = interface if address.is_link_local else 0
            reply_from = _IPV6_INFO.pack(asked, scope)
            return PacketInfo(interface, address.is_multicast, [(level, kind, reply_from)])
    return PacketInfo()


def interface_of(connection: socket.socket) -> int:
    """Return the index of the interface by which a connection came.

    0 if it is not known. The listening socket must come from ``bind``.
    """
    try:
        if connection.family == socket.AF_INET6:
            kept = connection.getsockopt(socket.IPPROTO_IPV6, _IPV6_PKTOPTIONS, _KEPT_OCTETS)
        else:
            kept = connection.getsockopt(socket.IPPROTO_IP, _IP_PKTOPTIONS, _KEPT_OCTETS)
    except OSError:  # it has ended already
        return 0
    return _interface_in(kept)


@lru_cache(maxsize=64)
def _interface_in(octets: bytes) -> int:
    """Return the interface, memorised: equal for all connections to one local address."""
    return arrival_of(_control_messages(octets)).interface


def _control_messages(octets: bytes) -> list[ControlMessage]:
    """Split a buffer into control messages, as Python does for ``recvmsg`` only."""
    found = []
    while len(octets) >= _HEADER.size:
        length, level, kind = _HEADER.unpack(octets[: _HEADER.size])
        if length < _HEADER.size:
            break
        found.append((level, kind, octets[_HEADER.size : length]))
        octets = octets[-(-length // _ALIGNMENT) * _ALIGNMENT :]
    return found


def _cannot_listen(listen: ListenAddress, error: OSError, kind: socket.SocketKind) -> ConfigError:
    """Return the error of an address that cannot be listened on, and its remedy."""
    why, hint = refused(error), say("change `listen` in site.yaml")
    if error.errno == errno.EACCES:
        hint = say("ports below 1024 need root or CAP_NET_BIND_SERVICE")
    elif error.errno == errno.ENODEV:
        hint = say("this machine has no such interface; change `listen` in site.yaml")
    elif error.errno == errno.EADDRINUSE:
        holder = _holder(listen, "udp" if kind == socket.SOCK_DGRAM else "tcp")
        why, hint = _taken_by(holder), holder.remedy
    return ConfigError(
        say(
            "cannot listen on {address} port {port}: {why}",
            address=listen.address,
            port=listen.port,
            why=why,
        ),
        hint=hint,
    )


def _holder(listen: ListenAddress, protocol: str) -> PortHolder:
    """Return the socket that is in the way; one without an owner where none is seen."""
    with contextlib.suppress(OSError):
        for holder in holders(listen.port):
            if holder.protocol == protocol and holder.keeps(listen.address):
                return holder
    return PortHolder(protocol, listen.address, "")


def _taken_by(holder: PortHolder) -> Sentence:
    """Return which process has the port."""
    if holder.pids:
        return say("{program} (process {pid}) has it", program=holder.program, pid=holder.pids[0])
    if holder.user:
        return say("a process of the user {user} has it", user=holder.user)
    return say("another server has it")
