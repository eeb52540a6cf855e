# SPDX-License-Identifier: Apache-2.0
"""What a night may cost; ``test_sources`` has both at work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import FetchError, TooLargeError, TooSlowError
from filterd.feed.followed.source_limits import LONGEST_WAIT_S, HostWaits, RunBudget, Spending
from filterd.http.http_download import DownloadLimits
from filterd.texts.i18n import quoted
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    from pathlib import Path

ADDRESS = "https://lists.example/a.txt"


def _fail(waits: HostWaits, clock: FakeClock, status: int, retry_after_s: float = 0.0) -> None:
    error = FetchError(quoted("busy"))
    error.status, error.retry_after_s = status, retry_after_s
    with pytest.raises(FetchError), waits.noting(ADDRESS, clock):
        raise error


def _wait_s(waits: HostWaits, clock: FakeClock) -> float:
    try:
        waits.check(ADDRESS, clock.wall())
    except FetchError as error:
        return error.retry_after_s
    return 0.0


def test_a_busy_server_is_left_alone_longer_each_time(tmp_path: Path) -> None:
    waits, clock = HostWaits(tmp_path), FakeClock()
    found = []
    for _ in range(10):
        _fail(waits, clock, 429)
        found.append(_wait_s(waits, clock))
    assert found[:4] == [900.0, 1_800.0, 3_600.0, 7_200.0]
    assert max(found) == LONGEST_WAIT_S
    with waits.noting(ADDRESS, clock):
        pass
    assert _wait_s(waits, clock) == 0.0


def test_the_source_sets_for_how_long(tmp_path: Path) -> None:
    waits, clock = HostWaits(tmp_path), FakeClock()
    _fail(waits, clock, 503, 5_000.0)
    assert _wait_s(waits, clock) == 5_000.0
    waits.check("https://other.example/a.txt", clock.wall())


def test_another_failure_is_no_reason_to_wait(tmp_path: Path) -> None:
    waits, clock = HostWaits(tmp_path), FakeClock()
    for status in (0, 403, 404, 500):
        _fail(waits, clock, status)
    assert _wait_s(waits, clock) == 0.0


def test_a_clock_that_was_ahead_silences_no_server(tmp_path: Path) -> None:
    waits, clock = HostWaits(tmp_path), FakeClock()
    _fail(waits, clock, 429)
    with pytest.raises(FetchError):
        waits.check(ADDRESS, clock.wall())
    waits.check(ADDRESS, clock.wall() - 2 * LONGEST_WAIT_S)


def test_a_budget_ends(tmp_path: Path) -> None:
    del tmp_path
    clock, limits = FakeClock(), DownloadLimits(total_s=300.0)
    spending = Spending(RunBudget(octets=10, seconds=400.0), clock)
    assert spending.limits(limits).total_s == 300.0
    clock.advance(200.0)
    assert spending.limits(limits).total_s == 200.0
    assert list(spending.counted([b"12345"])) == [b"12345"]
    with pytest.raises(TooLargeError, match="the limit of 10 octets a night is reached"):
        list(spending.counted([b"12345", b"6"]))
    clock.advance(200.0)
    spending = Spending(RunBudget(seconds=0.0), clock)
    with pytest.raises(TooSlowError, match="the limit of 0 s a night is reached"):
        spending.limits(limits)
    assert Spending(None, clock).limits(limits) == limits
