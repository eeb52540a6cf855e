# SPDX-License-Identifier: Apache-2.0
"""Time, injected: nothing else in filterd reads a clock.

Two times that must not be mixed. ``monotonic`` bounds waiting and ages TTLs; it
counts the time a gateway was suspended too and never goes back. ``wall`` says
what a school's timetable means by "now"; it may jump, and on a board without a
battery it may start in 1970.
"""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """What tells the time."""

    def monotonic(self) -> float:
        """Return seconds since an arbitrary start; never goes back."""

    def wall(self) -> float:
        """Return seconds since the Unix epoch, UTC; may jump either way."""


class SystemClock:
    """The machine's own clocks."""

    def monotonic(self) -> float:
        """Return ``CLOCK_BOOTTIME``: it goes on while the machine is suspended."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def wall(self) -> float:
        """Return the machine's idea of the time of day."""
        return time.time()  # noqa: TID251 -- the one place that asks the machine
