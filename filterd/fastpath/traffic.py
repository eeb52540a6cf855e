# SPDX-License-Identifier: Apache-2.0
"""Count queries, replies and their times of one listener, for metrics.

Times are from reading a query to handing its reply to the kernel. ``fast`` are those of the
fast path, whose replies leave with the batch that their queries came in; ``chain`` all others,
also those that are forwarded directly. Native listeners count the same in C.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any

from filterd.wire.header import HEADER_OCTETS

if TYPE_CHECKING:
    from collections.abc import Sequence

BOUNDS_MS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500)
"""Upper bounds, inclusive, of the buckets of times; one more is for what takes longer."""
_BOUNDS_S = [bound / 1_000 for bound in BOUNDS_MS]
_KEYS = (*(f"{bound:g}" for bound in BOUNDS_MS), "inf")
_US = 1_000_000
RCODES = 16
_RCODE_BITS = 15
"""Of the fourth octet of a message (RFC 1035 §4.1.1)."""


class Traffic:
    """The counters of one listener whose replies are all of the chain."""

    def __init__(self) -> None:
        self._requests = [0, 0]
        self._rcodes = [0] * RCODES
        self._buckets, self._sum_s = [0] * len(_KEYS), 0.0

    def asked(self, address: str) -> None:
        """Count a query."""
        self._requests[":" not in address] += 1

    def replied(self, reply: bytes, within_s: float) -> None:
        """Count a reply, and the time that it took."""
        if len(reply) >= HEADER_OCTETS:
            self._rcodes[reply[3] & _RCODE_BITS] += 1
        self._buckets[bisect_left(_BOUNDS_S, within_s)] += 1
        self._sum_s += within_s

    def to_plain(self) -> dict[str, Any]:
        """Return the counters as plain data."""
        return plain(self._requests, self._rcodes, chain=(self._buckets, self._sum_s))


def plain(
    requests: Sequence[int], rcodes: Sequence[int], **times: tuple[Sequence[int], float]
) -> dict[str, Any]:
    """Return counters as plain data, which can be summed up key by key.

    Args:
        requests: over IPv6 and over IPv4.
        rcodes: replies by response code.
        times: by path: replies by bucket, and the sum of seconds.
    """
    return {
        "requests": {"4": requests[1], "6": requests[0]},
        "rcodes": {str(rcode): n for rcode, n in enumerate(rcodes) if n},
        "latency": {
            path: {
                "buckets": dict(zip(_KEYS, buckets, strict=True)),
                "sum_us": round(sum_s * _US),
            }
            for path, (buckets, sum_s) in times.items()
        },
    }
