# SPDX-License-Identifier: Apache-2.0
"""An event loop on a test's clock: timers fire when the clock is set past them.

It never waits for a timer. If nothing is left to do it reports so, and the test sets
the clock forward; hours then take only as long as their events.
"""

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from filterd.base.clock import Clock

_LOOK_EVERY_S = 0.002
"""While only a thread is at work; what it has done wakes the loop before."""

_LATE_S = 1e-6
"""A timer fires after its time, not a rounding error before: otherwise its code would read the
stopped clock and set it again for ever."""


class _Selector(selectors.EpollSelector):
    def __init__(self) -> None:
        super().__init__()
        self.on_idle: Callable[[], None] | None = None

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if self.on_idle is not None:
            callback, self.on_idle = self.on_idle, None
            callback()
            return ready
        return super().select(_LOOK_EVERY_S)


class LoopOfClock(asyncio.SelectorEventLoop):
    """Runs by ``clock.monotonic``."""

    def __init__(self, clock: Clock) -> None:
        self._stands = _Selector()
        self._clock_of_edges = clock
        super().__init__(self._stands)
        self._clock_resolution = _LATE_S / 10

    def time(self) -> float:
        """Return the time by which timers go."""
        return self._clock_of_edges.monotonic() + _LATE_S

    async def idle(self) -> None:
        """Wait until nothing is left to do at this time: no datagram, no callback, no timer."""
        waiter = self.create_future()
        self._stands.on_idle = lambda: waiter.set_result(None)
        await waiter
