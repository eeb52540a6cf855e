# SPDX-License-Identifier: Apache-2.0
"""A client's sockets: one for datagrams, and connections for several questions."""

from __future__ import annotations

import contextlib
import socket
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.oracle_servers import Watch

_MOST_QUESTIONS, _MOST_IN_FLIGHT, _MOST_CONNECTIONS = 90, 15, 8
"""Less than a worker takes of a connection and a client."""


@dataclass(eq=False)
class _Connection:
    socket: socket.socket
    port: int
    asked: int = 0
    waiting: set[int] = field(default_factory=set)
    received: bytearray = field(default_factory=bytearray)


def _leave(_address: str, _ident: int) -> None:
    """Leave the reply to its reader."""


class Stub:
    """Sends questions from an address, and reports the replies.

    Args:
        address: its own.
        watch: calls when a socket can be read.
        heard: called with the address and each reply.
        lost: called with the address and the ID of each question whose connection has ended.
    """

    def __init__(
        self,
        address: str,
        watch: Watch,
        heard: Callable[[str, bytes], None],
        lost: Callable[[str, int], None] = _leave,
    ) -> None:
        self._address, self._watch, self._heard, self._lost = address, watch, heard, lost
        self._udp = socket.socket(type=socket.SOCK_DGRAM)
        self._udp.setblocking(False)
        self._udp.bind((address, 0))
        watch.begin(self._udp, self._read_udp)
        self._connections: list[_Connection] = []

    def close(self) -> None:
        """Close everything."""
        self._watch.end(self._udp)
        self._udp.close()
        for one in self._connections.copy():
            self._end(one)

    def send(self, message: bytes, port: int, *, by_tcp: bool) -> None:
        """Send a question to a port of this machine."""
        if not by_tcp:
            self._udp.sendto(message, ("127.0.0.1", port))
            return
        connection = self._connection(port)
        connection.asked += 1
        connection.waiting.add(int.from_bytes(message[:2]))
        try:
            connection.socket.sendall(len(message).to_bytes(2) + message)
        except ConnectionError:  # it was turned away
            self._end(connection)

    def _connection(self, port: int) -> _Connection:
        own = [one for one in self._connections if one.port == port]
        for one in own:
            if one.asked < _MOST_QUESTIONS and len(one.waiting) < _MOST_IN_FLIGHT:
                return one
        if len(own) >= _MOST_CONNECTIONS:
            return min(own, key=lambda one: one.asked)
        opened = socket.create_connection(("127.0.0.1", port), 5, (self._address, 0))
        opened.setblocking(False)
        # Else a question waits for the last one's acknowledgement, which takes a real moment.
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made = _Connection(opened, port)
        self._connections.append(made)
        self._watch.begin(opened, partial(self._read_tcp, made))
        return made

    def _end(self, connection: _Connection) -> None:
        if connection in self._connections:
            self._connections.remove(connection)
            self._watch.end(connection.socket)
            connection.socket.close()
            for ident in connection.waiting:
                self._lost(self._address, ident)

    def _read_udp(self) -> None:
        while True:
            try:
                reply = self._udp.recv(4096)
            except BlockingIOError:
                return
            self._heard(self._address, reply)

    def _read_tcp(self, connection: _Connection) -> None:
        octets = b""
        with contextlib.suppress(ConnectionError):
            octets = connection.socket.recv(65_536)
        if not octets:
            self._end(connection)
            return
        received = connection.received
        received += octets
        while len(received) >= 2 and len(received) >= 2 + int.from_bytes(received[:2]):
            end = 2 + int.from_bytes(received[:2])
            reply = bytes(received[2:end])
            del received[:end]
            connection.waiting.discard(int.from_bytes(reply[:2]))
            self._heard(self._address, reply)
