# SPDX-License-Identifier: Apache-2.0
"""Serve DNS over TLS in a worker while the box has a certificate.

Until it has one, nothing listens: a device that tries is refused at once and asks on port 53.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

from filterd.daemon.serving.tcp_listener import TcpSlots
from filterd.daemon.serving.tls_certificate import TlsCertificate
from filterd.daemon.serving.tls_listener import COUNTERS, HandshakeThread, TlsListener
from filterd.texts.i18n import to_plain

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.base.clock import Clock
    from filterd.daemon.serving.listening_sockets import ListeningTls
    from filterd.fastpath.coroutine_runner import Stepper
    from filterd.fastpath.rate_limit import Limiter
    from filterd.resolve.resolver import Resolver

MOST_CONNECTIONS = 2_000
"""Over all workers: at 40 kB each they take 80 MB."""
LOOK_EVERY_S = 10.0
"""A renewed certificate is found within so long."""


class TlsTransport:
    """The TLS listeners of a worker, with what they share.

    Args:
        listening: its sockets, owned by the supervisor.
        workers: how many share them.
        folder: of the certificate.
        clock: the machine's.
    """

    def __init__(self, listening: ListeningTls, workers: int, folder: Path, clock: Clock) -> None:
        self.sockets, self._unbound = listening.sockets, listening.problem
        self._certificate = TlsCertificate(folder, clock, is_logged=listening.is_first)
        self._places = TcpSlots(max(1, MOST_CONNECTIONS // workers))
        self._watching: asyncio.Task[None] | None = None
        self._handshakes: HandshakeThread | None = None
        self.listeners: list[TlsListener] = []
        """Closed by the worker, as its others."""

    def start(self, resolver: Resolver, stepper: Stepper, limiter: Limiter) -> None:
        """Listen once there is a certificate."""
        if not self.sockets:
            return
        self._handshakes = HandshakeThread()
        asker = resolver, stepper, limiter, self._places, self._certificate, self._handshakes
        self.listeners = [TlsListener(*asker) for _ in self.sockets]
        self._watching = asyncio.get_running_loop().create_task(self._watch())

    async def _watch(self) -> None:
        is_listening = False
        while True:
            await asyncio.to_thread(self._certificate.look)  # a disk may hang
            if self._certificate.context is not None and not is_listening:
                is_listening = True
                for listener, opened in zip(self.listeners, self.sockets, strict=True):
                    listener.start(opened.dup())  # it closes what it is given
            await asyncio.sleep(LOOK_EVERY_S)

    def wind_up(self) -> None:
        """Begin to listen no more."""
        if self._watching is not None:
            self._watching.cancel()

    def close(self) -> None:
        """Begin no handshake any more; the listeners are closed."""
        if self._handshakes is not None:
            self._handshakes.close()

    def status(self) -> dict[str, Any]:
        """Return counters and what there is now, as plain data."""
        counted = sum((listener.counters for listener in self.listeners), Counter[str]())
        bound = (socket.getsockname() for socket in self.sockets)
        problem = self._unbound or self._certificate.problem
        return {
            **{key: counted[key] for key in COUNTERS},
            "connections": len(self._places),
            "listen": [{"address": address, "port": port} for address, port, *_ in bound],
            "problem": to_plain(problem) if problem else "",
        }
