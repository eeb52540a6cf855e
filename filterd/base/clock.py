# SPDX-License-Identifier: Apache-2.0
"""Time, injected: nothing else in filterd reads a clock.

Two times that must not be mixed. ``monotonic`` bounds waiting and ages TTLs; it
counts the time a gateway was suspended too and never goes back. ``wall`` is the
time of day; it may jump, and on a board without a battery it may start in 1970.
So policy goes by a third one (``filterd.daemon.shared_page``).
"""

from __future__ import annotations

import time
from functools import partial
from typing import Protocol

_MOST_DOUBLINGS = 64
"""Any pause is at its longest by then; at 1,024 a power of two is no float any more."""


def doubled_s(first_s: float, times: int, longest_s: float) -> float:
    """Return a pause that has doubled so many times, up to the longest.

    What fails may do so for years: no number of failures is too large.
    """
    return min(longest_s, first_s * 2.0 ** min(times, _MOST_DOUBLINGS))


class Clock(Protocol):
    """A source of time."""

    def monotonic(self) -> float:
        """Return seconds since an arbitrary start; never goes back."""

    def wall(self) -> float:
        """Return seconds since the Unix epoch, UTC; may jump either way."""


class SystemClock:
    """The machine's own clocks, read without a frame of Python.

    They are read several times for each question.

    ``monotonic`` is ``CLOCK_BOOTTIME``, which goes on while the machine is suspended;
    ``wall`` the machine's time of day.
    """

    monotonic = staticmethod(partial(time.clock_gettime, time.CLOCK_BOOTTIME))
    wall = staticmethod(time.time)  # noqa: TID251 -- the one place that asks the machine
