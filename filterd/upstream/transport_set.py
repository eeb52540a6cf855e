# SPDX-License-Identifier: Apache-2.0
"""Transports that all exchanges of a forwarder share."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from filterd.base.native import native_or
from filterd.texts.i18n import UNSAID
from filterd.upstream import socket_pool
from filterd.upstream.randomness import RandomNumbers
from filterd.upstream.socket_pool import TimerWheel

if TYPE_CHECKING:
    from collections import Counter

    from filterd.base.clock import Clock
    from filterd.policy.model import UpstreamServer
    from filterd.texts.i18n import Sentence
    from filterd.upstream.tls import TlsConnections

SocketPool = native_or(socket_pool.SocketPool, "filterd.upstream._pool")


class Transports:
    """Sockets, timers and counters; belongs to the running event loop."""

    def __init__(self, clock: Clock, counters: Counter[str]) -> None:
        self.clock, self.counters = clock, counters
        self.loop = asyncio.get_running_loop()
        self.numbers = RandomNumbers()
        self.wheel = TimerWheel(self.loop)
        self.pool = SocketPool(self.wheel, self.numbers, counters)
        self.tcp_connections = 0
        self._tls: TlsConnections | None = None

    @property
    def tls(self) -> TlsConnections:
        """Connections by TLS, made when the first server needs one."""
        if self._tls is None:
            # A process whose servers need no TLS does not load ssl: it takes megabytes.
            from filterd.upstream.tls import TlsConnections  # noqa: PLC0415 -- see above

            self._tls = TlsConnections(self.clock, self.counters)
        return self._tls

    def problem_of(self, server: UpstreamServer) -> Sentence:
        """Return why a server cannot be asked by TLS; empty if no problem is known."""
        return self._tls.problem(server) if self._tls else UNSAID

    def close(self) -> None:
        """Free every socket, connection and timer."""
        self.wheel.close()
        self.pool.close()
        if self._tls is not None:
            self._tls.close()
