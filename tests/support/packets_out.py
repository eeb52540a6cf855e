# SPDX-License-Identifier: Apache-2.0
"""Record the destination of every packet that leaves a namespace."""

from __future__ import annotations

import socket
import threading
from ipaddress import ip_address
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    from tests.support.namespaces import Namespace

_ALL_PROTOCOLS = 0x0003
_IPV4, _IPV6 = 0x0800, 0x86DD
_PORTS = frozenset((6, 17, 132))


class Sent(NamedTuple):
    """One packet with ports: by which interface it left, and from where to where."""

    interface: str
    source_port: int
    destination: str
    port: int


class Recorder:
    """Listens on all interfaces of a namespace but loopback; ``with`` starts and ends it."""

    def __init__(self, namespace: Namespace) -> None:
        self._sent: set[Sent] = set()
        self._ends = threading.Event()
        self._socket = namespace.run(
            lambda: socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ALL_PROTOCOLS))
        )
        self._socket.settimeout(0.1)
        self._thread = threading.Thread(target=self._record)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()
        self._socket.close()

    @property
    def sent(self) -> frozenset[Sent]:
        """What has left since the start, each kind of packet once."""
        return frozenset(self._sent)

    def _record(self) -> None:
        while not self._ends.is_set():
            try:
                packet, (interface, protocol, kind, *_) = self._socket.recvfrom(2048)
            except TimeoutError:
                continue
            if kind == socket.PACKET_OUTGOING and interface != "lo":
                self._take(interface, protocol, packet)

    def _take(self, interface: str, protocol: int, packet: bytes) -> None:
        if protocol == _IPV4:
            carried, destination, payload = packet[9], packet[16:20], packet[4 * (packet[0] & 15) :]
        elif protocol == _IPV6:
            carried, destination, payload = packet[6], packet[24:40], packet[40:]
        else:
            return
        if carried in _PORTS:
            source, port = int.from_bytes(payload[:2]), int.from_bytes(payload[2:4])
            self._sent.add(Sent(interface, source, str(ip_address(destination)), port))
