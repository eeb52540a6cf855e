# SPDX-License-Identifier: Apache-2.0
"""Forged ARP and NDP: "this address is at that MAC", sent in frames of the sender's own MAC.

The forger also asks from whatever address it likes, and reads every frame that reaches it.
"""

from __future__ import annotations

import socket
import struct
from ipaddress import IPv4Address, ip_address
from typing import TYPE_CHECKING, NamedTuple, Self

import dns.exception
import dns.message

from filterd.base.clock import SystemClock

if TYPE_CHECKING:
    from tests.support.namespaces import Namespace

_ARP, _IPV4, _IPV6, _ALL = 0x0806, 0x0800, 0x86DD, 3
_REQUEST, _REPLY = 1, 2
_SOLICITATION, _ADVERTISEMENT = 135, 136
_SOLICITED, _OVERRIDE = 0x4000_0000, 0x2000_0000
_MEMBERSHIP, _PROMISCUOUS = 1, 1
_DNS, _ASKS_FROM = 53, 40_000
_CLOCK = SystemClock()


class Reply(NamedTuple):
    """An answer that the forger reads; ``to`` is the address that asked."""

    to: str
    message: dns.message.Message


class Forger:
    """A device that claims addresses for MACs; ``with`` closes its socket.

    Args:
        namespace: of the device, with an interface ``eth0``.
        router: the MAC of the machine that is to believe it.

    Attributes:
        own: its MAC, which every frame has.
    """

    def __init__(self, namespace: Namespace, router: str) -> None:
        self._router = _octets(router)
        self._socket = namespace.run(_opened)
        self.own: str = self._socket.getsockname()[4].hex(":")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def claim(self, address: str, mac: str, router: str) -> None:
        """Claim an address so that the kernel takes the MAC for one that has just answered.

        Args:
            address: that is claimed.
            mac: at which it is said to be.
            router: an address of the machine that is to believe it.
        """
        at, of, said = ip_address(address), ip_address(router).packed, _octets(mac)
        if isinstance(at, IPv4Address):
            # A question makes an entry, one about the address itself replaces the MAC at once
            # (arp_is_garp), and an answer to the machine alone makes the entry REACHABLE.
            for operation, about in ((_REQUEST, of), (_REQUEST, at.packed), (_REPLY, of)):
                self._send(_ARP, _arp(operation, at.packed, said, about))
            return
        asks = struct.pack("!BBHI", _SOLICITATION, 0, 0, 0) + of + b"\x01\x01" + said
        self._send(_IPV6, _packet(at.packed, of, socket.IPPROTO_ICMPV6, asks, 2))
        for flags in (_OVERRIDE, _OVERRIDE | _SOLICITED):
            head = struct.pack("!BBHI", _ADVERTISEMENT, 0, 0, flags)
            tells = head + at.packed + b"\x02\x01" + said
            self._send(_IPV6, _packet(at.packed, of, socket.IPPROTO_ICMPV6, tells, 2))

    def ask(self, source: str, server: str, name: str) -> None:
        """Ask for the address of a name, from whatever address."""
        at, of = ip_address(source).packed, ip_address(server).packed
        query = dns.message.make_query(name, "A").to_wire()
        datagram = struct.pack("!HHHH", _ASKS_FROM, _DNS, 8 + len(query), 0) + query
        kind = _IPV4 if len(at) == 4 else _IPV6
        self._send(kind, _packet(at, of, socket.IPPROTO_UDP, datagram, 6))

    def replies(self, within_s: float) -> list[Reply]:
        """Return the answers that are read in so much time, for whomever they are."""
        found, ends = list[Reply](), _CLOCK.monotonic() + within_s
        while (left_s := ends - _CLOCK.monotonic()) > 0:
            self._socket.settimeout(left_s)
            try:
                frame = self._socket.recv(2_000)
            except TimeoutError:
                break
            if (reply := _reply(frame)) is not None:
                found.append(reply)
        return found

    def _send(self, kind: int, content: bytes) -> None:
        self._socket.send(self._router + _octets(self.own) + kind.to_bytes(2) + content)


def mac_of(namespace: Namespace, interface: str) -> str:
    """Return the MAC of an interface."""

    def read() -> str:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as opened:
            opened.bind((interface, 0))
            octets: bytes = opened.getsockname()[4]
            return octets.hex(":")

    return namespace.run(read)


def _opened() -> socket.socket:
    opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL))
    opened.bind(("eth0", _ALL))
    wanted = struct.pack("iHH8s", socket.if_nametoindex("eth0"), _PROMISCUOUS, 0, b"")
    opened.setsockopt(263, _MEMBERSHIP, wanted)  # SOL_PACKET
    return opened


def _octets(mac: str) -> bytes:
    return bytes.fromhex(mac.replace(":", ""))


def _arp(operation: int, sender: bytes, mac: bytes, about: bytes) -> bytes:
    return struct.pack("!HHBBH", 1, _IPV4, 6, 4, operation) + mac + sender + bytes(6) + about


def _packet(source: bytes, to: bytes, protocol: int, content: bytes, checked_at: int) -> bytes:
    """Return an IP packet; the checksum of its content stands at that place."""
    pseudo = source + to + struct.pack("!II", len(content), protocol)
    checksum = _checksum(pseudo + content)
    content = content[:checked_at] + checksum + content[checked_at + 2 :]
    if len(source) == 16:
        return struct.pack("!IHBB", 6 << 28, len(content), protocol, 255) + source + to + content
    head = struct.pack("!BBHIBB", 0x45, 0, 20 + len(content), 0, 64, protocol)
    return head + _checksum(head + source + to) + source + to + content


def _checksum(data: bytes) -> bytes:
    total: int = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + bytes(len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return (0xFFFF - total).to_bytes(2)


def _reply(frame: bytes) -> Reply | None:
    kind, packet = int.from_bytes(frame[12:14]), frame[14:]
    if kind == _IPV4 and packet[9] == socket.IPPROTO_UDP:
        to, datagram = packet[16:20], packet[4 * (packet[0] & 15) :]
    elif kind == _IPV6 and packet[6] == socket.IPPROTO_UDP:
        to, datagram = packet[24:40], packet[40:]
    else:
        return None
    ports = (int.from_bytes(datagram[:2]), int.from_bytes(datagram[2:4]))
    if ports != (_DNS, _ASKS_FROM):
        return None
    try:
        return Reply(str(ip_address(to)), dns.message.from_wire(datagram[8:]))
    except dns.exception.DNSException:
        return None
