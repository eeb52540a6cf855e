# SPDX-License-Identifier: Apache-2.0
"""One timer for all that waits: a wheel of coarse ticks.

A timer of the event loop for each question costs more than composing the
question. What waits here is nearly always taken out again before its time.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio

TICK_S = 0.02


class TimerTarget(Protocol):
    """Something that waits."""

    def due(self) -> None:
        """See that the time has come, or, where it was taken out just now, has passed."""


Bucket = dict[TimerTarget, None]
"""What waits for the same tick."""


class TimerWheel:
    """Calls ``due`` of what waits, at most one tick late and never early."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.now = loop.time
        """Tells the event loop's time in seconds, by which ``put`` goes."""
        self._buckets: dict[int, Bucket] = {}
        self._ticks: list[int] = []
        self._timer: asyncio.TimerHandle | None = None
        self._armed_for = 0

    def __len__(self) -> int:
        return sum(map(len, self._buckets.values()))

    def put(self, waiting: TimerTarget, at: float) -> Bucket:
        """Let something wait until ``at``; return what to ``pop`` it from if it need not."""
        tick = int(at / TICK_S) + 1
        bucket = self._buckets.get(tick)
        if bucket is None:
            bucket = self._buckets[tick] = {}
            heappush(self._ticks, tick)
            self._arm()
        bucket[waiting] = None
        return bucket

    def close(self) -> None:
        """Forget everything that waits."""
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
                self._loop.call_soon(waiting.due)  # one that raises takes no other along
        if self._ticks:
            self._arm()
