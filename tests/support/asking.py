# SPDX-License-Identifier: Apache-2.0
"""A patient stub: asks one server over UDP and over one open TCP connection."""

from __future__ import annotations

import select
import socket
from dataclasses import dataclass, field
from typing import Self

from filterd.base.clock import SystemClock

WITHIN_S = 30.0


class NoAnswerError(AssertionError):
    """A server said nothing to a question."""


@dataclass
class Asker:
    """Asks ``server`` from the address ``source``."""

    server: tuple[str, int]
    source: str = "127.0.0.1"
    _tcp: socket.socket | None = None
    _udp: socket.socket = field(default_factory=lambda: socket.socket(type=socket.SOCK_DGRAM))

    def __enter__(self) -> Self:
        self._udp.bind((self.source, 0))
        self._udp.connect(self.server)
        self._udp.settimeout(WITHIN_S)
        return self

    def __exit__(self, *_: object) -> None:
        self._udp.close()
        self._hang_up()

    def by_udp(self, message: bytes) -> bytes:
        """Send a datagram and return the first with its ID."""
        try:
            self._udp.send(message)
            while (answer := self._udp.recv(65535))[:2] != message[:2]:
                pass
        except TimeoutError as error:
            raise NoAnswerError(f"{self.server} by UDP: {message.hex()}") from error
        return answer

    def by_tcp(self, message: bytes) -> bytes:
        """Ask on the connection; a server may have ended it after enough questions."""
        return self._exchange(message) or self._exchange(message) or self._fail(message)

    def _exchange(self, message: bytes) -> bytes:
        try:
            if self._tcp is None:
                source = (self.source, 0)
                self._tcp = socket.create_connection(self.server, WITHIN_S, source_address=source)
            self._tcp.sendall(len(message).to_bytes(2) + message)
            if len(length := self._tcp.recv(2, socket.MSG_WAITALL)) == 2:
                return self._rest(self._tcp, int.from_bytes(length))
        except OSError:
            pass
        self._hang_up()
        return b""

    @staticmethod
    def _rest(opened: socket.socket, octets: int) -> bytes:
        """Read a message whole; a timeout makes ``MSG_WAITALL`` return less."""
        parts = bytearray()
        while len(parts) < octets and (part := opened.recv(octets - len(parts))):
            parts += part
        return bytes(parts)

    def _hang_up(self) -> None:
        if self._tcp is not None:
            self._tcp.close()
            self._tcp = None

    def _fail(self, message: bytes) -> bytes:
        raise NoAnswerError(f"{self.server} by TCP: {message.hex()}")


_FEW_ERRORS = 40
_NO_ERRORS = (0, 3)
"""NOERROR and NXDOMAIN."""


@dataclass
class AskerOfUnbound(Asker):
    """Asks a server that sends at most 100 errors a second, as Unbound 1.26, directly.

    Beyond that it is silent. What it sends to a resolver that is compared with it counts too, so
    after forty errors the next question waits until a second is over.
    """

    _errors: int = 0
    _since: float = 0.0

    def by_udp(self, message: bytes) -> bytes:
        """Send a datagram and return the first with its ID."""
        answer = super().by_udp(message)
        if answer[3] & 15 not in _NO_ERRORS:
            self._errors += 1
            if self._errors == 1:
                self._since = SystemClock().monotonic()
            elif self._errors == _FEW_ERRORS:
                select.select([], [], [], max(self._since + 1.0 - SystemClock().monotonic(), 0.0))
                self._errors = 0
        return answer
