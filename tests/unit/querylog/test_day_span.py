# SPDX-License-Identifier: Apache-2.0
"""A school day has the length that its zone gives it."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from filterd.querylog.day_span import DaySpan

HOUR = 3600


@pytest.mark.parametrize(
    ("zone", "now", "day", "hours"),
    [
        ("Asia/Ho_Chi_Minh", 1_764_570_600, "2025-12-01", 24),
        ("Europe/Berlin", 1_774_746_000, "2026-03-29", 23),
        ("Europe/Berlin", 1_792_890_000, "2026-10-25", 25),
    ],
)
def test_a_day_begins_at_midnight_and_ends_at_the_next(
    zone: str, now: int, day: str, hours: int
) -> None:
    span = DaySpan.at(now, ZoneInfo(zone))
    assert (span.day, span.ends - span.begins) == (day, hours * HOUR)
    assert [span.has(at) for at in (span.begins - 1, span.begins, now, span.ends - 0.5)] == [
        False,
        True,
        True,
        True,
    ]
    assert DaySpan.at(span.ends, ZoneInfo(zone)).begins == span.ends
