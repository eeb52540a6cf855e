# SPDX-License-Identifier: Apache-2.0
"""Rate limiting: how much one client may ask, and which clients are served first.

``filterd.fastpath._rate_limit`` explains ``SourceTable``, and is compiled where a compiler
is. One table serves all listeners of a process; with several workers each has its own, and
a client's limit is what each of them allows.
"""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

from filterd.base.native import live_source

if TYPE_CHECKING:
    from filterd.base.clock import Clock
    from filterd.fastpath._rate_limit import SourceTable, Treatment
    from filterd.policy.model import RateLimit

    NATIVE: bool
else:
    _live, NATIVE = live_source("filterd.fastpath._rate_limit")
    SourceTable, Treatment = _live.SourceTable, _live.Treatment

__all__ = ["NATIVE", "Limiter", "SourceTable", "Treatment", "packed"]


class Limiter:
    """A token bucket for every client.

    A client may ask ``burst`` questions at once, then so many a second.

    UDP and TCP are counted apart: an attacker that forges a client's address can use
    up its datagrams, but not its connections.
    """

    def __init__(self, rate: RateLimit, clock: Clock) -> None:
        self.clock = clock
        self.table = SourceTable(os.urandom(16), rate.queries_a_second, rate.burst)
        """Used by the UDP listeners."""

    def configure(self, rate: RateLimit) -> None:
        """Change the limits."""
        self.table.configure(rate.queries_a_second, rate.burst)

    def admits(self, address: str, interface: int = 0) -> bool:
        """Count a question by TCP; return False if the client is over its limit."""
        return self.table.take_by_tcp(packed(address), interface, self.clock.monotonic())

    def prove(self, address: str, interface: int = 0) -> None:
        """Mark an address as known: it has completed a TCP exchange, so it is not forged."""
        self.table.prove(packed(address), interface, self.clock.monotonic())


def packed(address: str) -> bytes:
    """Return the 4 or 16 octets of an address, its scope left off."""
    bare = address.partition("%")[0]
    return socket.inet_pton(socket.AF_INET6 if ":" in bare else socket.AF_INET, bare)
