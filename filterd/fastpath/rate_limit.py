# SPDX-License-Identifier: Apache-2.0
"""How much one client may ask, and who is served first when there is too much.

``SourceTable`` is the live one of two twins; ``filterd.fastpath._rate_limit_py``
explains it. One table serves all listeners of a process; with several workers
each has its own, and a client's limit is what each of them allows.
"""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

from filterd.fastpath._rate_limit_py import Treatment
from filterd.native import live_twin

if TYPE_CHECKING:
    from filterd.clock import Clock
    from filterd.fastpath._rate_limit import SourceTable
    from filterd.policy.model import RateLimit

    NATIVE: bool
else:
    _live, NATIVE = live_twin("filterd.fastpath._rate_limit", "filterd.fastpath._rate_limit_py")
    SourceTable = _live.SourceTable

__all__ = ["NATIVE", "Limiter", "SourceTable", "Treatment", "packed"]


class Limiter:
    """A token bucket for every client: ``burst`` questions at once, then so many a second.

    What comes by UDP and what comes by TCP is counted apart: whoever forges a
    client's address can use up its datagrams, but not its connections.
    """

    def __init__(self, rate: RateLimit, clock: Clock) -> None:
        self.clock = clock
        self.table = SourceTable(os.urandom(16), rate.queries_a_second, rate.burst)
        """What the UDP listeners ask."""

    def configure(self, rate: RateLimit) -> None:
        """Put other limits in force."""
        self.table.configure(rate.queries_a_second, rate.burst)

    def admits(self, address: str, interface: int = 0) -> bool:
        """Count a question that came by TCP; False where it is one too many for now."""
        return self.table.take_by_tcp(packed(address), interface, self.clock.monotonic())

    def prove(self, address: str, interface: int = 0) -> None:
        """Remember that an exchange by TCP was completed: nobody forges this address."""
        self.table.prove(packed(address), interface, self.clock.monotonic())


def packed(address: str) -> bytes:
    """Return the 4 or 16 octets of an address, its scope left off."""
    bare = address.partition("%")[0]
    return socket.inet_pton(socket.AF_INET6 if ":" in bare else socket.AF_INET, bare)
