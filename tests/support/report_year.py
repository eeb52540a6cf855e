# SPDX-License-Identifier: Apache-2.0
"""A school year of known answers, and a naive count of what each report must show of it.

``NaiveYear`` has each class's answers of each day and computes figures from these alone. It
shares nothing with ``filterd.querylog``, ``filterd.policy`` or ``filterd.reports``.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
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
        self.days = sorted({one.day for one in self.events})

    def inside(self) -> dict[tuple[str, str, str, str, str], int]:
        """Return answers by month, grade, class, category and action.

        Those of a confidential category have neither grade nor class.
        """
        found = Counter[tuple[str, str, str, str, str]]()
        for one in self.events:
            is_hidden = one.category == CONFIDENTIAL
            place = ("", "") if is_hidden else (one.grade, one.class_id)
            found[one.month, *place, one.category, one.action] += one.n
        return dict(found)

    def outside(self) -> tuple[dict[tuple[str, str, str, str], int], bool]:
        """Return what may leave the school of whole months, and whether anything does not.

        The keys are month, grade, category and action.
        """
        shown, left_out = dict[tuple[str, str, str, str], int](), bool(self._small_days())
        of_tier = defaultdict[tuple[str, str, str, str], dict[str, tuple[int, int]]](dict)
        for (month, grade, *kind), cell in self._of_months().items():
            of_tier[month, TIERS[grade], kind[0], kind[1]][grade] = cell
        for key, grades in of_tier.items():
            safe = {grade: n for grade, (n, devices) in grades.items() if devices >= K}
            if len(safe) < len(grades):
                # The smallest safe grade hides the others; a tier of one grade is hidden.
                safe.pop(min(safe, key=lambda grade: safe[grade]))
            month, _, category, action = key
            shown |= {(month, grade, category, action): n for grade, n in safe.items()}
            left_out |= len(grades) > len(safe)
        return shown, left_out

    def days_outside(self, first: date, last: date) -> dict[tuple[str, str, str], int]:
        """Return what may leave the school of single days: by tier, category and action."""
        found = Counter[tuple[str, str, str]]()
        for (_, *kind, day), (n, devices) in self._of_days().items():
            if first <= day <= last and devices >= K:
                found[kind[0], kind[1], kind[2]] += n
        return dict(found)

    def confidential(self) -> dict[str, int]:
        """Return by month the blocks of the confidential category, all of many devices."""
        found = Counter[str]()
        for one in self.events:
            found[one.month] += one.n if one.category == CONFIDENTIAL else 0
        return dict(found)

    def _of_days(self) -> dict[tuple[str, str, str, str, date], tuple[int, int]]:
        """Return answers and devices by month, tier, category, action and day."""
        n, devices = (
            Counter[tuple[str, str, str, str, date]](),
            Counter[tuple[str, str, str, str, date]](),
        )
        for one in self.events:
            tier = "" if one.category == CONFIDENTIAL else one.tier
            key = one.month, tier, one.category, one.action, one.day
            n[key] += one.n
            devices[key] += one.devices
        return {key: (n[key], devices[key]) for key in n}

    def _small_days(self) -> set[tuple[str, str, str, str, date]]:
        """Return days of a tier and kind with few devices: they are in no month."""
        return {key for key, (_, devices) in self._of_days().items() if devices < K and key[1]}

    def _of_months(self) -> dict[tuple[str, str, str, str], tuple[int, int]]:
        """Return answers, and devices of the day with the most, by month, grade and kind."""
        small = self._small_days()
        n, most = Counter[tuple[str, str, str, str]](), Counter[tuple[str, str, str, str]]()
        by_day = Counter[tuple[tuple[str, str, str, str], date]]()
        for one in self.events:
            is_small = (one.month, one.tier, one.category, one.action, one.day) in small
            if one.category != CONFIDENTIAL and not is_small:
                key = one.month, one.grade, one.category, one.action
                n[key] += one.n
                by_day[key, one.day] += one.devices
        for (key, _), devices in by_day.items():
            most[key] = max(most[key], devices)
        return {key: (n[key], most[key]) for key in n}
