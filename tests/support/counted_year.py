# SPDX-License-Identifier: Apache-2.0
"""A year of known events of single devices, and how a worker hands them over.

It has a gateway that was switched off, a day whose record is damaged, hours of wrong clocks,
small and confidential cells.
"""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.policy.model import TIER_OF_GRADE
from filterd.querylog import Batch, CountRow
from filterd.querylog.day_reach import ReachRow
from tests.support.report_school import CLASSES, SECRET, TODAY, ZONE, hour_of

if TYPE_CHECKING:
    from collections.abc import Iterator

K = 5
BEGUN = date(2026, 2, 10)
OFF = frozenset(f"2026-07-{n:02}" for n in range(1, 8))
DAMAGED = "2026-09-13"


class Event(NamedTuple):
    """Equal answers of one device within an hour."""

    hour: int
    grade: str
    class_id: str
    category: str
    action: str
    device: int
    n: int

    @property
    def day(self) -> str:
        """The day of the school."""
        return datetime.fromtimestamp(self.hour, ZONE).date().isoformat()


def events(seed: int = 1) -> Iterator[Event]:
    """Yield what happened from the first day to today, and hours by wrong clocks."""
    dice, day = random.Random(seed), BEGUN
    while day <= TODAY:
        if day.isoformat() not in OFF and day.weekday() < 6:
            for _ in range(dice.choice((4, 12, 60))):
                one = dice.choice(CLASSES)
                category = dice.choice(("", "games", "gambling", SECRET))
                yield Event(
                    hour_of(day, dice.randrange(7, 17)),
                    one.grade,
                    one.id,
                    category,
                    "pass" if not category else "blocked",
                    dice.randrange(1, 14),
                    dice.randrange(1, 40),
                )
        day += timedelta(1)
    for hour in (3600, 4_102_444_800):  # 1970 and 2100
        yield Event(hour, "6", "6A", "games", "blocked", 1, 1_000_000)


def counted(found: list[Event]) -> Batch:
    """Return the events as a worker hands them over: by hour, with the devices of each day."""
    cells, reach = defaultdict[Any, int](int), defaultdict[Any, set[int]](set)
    for one in found:
        is_secret = one.category == SECRET
        grade, class_id = ("", "") if is_secret else (one.grade, one.class_id)
        cells[one.hour, grade, one.category, one.action, class_id] += one.n
        tier = TIER_OF_GRADE.get(grade, "")
        reach[one.day, "tier", tier, one.category, one.action].add(one.device)
        if grade:
            reach[one.day, "grade", grade, one.category, one.action].add(one.device)
            reach[one.day, "class", class_id, one.category, one.action].add(one.device)
    rows = [
        CountRow(hour, grade, category, action, n, "lab", class_id=class_id)
        for (hour, grade, category, action, class_id), n in cells.items()
    ]
    devices = [ReachRow._make((*key, min(len(of), K))) for key, of in reach.items()]
    return Batch("w", 1, tuple(rows), reach=tuple(devices))
