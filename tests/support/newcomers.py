# SPDX-License-Identifier: Apache-2.0
"""Clients that keep a listener's queue filled: whenever one is let in, more ask.

The kernel keeps a few hundred datagrams for a socket of an ordinary user. A listener that reads
more than these in a turn does so because others come while it reads.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from typing import Self

_IP_PKTINFO = 8
_FROM = struct.Struct("=I4s4s")
_AT_FIRST = 100


class Newcomers:
    """Each asks once, from an address of its own, and one socket sends for all.

    Args:
        server: where they ask.
        message: what they send.
        most: so many come in all.

    Attributes:
        heard: how many replies came.
        socket: theirs; ``with`` closes it.
    """

    def __init__(self, server: tuple[str, int], message: bytes, most: int) -> None:
        self._server, self._message, self._most = server, message, most
        self.socket = socket.socket(type=socket.SOCK_DGRAM)
        self.socket.bind(("0.0.0.0", 0))
        self.socket.setblocking(False)
        self._sent = self.heard = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def begin(self) -> None:
        """Ask as many as an ordinary queue holds."""
        for _ in range(_AT_FIRST):
            self.come()

    def come(self) -> None:
        """Ask once more, from the next address; make room for replies."""
        self.hear()
        if self._sent < self._most:
            source = bytes((127, 0, 2 + self._sent // 254, 1 + self._sent % 254))
            about = socket.IPPROTO_IP, _IP_PKTINFO, _FROM.pack(0, source, source)
            self.socket.sendmsg([self._message], [about], 0, self._server)
            self._sent += 1

    def hear(self) -> None:
        """Take the replies that are there."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self.socket.recv(4096)
                self.heard += 1
