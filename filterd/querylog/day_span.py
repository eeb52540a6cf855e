# SPDX-License-Identifier: Apache-2.0
"""The span of a school day. Pure."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from zoneinfo import ZoneInfo


class DaySpan(NamedTuple):
    """A day (ISO 8601) of the school, and its Unix times [``begins``, ``ends``)."""

    day: str
    begins: int
    ends: int

    @classmethod
    def at(cls, now: float, zone: ZoneInfo) -> DaySpan:
        """Return the day of a Unix time."""
        return cls.of(datetime.fromtimestamp(now, zone).date(), zone)

    @classmethod
    def of(cls, day: date, zone: ZoneInfo) -> DaySpan:
        """Return a day by its date."""
        dates = day, day + timedelta(days=1)
        begins, ends = (int(datetime.combine(one, time(), zone).timestamp()) for one in dates)
        return cls(day.isoformat(), begins, ends)

    @classmethod
    def last(cls, days: int, now: float, zone: ZoneInfo) -> Iterator[DaySpan]:
        """Yield the last days, the day of a Unix time included, the latest first."""
        today = datetime.fromtimestamp(now, zone).date()
        for ago in range(days):
            yield cls.of(today - timedelta(days=ago), zone)

    def has(self, now: float) -> bool:
        """Return whether a Unix time is in the day."""
        return self.begins <= now < self.ends
