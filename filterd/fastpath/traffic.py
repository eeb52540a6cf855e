# SPDX-License-Identifier: Apache-2.0
"""Count queries, replies and their times of one listener, for metrics.

Times are from reading a query to handing its reply to the kernel. ``fast`` are those of the
fast path, whose replies leave with the batch that their queries came in; ``chain`` all others,
also those that are forwarded directly. Native listeners count the same in C.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.time_buckets import TimeBuckets
from filterd.wire.header import HEADER_OCTETS

if TYPE_CHECKING:
    from collections.abc import Sequence

RCODES = 16
_RCODE_BITS = 15
"""Of the fourth octet of a message (RFC 1035 §4.1.1)."""


class Traffic:
    """The counters of one listener whose replies are all of the chain."""

    def __init__(self) -> None:
        self._requests, self._rcodes = [0, 0], [0] * RCODES
        self._times = TimeBuckets()

    def asked(self, address: str) -> None:
        """Count a query."""
        self._requests[":" not in address] += 1

    def replied(self, reply: bytes, took_s: float) -> None:
        """Count a reply, and the time that it took."""
        if len(reply) >= HEADER_OCTETS:
            self._rcodes[reply[3] & _RCODE_BITS] += 1
        self._times.add(took_s)

    def to_plain(self) -> dict[str, Any]:
        """Return the counters as plain data."""
        return plain(self._requests, self._rcodes, chain=self._times)


def plain(requests: Sequence[int], rcodes: Sequence[int], **times: TimeBuckets) -> dict[str, Any]:
    """Return counters as plain data, which can be summed up key by key.

    Args:
        requests: over IPv6 and over IPv4.
        rcodes: replies by response code.
        times: of replies, by path.
    """
    return {
        "requests": {"4": requests[1], "6": requests[0]},
        "rcodes": {str(rcode): n for rcode, n in enumerate(rcodes) if n},
        "latency": {path: buckets.to_plain() for path, buckets in times.items()},
    }
