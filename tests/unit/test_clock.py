# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import time

from filterd.clock import SystemClock


def test_monotonic_counts_suspended_time_too() -> None:
    before = time.clock_gettime(time.CLOCK_BOOTTIME)
    assert before <= SystemClock().monotonic() <= time.clock_gettime(time.CLOCK_BOOTTIME)


def test_monotonic_never_goes_back() -> None:
    clock = SystemClock()
    readings = [clock.monotonic() for _ in range(1000)]
    assert readings == sorted(readings)


def test_wall_is_unix_time() -> None:
    before = time.clock_gettime(time.CLOCK_REALTIME)
    assert abs(SystemClock().wall() - before) < 5
