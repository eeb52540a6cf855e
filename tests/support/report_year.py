# SPDX-License-Identifier: Apache-2.0
"""A school year of known answers, and a naive count of what each report must show of it.

``NaiveYear`` has each class's answers of each day and computes figures from these alone. It
shares nothing with ``filterd.querylog``, ``filterd.policy`` or ``filterd.reports``.
"""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

K = 5
YEAR, FIRST, LAST = 2026, date(2026, 1, 1), date(2026, 12, 31)
CLASSES = {"6A": "6", "6B": "6", "7A": "7", "8A": "8", "9A": "9", "9B": "9", "10A": "10"}
TIERS = {**dict.fromkeys("6789", "lower-secondary"), "10": "upper-secondary"}
"""The tier of each grade."""
CONFIDENTIAL = "self-harm"
CATEGORIES = ("games", "social-media", "gambling", CONFIDENTIAL)
BLOCKED = "blocked"
NO_SERVICE = {date(2026, 3, 9) + timedelta(days=n) for n in range(4)}
"""Days without any count, besides Sundays and the summer."""


class YearEvent(NamedTuple):
    """Answers of one kind to a class on a day; ``devices`` are of no other class."""

    day: date
    class_id: str
    category: str
    action: str
    n: int
    devices: int

    @property
    def grade(self) -> str:
        """The grade of the class."""
        return CLASSES[self.class_id]

    @property
    def tier(self) -> str:
        """The tier of the grade."""
        return TIERS[self.grade]

    @property
    def month(self) -> str:
        """The month of the day."""
        return f"{self.day:%Y-%m}"


def events_of(seed: int) -> Iterator[YearEvent]:
    """Yield the answers of a year.

    All cells have many devices, but those that are planted: in April grade 9 gambles from two
    devices only, and on a day of October three devices of grade 10, the only one of its tier,
    play.
    """
    chance = random.Random(seed)
    for n in range((LAST - FIRST).days + 1):
        day = FIRST + timedelta(days=n)
        if day.weekday() == 6 or day.month in (6, 7) or day in NO_SERVICE:
            continue
        for class_id, grade in CLASSES.items():
            yield YearEvent(day, class_id, "", "pass", chance.randint(500, 9_000), 30)
            for action in ("local", "rewritten", "failed"):
                yield YearEvent(day, class_id, "", action, chance.randint(20, 60), 12)
            for category in CATEGORIES:
                devices = chance.randint(K, 30)
                if category == "gambling" and grade == "9" and day.month == 4:
                    devices = 1
                if category == "games" and class_id == "10A" and day == date(2026, 10, 7):
                    devices = 3
                n_blocked = devices * chance.randint(2, 9)
                yield YearEvent(day, class_id, category, BLOCKED, n_blocked, devices)


class NaiveYear:
    """All answers of a year, and what reports of it must show."""

    def __init__(self, events: Iterable[YearEvent]) -> None:
        self.events = list(events)
        self.days = sorted({event.day for event in self.events})

    def inside(self) -> dict[tuple[str, str, str, str, str], int]:
        """Return answers by month, grade, class, category and action.

        Those of a confidential category have neither grade nor class.
        """
        found = Counter[tuple[str, str, str, str, str]]()
        for event in self.events:
            is_hidden = event.category == CONFIDENTIAL
            place = ("", "") if is_hidden else (event.grade, event.class_id)
            found[event.month, *place, event.category, event.action] += event.n
        return dict(found)

    def outside(self) -> tuple[dict[tuple[str, str, str, str], int], bool]:
        """Return what may leave the school of whole months, and whether anything does not.

        The keys are month, grade, category and action.
        """
        shown, small = Counter[tuple[str, str, str, str]](), self._small_parts()
        for event in self.events:
            if event.category != CONFIDENTIAL and _part_of(event) not in small:
                shown[event.month, event.grade, event.category, event.action] += event.n
        return dict(shown), bool(small)

    def days_outside(self, first: date, last: date) -> dict[tuple[str, str, str], int]:
        """Return what may leave the school of single days: by tier, category and action."""
        found, small = Counter[tuple[str, str, str]](), self._small_parts()
        for event in self.events:
            if first <= event.day <= last and _part_of(event) not in small:
                tier = "" if event.category == CONFIDENTIAL else event.tier
                found[tier, event.category, event.action] += event.n
        return dict(found)

    def confidential(self) -> dict[str, int]:
        """Return by month the blocks of the confidential category, all of many devices."""
        found = Counter[str]()
        for event in self.events:
            found[event.month] += event.n if event.category == CONFIDENTIAL else 0
        return dict(found)

    def _small_parts(self) -> set[tuple[str, str, str, date]]:
        """Return what few devices of a grade did on a day: it is in no day and in no month."""
        devices = Counter[tuple[str, str, str, date]]()
        for event in self.events:
            devices[_part_of(event)] += event.devices
        return {part for part, n in devices.items() if n < K}


def _part_of(event: YearEvent) -> tuple[str, str, str, date]:
    """Return the smallest part that a principal sees: a grade's answers of a kind on a day."""
    grade = "" if event.category == CONFIDENTIAL else event.grade
    return grade, event.category, event.action, event.day
