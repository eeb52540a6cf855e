# SPDX-License-Identifier: Apache-2.0
"""A client's sockets: for datagrams, and connections for several questions."""

from __future__ import annotations

import contextlib
import socket
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from tests.support.oracle_servers import dropped_from, limit_buffer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.oracle_servers import Watch

_MOST_QUESTIONS, _MOST_IN_FLIGHT, _MOST_CONNECTIONS = 90, 15, 8
"""Less than a worker takes of a connection and a client."""
_MOST_OF_A_PORT = 60
"""So many questions wait at one port. A change may answer a thousand at once, and the 212,992
octets that a kernel keeps for a socket of anybody's hold some 90 replies of 1,232."""


@dataclass(eq=False)
class _Port:
    socket: socket.socket
    waiting: set[int] = field(default_factory=set)


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
        self._ports: list[_Port] = []
        self._connections: list[_Connection] = []

    def close(self) -> None:
        """Close everything."""
        for port in self._ports:
            self._watch.end(port.socket)
            port.socket.close()
        for connection in self._connections.copy():
            self._end(connection)

    @property
    def dropped(self) -> int:
        """The number of replies that the kernel has had no room for."""
        return sum(dropped_from(port.socket) for port in self._ports)

    def send(self, message: bytes, port: int, *, by_tcp: bool) -> None:
        """Send a question to a port of this machine."""
        if not by_tcp:
            own = self._port()
            own.waiting.add(int.from_bytes(message[:2]))
            own.socket.sendto(message, ("127.0.0.1", port))
            return
        connection = self._connection(port)
        connection.asked += 1
        connection.waiting.add(int.from_bytes(message[:2]))
        try:
            connection.socket.sendall(len(message).to_bytes(2) + message)
        except ConnectionError:  # it was turned away
            self._end(connection)

    def _port(self) -> _Port:
        """Return the first port with room for one more reply, at need a new one."""
        for port in self._ports:
            if len(port.waiting) < _MOST_OF_A_PORT:
                return port
        opened = socket.socket(type=socket.SOCK_DGRAM)
        limit_buffer(opened)
        opened.setblocking(False)
        opened.bind((self._address, 0))
        made = _Port(opened)
        self._ports.append(made)
        self._watch.begin(opened, partial(self._read_udp, made))
        return made

    def _connection(self, port: int) -> _Connection:
        own = [connection for connection in self._connections if connection.port == port]
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

    def _read_udp(self, port: _Port) -> None:
        while True:
            try:
                reply = port.socket.recv(4096)
            except BlockingIOError:
                return
            port.waiting.discard(int.from_bytes(reply[:2]))
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
