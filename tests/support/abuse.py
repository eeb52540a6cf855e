# SPDX-License-Identifier: Apache-2.0
"""Clients that hold TCP connections and send no useful question."""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, ClassVar, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_LOOK_EVERY_S = 0.05
_TCP_CLOSE, _TCP_CLOSE_WAIT = 7, 8
"""States of a connection that the other side has reset or closed (netinet/tcp.h)."""


class Abuser:
    """A connection that sends nothing. ``is_ended`` when the server has had enough of it."""

    every_s: ClassVar[float] = 3_600.0
    """How often it sends ``octets``."""

    octets: bytes = b""

    def __init__(self, source: str, server: tuple[str, int]) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        self.socket.bind((source, 0))
        self.socket.setblocking(False)
        self.began_at = self.due_at = perf_counter()
        with contextlib.suppress(BlockingIOError):
            self.socket.connect(server)

    @property
    def is_ended(self) -> bool:
        """Whether the server has reset or closed it; what it sent may lie unread."""
        state = self.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
        return state in (_TCP_CLOSE, _TCP_CLOSE_WAIT)

    def act(self, now: float) -> None:
        """Send what is due."""
        if now >= self.due_at:
            self.due_at = now + self.every_s
            with contextlib.suppress(OSError):
                self.socket.send(self.octets)


class Slow(Abuser):
    """Sends an octet a second of a question of 3,855 octets, which is never whole."""

    every_s = 1.0
    octets = b"\x0f"


class WriteOnly(Abuser):
    """Asks for a large answer twenty times a second and reads none."""

    every_s = _LOOK_EVERY_S

    def __init__(self, source: str, server: tuple[str, int], message: bytes) -> None:
        super().__init__(source, server)
        self.octets = len(message).to_bytes(2) + message


@dataclass
class Abuse:
    """Runs abusers in a thread; with ``again`` a closed one connects anew.

    ``lifetimes_s`` are the lifetimes of closed connections; ``open`` is
        the number of open ones.
    """

    connect: Sequence[Callable[[], Abuser]]
    again: bool = False
    lifetimes_s: list[float] = field(default_factory=list)
    open: int = 0

    def __enter__(self) -> Self:
        self._stopping, self.open = threading.Event(), len(self.connect)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        at_work = [(connect, connect()) for connect in self.connect]
        while not self._stopping.wait(_LOOK_EVERY_S):
            still: list[tuple[Callable[[], Abuser], Abuser]] = []
            for connect, abuser in at_work:
                abuser.act(perf_counter())
                if not abuser.is_ended:
                    still.append((connect, abuser))
                    continue
                self._end(abuser)
                if self.again:
                    still.append((connect, connect()))
            at_work, self.open = still, len(still)
        for _, abuser in at_work:
            abuser.socket.close()

    def _end(self, abuser: Abuser) -> None:
        self.lifetimes_s.append(perf_counter() - abuser.began_at)
        abuser.socket.close()
