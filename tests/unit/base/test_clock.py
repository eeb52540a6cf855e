# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import time

import pytest

from filterd.base.clock import SystemClock, doubled_s


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


def test_a_pause_doubles_up_to_the_longest() -> None:
    assert [doubled_s(0.5, times, 4.0) for times in range(6)] == [0.5, 1.0, 2.0, 4.0, 4.0, 4.0]


@pytest.mark.parametrize("times", [63, 64, 1_023, 1_024, 5_000, 2**64, 10**400])
@pytest.mark.parametrize("first_s", [1e-9, 0.1, 900.0])
def test_no_number_of_failures_is_too_large_for_a_pause(times: int, first_s: float) -> None:
    assert doubled_s(first_s, times, 3_600.0) == 3_600.0
