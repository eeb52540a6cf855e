# SPDX-License-Identifier: Apache-2.0
"""How much one client may ask, the same by UDP and TCP (dns.md §2)."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filterd.clock import Clock
    from filterd.policy.model import RateLimit

_MOST_CLIENTS = 16_384


class Limiter:
    """A token bucket for every client: ``burst`` questions at once, then so many a second.

    An IPv6 client is its /64: a device has as many addresses there as it likes.
    """

    def __init__(self, rate: RateLimit, clock: Clock) -> None:
        self._rate, self._clock = rate, clock
        self._buckets: dict[bytes, tuple[float, float]] = {}

    def configure(self, rate: RateLimit) -> None:
        """Put other limits in force."""
        self._rate = rate

    def admits(self, address: str) -> bool:
        """Take a token of this client's; False when it has none left."""
        key = ip_address(address.partition("%")[0]).packed[:8]
        now = self._clock.monotonic()
        left, at = self._buckets.get(key, (float(self._rate.burst), now))
        left = min(self._rate.burst, left + (now - at) * self._rate.queries_a_second)
        if len(self._buckets) >= _MOST_CLIENTS and key not in self._buckets:
            self._buckets.clear()
        self._buckets[key] = max(0.0, left - 1), now
        return left >= 1
