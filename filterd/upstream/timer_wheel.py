# SPDX-License-Identifier: Apache-2.0
"""A timer wheel: one timer of the loop for many timeouts, in coarse ticks.

A timer of the event loop for each question costs more than composing the
question. A timeout is nearly always removed before its time.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio

TICK_S = 0.02


class TimerTarget(Protocol):
    """A target of a timeout."""

    def due(self) -> None:
        """Act on the timeout, also if it was removed within the same tick."""


Bucket = dict[TimerTarget, None]
"""The targets of one tick."""


class TimerWheel:
    """The wheel; calls ``due`` of its targets, at most one tick late and never early."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.now = loop.time
        """Returns the event loop's time in seconds, which ``put`` uses."""
        self._buckets: dict[int, Bucket] = {}
        self._ticks: list[int] = []
        self._timer: asyncio.TimerHandle | None = None
        self._armed_for = 0

    def __len__(self) -> int:
        return sum(map(len, self._buckets.values()))

    def put(self, waiting: TimerTarget, at: float) -> Bucket:
        """Add a timeout at ``at``; return the bucket to ``pop`` it from."""
        tick = int(at / TICK_S) + 1
        bucket = self._buckets.get(tick)
        if bucket is None:
            bucket = self._buckets[tick] = {}
            heappush(self._ticks, tick)
            self._arm()
        bucket[waiting] = None
        return bucket

    def close(self) -> None:
        """Remove all timeouts."""
        self._buckets.clear()
        self._ticks.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _arm(self) -> None:
        """Set the loop's timer for the earliest tick."""
        earliest = self._ticks[0]
        if self._timer is not None:
            if self._armed_for <= earliest:
                return
            self._timer.cancel()
        self._armed_for = earliest
        self._timer = self._loop.call_at(earliest * TICK_S, self._turn)

    def _turn(self) -> None:
        self._timer = None
        tick = int(self._loop.time() / TICK_S)
        while self._ticks and self._ticks[0] <= tick:
            for waiting in self._buckets.pop(heappop(self._ticks)):
                self._loop.call_soon(waiting.due)  # one that raises does not stop the others
        if self._ticks:
            self._arm()
